//! Simulated networks, in virtual time: [`scale`] and [`gossip`] run thousands of the pure machines
//! without sockets, `Net` real QUIC.
//!
//! `Net` carries the datagrams of any number of hosts in memory. Each host is an
//! [`Environment`](crate::transport::environment::Environment): its sockets, clock and entropy come
//! from the network, so that the code under test is the code that ships. Links have latency,
//! jitter, loss, reordering, a rate with a drop-tail queue, and an MTU; hosts can be partitioned
//! and killed.
//!
//! # Time
//!
//! Virtual time is tokio's paused clock: it stands still while any task can run and then jumps to
//! the next timer. Use [`runtime`], or `#[tokio::test(start_paused = true)]`: a clock that is
//! paused later starts at a fraction of a millisecond, and every timer then fires up to 1 ms late.
//!
//! Links compute with nanoseconds, but tokio's timers fire on whole milliseconds, rounded up.
//! A latency of whole milliseconds is therefore exact; jitter and serialisation delays arrive up to
//! 1 ms late, and an RTT over such links should be asserted to ± 2 ms. Roundings do not add up: the
//! due time of a datagram never depends on when an earlier one was delivered.
//!
//! # The same seed gives the same run
//!
//! Every directed link and every host has a random generator of its own, derived from the seed and
//! the addresses alone. Nothing here iterates over a hash map. What remains is up to the code
//! under test: a seeded `EndpointConfig::rng_seed` and connection-id generator, `biased` in
//! `select!`, no blocking pool, signatures and certificates of constant length.

#[cfg(feature = "sim")]
mod first_flight;
pub mod gossip;
#[cfg(feature = "sim")]
mod hop;
#[cfg(feature = "sim")]
mod host;
#[cfg(feature = "sim")]
mod link;
#[cfg(feature = "sim")]
mod net;
#[cfg(feature = "sim")]
mod profile;
#[cfg(test)]
#[cfg(feature = "sim")]
pub(crate) mod raw_quinn;
pub mod scale;
#[cfg(feature = "sim")]
mod socket;

#[cfg(test)]
#[cfg(feature = "sim")]
mod tests;

#[cfg(feature = "sim")]
pub use self::{
    first_flight::FirstFlight,
    host::WALL_CLOCK_START,
    net::{Datagram, Net, Verdict},
    profile::{LinkCounters, LinkProfile, Traffic},
};

/// A runtime for simulated runs: one thread, its clock paused from the first moment.
///
/// # Errors
///
/// The operating system refused the event queue that tokio opens.
#[cfg(feature = "sim")]
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
}
