//! A host: clock, entropy and sockets that come from the network.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use quinn::{AsyncUdpSocket, TokioRuntime};

use super::link::{Purpose, derive_seed};
use super::net::{Shared, State};
use super::socket::{Mailbox, SimSocket};
use crate::crypto::SeededEntropy;
use crate::policy::{Now, UnixMillis};
use crate::transport::environment::{Clock, Environment, Sockets, now_after};

/// The wall clock of every host when the network begins: 2025-01-01T00:00:00Z.
pub const WALL_CLOCK_START: UnixMillis = UnixMillis(1_735_689_600_000);

pub(super) fn environment(shared: &Arc<Shared>, ip: IpAddr) -> Environment {
    let incarnation = {
        let mut state = shared.lock();
        let count = state.incarnations.entry(ip).or_insert(0);
        *count += 1;
        *count
    };
    // A restarted host must not repeat its keys and connection ids: the seed moves on with it.
    let seed = shared
        .seed
        .wrapping_add(incarnation.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    Environment {
        clock: Arc::new(HostClock(Arc::clone(shared))),
        entropy: Arc::new(SeededEntropy::new(derive_seed(
            seed,
            Purpose::Entropy,
            &[ip],
        ))),
        sockets: Arc::new(HostSockets {
            shared: Arc::clone(shared),
            ip,
        }),
        runtime: Arc::new(TokioRuntime),
    }
}

#[derive(Debug)]
struct HostClock(Arc<Shared>);

impl Clock for HostClock {
    fn now(&self) -> Now {
        now_after(self.0.elapsed(), WALL_CLOCK_START)
    }
}

#[derive(Debug)]
struct HostSockets {
    shared: Arc<Shared>,
    ip: IpAddr,
}

impl Sockets for HostSockets {
    /// Binds on the host's own address; the unspecified address of either family means that one.
    fn bind(&self, address: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let wanted = address.ip().to_canonical();
        if !wanted.is_unspecified() && wanted != self.ip {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        let mut state = self.shared.lock();
        let bound = free_address(&state, self.ip, address.port())?;
        let mailbox = Arc::new(Mailbox::new(bound));
        state.mailboxes.insert(bound, Arc::clone(&mailbox));
        drop(state);
        Ok(Arc::new(SimSocket::new(Arc::clone(&self.shared), mailbox)))
    }

    fn interfaces(&self) -> Vec<IpAddr> {
        vec![self.ip]
    }
}

/// First port of the dynamic range (RFC 6335, section 6): the lowest free one is given out.
const FIRST_DYNAMIC_PORT: u16 = 49_152;

fn free_address(state: &State, ip: IpAddr, port: u16) -> io::Result<SocketAddr> {
    let candidates = if port == 0 {
        FIRST_DYNAMIC_PORT..=u16::MAX
    } else {
        port..=port
    };
    candidates
        .map(|port| SocketAddr::new(ip, port))
        .find(|address| !state.mailboxes.contains_key(address))
        .ok_or_else(|| io::ErrorKind::AddrInUse.into())
}
