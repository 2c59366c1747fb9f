//! Lines on standard output and standard error.

use std::fmt::Display;
use std::io::{self, Write};

use crate::failure::Failure;

/// Prints a line at once, also into a pipe.
pub(crate) fn print_line(line: impl Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(Failure::Output)
}

/// Tells the user what went wrong.
pub(crate) fn complain(failure: &impl Display) {
    // With standard error gone there is nobody left to tell.
    _ = writeln!(io::stderr(), "creto: {failure}");
}
