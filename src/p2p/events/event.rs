use std::fmt;
use std::time::Duration;

use super::IncomingRefusal;
use crate::identity::PeerId;
use crate::p2p::dial_failure::DialFailure;
use crate::p2p::duplicates::Direction;
use crate::p2p::reputation::{Fault, PathKind};
use crate::policy::Micros;
use crate::transport::CloseReason;
use crate::wire::{Address, Sensitive};

/// Something that happened in the swarm, and when.
///
/// `Display` is one line of `name key=value …` whose form is stable: tests compare whole logs. It
/// shows no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Monotonic time of the node.
    pub at: Micros,
    /// What happened.
    pub what: SwarmEvent,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SwarmEvent {
    /// The first connection with a peer is confirmed, or new streams go to another one from now on:
    /// then the generation differs and ordered streams are opened again.
    PeerConnected {
        /// Who.
        peer: PeerId,
        /// Who dialled.
        direction: Direction,
        /// What carries the packets.
        path: PathKind,
        /// Number of the connection: it tells successive ones apart.
        generation: u64,
    },
    /// A peer introduced itself.
    PeerIdentified {
        /// Who.
        peer: PeerId,
    },
    /// The last connection with a peer is gone.
    PeerDisconnected {
        /// Who.
        peer: PeerId,
        /// Why.
        reason: CloseReason,
    },
    /// A connection's packets take another way.
    PathChanged {
        /// Who.
        peer: PeerId,
        /// The way now.
        path: PathKind,
    },
    /// A connection from outside was not taken. In a flood only some of these are told, see
    /// [`EventHub`](super::EventHub).
    IncomingRefused {
        /// Why.
        reason: IncomingRefusal,
    },
    /// No address of a peer led to it.
    DialFailed {
        /// Who, if the dial said so.
        peer: Option<PeerId>,
        /// Why the last attempt failed.
        reason: DialFailure,
    },
    /// A peer did something wrong.
    FaultRecorded {
        /// Who.
        peer: PeerId,
        /// On a stream of which protocol.
        protocol: u32,
        /// What.
        fault: Fault,
        /// Its total score now, 0 to −100.
        score: i32,
    },
    /// A peer is not talked to for a while.
    PeerBanned {
        /// Who.
        peer: PeerId,
        /// For how long.
        span: Duration,
    },
    /// A peer says where it sees this node: one peer's word.
    ObservedAddress {
        /// Who says so.
        peer: PeerId,
        /// The address.
        address: Address,
    },
    /// A peer disconnected before these one-way messages were written to it.
    MessagesUnsent {
        /// Who did not get them.
        peer: PeerId,
        /// Their protocol.
        protocol: u32,
        /// How many.
        messages: u64,
    },
    /// Somebody on the local network announced a peer.
    PeerAnnounced {
        /// Who.
        peer: PeerId,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.at.0, self.what)
    }
}

impl fmt::Display for SwarmEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        if let Some(peer) = self.peer() {
            write!(f, " peer={peer}")?;
        }
        self.fmt_fields(f)
    }
}

impl SwarmEvent {
    /// The first word of the event's line.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::PeerConnected { .. } => "peer-connected",
            Self::PeerIdentified { .. } => "peer-identified",
            Self::PeerDisconnected { .. } => "peer-disconnected",
            Self::PathChanged { .. } => "path-changed",
            Self::IncomingRefused { .. } => "incoming-refused",
            Self::DialFailed { .. } => "dial-failed",
            Self::FaultRecorded { .. } => "fault-recorded",
            Self::PeerBanned { .. } => "peer-banned",
            Self::ObservedAddress { .. } => "observed-address",
            Self::MessagesUnsent { .. } => "messages-unsent",
            Self::PeerAnnounced { .. } => "peer-announced",
        }
    }

    /// The peer that the event is about, if it is known.
    #[must_use]
    pub const fn peer(&self) -> Option<PeerId> {
        match self {
            Self::PeerConnected { peer, .. }
            | Self::PeerIdentified { peer }
            | Self::PeerDisconnected { peer, .. }
            | Self::PathChanged { peer, .. }
            | Self::FaultRecorded { peer, .. }
            | Self::PeerBanned { peer, .. }
            | Self::ObservedAddress { peer, .. }
            | Self::MessagesUnsent { peer, .. }
            | Self::PeerAnnounced { peer } => Some(*peer),
            Self::DialFailed { peer, .. } => *peer,
            Self::IncomingRefused { .. } => None,
        }
    }

    /// What the line says behind name and peer.
    fn fmt_fields(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerConnected {
                direction,
                path,
                generation,
                ..
            } => {
                let (direction, path) = (direction_word(*direction), path_word(*path));
                write!(
                    f,
                    " direction={direction} path={path} generation={generation}"
                )
            }
            Self::PeerDisconnected { reason, .. } => write!(f, " reason={reason}"),
            Self::PathChanged { path, .. } => write!(f, " path={}", path_word(*path)),
            Self::IncomingRefused { reason } => write!(f, " reason={reason}"),
            Self::DialFailed { reason, .. } => write!(f, " reason={reason}"),
            Self::FaultRecorded {
                protocol,
                fault,
                score,
                ..
            } => {
                write!(f, " protocol={protocol:#x} score={score} fault={fault}")
            }
            Self::PeerBanned { span, .. } => write!(f, " ms={}", span.as_millis()),
            Self::ObservedAddress { address, .. } => {
                write!(f, " address={}", Sensitive::new(address))
            }
            Self::MessagesUnsent {
                protocol, messages, ..
            } => {
                write!(f, " protocol={protocol:#x} messages={messages}")
            }
            Self::PeerIdentified { .. } | Self::PeerAnnounced { .. } => Ok(()),
        }
    }
}

const fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Outgoing => "outgoing",
        Direction::Incoming => "incoming",
    }
}

const fn path_word(path: PathKind) -> &'static str {
    match path {
        PathKind::Direct => "direct",
        PathKind::Relayed => "relayed",
    }
}
