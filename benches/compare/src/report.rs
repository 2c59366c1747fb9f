//! Rows as lines or as JSON.

use std::process::ExitCode;

use crate::numbers::{median, rounded};
use crate::options::Options;

/// What a value must hold.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
    /// Reported, not judged.
    None,
}

#[derive(Debug)]
pub(crate) struct Report {
    json: bool,
    /// A smoke run is too short for ratios, and for rates.
    judges: bool,
    missed: Vec<String>,
}

impl Report {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            json: options.json,
            judges: !options.quick,
            missed: Vec::new(),
        }
    }

    /// One row: the median of some values, and all of them. A value that is not a number misses every
    /// target.
    pub(crate) fn row(&mut self, name: &str, values: &[f64], unit: &str, target: Target) {
        let value = median(values);
        let (bound, holds) = match target {
            Target::AtLeast(least) => (format!("at least {least}"), value >= least),
            Target::AtMost(most) => (format!("at most {}", rounded(most)), value <= most),
            Target::None => (String::new(), true),
        };
        let is_met = holds || !self.judges;
        if !is_met {
            self.missed.push(name.to_owned());
        }
        let all: Vec<_> = values.iter().map(|value| rounded(*value)).collect();
        let (value, verdict) = (rounded(value), if is_met { "" } else { "MISSED" });
        if self.json {
            let all = all.join(",");
            println!(
                r#"{{"name":"{name}","value":{value},"all":[{all}],"unit":"{unit}","target":"{bound}","met":{is_met}}}"#
            );
        } else {
            let all = all.join(" ");
            println!("{name:<38} {value:>9} {unit:<6} {bound:<16} {verdict:<6} [{all}]");
        }
    }

    /// Something that failed, whatever was measured, in a smoke run, too.
    pub(crate) fn failed(&mut self, name: &str, why: &str) {
        self.note(&format!("{name}: {why}"));
        self.missed.push(name.to_owned());
    }

    /// Something that a reader of the rows should know.
    pub(crate) fn note(&self, text: &str) {
        if self.json {
            eprintln!("{text}");
        } else {
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
