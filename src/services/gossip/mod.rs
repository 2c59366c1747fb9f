//! Gossip on a running node: topics, subscriptions, messages.
//!
//! [`GossipProtocol`] is the handle. Behind it one task owns the machine
//! ([`Gossip`](crate::gossip::Gossip)) and drives it over the swarm.

mod blame;
mod chunks;
mod driver;
mod epoch;
mod error;
mod events;
mod explicit;
mod inbound;
mod links;
mod outbound;
mod settings;
mod setup;
mod subscription;
mod validation;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::gossip::PublicationId;
use crate::identity::PeerId;

use self::driver::{Command, Publication};

/// Longest that a node that stops waits for its neighbours to take what was said: one of the longest
/// messages at 5 Mbit/s. It waits for 3 s at most in which nothing moves.
const CLOSING: Duration = Duration::from_secs(60);

pub use crate::gossip::{
    Header, Message, NotPublished, Published, ScoreSnapshot, SharedSeal, Source, TopicHash,
    TopicTerms, Verdict,
};
pub use error::GossipError;
pub use events::{GossipEvent, GossipEvents};
pub use settings::GossipSettings;
pub use setup::PrepareError;
pub(crate) use setup::{Setup, prepare};
pub use subscription::{Received, SubscribeOptions, Subscription};
pub use validation::MessageValidator;

/// Broadcast: what one node publishes in a topic, every other node that subscribes to it gets.
///
/// Calls name a topic by its text; events and messages by the hash of that, [`TopicHash::of`].
///
/// A clone is the same handle. All that is asked of a node that has stopped fails.
#[derive(Debug, Clone)]
pub struct GossipProtocol(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    commands: mpsc::Sender<Command>,
    next_publication: AtomicU64,
    events: broadcast::WeakSender<GossipEvent>,
}

/// A neighbour in a topic, as gossip sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NeighbourInfo {
    /// Who.
    pub peer: PeerId,
    /// Whether it is in the topic's mesh.
    pub in_mesh: bool,
    /// Its score, in points; see [`Thresholds`](crate::gossip::score::Thresholds).
    pub score: f64,
}

impl GossipProtocol {
    /// The handle of a node that runs without gossip.
    pub(crate) const fn disabled() -> Self {
        Self(None)
    }

    /// Whether the node runs gossip.
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        self.0.is_some()
    }

    /// Takes part in a topic: its messages come to the returned subscription until that is dropped, and
    /// are passed on to others meanwhile. What this node publishes itself does not come to it, and is not
    /// judged. Of several subscriptions to one topic each gets every message; the options that concern the topic
    /// as a whole, whether it is signed and the very validator, must be those of the others that are read.
    ///
    /// # Errors
    /// [`GossipError`]: gossip is off, there are too many topics, the topic is subscribed to with other options,
    /// or the node has stopped.
    pub async fn subscribe(
        &self,
        topic: &str,
        options: SubscribeOptions,
    ) -> Result<Subscription, GossipError> {
        let (done, subscription) = oneshot::channel();
        let topic = TopicHash::of(topic);
        self.send(Command::Subscribe {
            topic,
            options,
            done,
        })
        .await?;
        subscription.await.map_err(|_| GossipError::Stopped)?
    }

    /// Says something in a topic, whether or not this node subscribes to it: at most 32 MiB, and 16 KiB where it
    /// subscribes without signatures; an empty message is one, too. Gives the message's name, and to how many
    /// neighbours it went: where to none, newcomers hear of it for some four seconds. Waits for the signature, which
    /// messages that are published at once share: 20 ms for each topic that waits for one, and longer, ten seconds
    /// and more, where most neighbours take nothing.
    ///
    /// Safe to cancel, but what was published stays so: it may be said although nobody waits for the outcome.
    ///
    /// # Errors
    /// [`GossipError`]: gossip is off, the node has stopped, or, as [`NotPublished`], the message is too long, was
    /// said before (unsigned topics alone), could not be signed, or the node says more than it or its neighbours
    /// can take.
    pub async fn publish(&self, topic: &str, data: Bytes) -> Result<Published, GossipError> {
        let shared = self.0.as_ref().ok_or(GossipError::Disabled)?;
        let number = shared.next_publication.fetch_add(1, Ordering::Relaxed);
        let (done, outcome) = oneshot::channel();
        let publication = Publication {
            id: PublicationId(number),
            topic: TopicHash::of(topic),
            data,
            done,
        };
        self.send(Command::Publish(publication)).await?;
        let outcome = outcome.await.map_err(|_| GossipError::Stopped)?;
        Ok(outcome?)
    }

    /// Ends all subscriptions to a topic at once.
    ///
    /// # Errors
    /// [`GossipError`]: gossip is off, or the node has stopped.
    pub async fn unsubscribe(&self, topic: &str) -> Result<(), GossipError> {
        self.send(Command::Unsubscribe(TopicHash::of(topic))).await
    }

    /// The neighbours that subscribe to a topic, without those that read too slowly to be sent anything.
    ///
    /// # Errors
    /// [`GossipError`]: gossip is off, or the node has stopped.
    pub async fn neighbours(&self, topic: &str) -> Result<Vec<NeighbourInfo>, GossipError> {
        let (done, neighbours) = oneshot::channel();
        let topic = TopicHash::of(topic);
        self.send(Command::Neighbours { topic, done }).await?;
        neighbours.await.map_err(|_| GossipError::Stopped)
    }

    /// The score of a neighbour with its terms, P1 to P7 and slowness, in points; none if the peer is no
    /// neighbour of gossip.
    ///
    /// # Errors
    /// [`GossipError`]: gossip is off, or the node has stopped.
    pub async fn score(&self, peer: PeerId) -> Result<Option<ScoreSnapshot>, GossipError> {
        let (done, score) = oneshot::channel();
        self.send(Command::Score { peer, done }).await?;
        score.await.map_err(|_| GossipError::Stopped)
    }

    /// What the program thinks of a peer, in points of its score (P5): positive for one that serves it well,
    /// negative for one that does not. It counts, with a weight of 1 (10 where
    /// [`by_source`](GossipSettings::by_source) is off), until the program says something else, also when the
    /// peer goes and comes back; 0 is no opinion. Beyond a million points, either way, it counts as a million.
    ///
    /// With a score below 0 a peer is in no mesh. Below -100 (-10 without `by_source`) nothing is announced to it
    /// and its announcements are not heard, below -200 (-50) it is sent no message of this node, and below -400 (-80) nothing that it sends is
    /// read but subscriptions, keys and seals; see [`Thresholds`](crate::gossip::score::Thresholds). Explicit
    /// peers are exempt.
    ///
    /// # Errors
    /// [`GossipError`]: not a number, opinions of too many peers, gossip is off, or the node has stopped.
    pub async fn set_application_score(
        &self,
        peer: PeerId,
        points: f64,
    ) -> Result<(), GossipError> {
        if points.is_nan() {
            return Err(GossipError::NotANumber);
        }
        let (done, taken) = oneshot::channel();
        self.send(Command::Opinion { peer, points, done }).await?;
        taken.await.map_err(|_| GossipError::Stopped)?
    }

    /// What happens from now on.
    ///
    /// # Errors
    /// [`GossipError`]: gossip is off, or the node has stopped.
    pub fn events(&self) -> Result<GossipEvents, GossipError> {
        let shared = self.0.as_ref().ok_or(GossipError::Disabled)?;
        let events = shared.events.upgrade().ok_or(GossipError::Stopped)?;
        Ok(GossipEvents(events.subscribe()))
    }

    /// Hands over what is queued for neighbours and waits until it is acknowledged, as long as they take
    /// some of it. Nothing is sent or received afterwards.
    pub(crate) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.send(Command::Close(done)).await.is_ok() {
            // The sender is dropped when all is done, or the driver ends.
            _ = tokio::time::timeout(CLOSING, closed).await;
        }
    }

    async fn send(&self, command: Command) -> Result<(), GossipError> {
        let shared = self.0.as_ref().ok_or(GossipError::Disabled)?;
        let sent = shared.commands.send(command).await;
        sent.map_err(|_| GossipError::Stopped)
    }
}
