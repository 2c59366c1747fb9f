use crate::identity::PeerId;

/// How far the far end of a connection is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The handshake is confirmed: the bytes come from this peer.
    Confirmed {
        /// Whom the handshake proved.
        peer: PeerId,
        /// What lies between.
        path: PathKind,
    },
    /// 0-RTT or an unfinished handshake: somebody may be replaying this peer's flight.
    Provisional(PeerId),
    /// A circuit: nobody is known.
    Anonymous,
}

/// What carries the packets of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathKind {
    /// UDP from end to end.
    Direct,
    /// Through a relay, which can lose and delay but neither read nor alter.
    Relayed,
}

/// Proof that a fault lies in bytes that its peer itself sent on a confirmed connection.
///
/// Reputation takes nothing else, and only a confirmed [`Standing`] gives one, so a stolen flight, a
/// circuit, a failed dial or a third peer's word has no way to lower a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfirmedEvidence {
    peer: PeerId,
    path: PathKind,
    protocol: u32,
}

impl Standing {
    /// Evidence about bytes that arrived on a stream of `protocol`, unless the sender is in doubt.
    #[must_use]
    pub fn evidence(self, protocol: u32) -> Option<ConfirmedEvidence> {
        match self {
            Self::Confirmed { peer, path } => Some(ConfirmedEvidence {
                peer,
                path,
                protocol,
            }),
            Self::Provisional(_) | Self::Anonymous => None,
        }
    }
}

impl ConfirmedEvidence {
    /// Who sent the bytes.
    #[must_use]
    pub fn peer(&self) -> PeerId {
        self.peer
    }

    /// What carried them.
    #[must_use]
    pub fn path(&self) -> PathKind {
        self.path
    }

    /// The protocol of their stream.
    #[must_use]
    pub fn protocol(&self) -> u32 {
        self.protocol
    }
}
