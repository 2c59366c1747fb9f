//! How much discovery did and holds.

/// What the driver counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counted {
    pub(super) calls: u64,
    pub(super) not_dialled: u64,
    pub(super) asked: u64,
    pub(super) late: u64,
    pub(super) signatures: u64,
    pub(super) lookups: u64,
    pub(super) warm: usize,
}

/// How much discovery did since the node started, and what it holds now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DiscoveryStats {
    /// Nodes in the routing table.
    pub contacts: usize,
    /// How many nodes the network is estimated to have.
    pub network_size: f64,
    /// Connections that discovery dialled and keeps.
    pub warm_links: usize,
    /// Records held for others.
    pub records: usize,
    /// Their bytes, with what it takes to keep them.
    pub record_bytes: u64,
    /// Records that this node publishes.
    pub publications: usize,
    /// Lookups that came to their end.
    pub lookups: u64,
    /// Requests sent to peers.
    pub requests_sent: u64,
    /// Requests not sent because too many dials to the address failed.
    pub requests_not_dialled: u64,
    /// Requests of peers that were looked at.
    pub requests_served: u64,
    /// Requests of peers that waited for too long and were answered `BUSY`.
    pub requests_late: u64,
    /// Signatures verified.
    pub signatures_verified: u64,
}
