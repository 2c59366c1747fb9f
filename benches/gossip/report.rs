//! Rows as lines or as JSON.

use std::process::ExitCode;

use super::options::Options;

/// What a value must hold.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    AtMost(f64),
    /// Reported, not judged.
    None,
}

#[derive(Debug)]
pub(crate) struct Report {
    json: bool,
    missed: Vec<String>,
}

impl Report {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            json: options.json,
            missed: Vec::new(),
        }
    }

    /// One row: the median of the values of all seeds, and the values. `name` says what was measured
    /// and where; `unit` what the values count. A value that is not a number misses every target.
    pub(crate) fn row(&mut self, name: &str, values: &[f64], unit: &str, target: Target) {
        let value = median(values);
        let (bound, is_met) = match target {
            Target::AtMost(most) => (format!("at most {most}"), value <= most),
            Target::None => (String::new(), true),
        };
        if !is_met {
            self.missed.push(name.to_owned());
        }
        let all: Vec<_> = values.iter().map(|value| rounded(*value)).collect();
        if self.json {
            let (name, unit) = (quoted(name), quoted(unit));
            let (value, all) = (rounded(value), all.join(","));
            println!(
                r#"{{"name":{name},"value":{value},"seeds":[{all}],"unit":{unit},"met":{is_met}}}"#
            );
        } else {
            let verdict = if is_met { "" } else { "MISSED" };
            let all = all.join(" ");
            let value = rounded(value);
            println!("{name:<58} {value:>10} {unit:<8} {bound:<14} {verdict:<6} [{all}]");
        }
    }

    /// Something that a reader of the rows should know.
    pub(crate) fn note(&self, text: &str) {
        if !self.json {
            println!("  {text}");
        }
    }

    pub(crate) fn finish(&self) -> ExitCode {
        if self.missed.is_empty() {
            return ExitCode::SUCCESS;
        }
        eprintln!("missed: {}", self.missed.join("; "));
        ExitCode::FAILURE
    }
}

/// The middle one; the lower of two.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len().saturating_sub(1) / 2;
    sorted.get(middle).copied().unwrap_or(f64::NAN)
}

/// As many digits as a reader compares.
fn rounded(value: f64) -> String {
    let digits = match value.abs() {
        large if large >= 1_000.0 => 0,
        medium if medium >= 10.0 => 2,
        _ => 4,
    };
    if value.is_finite() {
        format!("{value:.digits$}")
    } else {
        "null".to_owned()
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
