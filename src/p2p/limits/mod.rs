//! Who gets a connection: limits in total, per IP address, per IP group and per peer, and what a
//! flood of handshakes meets before any work is done for it.

mod admission;
mod config;
mod handshakes;
#[cfg(test)]
mod tests;

pub use admission::{
    Admission, Admit, Counts, MAX_UNFINISHED_DIALS, PermitId, RefuseReason, Source,
};
pub use config::LimitsConfig;
pub use handshakes::MAX_TRACKED_SOURCES;
