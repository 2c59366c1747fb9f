//! Connections that this node begins.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::dials::Part;
use super::link::Link;
use super::swarm::Inner;
use super::{DialFailure, Direction, SwarmEvent};
use crate::identity::PeerId;
use crate::transport::{Connection, Dialing};
use crate::wire::Address;

/// The next address is tried this long after the one before it, as RFC 8305 §5 recommends.
pub(super) const STAGGER: Duration = Duration::from_millis(250);

/// Addresses that one dial tries: as many as an identify message carries.
pub(super) const MAX_ADDRESSES: usize = 8;

/// A dial ends at its deadline, and then tells why it failed: whoever waits for it gives it so much
/// longer, or its reason would be lost to a race of two timers.
const LAST_WORD: Duration = Duration::from_millis(100);

/// See [`Swarm::dial`](super::Swarm::dial).
pub(super) async fn dial(
    inner: &Arc<Inner>,
    peer: Option<PeerId>,
    addresses: &[Address],
) -> Result<PeerId, DialFailure> {
    let addresses = addresses.get(..MAX_ADDRESSES).unwrap_or(addresses);
    let deadline = Instant::now() + inner.config.connection_timeout;
    match peer {
        Some(peer) => dial_peer(inner, peer, addresses, deadline).await,
        None if inner.is_stopping() => Err(DialFailure::Stopped),
        None => {
            // Nobody joins it.
            let (_, more) = mpsc::channel(1);
            dial_now(inner, None, (addresses, more), deadline).await
        }
    }
}

/// Dials a peer until `deadline`, or joins the dial to it that is under way. If that one fails without
/// having tried all of `addresses`, this one begins.
pub(super) async fn dial_peer(
    inner: &Arc<Inner>,
    peer: PeerId,
    addresses: &[Address],
    deadline: Instant,
) -> Result<PeerId, DialFailure> {
    let mut told = DialFailure::NoAddress;
    loop {
        check(inner, peer)?;
        if inner.is_connected(&peer) {
            return Ok(peer);
        }
        let (outcome, is_last) = match inner.dials.enter(peer, addresses) {
            Part::Join { outcome, covers } => (outcome, covers),
            Part::Lead { outcome, more } => {
                let addresses = (addresses.to_vec(), more);
                inner.spawn(lead(inner.clone(), peer, addresses, deadline));
                (outcome, true)
            }
            Part::TooMany => return Err(DialFailure::TooMany),
        };
        match timeout_at(deadline + LAST_WORD, outcome).await {
            Ok(Ok(Ok(peer))) => return Ok(peer),
            Ok(Ok(Err(failure))) => told = told.or_more_telling(failure),
            Ok(Err(_)) => return Err(DialFailure::Stopped),
            Err(_) => return Err(told.or_more_telling(DialFailure::TimedOut)),
        }
        if is_last {
            return Err(told);
        }
    }
}

/// A dial in a task of its own: it goes on when whoever asked for it does not wait any more, since
/// others may have joined and the peer may count the connection already. A stopping node drops the
/// task without running it; the outcome is told all the same.
fn lead(
    inner: Arc<Inner>,
    peer: PeerId,
    (addresses, more): (Vec<Address>, mpsc::Receiver<Address>),
    deadline: Instant,
) -> impl Future<Output = ()> + Send + 'static {
    let leader = Leader {
        inner,
        peer,
        outcome: Err(DialFailure::Stopped),
    };
    async move {
        let mut leader = leader;
        let addresses = (&addresses[..], more);
        leader.outcome = dial_now(&leader.inner, Some(peer), addresses, deadline).await;
    }
}

/// Tells the outcome of a dial when it is over, also when the node stops under it.
struct Leader {
    inner: Arc<Inner>,
    peer: PeerId,
    outcome: Result<PeerId, DialFailure>,
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.inner.dials.finish(&self.peer, self.outcome);
    }
}

/// Whether `peer` may be dialled at all.
pub(super) fn check(inner: &Inner, peer: PeerId) -> Result<(), DialFailure> {
    if inner.is_stopping() {
        return Err(DialFailure::Stopped);
    }
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
    addresses: (&[Address], mpsc::Receiver<Address>),
    deadline: Instant,
) -> Result<PeerId, DialFailure> {
    let outcome = try_all(inner, peer, addresses, deadline).await;
    if let Err(failure) = outcome {
        // The peer may have dialled us in the meantime.
        if let Some(peer) = peer.filter(|peer| inner.is_connected(peer)) {
            return Ok(peer);
        }
        inner.emit(SwarmEvent::DialFailed {
            peer,
            reason: failure,
        });
    }
    outcome
}

/// Tries the addresses one after the other, not waiting for a slow one, and `more` as they come. An attempt
/// that succeeds after another one, but before `deadline`, still hands in its connection: one that the peer
/// counts is not dropped silently.
async fn try_all(
    inner: &Arc<Inner>,
    peer: Option<PeerId>,
    (addresses, mut more): (&[Address], mpsc::Receiver<Address>),
    deadline: Instant,
) -> Result<PeerId, DialFailure> {
    let (report, mut reports) = mpsc::channel(MAX_ADDRESSES);
    let mut told = DialFailure::NoAddress;
    let given = addresses.iter().cloned();
    let mut untried: VecDeque<_> = given.map(|address| (address, deadline)).collect();
    // Whoever joined late has as much time as whoever began.
    let later = |address| (address, Instant::now() + inner.config.connection_timeout);
    let (mut open, mut last) = (0_usize, deadline);
    loop {
        if let Some((address, deadline)) = untried.pop_front() {
            last = last.max(deadline);
            let (inner, report) = (inner.clone(), report.clone());
            inner.spawn(attempt(inner.clone(), peer, address, deadline, report));
            open += 1;
        } else if open == 0 {
            // Whoever joins from now on dials anew.
            more.close();
            match more.try_recv() {
                Ok(address) => untried.push_back(later(address)),
                Err(_) => break,
            }
            continue;
        }
        tokio::select! {
            biased;
            Some(outcome) = reports.recv() => {
                open -= 1;
                match outcome {
                    Ok(peer) => return Ok(peer),
                    Err(failure) => told = told.or_more_telling(failure),
                }
            }
            Some(address) = more.recv() => untried.push_back(later(address)),
            () = sleep(STAGGER), if !untried.is_empty() => {}
            // Each attempt has told by then, unless it was dropped.
            () = sleep_until(last + LAST_WORD) => break,
        }
    }
    Err(if inner.is_stopping() {
        DialFailure::Stopped
    } else {
        told
    })
}

/// One address, until `deadline`: what does not answer by then holds no permit any more.
async fn attempt(
    inner: Arc<Inner>,
    peer: Option<PeerId>,
    address: Address,
    deadline: Instant,
    report: mpsc::Sender<Result<PeerId, DialFailure>>,
) {
    let run = async {
        let pending = begin(&inner, peer, &address).await?;
        pending.finish(&inner).await
    };
    let outcome = timeout_at(deadline, run)
        .await
        .unwrap_or(Err(DialFailure::TimedOut));
    inner.note_dial(peer.or(address.peer_id()), &address, outcome);
    // The dial may be over already.
    let _ = report.send(outcome).await;
}

impl Inner {
    /// Notes in the peer book how a dial to one address went.
    pub(super) fn note_dial(
        &self,
        expected: Option<PeerId>,
        address: &Address,
        outcome: Result<PeerId, DialFailure>,
    ) {
        let now = self.now().mono;
        match (outcome, expected) {
            (Ok(peer), _) => self.book().dial_succeeded(now, peer, address),
            (Err(failure), Some(peer)) if failure.is_of_address() => {
                let mut seed = [0; 32];
                // Without randomness the wait is the same as another's, no more.
                let _ = self.environment.entropy.fill(&mut seed);
                let mut rng = ChaCha8Rng::from_seed(seed);
                self.book().dial_failed(now, peer, address, &mut rng);
            }
            (Err(_), _) => {}
        }
    }
}

/// A handshake under way, with its permit.
pub(super) struct Pending {
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

pub(super) async fn begin(
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
    /// The provisional connection, when a ticket allows early data.
    pub(super) fn early(&self) -> Option<Connection> {
        self.dialing.early().cloned()
    }

    pub(super) async fn finish(mut self, inner: &Arc<Inner>) -> Result<PeerId, DialFailure> {
        let connection = self.dialing.confirmed().await?;
        if inner.is_stopping() {
            return Err(DialFailure::Stopped);
        }
        let Some(permit) = self.permit.permit.take() else {
            return Err(DialFailure::Stopped);
        };
        let id = inner.connections().next_id();
        let link = Arc::new(Link::new(
            id,
            connection,
            Direction::Outgoing,
            permit,
            inner.now().mono,
        ));
        let peer = inner.establish(&link)?;
        inner.spawn(super::builtin::introduce(inner.clone(), link));
        Ok(peer)
    }
}
