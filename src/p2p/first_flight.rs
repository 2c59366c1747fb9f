//! Requests to peers that may not be connected.
//!
//! ```text
//!  ticket? ── no ──► dial all addresses ─────────────────────────────────► request
//!     │ yes
//!     ├─► first address ──► request in the first flight ─── confirmed ──► answer
//!     └─► after a while, or a failure: the other addresses ─ connected ──► request
//! ```

use std::pin::pin;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use super::dial::{MAX_ADDRESSES, Pending, STAGGER, begin, check, dial_peer};
use super::protocol::Reply;
use super::request::{RequestError, exchange};
use super::swarm::Inner;
use super::{DialFailure, OutboundRequest};
use crate::identity::PeerId;
use crate::transport::Connection;
use crate::wire::Address;

/// A request to a peer that is not connected.
struct Ask<'a> {
    inner: &'a Arc<Inner>,
    peer: PeerId,
    request: &'a OutboundRequest,
    /// For all of it.
    deadline: Instant,
}

/// Which of the ways led to the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Via {
    /// The dial that carries the request.
    FirstFlight,
    /// Another one.
    Another,
}

/// See [`Swarm::dial_and_request`](super::Swarm::dial_and_request).
pub(super) async fn dial_and_request(
    inner: &Arc<Inner>,
    peer: PeerId,
    addresses: &[Address],
    request: &OutboundRequest,
) -> Result<Reply, DialFailure> {
    check(inner, peer)?;
    if inner.is_connected(&peer) {
        let deadline = inner.config.request_deadline;
        return Ok(inner.request(peer, request, deadline).await?);
    }
    let ask = Ask {
        inner,
        peer,
        request,
        deadline: Instant::now() + inner.config.connection_timeout,
    };
    let addresses = addresses.get(..MAX_ADDRESSES).unwrap_or(addresses);
    let Some((first, rest)) = addresses.split_first() else {
        return Err(DialFailure::NoAddress);
    };
    if inner.may_resume(peer) {
        ask.resuming(first, rest).await
    } else {
        dial_peer(inner, peer, addresses, ask.deadline).await?;
        ask.on_connection().await
    }
}

impl Ask<'_> {
    async fn on_connection(&self) -> Result<Reply, DialFailure> {
        let deadline = self.inner.config.request_deadline;
        let request = self.inner.request(self.peer, self.request, deadline);
        match timeout_at(self.deadline, request).await {
            Ok(reply) => Ok(reply?),
            Err(_) => Err(DialFailure::TimedOut),
        }
    }

    /// Shows the ticket at the first address.
    async fn resuming(&self, first: &Address, rest: &[Address]) -> Result<Reply, DialFailure> {
        let pending = begin(self.inner, Some(self.peer), first);
        let pending = timeout_at(self.deadline, pending).await;
        let pending = match pending.unwrap_or(Err(DialFailure::TimedOut)) {
            Ok(pending) => pending,
            Err(failure) => {
                self.connect_rest(rest, failure).await?;
                return self.on_connection().await;
            }
        };
        let early = pending.early();
        let mut connect = pin!(self.connect(self.handshake(pending, first), rest));
        let reply = match early {
            None => {
                self.unless_connected(connect.await)?;
                None
            }
            Some(connection) => {
                let mut reply = pin!(self.early_reply(&connection));
                tokio::select! {
                    biased;
                    connected = &mut connect => match self.unless_connected(connected)? {
                        Via::FirstFlight => reply.await?,
                        Via::Another => None,
                    },
                    reply = &mut reply => {
                        self.unless_connected(connect.await)?;
                        reply?
                    }
                }
            }
        };
        match reply {
            Some(reply) => Ok(reply),
            None => self.on_connection().await,
        }
    }

    /// Sends the request along with the handshake; no reply if it is to be sent again once the peer is
    /// connected.
    async fn early_reply(&self, connection: &Connection) -> Result<Option<Reply>, DialFailure> {
        match timeout_at(self.deadline, exchange(connection, self.request)).await {
            Ok(Ok(reply)) => Ok(Some(reply)),
            Ok(Err(error)) if error.is_early_refusal() || is_cut_off(error) => Ok(None),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(DialFailure::TimedOut),
        }
    }

    /// Completes the handshake of the first address in a task of its own: when whoever asked does not
    /// wait any more, the peer may count the connection already.
    fn handshake(
        &self,
        pending: Pending,
        address: &Address,
    ) -> oneshot::Receiver<Result<(), DialFailure>> {
        let (report, handshake) = oneshot::channel();
        let (inner, peer, deadline) = (self.inner.clone(), self.peer, self.deadline);
        let address = address.clone();
        self.inner.spawn(async move {
            let outcome = timeout_at(deadline, pending.finish(&inner)).await;
            let outcome = outcome.unwrap_or(Err(DialFailure::TimedOut));
            inner.note_dial(Some(peer), &address, outcome);
            // Nobody may be waiting.
            let _ = report.send(outcome.map(|_| ()));
        });
        handshake
    }

    /// The outcome of the dials; a failure does not count if the peer has dialled us meanwhile, and
    /// ours lost against its connection.
    fn unless_connected(&self, outcome: Result<Via, DialFailure>) -> Result<Via, DialFailure> {
        match outcome {
            Err(_) if self.inner.is_connected(&self.peer) => Ok(Via::FirstFlight),
            outcome => outcome,
        }
    }

    /// Waits for the handshake of the first address; when it fails, or takes its time, for the
    /// others as well.
    async fn connect(
        &self,
        handshake: oneshot::Receiver<Result<(), DialFailure>>,
        rest: &[Address],
    ) -> Result<Via, DialFailure> {
        let mut handshake = pin!(async {
            // Dropped without a word when the node stops.
            let outcome = handshake.await.unwrap_or(Err(DialFailure::Stopped));
            outcome.map(|()| Via::FirstFlight)
        });
        if rest.is_empty() {
            return handshake.await;
        }
        if let Ok(outcome) = timeout(STAGGER, &mut handshake).await {
            return match outcome {
                Err(failure) => self.connect_rest(rest, failure).await,
                connected => connected,
            };
        }
        let mut others = pin!(dial_peer(self.inner, self.peer, rest, self.deadline));
        tokio::select! {
            biased;
            outcome = &mut handshake => match outcome {
                Err(failure) => match others.await {
                    Ok(_) => Ok(Via::Another),
                    Err(later) => Err(failure.or_more_telling(later)),
                },
                connected => connected,
            },
            outcome = &mut others => match outcome {
                Ok(_) => Ok(Via::Another),
                Err(failure) => handshake.await.map_err(|later| failure.or_more_telling(later)),
            },
        }
    }

    /// Dials the other addresses after the first one failed.
    async fn connect_rest(
        &self,
        rest: &[Address],
        failure: DialFailure,
    ) -> Result<Via, DialFailure> {
        if rest.is_empty() {
            return Err(failure);
        }
        match dial_peer(self.inner, self.peer, rest, self.deadline).await {
            Ok(_) => Ok(Via::Another),
            Err(later) => Err(failure.or_more_telling(later)),
        }
    }
}

/// Whether a request has no answer because its connection ended. Where another one with the peer
/// lives the request, which is safe to repeat, goes there.
const fn is_cut_off(error: RequestError) -> bool {
    matches!(error, RequestError::Disconnected(_))
}
