//! A simulated network under real QUIC, in virtual time.
//!
//! [`Net`] carries the datagrams of any number of hosts in memory. Each host is an
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

mod first_flight;
mod hop;
mod host;
mod link;
mod net;
mod profile;
#[cfg(test)]
pub(crate) mod raw_quinn;
mod socket;

#[cfg(test)]
mod tests;

pub use first_flight::FirstFlight;
pub use host::WALL_CLOCK_START;
pub use net::{Datagram, Net, Verdict};
pub use profile::{LinkCounters, LinkProfile, Traffic};

/// A runtime for simulated runs: one thread, its clock paused from the first moment.
///
/// # Errors
///
/// The operating system refused the event queue that tokio opens.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
}
