//! What is measured.

use super::options::Options;

impl Options {
    /// Whether a subject runs: if it was named, or if none was and it is not a slow one.
    pub(crate) fn wants(&self, subject: &str) -> bool {
        if self.words.is_empty() {
            return !subject.contains("large") && !subject.contains("full");
        }
        self.words.iter().any(|word| word == subject)
    }
}
