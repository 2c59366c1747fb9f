//! The command line.

use std::time::Duration;

/// What was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// A smoke run: little time a row, no thresholds on ratios.
    pub(crate) quick: bool,
    /// One JSON object a row instead of a table.
    pub(crate) json: bool,
    wanted: Vec<String>,
}

impl Options {
    pub(crate) fn from_arguments() -> Result<Self, String> {
        let mut options = Self {
            quick: false,
            json: false,
            wanted: Vec::new(),
        };
        for argument in std::env::args().skip(1) {
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--json" => options.json = true,
                // Cargo passes this to every benchmark.
                "--bench" => {}
                other if other.starts_with('-') => {
                    return Err(format!(
                        "unknown option {other}; there are --quick, --json and words of row names"
                    ));
                }
                word => options.wanted.push(word.to_owned()),
            }
        }
        Ok(options)
    }

    /// Whether rows of this subject were asked for.
    pub(crate) fn wants(&self, subject: &str) -> bool {
        self.wanted.is_empty()
            || self
                .wanted
                .iter()
                .any(|word| subject.contains(word.as_str()))
    }

    /// Pairs of measurements a row: odd, so that the median is one of them.
    pub(crate) fn pairs(&self) -> usize {
        if self.quick { 5 } else { 45 }
    }

    /// How long one measurement takes: short, so that what else runs on the machine disturbs both
    /// sides of a pair alike.
    pub(crate) fn span(&self) -> Duration {
        Duration::from_millis(100)
    }
}
