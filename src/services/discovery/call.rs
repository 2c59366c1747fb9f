//! One request of the machine to a peer, in a task of its own.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;

use crate::discovery::{CallFailure, Scope};
use crate::identity::PeerId;
use crate::p2p::{Caller, DialFailure, OutboundRequest, Reply, RequestError};
use crate::policy::IpGroup;
use crate::transport::Path;
use crate::wire::message::VERSION;
use crate::wire::message::discovery::{ACCEPTOR_READS, EARLY_FRAMES, PROTOCOL, reads_after};
use crate::wire::{Address, ErrorCode};

/// No answer is waited for longer: the machine has given the peer up long before, and takes a late
/// answer only while its lookup lives.
const DEADLINE: Duration = Duration::from_secs(10);

/// A request, and where to dial if its peer is not connected.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) peer: PeerId,
    pub(super) addresses: Vec<Address>,
    pub(super) kind: u8,
    pub(super) body: Bytes,
}

/// What a peer answered, and from where it is reached.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) scope: Scope,
    pub(super) kind: u8,
    pub(super) body: Bytes,
}

impl Call {
    /// Asks, and waits for the answer.
    pub(super) async fn run(self, caller: &Caller) -> Result<Answer, CallFailure> {
        let request = OutboundRequest {
            protocol: PROTOCOL,
            version: VERSION,
            kind: self.kind,
            body: self.body,
            requests: ACCEPTOR_READS,
            responses: reads_after(self.kind),
        };
        let (peer, addresses) = (self.peer, self.addresses);
        let group = addresses.first().map_or(IpGroup::Local, group_of);
        let asking = async {
            if addresses.is_empty() {
                return Ok(on_connection(caller, peer, &request).await?);
            }
            if EARLY_FRAMES.contains(&request.kind) {
                return caller.dial_and_request(peer, &addresses, &request).await;
            }
            caller.dial(Some(peer), &addresses).await?;
            Ok(caller.request(peer, &request, DEADLINE).await?)
        };
        let reply = timeout(DEADLINE, asking).await;
        match reply.unwrap_or(Err(DialFailure::TimedOut)) {
            Ok(Reply { kind, body }) => Ok(Answer {
                scope: scope_of(caller, &peer),
                kind,
                body,
            }),
            Err(failure) => Err(not_dialled(failure, group)),
        }
    }
}

/// Asks a connected peer. Of two connections with it one is closed, perhaps the one that carried the
/// request: then it is asked once more over the other. All that discovery asks may be asked twice.
async fn on_connection(
    caller: &Caller,
    peer: PeerId,
    request: &OutboundRequest,
) -> Result<Reply, RequestError> {
    let cut_off = match caller.request(peer, request, DEADLINE).await {
        Err(error @ (RequestError::Disconnected(_) | RequestError::NotConnected)) => error,
        outcome => return outcome,
    };
    if caller.is_connected(&peer) {
        return caller.request(peer, request, DEADLINE).await;
    }
    Err(cut_off)
}

/// From where a peer is reached. One that is gone meanwhile is taken for a stranger.
fn scope_of(caller: &Caller, peer: &PeerId) -> Scope {
    let path = caller.connection(peer).map(|connection| connection.path());
    path.map_or(Scope::Public, |path| scope_of_path(&path))
}

/// Whose business private addresses are at the other end of a path: nobody's behind a relay.
pub(in crate::services) const fn scope_of_path(path: &Path) -> Scope {
    match path {
        Path::Direct { group, .. } if group.is_local() => Scope::Local,
        Path::Direct { .. } | Path::Relayed { .. } => Scope::Public,
    }
}

fn group_of(address: &Address) -> IpGroup {
    let socket = address.socket_addr();
    socket.map_or(IpGroup::Local, |socket| IpGroup::of(socket.ip()))
}

const fn not_dialled(failure: DialFailure, group: IpGroup) -> CallFailure {
    match failure {
        DialFailure::Request(error) => not_answered(error),
        DialFailure::NoAddress => CallFailure::NoAddress,
        DialFailure::Banned
        | DialFailure::Limit(_)
        | DialFailure::TooMany
        | DialFailure::Stopped => CallFailure::NotDialled,
        _ if failure.is_other_identity() => CallFailure::OtherIdentity { group },
        _ if failure.is_other_network() => CallFailure::OtherNetwork,
        _ => CallFailure::Unreachable,
    }
}

const fn not_answered(error: RequestError) -> CallFailure {
    match error {
        RequestError::Refused(code) => refused(code),
        RequestError::Busy => CallFailure::Busy,
        RequestError::Malformed(_) => CallFailure::Malformed,
        // Nothing was sent: this node's own mistake, no word about the peer.
        RequestError::TooLarge { .. } | RequestError::NotARequest(_) | RequestError::Entropy(_) => {
            CallFailure::NotDialled
        }
        RequestError::NotConnected
        | RequestError::Deadline
        | RequestError::Disconnected(_)
        | RequestError::EarlyRefused => CallFailure::Unreachable,
    }
}

/// A peer that does not know a kind of record serves the others all the same: it stays where it is.
const fn refused(code: ErrorCode) -> CallFailure {
    match code {
        ErrorCode::UnknownProtocol | ErrorCode::UnknownVersion | ErrorCode::Refused => {
            CallFailure::Refused
        }
        ErrorCode::Unsupported => CallFailure::Unsupported,
        _ => CallFailure::Busy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{CloseReason, DialError, HandshakeFailure};

    const fn handshake(failure: HandshakeFailure) -> DialFailure {
        let by_peer = false;
        DialFailure::Transport(DialError::Failed(CloseReason::Handshake {
            failure,
            by_peer,
        }))
    }

    #[test]
    fn each_failure_is_what_the_machine_knows_it_as() {
        let group = IpGroup::V4([8, 8, 8]);
        let refused = |code| DialFailure::Request(RequestError::Refused(code));
        let other = CallFailure::OtherIdentity { group };
        for (failure, expected) in [
            (refused(ErrorCode::UnknownProtocol), CallFailure::Refused),
            (refused(ErrorCode::Refused), CallFailure::Refused),
            (refused(ErrorCode::Unsupported), CallFailure::Unsupported),
            (refused(ErrorCode::Busy), CallFailure::Busy),
            (handshake(HandshakeFailure::WrongPeer), other),
            (
                handshake(HandshakeFailure::WrongNetwork),
                CallFailure::OtherNetwork,
            ),
            (
                handshake(HandshakeFailure::BadSignature),
                CallFailure::Unreachable,
            ),
            (DialFailure::TimedOut, CallFailure::Unreachable),
            (DialFailure::NoAddress, CallFailure::NoAddress),
            (DialFailure::TooMany, CallFailure::NotDialled),
            (DialFailure::Banned, CallFailure::NotDialled),
            (
                DialFailure::Request(RequestError::Deadline),
                CallFailure::Unreachable,
            ),
        ] {
            assert_eq!(not_dialled(failure, group), expected, "{failure}");
        }
    }

    #[test]
    fn a_relayed_peer_is_a_stranger() {
        let direct = |ip: [u8; 4]| Path::direct((ip, 1).into());
        assert_eq!(scope_of_path(&direct([10, 0, 0, 1])), Scope::Local);
        assert_eq!(scope_of_path(&direct([8, 8, 8, 8])), Scope::Public);
        let relayed = Path::Relayed {
            relay: PeerId::from_bytes([1; 32]),
            relay_group: IpGroup::Local,
        };
        assert_eq!(scope_of_path(&relayed), Scope::Public);
    }
}
