//! The command line of a benchmark.

/// What was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// A smoke run: little time a row and no thresholds on ratios, or small worlds, whose rows are
    /// judged all the same.
    pub(crate) quick: bool,
    /// One JSON object a row instead of a table.
    pub(crate) json: bool,
    /// Subjects; all that are not slow if there are none.
    pub(crate) words: Vec<String>,
}

impl Options {
    pub(crate) fn from_arguments() -> Result<Self, String> {
        let mut options = Self {
            quick: false,
            json: false,
            words: Vec::new(),
        };
        for argument in std::env::args().skip(1) {
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--json" => options.json = true,
                // Cargo passes this to every benchmark.
                "--bench" => {}
                other if other.starts_with('-') => {
                    return Err(format!(
                        "unknown option {other}; there are --quick, --json and words of subjects"
                    ));
                }
                word => options.words.push(word.to_owned()),
            }
        }
        Ok(options)
    }
}
