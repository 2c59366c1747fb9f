//! What the services above ask of a swarm.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::protocol::Reply;
use super::swarm::Inner;
use super::{
    ConfirmedEvidence, DialFailure, Fault, Handler, OutboundRequest, Protocol, RegisterError,
    RequestError, Swarm,
};
use crate::identity::{Keypair, PeerId};
use crate::transport::environment::Environment;
use crate::wire::{Address, ErrorCode};

type Make = Box<dyn FnOnce(&Swarm) -> Services + Send>;

/// What the services above give a swarm that starts.
#[derive(Default)]
pub(crate) struct Services {
    /// Protocols that they serve. Their handlers must hold the swarm weakly: it owns them.
    pub(crate) protocols: Vec<(Protocol, Handler)>,
    /// What they do of their own accord. It begins when all protocols are there: a peer that were dialled
    /// before would be told of too few, and take this node for one that serves nobody.
    pub(crate) tasks: Vec<Task>,
}

/// Runs until it ends or the swarm stops. It must hold the swarm weakly while it waits.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Protocols of the stack that a swarm speaks before its first task runs, made by the services above
/// when the swarm exists.
#[derive(Default)]
pub(crate) struct StackProtocols(Option<Make>);

impl StackProtocols {
    pub(super) fn make(self, swarm: &Swarm) -> Services {
        self.0.map(|make| make(swarm)).unwrap_or_default()
    }
}

impl fmt::Debug for StackProtocols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StackProtocols").finish_non_exhaustive()
    }
}

impl StackProtocols {
    /// These and those of another service.
    pub(crate) fn and(self, other: Self) -> Self {
        Self::new(move |swarm| {
            let (mut all, other) = (self.make(swarm), other.make(swarm));
            all.protocols.extend(other.protocols);
            all.tasks.extend(other.tasks);
            all
        })
    }

    /// `make` is called once, before the swarm takes or begins any connection.
    pub(crate) fn new(make: impl FnOnce(&Swarm) -> Services + Send + 'static) -> Self {
        Self(Some(Box::new(make)))
    }
}

/// Asks peers on behalf of a service, from tasks that may wait for longer than the swarm has handles:
/// unlike [`Swarm`] it keeps nothing running. All that is asked of a swarm that stops fails.
#[derive(Debug, Clone)]
pub(crate) struct Caller(Arc<Inner>);

impl Caller {
    pub(super) const fn inner(&self) -> &Arc<Inner> {
        &self.0
    }

    /// See [`Swarm::dial`].
    pub(crate) async fn dial(
        &self,
        peer: Option<PeerId>,
        addresses: &[Address],
    ) -> Result<PeerId, DialFailure> {
        if self.0.is_stopping() {
            return Err(DialFailure::Stopped);
        }
        super::dial::dial(&self.0, peer, addresses).await
    }

    /// See [`Swarm::request`].
    pub(crate) async fn request(
        &self,
        peer: PeerId,
        request: &OutboundRequest,
        deadline: Duration,
    ) -> Result<Reply, RequestError> {
        self.0.request(peer, request, deadline).await
    }

    /// See [`Swarm::dial_and_request`].
    pub(crate) async fn dial_and_request(
        &self,
        peer: PeerId,
        addresses: &[Address],
        request: &OutboundRequest,
    ) -> Result<Reply, DialFailure> {
        let _held = super::Hold::new(&self.0, peer);
        super::first_flight::dial_and_request(&self.0, peer, addresses, request).await
    }

    /// Whether there is a connection with a peer that has not ended.
    pub(crate) fn is_connected(&self, peer: &PeerId) -> bool {
        let connection = self.connection(peer);
        connection.is_some_and(|connection| connection.close_reason().is_none())
    }

    /// See [`Swarm::connection`].
    pub(crate) fn connection(&self, peer: &PeerId) -> Option<crate::transport::Connection> {
        self.0.link(peer).map(|link| link.connection.clone())
    }
}

impl Swarm {
    /// Adds a protocol of the stack: with a number below
    /// [`FIRST_APPLICATION_PROTOCOL`](super::FIRST_APPLICATION_PROTOCOL), and with early frames if it
    /// has any. A peer that asks before gets `UNKNOWN_PROTOCOL`;
    /// [`Setup::stack`](super::Setup::stack) is never late.
    ///
    /// # Errors
    /// See [`RegisterError`].
    #[cfg_attr(
        not(all(test, feature = "sim")),
        expect(dead_code, reason = "for services that begin later than the swarm")
    )]
    pub(crate) fn register_stack(
        &self,
        protocol: Protocol,
        handler: Handler,
    ) -> Result<(), RegisterError> {
        self.inner().protocols.register_stack(protocol, handler)
    }

    /// Runs a task until it ends or the swarm stops. It must hold the swarm weakly while it waits.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.inner().spawn(task);
    }

    /// For tasks that ask peers and keep nothing running.
    pub(crate) fn caller(&self) -> Caller {
        Caller(self.inner().clone())
    }

    /// Clock, randomness, runtime and sockets of this node.
    pub(crate) fn environment(&self) -> &Environment {
        &self.inner().environment
    }

    /// This node's key.
    pub(crate) fn keypair(&self) -> &Keypair {
        &self.inner().keypair
    }

    /// Books a fault that bytes amount to which `peer` itself sent in `protocol` on a confirmed
    /// connection, and does what the peer's reputation then wants: nothing, an end or a ban. It counts
    /// only while the peer is connected, and a fault of absence only on a direct path. Never to be
    /// called for what came as early data or what somebody else says.
    pub(crate) fn report_fault(&self, peer: &PeerId, protocol: u32, fault: Fault) {
        if let Some(link) = self.inner().link(peer) {
            self.inner().record_fault(&link, false, protocol, fault);
        }
    }

    /// The same for a peer that may be gone.
    pub(crate) fn book_fault(&self, evidence: ConfirmedEvidence, fault: Fault) {
        self.inner().book_fault(evidence, fault);
    }

    /// Closes the connection with `peer` unless the peer is held or streams are open on it; says whether
    /// it did. A hold that is taken before is seen; one that is taken after finds no connection.
    pub(crate) fn disconnect_idle(&self, peer: &PeerId) -> bool {
        let connections = self.inner().connections();
        let links = connections.idle_links(peer);
        // Under the lock: no hold can come between the look and the end.
        for link in &links {
            link.connection.close(ErrorCode::Unspecified);
        }
        !links.is_empty()
    }
}
