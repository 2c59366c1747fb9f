//! What is measured.

use super::options::Options;

/// Words that say how and not what.
const MANNERS: [&str; 5] = ["plain", "unsealed", "minute", "long", "hundred"];

impl Options {
    /// Whether a subject runs: if it was named, or if none was and it is not a slow one.
    pub(crate) fn wants(&self, subject: &str) -> bool {
        let mut subjects = self.words.iter().filter(|word| !is_manner(word)).peekable();
        if subjects.peek().is_none() {
            return !subject.contains("large");
        }
        subjects.any(|word| word == subject)
    }

    /// Whether a word was given.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.words.iter().any(|given| given == word)
    }
}

fn is_manner(word: &str) -> bool {
    MANNERS.contains(&word) || word.starts_with("seed-")
}
