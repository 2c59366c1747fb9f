//! Connections that this node begins.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::dials::Part;
use super::link::Link;
use super::protocol::Reply;
use super::request::{RequestError, exchange};
use super::swarm::Inner;
use super::{Direction, OutboundRequest, RefuseReason, SwarmEvent};
use crate::identity::PeerId;
use crate::transport::{DialError, Dialing};
use crate::wire::{Address, ErrorCode};

/// The next address is tried this long after the one before it, as RFC 8305 §5 recommends.
const STAGGER: Duration = Duration::from_millis(250);

/// Addresses that one dial tries: as many as an identify message carries.
const MAX_ADDRESSES: usize = 8;

/// Why a dial led to no connected peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DialFailure {
    /// No address, or none that this node can dial.
    #[error("no address that can be dialled")]
    NoAddress,
    /// The handshake failed at the last address tried.
    #[error(transparent)]
    Transport(#[from] DialError),
    /// No answer within the connection timeout.
    #[error("no answer in time")]
    TimedOut,
    /// The address belongs to this node itself.
    #[error("the address belongs to this node itself")]
    OwnIdentity,
    /// The peer is banned for now.
    #[error("the peer is banned")]
    Banned,
    /// A limit of this node.
    #[error(transparent)]
    Limit(RefuseReason),
    /// The peer's identity could not be read.
    #[error("the peer's identity could not be read")]
    NoIdentity,
    /// The connection was made, the request on it failed.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The node dials as many peers at once as it may.
    #[error("too many dials under way")]
    TooMany,
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopped,
}

impl DialFailure {
    /// The code with which a connection that was refused for this reason is closed.
    pub(super) fn code(&self) -> ErrorCode {
        match self {
            Self::Banned => ErrorCode::Banned,
            Self::Limit(_) => ErrorCode::Limit,
            Self::OwnIdentity | Self::NoIdentity => ErrorCode::WrongIdentity,
            _ => ErrorCode::Internal,
        }
    }
}

/// See [`Swarm::dial`](super::Swarm::dial).
pub(super) async fn dial(
    inner: &Arc<Inner>,
    peer: Option<PeerId>,
    addresses: &[Address],
) -> Result<PeerId, DialFailure> {
    let addresses = addresses.get(..MAX_ADDRESSES).unwrap_or(addresses);
    match peer {
        Some(peer) => dial_peer(inner, peer, addresses).await,
        None => dial_now(inner, None, addresses).await,
    }
}

/// Dials a peer, or joins the dial to it that is under way. If that one fails without having tried
/// all of `addresses`, this one begins.
async fn dial_peer(
    inner: &Arc<Inner>,
    peer: PeerId,
    addresses: &[Address],
) -> Result<PeerId, DialFailure> {
    let deadline = Instant::now() + inner.config.connection_timeout;
    loop {
        check(inner, peer)?;
        if inner.table.contains_key(&peer) {
            return Ok(peer);
        }
        let (outcome, is_last) = match inner.dials.enter(peer, addresses) {
            Part::Join { outcome, covers } => (outcome, covers),
            Part::Lead(outcome) => {
                inner.spawn(lead(inner.clone(), peer, addresses.to_vec()));
                (outcome, true)
            }
            Part::TooMany => return Err(DialFailure::TooMany),
        };
        match timeout_at(deadline, outcome).await {
            Ok(Ok(Err(failure))) if is_last => return Err(failure),
            Ok(Ok(Ok(peer))) => return Ok(peer),
            Ok(Ok(Err(_))) => {}
            Ok(Err(_)) => return Err(DialFailure::Stopped),
            Err(_) => return Err(DialFailure::TimedOut),
        }
    }
}

/// A dial in a task of its own: it goes on when whoever asked for it does not wait any more, since
/// others may have joined and the peer may count the connection already.
async fn lead(inner: Arc<Inner>, peer: PeerId, addresses: Vec<Address>) {
    let mut leader = Leader {
        inner: &inner,
        peer,
        outcome: Err(DialFailure::Stopped),
    };
    leader.outcome = dial_now(&inner, Some(peer), &addresses).await;
}

/// Tells the outcome of a dial when it is over, also when the node stops under it.
struct Leader<'a> {
    inner: &'a Inner,
    peer: PeerId,
    outcome: Result<PeerId, DialFailure>,
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        self.inner.dials.finish(&self.peer, self.outcome);
    }
}

/// Whether `peer` may be dialled at all.
fn check(inner: &Inner, peer: PeerId) -> Result<(), DialFailure> {
    if peer == inner.keypair.peer_id() {
        return Err(DialFailure::OwnIdentity);
    }
    if inner.connections().bans.is_banned(inner.now().mono, &peer) {
        return Err(DialFailure::Banned);
    }
    Ok(())
}

async fn dial_now(
    inner: &Arc<Inner>,
    peer: Option<PeerId>,
    addresses: &[Address],
) -> Result<PeerId, DialFailure> {
    let patience = inner.config.connection_timeout;
    let outcome = timeout(patience, try_all(inner, peer, addresses)).await;
    let outcome = outcome.unwrap_or(Err(DialFailure::TimedOut));
    if let Err(failure) = outcome {
        // The peer may have dialled us in the meantime.
        if let Some(peer) = peer.filter(|peer| inner.table.contains_key(peer)) {
            return Ok(peer);
        }
        inner.emit(SwarmEvent::DialFailed {
            peer,
            reason: failure,
        });
    }
    outcome
}

/// Tries the addresses one after the other, not waiting for a slow one. An attempt that comes too
/// late still hands in its connection: one that the peer counts is never dropped silently.
async fn try_all(
    inner: &Arc<Inner>,
    peer: Option<PeerId>,
    addresses: &[Address],
) -> Result<PeerId, DialFailure> {
    let (report, mut reports) = mpsc::channel(MAX_ADDRESSES);
    let mut last = DialFailure::NoAddress;
    let mut running = 0_usize;
    let mut left = addresses.iter();
    loop {
        let next = left.next();
        if let Some(address) = next {
            let task = attempt(inner.clone(), peer, address.clone(), report.clone());
            inner.spawn(task);
            running += 1;
        } else if running == 0 {
            return Err(last);
        }
        tokio::select! {
            biased;
            Some(outcome) = reports.recv() => match outcome {
                Ok(peer) => return Ok(peer),
                Err(failure) => {
                    running -= 1;
                    last = failure;
                }
            },
            () = sleep(STAGGER), if left.len() > 0 => {}
        }
    }
}

async fn attempt(
    inner: Arc<Inner>,
    peer: Option<PeerId>,
    address: Address,
    report: mpsc::Sender<Result<PeerId, DialFailure>>,
) {
    let outcome = match begin(&inner, peer, &address).await {
        Ok(pending) => pending.finish(&inner).await,
        Err(failure) => Err(failure),
    };
    // The dial may be over already.
    let _ = report.send(outcome).await;
}

/// See [`Swarm::dial_and_request`](super::Swarm::dial_and_request).
pub(super) async fn dial_and_request(
    inner: &Arc<Inner>,
    peer: PeerId,
    address: &Address,
    request: &OutboundRequest,
) -> Result<Reply, DialFailure> {
    check(inner, peer)?;
    if inner.table.contains_key(&peer) {
        let deadline = inner.config.request_deadline;
        return Ok(inner.request(peer, request, deadline).await?);
    }
    let deadline = Instant::now() + inner.config.connection_timeout;
    let run = async {
        let pending = begin(inner, Some(peer), address).await?;
        let early = pending.dialing.early().cloned();
        let finish = pending.finish(inner);
        let reply = match early {
            None => finish.await.map(|_| None)?,
            Some(connection) => {
                let (reply, connected) = tokio::join!(exchange(&connection, request), finish);
                connected?;
                match reply {
                    Err(error) if error.is_early_refusal() => None,
                    reply => Some(reply?),
                }
            }
        };
        match reply {
            Some(reply) => Ok(reply),
            None => Ok(inner
                .request(peer, request, inner.config.request_deadline)
                .await?),
        }
    };
    timeout_at(deadline, run)
        .await
        .unwrap_or(Err(DialFailure::TimedOut))
}

/// A handshake under way, with its permit.
struct Pending {
    dialing: Dialing,
    permit: PermitGuard,
}

/// Gives the permit back unless the connection takes it over.
struct PermitGuard {
    inner: Arc<Inner>,
    permit: Option<super::PermitId>,
}

impl Drop for PermitGuard {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            self.inner.connections().admission.release(permit);
        }
    }
}

async fn begin(
    inner: &Arc<Inner>,
    peer: Option<PeerId>,
    address: &Address,
) -> Result<Pending, DialFailure> {
    let expected = peer.or(address.peer_id());
    let socket = super::resolve::resolve(address)
        .await
        .ok_or(DialFailure::NoAddress)?;
    let permit = inner
        .connections()
        .admission
        .dial()
        .map_err(DialFailure::Limit)?;
    let permit = PermitGuard {
        inner: inner.clone(),
        permit: Some(permit),
    };
    let transport = inner.transport_for(socket).ok_or(DialFailure::NoAddress)?;
    let dialing = transport.dial(socket, expected)?;
    Ok(Pending { dialing, permit })
}

impl Pending {
    async fn finish(mut self, inner: &Arc<Inner>) -> Result<PeerId, DialFailure> {
        let connection = self.dialing.confirmed().await?;
        if inner.is_stopping() {
            return Err(DialFailure::Stopped);
        }
        let Some(permit) = self.permit.permit.take() else {
            return Err(DialFailure::Stopped);
        };
        let id = inner.connections().next_id();
        let link = Arc::new(Link::new(id, connection, Direction::Outgoing, permit));
        let peer = inner.establish(&link)?;
        inner.spawn(super::builtin::introduce(inner.clone(), link));
        Ok(peer)
    }
}
