//! Connections that peers begin.

use std::sync::Arc;

use tokio::time::timeout;

use super::link::Link;
use super::protocol::Protocol;
use super::serve::{self, Rejection};
use super::swarm::Inner;
use super::{Admit, Direction, IncomingRefusal, PermitId, Source, SwarmEvent};
use crate::transport::{Accepting, CloseReason, DialError, Incoming, Path};
use crate::wire::ErrorCode;

/// Requests that one connection may have served before its handshake is confirmed. Handshakes are
/// admitted by the rate of their IP group, so this bounds what early data can cost, too. A lookup
/// sends one; the rest is room for a few at once.
const MAX_EARLY_REQUESTS: u32 = 16;

/// Answers connection attempts on one transport until it is closed.
pub(super) async fn run(inner: Arc<Inner>, index: usize) {
    let Some(transport) = inner.transports.get(index) else {
        return;
    };
    while let Some(incoming) = transport.accept().await {
        let source = source_of(incoming.path());
        let now = inner.now().mono;
        let verdict = inner
            .connections()
            .admission
            .admit(now, source, incoming.is_validated());
        match verdict {
            Admit::Accept(permit) => begin(&inner, index, incoming, permit),
            Admit::Retry => incoming.retry(),
            Admit::Refuse(reason) => {
                let reason = IncomingRefusal::Limit(reason);
                inner.emit(SwarmEvent::IncomingRefused { reason });
                incoming.refuse();
            }
            Admit::Ignore => incoming.ignore(),
        }
    }
}

fn begin(inner: &Arc<Inner>, index: usize, incoming: Incoming, permit: PermitId) {
    let accepting = inner
        .transports
        .get(index)
        .ok_or(DialError::Stopped)
        .and_then(|transport| transport.begin(incoming));
    match accepting {
        Ok(accepting) => inner.spawn(handshake(inner.clone(), accepting, permit)),
        Err(error) => {
            inner.connections().admission.release(permit);
            let reason = IncomingRefusal::Handshake(error);
            inner.emit(SwarmEvent::IncomingRefused { reason });
        }
    }
}

/// Serves repeatable requests while the handshake runs; then the peer is connected.
async fn handshake(inner: Arc<Inner>, accepting: Accepting, permit: PermitId) {
    let connection = accepting.connection().clone();
    let id = inner.connections().next_id();
    let link = Link::new(
        id,
        connection.clone(),
        Direction::Incoming,
        permit,
        inner.now().mono,
    );
    let link = Arc::new(link);
    let confirmed = timeout(inner.config.handshake_timeout, accepting.confirmed());
    tokio::pin!(confirmed);
    // A stream that is not early shows that the handshake is complete; it waits for the word.
    let mut first = None;
    let outcome = loop {
        tokio::select! {
            biased;
            outcome = &mut confirmed => break outcome,
            Ok((send, receive)) = connection.accept_bi(), if first.is_none() => {
                if receive.is_early() {
                    let served = serve::bidirectional(inner.clone(), link.clone(), send, receive);
                    inner.spawn(served);
                } else {
                    first = Some((send, receive));
                }
            }
        }
    };
    let refused = match outcome {
        Ok(Ok(_)) => match inner.establish(&link) {
            Ok(_) => None,
            Err(failure) => Some(IncomingRefusal::Peer(failure)),
        },
        Ok(Err(error)) => Some(inner.abandon(permit, error)),
        Err(_) => {
            // Streams that are served already would keep it alive.
            connection.close(ErrorCode::Deadline);
            Some(inner.abandon(permit, DialError::Failed(CloseReason::TimedOut)))
        }
    };
    match (refused, first) {
        (Some(reason), _) => inner.emit(SwarmEvent::IncomingRefused { reason }),
        (None, Some((send, receive))) => {
            inner.spawn(serve::bidirectional(inner.clone(), link, send, receive));
        }
        (None, None) => {}
    }
}

fn source_of(path: &Path) -> Source {
    match path {
        Path::Direct { addr, .. } => Source::Direct(addr.ip()),
        Path::Relayed { relay, .. } => Source::Relayed(*relay),
    }
}

impl Inner {
    fn abandon(&self, permit: PermitId, error: DialError) -> IncomingRefusal {
        self.connections().admission.release(permit);
        IncomingRefusal::Handshake(error)
    }

    /// Whether a request may be served although the handshake is not confirmed. It is charged to
    /// where it comes from, never to the identity that its ticket names.
    pub(super) fn admit_early(
        &self,
        link: &Link,
        protocol: &Protocol,
        kind: u8,
    ) -> Result<(), Rejection> {
        if !protocol.early_frames.contains(&kind) {
            return Err(Rejection::Early);
        }
        if !link.try_serve_early(MAX_EARLY_REQUESTS) {
            return Err(Rejection::Early);
        }
        let peer = link.connection.peer_id().ok_or(Rejection::Early)?;
        let now = self.now().mono;
        let banned = self.connections().bans.is_banned(now, &peer);
        if banned {
            Err(Rejection::Early)
        } else {
            Ok(())
        }
    }
}
