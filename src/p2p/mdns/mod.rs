//! Peers on the local network, found by multicast DNS (RFC 6762, RFC 6763).
//!
//! A node announces the service `_creto._udp.local.` with its peer id and the first eight bytes of
//! its network's id. What others announce is a claim: the handshake proves who answers.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::IpAddr;

use mdns_sd::{ResolvedService, ServiceDaemon, ServiceEvent, ServiceInfo};
use thiserror::Error;
use tokio::sync::mpsc;

use crate::identity::PeerId;
use crate::policy::{Micros, TokenBucket};
use crate::wire::{Address, NetworkId};

/// The service of RFC 6763 §4.1.
pub const SERVICE: &str = "_creto._udp.local.";

/// Announcements that wait for the swarm. More are dropped: they are repeated.
pub const QUEUE: usize = 64;

/// Announcements taken at once: a whole local network that starts together.
const BURST: u32 = 64;

/// Announcements a second after that. One machine can announce any number of invented peers.
const PER_SECOND: u32 = 4;

/// Addresses taken of one announcement: IPv4 and IPv6 of two interfaces.
const MAX_ADDRESSES: usize = 4;

/// TXT keys.
const KEY_ID: &str = "id";
const KEY_NETWORK: &str = "net";

/// Somebody announced a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// Who, as announced.
    pub peer: PeerId,
    /// Where, with the peer's id.
    pub address: Address,
}

/// Multicast DNS cannot be used here.
#[derive(Debug, Error)]
#[error("multicast DNS is not available: {0}")]
pub struct MdnsError(#[from] mdns_sd::Error);

/// A running announcement and search. Ends when it is dropped.
pub struct Mdns {
    daemon: ServiceDaemon,
}

impl std::fmt::Debug for Mdns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mdns").finish_non_exhaustive()
    }
}

impl Mdns {
    /// Announces `peer` at `port` on all interfaces and looks for others of the same network.
    ///
    /// `clock` gives the node's monotonic time; it is read once an announcement.
    ///
    /// # Errors
    /// [`MdnsError`] when the sockets cannot be opened.
    pub fn start(
        peer: PeerId,
        network: NetworkId,
        port: u16,
        clock: impl Fn() -> Micros + Send + 'static,
    ) -> Result<(Self, mpsc::Receiver<Discovery>), MdnsError> {
        let daemon = ServiceDaemon::new()?;
        let mdns = Self { daemon };
        mdns.daemon.register(announcement(peer, network, port)?)?;
        let found = mdns.daemon.browse(SERVICE)?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let mut filter = Filter::new(peer, network, clock());
        // The library's channel blocks, and ends with its daemon.
        std::thread::spawn(move || {
            for event in found {
                let ServiceEvent::ServiceResolved(service) = event else {
                    continue;
                };
                for discovery in filter.take(clock(), &Claim::of(&service)) {
                    // Full: the announcement comes again.
                    _ = sender.try_send(discovery);
                }
                if sender.is_closed() {
                    break;
                }
            }
        });
        Ok((mdns, receiver))
    }
}

impl Drop for Mdns {
    fn drop(&mut self) {
        // The daemon says goodbye to the network by itself; when it is gone already, there is nothing
        // to end.
        _ = self.daemon.shutdown();
    }
}

/// What an announcement says.
#[derive(Debug)]
struct Claim {
    id: String,
    network: String,
    port: u16,
    hosts: Vec<IpAddr>,
}

impl Claim {
    fn of(service: &ResolvedService) -> Self {
        let text = |key| {
            service
                .get_property_val_str(key)
                .unwrap_or_default()
                .to_owned()
        };
        let hosts = service
            .get_addresses()
            .iter()
            .map(|host| host.to_ip_addr())
            .collect();
        Self {
            id: text(KEY_ID),
            network: text(KEY_NETWORK),
            port: service.get_port(),
            hosts,
        }
    }
}

/// Lets through what is of this network, of another peer, and not too much.
#[derive(Debug)]
struct Filter {
    local: PeerId,
    network: String,
    bucket: TokenBucket,
}

impl Filter {
    fn new(local: PeerId, network: NetworkId, now: Micros) -> Self {
        let bucket = TokenBucket::new(BURST, PER_SECOND, now);
        Self {
            local,
            network: network_text(network),
            bucket,
        }
    }

    fn take(&mut self, now: Micros, claim: &Claim) -> Vec<Discovery> {
        let peer = claim
            .id
            .parse::<PeerId>()
            .ok()
            .filter(|peer| *peer != self.local);
        let Some(peer) = peer.filter(|_| claim.network == self.network) else {
            return Vec::new();
        };
        if !self.bucket.try_take(1, now) {
            return Vec::new();
        }
        let mut hosts = claim.hosts.clone();
        hosts.sort();
        let addresses = hosts
            .into_iter()
            .filter(|host| !is_link_local_v6(*host))
            .map(|host| {
                Address::from(std::net::SocketAddr::new(host, claim.port)).with_peer_id(peer)
            });
        let usable = addresses.filter(Address::is_dialable).take(MAX_ADDRESSES);
        usable.map(|address| Discovery { peer, address }).collect()
    }
}

/// An IPv6 link-local address is of no use without its interface, which an [`Address`] does not have.
const fn is_link_local_v6(host: IpAddr) -> bool {
    matches!(host, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

fn announcement(
    peer: PeerId,
    network: NetworkId,
    port: u16,
) -> Result<ServiceInfo, mdns_sd::Error> {
    let id = peer.to_string();
    let host = format!("{id}.local.");
    let properties = HashMap::from([
        (KEY_ID.to_owned(), id.clone()),
        (KEY_NETWORK.to_owned(), network_text(network)),
    ]);
    Ok(ServiceInfo::new(SERVICE, &id, &host, "", port, properties)?.enable_addr_auto())
}

/// The first eight bytes of the network's id in hexadecimal.
fn network_text(network: NetworkId) -> String {
    network
        .as_bytes()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
