//! The task that owns the machine: one input at a time, never waiting for a peer.

mod large;
mod outputs;
mod peers;
mod settling;
#[cfg(all(test, feature = "sim"))]
mod tests;
mod topics;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot};
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::sleep;

use super::chunks::Asked;
use super::inbound::Inbound;
use super::links::Links;
use super::outbound::Outbound;
use super::{GossipError, GossipEvent, NeighbourInfo, SubscribeOptions, Subscription};
use crate::gossip::{
    AskId, Gossip, Input, NotPublished, PublicationId, Published, ScoreSnapshot, TopicHash,
};
use crate::identity::PeerId;
use crate::p2p::{Caller, Carrier, Event, EventStream, Lagged, WeakSwarm};
use crate::policy::Micros;
use crate::transport::environment::Clock;

use topics::Topics;

/// Commands that wait for the driver: each is a caller that waits too.
pub(super) const COMMANDS: usize = 1_024;

/// Messages that are published together if they wait: as many as share a seal at 5 000 a second.
const PUBLISHED_AT_ONCE: usize = 100;

/// Peers that neighbours recommended and that are dialled at once: as many as a mesh is to have. Others are not
/// dialled: when a place is still free, somebody recommends again.
const RECOMMENDED_AT_ONCE: usize = 8;

/// Peers of whom the program has an opinion: as many as a node remembers the numbers of.
pub(super) const MAX_OPINIONS: usize = 4_096;

type Outcome = Result<Published, NotPublished>;

/// Something that the program says.
#[derive(Debug)]
pub(super) struct Publication {
    pub(super) id: PublicationId,
    pub(super) topic: TopicHash,
    pub(super) data: Bytes,
    pub(super) done: oneshot::Sender<Outcome>,
}

/// What handles tell the driver.
#[derive(Debug)]
pub(super) enum Command {
    Subscribe {
        topic: TopicHash,
        options: SubscribeOptions,
        done: oneshot::Sender<Result<Subscription, GossipError>>,
    },
    Unsubscribe(TopicHash),
    Publish(Publication),
    Neighbours {
        topic: TopicHash,
        done: oneshot::Sender<Vec<NeighbourInfo>>,
    },
    Score {
        peer: PeerId,
        done: oneshot::Sender<Option<ScoreSnapshot>>,
    },
    Opinion {
        peer: PeerId,
        points: f64,
        done: oneshot::Sender<Result<(), GossipError>>,
    },
    /// Hand over what is queued, and end; the sender is dropped when that is done.
    Close(oneshot::Sender<()>),
}

/// What the driver is made of.
pub(super) struct Parts {
    pub(super) machine: Gossip,
    pub(super) network: [u8; 32],
    pub(super) swarm: WeakSwarm,
    pub(super) caller: Caller,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) inbound: mpsc::Receiver<Inbound>,
    pub(super) chunk_asks: mpsc::Receiver<Asked>,
    pub(super) swarm_events: EventStream,
    pub(super) events: broadcast::Sender<GossipEvent>,
    /// A peer with this score or less has no place in a mesh.
    pub(super) veto_at: i32,
    /// With whom messages are always exchanged.
    pub(super) explicit: BTreeSet<PeerId>,
}

/// See the module.
pub(super) struct Driver {
    parts: Parts,
    links: Links,
    /// The connections of those with whom something is under way.
    carriers: BTreeMap<PeerId, Carrier>,
    topics: Topics,
    /// What the program thinks of whom, in points.
    opinions: BTreeMap<PeerId, f64>,
    publications: BTreeMap<PublicationId, oneshot::Sender<Outcome>>,
    /// Without a limit of its own: a writer has one batch at a time, and so at most two things to tell.
    written: mpsc::UnboundedSender<Outbound>,
    outbound: mpsc::UnboundedReceiver<Outbound>,
    /// Writers, dials, signatures, verifications, judgements, and waits for readers to leave.
    work: JoinSet<Work>,
    /// Peers that wait for a chunk.
    asks: BTreeMap<AskId, oneshot::Sender<Option<Bytes>>>,
    next_ask: u64,
    /// Places for dials of peers that neighbours recommended.
    recommended: Arc<Semaphore>,
    /// Peers of whom it is looked in a moment which connection carries gossip.
    settling: BTreeSet<PeerId>,
    /// Peers with which the machine has enough.
    ending: Vec<PeerId>,
    /// A signature that was made at once, for the machine.
    signed: Option<Input>,
    /// Streams to peers that have not ended.
    writers: usize,
    /// Who waits for the end.
    closing: Option<oneshot::Sender<()>>,
    /// Since when somebody does.
    closed_at: Micros,
    /// When a peer took something last.
    written_at: Micros,
}

/// How a task of the driver ended.
enum Work {
    /// With something for the machine.
    Made(Input),
    /// It is time to look which connection with a peer carries gossip.
    Settled(PeerId),
    /// A subscription has no reader any more.
    Unread,
    /// With nothing.
    Over,
}

/// What happens next.
enum Step {
    Swarm(Result<Event, Lagged>),
    Command(Command),
    Inbound(Inbound),
    ChunkAsked(Asked),
    Outbound(Outbound),
    Worked(Result<(task::Id, Work), JoinError>),
    Time,
}

impl Driver {
    pub(super) fn new(parts: Parts) -> Self {
        let (written, outbound) = mpsc::unbounded_channel();
        Self {
            parts,
            links: Links::default(),
            carriers: BTreeMap::new(),
            topics: Topics::default(),
            opinions: BTreeMap::new(),
            publications: BTreeMap::new(),
            written,
            outbound,
            work: JoinSet::new(),
            asks: BTreeMap::new(),
            next_ask: 0,
            recommended: Arc::new(Semaphore::new(RECOMMENDED_AT_ONCE)),
            settling: BTreeSet::new(),
            ending: Vec::new(),
            signed: None,
            writers: 0,
            closing: None,
            closed_at: Micros(0),
            written_at: Micros(0),
        }
    }

    /// Runs until the swarm stops: it drops the task.
    pub(super) async fn run(mut self) {
        loop {
            self.wake();
            if self.closing.is_some() && self.close() {
                return;
            }
            let step = self.next().await;
            let is_greedy = matches!(step, Step::Command(_) | Step::Inbound(_));
            self.take(step);
            if is_greedy {
                self.hear_others();
            }
        }
    }

    /// Tells the machine the time if it is due.
    fn wake(&mut self) {
        let now = self.now();
        let due = self.parts.machine.poll_timeout();
        if due.is_some_and(|at| at <= now) {
            self.feed(Input::Timer);
        }
    }

    /// A program that publishes without pause keeps nobody from being heard, and neighbours that send
    /// without pause keep nobody from being given a chunk.
    fn hear_others(&mut self) {
        if let Ok(inbound) = self.parts.inbound.try_recv() {
            self.inbound(inbound);
        }
        if let Ok(asked) = self.parts.chunk_asks.try_recv() {
            self.chunk_asked(asked);
        }
    }

    async fn next(&mut self) -> Step {
        let due = self.parts.machine.poll_timeout();
        let wait = due.map(|at| at.since(self.now()));
        let time = async {
            match wait {
                Some(wait) => sleep(wait).await,
                None => std::future::pending().await,
            }
        };
        let parts = &mut self.parts;
        tokio::select! {
            biased;
            Some(event) = parts.swarm_events.next() => Step::Swarm(event),
            Some(worked) = self.work.join_next_with_id() => Step::Worked(worked),
            Some(outbound) = self.outbound.recv() => Step::Outbound(outbound),
            Some(command) = parts.commands.recv() => Step::Command(command),
            Some(inbound) = parts.inbound.recv() => Step::Inbound(inbound),
            Some(asked) = parts.chunk_asks.recv() => Step::ChunkAsked(asked),
            () = time => Step::Time,
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Swarm(Ok(event)) => self.swarm_event(event.what),
            Step::Swarm(Err(Lagged { .. })) => self.look_again(),
            Step::Command(command) => self.obey(command),
            Step::Inbound(inbound) => self.inbound(inbound),
            Step::ChunkAsked(asked) => self.chunk_asked(asked),
            Step::Outbound(outbound) => self.outbound(outbound),
            Step::Worked(worked) => self.worked(worked),
            Step::Time => {}
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Subscribe {
                topic,
                options,
                done,
            } => self.subscribe(topic, options, done),
            Command::Unsubscribe(topic) => self.unsubscribe(topic),
            Command::Publish(publication) => self.publish_all(publication),
            Command::Neighbours { topic, done } => {
                // Who asked may be gone.
                _ = done.send(self.neighbours(&topic));
            }
            Command::Score { peer, done } => {
                let session = self.links.session(&peer);
                let score = session.and_then(|session| self.parts.machine.score(session.link));
                // Who asked may be gone.
                _ = done.send(score);
            }
            Command::Opinion { peer, points, done } => {
                // Who asked may be gone.
                _ = done.send(self.think(peer, points));
            }
            Command::Close(done) => {
                self.closing = Some(done);
                self.closed_at = self.now();
            }
        }
    }

    fn now(&self) -> Micros {
        self.parts.clock.now().mono
    }

    /// Publishes a message, and those that wait behind it.
    fn publish_all(&mut self, first: Publication) {
        let mut inputs = vec![self.begin_publication(first)];
        let mut other = None;
        while inputs.len() < PUBLISHED_AT_ONCE
            && other.is_none()
            && let Ok(command) = self.parts.commands.try_recv()
        {
            match command {
                Command::Publish(next) => inputs.push(self.begin_publication(next)),
                command => other = Some(command),
            }
        }
        self.feed_all(inputs);
        if let Some(command) = other {
            self.obey(command);
        }
    }

    fn begin_publication(&mut self, publication: Publication) -> Input {
        let Publication {
            id,
            topic,
            data,
            done,
        } = publication;
        self.publications.insert(id, done);
        Input::Publish { id, topic, data }
    }

    fn feed(&mut self, input: Input) {
        self.feed_all([input]);
    }

    fn feed_all(&mut self, inputs: impl IntoIterator<Item = Input>) {
        let now = self.parts.clock.now();
        self.parts.machine.handle_all(now, inputs);
        self.take_outputs();
        while let Some(signed) = self.signed.take() {
            self.parts.machine.handle(self.parts.clock.now(), signed);
            self.take_outputs();
        }
        while let Some(peer) = self.ending.pop() {
            self.end(&peer);
        }
    }

    fn take_outputs(&mut self) {
        while let Some(output) = self.parts.machine.poll_output() {
            self.output(output);
        }
    }

    /// Whether nobody waits to be heard.
    fn is_idle(&self) -> bool {
        let parts = &self.parts;
        let is_silent = parts.commands.is_empty() && parts.inbound.is_empty();
        is_silent && parts.chunk_asks.is_empty() && self.outbound.is_empty()
    }
}
