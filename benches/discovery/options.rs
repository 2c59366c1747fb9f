//! The command line.

/// What was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Small worlds and few keys: a smoke run, whose rows are judged all the same.
    pub(crate) quick: bool,
    /// One JSON object a row instead of a line.
    pub(crate) json: bool,
    words: Vec<String>,
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

    /// Whether a subject runs: if it was named, or if none was and it is not a slow one.
    pub(crate) fn wants(&self, subject: &str) -> bool {
        if self.words.is_empty() {
            return !subject.contains("large") && !subject.contains("full");
        }
        self.words.iter().any(|word| word == subject)
    }
}
