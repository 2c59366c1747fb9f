//! Rows as lines or as JSON.

use std::process::ExitCode;

use super::numbers::{median, rounded};
use super::options::Options;

/// What a value must hold.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// In the middle of the seeds.
    AtMost(f64),
    /// With every seed: what must not happen, and what happens seldom, the median does not show.
    EachAtMost(f64),
    /// Likewise.
    EachAtLeast(f64),
    /// Reported, not judged.
    None,
}

impl Target {
    /// The same bound, with every seed.
    pub(crate) const fn each(self) -> Self {
        match self {
            Self::AtMost(most) | Self::EachAtMost(most) => Self::EachAtMost(most),
            Self::EachAtLeast(_) | Self::None => self,
        }
    }
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

    /// One row: the median of the values of all seeds, or the worst if every seed counts, and the values. `name`
    /// says what was measured and where; `unit` what the values count. A value that is not a number misses every
    /// target.
    pub(crate) fn row(&mut self, name: &str, values: &[f64], unit: &str, target: Target) {
        let value = match target {
            Target::EachAtMost(_) => worst(values, f64::max),
            Target::EachAtLeast(_) => worst(values, f64::min),
            Target::AtMost(_) | Target::None => median(values),
        };
        let (bound, is_met) = match target {
            Target::AtMost(most) => (format!("at most {most}"), value <= most),
            Target::EachAtMost(most) => (format!("each <= {most}"), value <= most),
            Target::EachAtLeast(least) => (format!("each >= {least}"), value >= least),
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

/// The highest or the lowest value; not a number if one is not, or if there are none.
fn worst(values: &[f64], of_two: fn(f64, f64) -> f64) -> f64 {
    let of_two = |one: f64, other: f64| {
        if one.is_nan() || other.is_nan() {
            f64::NAN
        } else {
            of_two(one, other)
        }
    };
    values.iter().copied().reduce(of_two).unwrap_or(f64::NAN)
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
