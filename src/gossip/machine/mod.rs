//! The machine: everything that gossip decides.
//!
//! | of what | where |
//! | --- | --- |
//! | what goes in and comes out; the frames of neighbours; the clock | [`io`]; `frames`; `heartbeat` |
//! | one neighbour: what waits for it, what is heard of it | `neighbour`; `outbox`, `rates` |
//! | who wants a topic, and belongs to its mesh | `topic`, `audience`, `mesh`, `contributions`, `idle`, `recommended` |
//! | a message comes, is proven, judged and held | `arrivals`, `proving`, `judging`, `equivocations`, `parcel`, `store`, `held`; `large` |
//! | this node says something | `publish`, `unheard` |
//! | a message is passed on: who gets it | `spread`, `wishes` |
//! | who is to send whose messages, and does | `sources`, `learning`, `expected`, `silence` |
//! | a message was announced and does not come | `pulls`, `missing` |

mod arrivals;
mod audience;
mod audits;
mod contributions;
mod equivocations;
mod expected;
mod frames;
mod heartbeat;
mod held;
mod idle;
mod io;
mod judging;
mod large;
mod learning;
mod mesh;
mod missing;
mod neighbour;
mod outbox;
mod parcel;
mod proving;
mod publish;
mod pulls;
mod rates;
mod recommended;
mod silence;
mod sources;
mod spread;
mod store;
#[cfg(test)]
mod tests;
mod topic;
mod unheard;
mod wishes;

use std::collections::{BTreeMap, VecDeque};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::large::Transfers;
use super::replay::ReplayWindow;
use super::score::{ScoreBoard, ScoreConfig, ScoreSnapshot};
use super::seals::{Admission, KeyCache, Pacer, VerifiedSeals};
use super::{GossipConfig, Spreading, TopicHash};
use crate::crypto::VerifyingKey;
use crate::policy::{Micros, Now};
use crate::wire::message::gossip::MessageId;

use self::audience::Audience;
use self::equivocations::Equivocations;
use self::expected::Expectations;
use self::heartbeat::Beats;
use self::judging::Judging;
use self::neighbour::Neighbour;
use self::proving::Checks;
use self::pulls::Pulls;
use self::rates::Rates;
use self::recommended::Recommended;
use self::silence::Silence;
use self::sources::Sources;
use self::store::Store;
use self::topic::Topic;
use self::unheard::Unheard;
use self::wishes::Wishes;

pub use io::{
    AskId, CheckId, ChunkAnswer, Event, Fault, Header, Input, Link, Message, NotPublished, Output,
    PublicationId, Published, SigningId, Source, TopicOptions, Verdict,
};

/// What a machine is made of.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The network that seals are made for.
    pub network: [u8; 32],
    /// The key under which this node publishes.
    pub key: VerifyingKey,
    /// This run of the publisher: milliseconds since 1970-01-01 UTC at its start, and higher than
    /// that of any run before.
    pub epoch: u64,
    /// How it works. The machine takes what [`GossipConfig::validate`] accepts, and does not look itself.
    pub config: GossipConfig,
    /// How neighbours are judged: what [`ScoreConfig::validate`] accepts.
    pub score: ScoreConfig,
    /// Where its chance comes from.
    pub seed: [u8; 32],
}

/// Gossip: one node's part of it.
///
/// *Driving it.* Hand in each [`Input`] with the time by [`handle`](Self::handle), then take outputs
/// from [`poll_output`](Self::poll_output) until there are none, then wait for the next input, but no
/// longer than until [`poll_timeout`](Self::poll_timeout): then hand in [`Input::Timer`]. The
/// monotonic time never goes back; the wall clock may jump. Every [`Output::Send`] is answered by one
/// [`Input::Writable`], every [`Output::Sign`], [`Output::Verify`] and [`Output::Judge`] by its
/// answer, unless the machine is dropped.
#[derive(Debug)]
pub struct Gossip {
    network: [u8; 32],
    key: VerifyingKey,
    config: GossipConfig,
    now: Now,
    rng: ChaCha8Rng,
    outputs: VecDeque<Output>,
    neighbours: BTreeMap<Link, Neighbour>,
    /// Neighbours for whom something may wait.
    touched: Vec<Link>,
    audience: Audience,
    wishes: Wishes,
    topics: BTreeMap<TopicHash, Topic>,
    store: Store,
    /// None in a plain mesh.
    sources: Option<Sources>,
    pulls: Pulls,
    silence: Silence,
    score: ScoreBoard,
    pacer: Pacer,
    /// When it has a list to be signed.
    pacer_due: Option<Micros>,
    signing: publish::Signing,
    keys: KeyCache,
    seals: VerifiedSeals,
    admission: Admission,
    checks: Checks,
    judging: Judging,
    replay: ReplayWindow,
    transfers: Transfers,
    expectations: Expectations,
    equivocations: Equivocations,
    recommended: Recommended,
    rates: Rates,
    unheard: Unheard,
    beats: Beats,
}

impl Gossip {
    /// A machine without neighbours.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let (config, start) = (setup.config, Micros(0));
        let mut rng = ChaCha8Rng::from_seed(setup.seed);
        let sources = match config.spreading {
            Spreading::Mesh => None,
            Spreading::BySource(by_source) => Some(Sources::new(by_source)),
        };
        let expectations = Expectations::new(rng.next_u64());
        Self {
            network: setup.network,
            pacer: Pacer::new(
                config.sealing,
                setup.network,
                &setup.key,
                setup.epoch,
                start,
            ),
            key: setup.key,
            now: Now::default(),
            rng,
            outputs: VecDeque::new(),
            neighbours: BTreeMap::new(),
            touched: Vec::new(),
            audience: Audience::default(),
            wishes: Wishes::default(),
            topics: BTreeMap::new(),
            store: Store::default(),
            sources,
            pulls: Pulls::default(),
            silence: Silence::default(),
            score: ScoreBoard::new(setup.score),
            pacer_due: None,
            signing: publish::Signing::default(),
            keys: KeyCache::new(),
            seals: VerifiedSeals::new(),
            admission: Admission::new(config.admission, start),
            checks: Checks::default(),
            judging: Judging::default(),
            replay: ReplayWindow::default(),
            transfers: Transfers::new(config.large_memory),
            expectations,
            equivocations: Equivocations::default(),
            recommended: Recommended::default(),
            rates: Rates::new(config.rates),
            unheard: Unheard::default(),
            beats: Beats::default(),
            config,
        }
    }

    /// Takes an input. See the type for the order of calls.
    pub fn handle(&mut self, now: Now, input: Input) {
        self.handle_all(now, [input]);
    }

    /// Takes several inputs at once: what all of them are followed by is done once.
    pub fn handle_all(&mut self, now: Now, inputs: impl IntoIterator<Item = Input>) {
        self.now = now;
        for input in inputs {
            self.take(input);
        }
        self.run_timers();
        self.flush();
        self.pacer_due = self.next_seal();
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Connected {
                link,
                group,
                is_outbound,
            } => self.connected(link, group, is_outbound),
            Input::Explicit(link) => self.agreed(link),
            Input::Opinion { link, value } => self.score.set_application(link, value),
            Input::Disconnected(link) => self.disconnected(link),
            Input::Reachable { link, contact } => {
                if let Some(neighbour) = self.neighbours.get_mut(&link) {
                    neighbour.contact = Some(contact);
                }
            }
            Input::Frame { link, kind, body } => self.frame(link, kind, &body),
            Input::Writable(link) => self.writable(link),
            Input::Signed { id, signature } => self.signed(id, signature),
            Input::Verified { id, is_valid } => self.verified(id, is_valid),
            Input::Judged { id, verdict } => self.judged(&id, verdict),
            Input::Subscribe { topic, options } => self.subscribe(topic, options),
            Input::Unsubscribe(topic) => self.unsubscribe(topic),
            Input::Publish { id, topic, data } => self.publish(id, topic, data),
            Input::Veto(link) => self.leave_meshes(link),
            Input::Chunk {
                link,
                message,
                index,
                answer,
            } => self.chunk(link, &message, index, answer),
            Input::ChunkAsked {
                ask,
                link,
                message,
                index,
            } => self.chunk_asked(ask, link, &message, index),
            Input::Timer => {}
        }
    }

    /// The next thing to do, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Timer`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        let sources = self.sources.as_ref().and_then(Sources::next);
        let audits = self.expectations.next();
        let own = [self.beats.next(), self.pulls.next(), audits, sources].into_iter();
        let others = [self.pacer_due, self.admission.next(), self.transfers.next()];
        own.chain(others).flatten().min()
    }

    /// The mesh of a topic.
    pub fn mesh(&self, topic: &TopicHash) -> impl Iterator<Item = Link> + '_ {
        let topic = self.topics.get(topic).into_iter();
        topic.flat_map(|topic| topic.mesh.iter().copied())
    }

    /// The neighbours that subscribe to a topic, with whether each is in its mesh, and its score.
    pub fn neighbours(&self, topic: &TopicHash) -> impl Iterator<Item = (Link, bool, f64)> + '_ {
        let mesh = self.topics.get(topic).map(|topic| &topic.mesh);
        self.subscribers(topic).iter().map(move |link| {
            let in_mesh = mesh.is_some_and(|mesh| mesh.contains(link));
            (*link, in_mesh, self.score.score(*link))
        })
    }

    /// The score of a neighbour with all its terms, if it is there.
    #[must_use]
    pub fn score(&self, link: Link) -> Option<ScoreSnapshot> {
        self.score.snapshot(link)
    }

    /// Whether a neighbour was given all that waits for it, and has all of this node's own long messages
    /// that it takes part in.
    #[must_use]
    pub fn is_idle(&self, link: Link) -> bool {
        let neighbour = self.neighbours.get(&link);
        let is_idle = neighbour.is_none_or(|neighbour| neighbour.outbox.is_idle());
        is_idle && !self.transfers.is_awaited(self.key.hash().into(), link)
    }

    /// Whether a message of this node waits for a neighbour, or a chunk of one.
    #[must_use]
    pub fn has_own(&self, link: Link) -> bool {
        let neighbour = self.neighbours.get(&link);
        let waits = neighbour.is_some_and(|neighbour| neighbour.outbox.has_own());
        waits || self.transfers.is_awaited(self.key.hash().into(), link)
    }

    /// When a neighbour was given a chunk last.
    #[must_use]
    pub const fn gave_chunk_at(&self) -> Micros {
        self.transfers.gave_at()
    }

    /// Bytes of the long messages that are under way, or held for others.
    #[must_use]
    pub fn large_bytes(&self) -> usize {
        self.transfers.bytes()
    }

    /// Bytes that wait for a neighbour, what it is being sent with them, but for what waits by name.
    #[must_use]
    pub fn waiting(&self, link: Link) -> usize {
        let neighbour = self.neighbours.get(&link);
        neighbour.map_or(0, |neighbour| neighbour.outbox.occupied())
    }

    /// Bytes of a neighbour's messages that are not proven.
    #[cfg(test)]
    fn unproven(&self, link: Link) -> usize {
        self.checks.unproven(link)
    }

    /// Messages that neighbours refused.
    #[cfg(test)]
    fn refusals(&self) -> usize {
        let neighbours = self.neighbours.values();
        neighbours.map(Neighbour::refusals).sum()
    }

    fn run_timers(&mut self) {
        let now = self.now.mono;
        // Before the heartbeat, which settles what was owed: a node that was held up ends both at once.
        self.end_audits();
        // Once: at the end of the clock the next one would be due at once, for ever.
        if self.beats.is_due(now) {
            self.heartbeat();
        }
        self.look_at_pulls();
        self.choose_links();
        self.seal_waiting();
        self.verify_waiting();
        self.exchange_chunks();
    }

    /// Hands over what waits for those who take it.
    fn flush(&mut self) {
        let times = self.promise_times();
        let store = &self.store;
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        for link in touched.drain(..) {
            let Some(neighbour) = self.neighbours.get_mut(&link) else {
                continue;
            };
            neighbour.is_touched = false;
            if neighbour.outbox.is_overfull() {
                if !std::mem::replace(&mut neighbour.is_over, true) {
                    self.outputs.push_back(Output::End(link));
                }
                continue;
            }
            let has = |id: &MessageId| store.get(id).is_some_and(|entry| entry.is_with(link));
            let held = |id: &MessageId| store.held(id).cloned();
            let frames = neighbour.take(self.now.mono, &self.config.queue, has, held);
            for id in neighbour.outbox.take_asked() {
                self.pulls.promise(self.now.mono, times, id, link);
            }
            if let Some(frames) = frames {
                self.outputs.push_back(Output::Send { link, frames });
            }
        }
        // Its room serves again.
        self.touched = touched;
    }

    /// After a fault a neighbour is not heard any more, unless it may not have known better.
    fn fault(&mut self, link: Link, fault: Fault) {
        if let Some(neighbour) = self.neighbours.get_mut(&link) {
            neighbour.is_over |= !fault.is_forgiven();
        }
        self.outputs.push_back(Output::Fault { link, fault });
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Brings items into an order drawn by lot (Fisher and Yates).
    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let drawn = self.rng.next_u64() % (last as u64 + 1);
            items.swap(last, usize::try_from(drawn).unwrap_or(last));
        }
    }

    /// A neighbour for whom something is put in line.
    fn touch(&mut self, link: Link) -> Option<&mut Neighbour> {
        let neighbour = self.neighbours.get_mut(&link)?;
        if !std::mem::replace(&mut neighbour.is_touched, true) {
            self.touched.push(link);
        }
        Some(neighbour)
    }
}
