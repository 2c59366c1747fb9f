//! Rows as lines or as JSON.

use std::process::ExitCode;

use super::options::Options;

/// What a value must hold.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
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

    /// One row. `name` says what was measured and where; `unit` what the value counts.
    pub(crate) fn row(&mut self, name: &str, value: f64, unit: &str, target: Target) {
        let (bound, is_met) = match target {
            Target::AtMost(most) => (format!("at most {most}"), value <= most),
            Target::AtLeast(least) => (format!("at least {least}"), value >= least),
            Target::None => (String::new(), true),
        };
        if !is_met {
            self.missed.push(name.to_owned());
        }
        if self.json {
            let (name, unit) = (quoted(name), quoted(unit));
            println!(r#"{{"name":{name},"value":{value},"unit":{unit},"met":{is_met}}}"#);
        } else {
            let verdict = if is_met { "" } else { "MISSED" };
            println!("{name:<66} {value:>12.3} {unit:<10} {bound:<16} {verdict}");
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

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
