use std::fmt;

use super::ReputationConfig;
use crate::policy::Weight;
use crate::wire::Violation;

/// What a peer did wrong. Whatever is not listed here costs nobody anything: there is no variant
/// for a dial that failed, for what a third peer says, for packets that a relay lost, or for a peer
/// that does not read (it is disconnected; only bytes that came from it count).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Bytes that the protocol does not allow.
    Wire(Violation),
    /// A stream was opened and not finished before its deadline.
    Unfinished,
    /// A protocol, version or record kind that we refused before on the same connection.
    RepeatedUnknown,
    /// A fault of a protocol's own machine, by the number that this protocol gives it.
    Protocol {
        /// Number in the list of that protocol's faults.
        number: u16,
        /// How much it costs.
        severity: Severity,
    },
}

/// Cost classes for the faults of protocol machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A tenth of a stream fault: a correct peer may do this now and then.
    Light,
    /// One stream fault: a correct peer never does this.
    Stream,
    /// Closes the connection at once: only an attacker does this.
    Grave,
    /// Bans the peer at once: only an attacker does this, and each time costs this node more than it costs
    /// the attacker.
    Ban,
}

impl Fault {
    /// What the fault costs. Never 0.
    #[must_use]
    pub fn weight(self, config: &ReputationConfig) -> Weight {
        match self {
            Self::Protocol { severity, .. } => severity.weight(config),
            _ => Severity::Stream.weight(config),
        }
    }

    /// Whether the fault is that something did not come. On a relayed path the relay may be the reason,
    /// so it counts on direct paths only.
    #[must_use]
    pub const fn is_absence(self) -> bool {
        matches!(self, Self::Unfinished | Self::Wire(Violation::Deadline))
    }
}

impl Severity {
    fn weight(self, config: &ReputationConfig) -> Weight {
        match self {
            Self::Light => Weight((config.stream_fault / 10).max(1)),
            Self::Stream => Weight(config.stream_fault),
            Self::Grave => Weight(config.close_at),
            Self::Ban => Weight(config.ban_at),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wire(violation) => write!(f, "wire: {violation}"),
            Self::Unfinished => f.write_str("stream not finished in time"),
            Self::RepeatedUnknown => f.write_str("repeats what was refused as unknown"),
            Self::Protocol { number, .. } => write!(f, "protocol fault {number}"),
        }
    }
}
