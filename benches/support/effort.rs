//! What is measured, and how thoroughly.

use std::time::Duration;

use super::Options;

impl Options {
    /// Whether rows of this subject were asked for.
    pub(crate) fn wants(&self, subject: &str) -> bool {
        let is_named = |word: &String| subject.contains(word.as_str());
        self.words.is_empty() || self.words.iter().any(is_named)
    }

    /// Pairs of measurements a row: odd, so that the median is one of them.
    pub(crate) const fn pairs(&self) -> usize {
        if self.quick { 5 } else { 45 }
    }

    /// How long one measurement takes: short, so that what else runs on the machine disturbs both
    /// sides of a pair alike.
    pub(crate) const fn span(&self) -> Duration {
        Duration::from_millis(100)
    }
}
