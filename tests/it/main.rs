//! Integration tests: one binary, one module a theme.
//!
//! Modules that use `sim` run in virtual time: what they assert about time is exact.

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

#[cfg(feature = "sim")]
mod support;

#[cfg(feature = "sim")]
mod attacks;
#[cfg(feature = "sim")]
mod bad_input;
#[cfg(feature = "sim")]
mod blame;

#[cfg(feature = "sim")]
mod determinism;
#[cfg(feature = "sim")]
mod discovery;
#[cfg(feature = "sim")]
mod first_contact;
#[cfg(feature = "sim")]
mod flood;
#[cfg(feature = "sim")]
mod gossip;
#[cfg(feature = "sim")]
mod handlers;
#[cfg(feature = "sim")]
mod handover;
#[cfg(feature = "sim")]
mod holds;
#[cfg(feature = "sim")]
mod paths;
#[cfg(feature = "sim")]
mod requests;
#[cfg(feature = "sim")]
mod restart;
#[cfg(feature = "sim")]
mod returning_peer;
#[cfg(feature = "sim")]
mod shutdown;
#[cfg(feature = "sim")]
mod simultaneous_dial;

#[cfg(feature = "cli")]
mod program;
