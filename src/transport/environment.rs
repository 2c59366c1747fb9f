//! Where clock, randomness, sockets and timers come from.
//!
//! A node reads all four from its [`Environment`] and from nowhere else, so that the simulator can
//! replace them together and run the same code in virtual time.

// The operating system's clock enters here and nowhere else.
#![allow(clippy::disallowed_methods)]

use std::fmt::Debug;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use quinn::udp::UdpSocketState;
use quinn::{AsyncUdpSocket, Runtime, TokioRuntime};

use crate::crypto::{Entropy, OsEntropy};
use crate::policy::{Micros, Now, UnixMillis};

/// The only source of clock, entropy, sockets and runtime of a node. Clones share all four.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Both clocks, read together.
    pub clock: Arc<dyn Clock>,
    /// Seeds and one-off values.
    pub entropy: Arc<dyn Entropy>,
    /// UDP sockets.
    pub sockets: Arc<dyn Sockets>,
    /// Timers and tasks of quinn; its idea of time must be that of `clock`.
    pub runtime: Arc<dyn Runtime>,
}

/// A source of time.
pub trait Clock: Debug + Send + Sync {
    /// Both clocks at this moment. The monotonic one never runs backwards.
    fn now(&self) -> Now;
}

/// A source of UDP sockets.
pub trait Sockets: Debug + Send + Sync {
    /// Binds a socket to `address`; port 0 lets the environment choose.
    ///
    /// # Errors
    ///
    /// The address is taken, is not one of this host, or may not be used.
    fn bind(&self, address: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>>;

    /// Addresses of this host's network interfaces, in a stable order: where a socket bound to the
    /// unspecified address can be reached. Those of the loopback come last.
    fn interfaces(&self) -> Vec<IpAddr>;
}

impl Environment {
    /// The operating system: its clocks, randomness and UDP, and the tokio runtime.
    #[must_use]
    pub fn system() -> Self {
        Self {
            clock: Arc::new(SystemClock::start()),
            entropy: Arc::new(OsEntropy),
            sockets: Arc::new(SystemSockets),
            runtime: Arc::new(TokioRuntime),
        }
    }
}

/// The wall clock is read once, at the start, and then advances with the monotonic one: a jump of
/// the machine's clock during a run cannot expire every signed object at once.
#[derive(Debug)]
struct SystemClock {
    origin: Instant,
    wall_at_origin: UnixMillis,
}

impl SystemClock {
    fn start() -> Self {
        // A clock set before 1970 reads as 1970: every signed object is then "from the future".
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let millis = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
        Self {
            origin: Instant::now(),
            wall_at_origin: UnixMillis(millis),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        now_after(self.origin.elapsed(), self.wall_at_origin)
    }
}

/// Both clocks, `elapsed` after an origin at which the wall clock read `wall_at_origin`.
pub(crate) fn now_after(elapsed: std::time::Duration, wall_at_origin: UnixMillis) -> Now {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    Now {
        mono: Micros::default() + elapsed,
        wall: UnixMillis(wall_at_origin.0.saturating_add(millis)),
    }
}

/// Kernel buffer asked for, a direction: at 1 Gbit/s it covers 33 ms in which our process is not
/// scheduled. Linux grants at most `net.core.{r,w}mem_max`, often 208 KiB; what is granted is kept.
const KERNEL_BUFFER_BYTES: usize = 4 * 1024 * 1024;

#[derive(Debug)]
struct SystemSockets;

impl Sockets for SystemSockets {
    fn bind(&self, address: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let socket = UdpSocket::bind(address)?;
        enlarge_buffers(&socket)?;
        TokioRuntime.wrap_udp_socket(socket)
    }

    fn interfaces(&self) -> Vec<IpAddr> {
        let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
        let mut addresses: Vec<_> = interfaces.iter().map(if_addrs::Interface::ip).collect();
        addresses.sort_by_key(|ip| (ip.is_loopback(), *ip));
        addresses
    }
}

fn enlarge_buffers(socket: &UdpSocket) -> io::Result<()> {
    let options = UdpSocketState::new(socket.into())?;
    // A refusal is no fault: the socket works with the smaller buffers it has.
    let granted = options
        .set_recv_buffer_size(socket.into(), KERNEL_BUFFER_BYTES)
        .and_then(|()| options.set_send_buffer_size(socket.into(), KERNEL_BUFFER_BYTES));
    if let Err(error) = granted {
        tracing::debug!(%error, "UDP buffers keep their default size");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_clock_advances_both_clocks_from_one_origin() {
        let clock = SystemClock::start();
        let (first, second) = (clock.now(), clock.now());
        assert!(second.mono >= first.mono);
        assert!(second.wall >= first.wall);
        assert!(
            first.wall.0 > 1_600_000_000_000,
            "the machine's clock is before 2020"
        );
    }

    #[test]
    fn elapsed_time_is_added_to_the_wall_clock_at_the_origin() {
        let now = now_after(std::time::Duration::from_micros(1_500_250), UnixMillis(7));
        assert_eq!(
            now,
            Now {
                mono: Micros(1_500_250),
                wall: UnixMillis(1_507)
            }
        );
    }

    #[tokio::test]
    async fn a_taken_port_is_an_error_and_port_zero_is_not() {
        let sockets = SystemSockets;
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let first = sockets.bind(loopback).unwrap();
        let taken = first.local_addr().unwrap();
        assert_ne!(taken.port(), 0);
        assert_eq!(
            sockets.bind(taken).unwrap_err().kind(),
            io::ErrorKind::AddrInUse
        );
    }
}
