//! Integration tests: one binary, one module a theme.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests fail by panicking, and measure"
)]

mod floors;

#[cfg(feature = "node")]
mod foreign_client;
