//! The path-switching socket below quinn.
//!
//! quinn sees one remote address for as long as a connection lives, while the connection's packets
//! may take one of several paths: over the home socket, over a further socket, later through a
//! relay. The address that quinn sees is *virtual* and always IPv6. For a connection with a single
//! path it is the real address in IPv6 form and takes no state here, whatever strangers send; a
//! table holds the connections that were given further paths, and nothing else.
//!
//! Packets are received on all paths always; only sending has a current path, and each end switches
//! on its own. Long-header packets are mapped as those of a new connection, so that a peer can
//! dial again from an address whose older connection lives elsewhere.

mod amplification;
mod congestion;
mod control;
mod newcomers;
mod packet;
mod path;
mod socket;
mod table;
mod virtual_address;

#[cfg(all(test, feature = "sim"))]
mod tests;

pub(crate) use congestion::{PathSwitch, path_aware};
pub(crate) use control::Paths;
pub use control::{AttachError, PathCounters};
pub use path::Path;
#[cfg(all(test, feature = "sim"))]
use socket::PathSocket;
pub use table::{AddPathError, PathId, SocketId, UnknownPath};
