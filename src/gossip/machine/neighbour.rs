//! One neighbour as the machine sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use foldhash::HashMap;

use super::outbox::Outbox;
use super::parcel::{Class, Parcel};
use super::rates::Heard;
use super::silence::Speech;
use crate::gossip::TopicHash;
use crate::gossip::config::QueueConfig;
use crate::gossip::seals::ReceivedReferences;
use crate::identity::PeerId;
use crate::policy::{IpGroup, Micros};
use crate::wire::message::discovery::Contact;
use crate::wire::message::gossip::{MessageId, Mode, TopicOrdinal};

/// Messages that a neighbour may refuse at once: what arrives in three heartbeats at some hundred a
/// second. Beyond it refusals are not heard.
const MAX_REFUSED: usize = 1_000;

/// Classes for which a neighbour may ask for a mode: as many as this node chooses links for.
pub(super) const MAX_ASKED: usize = 4_096;

/// A neighbour that brought a message within this time brings messages: in that time each of a mesh does.
pub(super) const BRINGS: Duration = Duration::from_secs(10);

/// Heartbeats for which a refusal counts.
const REFUSED_FOR: u64 = 3;

#[derive(Debug)]
pub(super) struct Neighbour {
    pub(super) group: IpGroup,
    pub(super) is_outbound: bool,
    /// Whether messages are always exchanged with it, outside the meshes.
    pub(super) is_explicit: bool,
    pub(super) contact: Option<Contact>,
    /// What it subscribed to.
    pub(super) theirs: Subscriptions,
    /// What this node subscribed to on its stream to it.
    pub(super) ours: Subscriptions,
    /// Keys and seals of its stream.
    pub(super) received: ReceivedReferences,
    pub(super) outbox: Outbox,
    /// How it wants the messages of which publishers, by topic.
    asked: HashMap<TopicHash, HashMap<PeerId, Mode>>,
    /// For how many it said so.
    wishes: usize,
    /// Whether what it asked for may be gone through in this heartbeat.
    may_forget: bool,
    /// Until when it wants to hear of everything.
    pub(super) awake_until: Micros,
    /// Messages that it refused, and until which heartbeat that counts.
    refused: HashMap<MessageId, u64>,
    /// Announcements of it since the last heartbeat, and their ids.
    pub(super) announced: (usize, usize),
    /// When it was the first to bring a message last.
    brought: Option<Micros>,
    /// When it speaks.
    pub(super) speech: Speech,
    /// How often it was given each message that it asked for, of those still held.
    pub(super) given: HashMap<MessageId, u32>,
    /// Topics of this node that it left since the last heartbeat.
    left: BTreeSet<TopicHash>,
    /// Whether something may wait for it.
    pub(super) is_touched: bool,
    /// How it reads what waits for it.
    pub(super) reading: Reading,
    /// Whether a frame of it was wrong: it is not heard any more, and leaves soon.
    pub(super) is_over: bool,
    /// What it may say beside messages.
    pub(super) heard: Heard,
}

/// How a neighbour reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// It takes what it is handed.
    Well,
    /// It took nothing for a moment, and has not caught up since.
    Stalls,
    /// Too slowly to be in a mesh.
    Slowly,
}

/// Topics by the order in which one end subscribed to them.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    next: TopicOrdinal,
    topics: BTreeMap<TopicOrdinal, TopicHash>,
    ordinals: BTreeMap<TopicHash, TopicOrdinal>,
}

/// What an ordinal names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Topic(TopicHash),
    /// A subscription that has ended.
    Ended,
    /// Nothing, ever.
    Nothing,
}

impl Subscriptions {
    /// Subscribes; `false` if it was subscribed already. Takes an ordinal in any case.
    pub(super) fn add(&mut self, topic: TopicHash) -> bool {
        let ordinal = self.next;
        self.next += 1;
        self.topics.insert(ordinal, topic);
        match self.ordinals.insert(topic, ordinal) {
            Some(former) => {
                self.topics.remove(&former);
                false
            }
            None => true,
        }
    }

    pub(super) fn remove(&mut self, topic: &TopicHash) -> Option<TopicOrdinal> {
        let ordinal = self.ordinals.remove(topic)?;
        self.topics.remove(&ordinal);
        Some(ordinal)
    }

    pub(super) fn ordinal(&self, topic: &TopicHash) -> Option<TopicOrdinal> {
        self.ordinals.get(topic).copied()
    }

    pub(super) fn named(&self, ordinal: TopicOrdinal) -> Named {
        match self.topics.get(&ordinal) {
            Some(topic) => Named::Topic(*topic),
            None if ordinal < self.next => Named::Ended,
            None => Named::Nothing,
        }
    }

    pub(super) fn contains(&self, topic: &TopicHash) -> bool {
        self.ordinals.contains_key(topic)
    }

    pub(super) fn len(&self) -> usize {
        self.ordinals.len()
    }

    pub(super) fn topics(&self) -> impl Iterator<Item = TopicHash> + '_ {
        self.ordinals.keys().copied()
    }
}

impl Neighbour {
    pub(super) fn new(
        group: IpGroup,
        is_outbound: bool,
        queue: &QueueConfig,
        heard: Heard,
    ) -> Self {
        Self {
            group,
            is_outbound,
            is_explicit: false,
            contact: None,
            theirs: Subscriptions::default(),
            ours: Subscriptions::default(),
            received: ReceivedReferences::default(),
            outbox: Outbox::new(queue),
            asked: HashMap::default(),
            wishes: 0,
            may_forget: true,
            awake_until: Micros(0),
            refused: HashMap::default(),
            announced: (0, 0),
            brought: None,
            speech: Speech::default(),
            given: HashMap::default(),
            left: BTreeSet::new(),
            is_touched: false,
            reading: Reading::Well,
            is_over: false,
            heard,
        }
    }

    /// Whether it reads too slowly to be in a mesh.
    pub(super) fn is_slow(&self) -> bool {
        self.reading == Reading::Slowly
    }

    /// How it wants the messages of a class, if it said so.
    pub(super) fn asked(&self, (topic, publisher): &Class) -> Option<Mode> {
        self.asked.get(topic)?.get(publisher).copied()
    }

    /// What it means that it asked for a mode: for a while it may want to hear of everything.
    pub(super) fn means(&self, asked: Mode, now: Micros) -> Mode {
        if asked == Mode::Silent && now < self.awake_until {
            Mode::Lazy
        } else {
            asked
        }
    }

    /// Whether it asked for anything.
    pub(super) const fn has_wishes(&self) -> bool {
        self.wishes > 0
    }

    /// It says how it wants the messages of a class. When there are too many, those of publishers of whom
    /// nothing `is_known` here give way, at most once in a heartbeat. It is not heard if there are none: the
    /// mesh decides then, as for a class that nobody spoke of. Whether anything gave way.
    pub(super) fn ask(
        &mut self,
        class: Class,
        mode: Mode,
        is_known: impl Fn(&Class) -> bool,
    ) -> bool {
        let (topic, publisher) = class;
        let of_topic = self.asked.get(&topic);
        let is_new = of_topic.is_none_or(|modes| !modes.contains_key(&publisher));
        let gives_way = is_new && self.wishes >= MAX_ASKED && self.may_forget;
        if gives_way {
            self.may_forget = false;
            for (topic, modes) in &mut self.asked {
                modes.retain(|publisher, _| is_known(&(*topic, *publisher)));
            }
            self.wishes = self.asked.values().map(HashMap::len).sum();
        }
        if !is_new || self.wishes < MAX_ASKED {
            self.wishes += usize::from(is_new);
            self.asked.entry(topic).or_default().insert(publisher, mode);
        }
        gives_way
    }

    /// It brought a message that nobody else had.
    pub(super) const fn has_brought(&mut self, now: Micros) {
        self.brought = Some(now);
    }

    /// Whether it brings messages.
    pub(super) fn brings(&self, now: Micros) -> bool {
        self.brought.is_some_and(|at| now.since(at) < BRINGS)
    }

    /// It ends a subscription: what it asked for there is void. Of a topic of this node, too, what it was asked
    /// for is, but only from the next heartbeat on: whoever comes and goes all the time makes no work. Whether it had
    /// asked for anything.
    pub(super) fn unsubscribed(&mut self, topic: &TopicHash, is_ours: bool) -> bool {
        self.theirs.remove(topic);
        // Each wish is forgotten once: to come and go costs no more than was said meanwhile.
        let void = self.asked.remove(topic);
        let void = void.map_or(0, |modes| modes.len());
        self.wishes -= void;
        if is_ours {
            self.left.insert(*topic);
        }
        void > 0
    }

    /// Whether it left a topic since the last heartbeat.
    pub(super) fn has_left(&self, topic: &TopicHash) -> bool {
        self.left.contains(topic)
    }

    /// A heartbeat: the topics that it left since the last one.
    pub(super) fn take_left(&mut self) -> BTreeSet<TopicHash> {
        std::mem::take(&mut self.left)
    }

    pub(super) fn refuse(&mut self, id: MessageId, heartbeat: u64) {
        if self.refused.len() < MAX_REFUSED {
            self.refused.insert(id, heartbeat + REFUSED_FOR);
        }
    }

    /// Classes for which it asked for a mode.
    #[cfg(test)]
    pub(super) const fn wishes(&self) -> usize {
        self.wishes
    }

    #[cfg(test)]
    pub(super) fn refusals(&self) -> usize {
        self.refused.len()
    }

    pub(super) fn refuses(&self, id: &MessageId) -> bool {
        self.refused.contains_key(id)
    }

    /// What is to be sent to it now. See [`Outbox::take`].
    pub(super) fn take(
        &mut self,
        now: Micros,
        config: &QueueConfig,
        has: impl Fn(&MessageId) -> bool,
        held: impl Fn(&MessageId) -> Option<Arc<Parcel>>,
    ) -> Option<Bytes> {
        let refused = &self.refused;
        let is_needless = |id: &MessageId| refused.contains_key(id) || has(id);
        self.outbox
            .take(now, &self.theirs, config, is_needless, held)
    }

    /// A heartbeat: budgets are new, and refusals end.
    pub(super) fn beat(&mut self, heartbeat: u64, is_held: impl Fn(&MessageId) -> bool) {
        self.announced = (0, 0);
        self.may_forget = true;
        self.outbox.beat();
        self.refused.retain(|_, until| heartbeat < *until);
        self.given.retain(|id, _| is_held(id));
    }
}
