//! From an address to a socket address.

use std::net::SocketAddr;

use tokio::net::lookup_host;

use crate::wire::Address;
use crate::wire::address::Host;

/// The socket to dial for a direct address: as it stands, or looked up by the system's resolver in
/// the family that the address names. `None` if nothing can be dialled there.
pub(super) async fn resolve(address: &Address) -> Option<SocketAddr> {
    if !address.is_dialable() || address.relay().is_some() {
        return None;
    }
    if let Some(socket) = address.socket_addr() {
        return Some(socket);
    }
    let (name, wants_ipv4) = match address.host() {
        Host::Dns4(name) => (name, true),
        Host::Dns6(name) => (name, false),
        Host::Ip4(_) | Host::Ip6(_) => return None,
    };
    let mut found = lookup_host((name.as_str(), address.port())).await.ok()?;
    found.find(|socket| socket.is_ipv4() == wants_ipv4)
}
