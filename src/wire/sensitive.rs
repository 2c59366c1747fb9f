//! Values that must not reach a log.

use std::fmt;

/// A value that says where or who somebody is: an address, a `.dark` name.
///
/// `Debug` and `Display` print `[redacted]` whatever the flags, `{:#?}` included: a log line cannot
/// leak it, only code that calls [`reveal`](Self::reveal) can, and that word is easy to search for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, to be used and not to be printed.
    pub const fn reveal(&self) -> &T {
        &self.0
    }

    /// The value, moved out.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> From<T> for Sensitive<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<T> fmt::Display for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
