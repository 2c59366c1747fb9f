//! What waits for one neighbour, by priority: control, own messages, those of others.

mod answers;
mod backlog;
mod frames;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::neighbour::Subscriptions;
use super::parcel::Parcel;
use crate::gossip::TopicHash;
use crate::gossip::config::QueueConfig;
use crate::gossip::seals::SentReferences;
use crate::identity::PeerId;
use crate::policy::Micros;
use crate::wire::codec::WireType;
use crate::wire::message::gossip::{MAX_UNWANTED, MessageId, Mode};

use self::answers::Answers;
use self::backlog::Backlog;
use self::frames::write_frame;

/// A message in line.
#[derive(Debug, Clone)]
struct Queued {
    parcel: Arc<Parcel>,
    since: Micros,
    priority: Priority,
}

/// A message that found no place.
#[derive(Debug, Clone, Copy)]
struct Missed {
    topic: TopicHash,
    id: MessageId,
    bytes: usize,
}

/// Whose messages come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Priority {
    /// What was asked for. It is sent whatever becomes known meanwhile: a promise is kept.
    Asked,
    /// This node's.
    Own,
    /// Those of others.
    Forwarded,
}

/// What waits for a neighbour. What it is told goes out in batches; while one is on its way, what comes
/// meanwhile is joined to the next.
#[derive(Debug)]
pub(super) struct Outbox {
    /// None while the neighbour takes more; else since when it does not.
    blocked_since: Option<Micros>,
    frames: VecDeque<Bytes>,
    announcements: Vec<(TopicHash, MessageId)>,
    /// Ids that it was told of since the last heartbeat.
    announced: usize,
    /// Bytes of what found no place, was announced since the last heartbeat, and was not asked for.
    promised: usize,
    wanted: Vec<MessageId>,
    /// What it was asked for in the batch that was made last.
    asked: Vec<MessageId>,
    unwanted: Vec<MessageId>,
    modes: BTreeMap<TopicHash, BTreeMap<PeerId, Mode>>,
    own: VecDeque<Queued>,
    forwarded: VecDeque<Queued>,
    /// What found no place, the oldest first, and the bytes that it takes: it is announced when there is
    /// room.
    missed: VecDeque<Missed>,
    /// What was asked for, or is this node's, and found no place: it is sent when there is room.
    owed: VecDeque<(MessageId, Priority)>,
    /// Bytes of the control that waits, and of the messages.
    control_bytes: usize,
    message_bytes: usize,
    /// Bytes of all that waits, at most.
    max_bytes: usize,
    /// Whether there was no room for control.
    is_overfull: bool,
    backlog: Backlog,
    answers: Answers,
    sent: SentReferences,
}

/// Bytes that an id takes in a queue.
const ID_BYTES: usize = size_of::<MessageId>();

/// The share of the room above which nothing is told of chunks any more: some thousand announcements, which a
/// neighbour that reads has taken by the next ones.
const NEWS_SHARE: usize = 4;

/// Messages of others that found no place and are to be announced: what comes in a second from all at ten
/// thousand a second. 576 KiB; the oldest are forgotten first, for they are held for the shortest time.
pub(super) const MAX_MISSED: usize = 8_192;

/// Messages that wait for room, by name: all that may be announced to a neighbour in two heartbeats and asked
/// for, and more than a program may publish at once. 330 KiB. Messages that make room for control come beside them.
pub(super) const MAX_OWED: usize = 10_000;

/// Bytes that a message takes in a queue beside what it says: one that says nothing takes room, too.
const PLACE_BYTES: usize = 64;

impl Outbox {
    pub(super) fn new(config: &QueueConfig) -> Self {
        Self {
            blocked_since: None,
            frames: VecDeque::new(),
            announcements: Vec::new(),
            announced: 0,
            promised: 0,
            wanted: Vec::new(),
            asked: Vec::new(),
            unwanted: Vec::new(),
            modes: BTreeMap::new(),
            own: VecDeque::new(),
            forwarded: VecDeque::new(),
            missed: VecDeque::new(),
            owed: VecDeque::new(),
            control_bytes: 0,
            message_bytes: 0,
            max_bytes: config.max_bytes,
            is_overfull: false,
            backlog: Backlog::default(),
            answers: Answers::new(config),
            sent: SentReferences::default(),
        }
    }

    /// The neighbour takes more.
    pub(super) fn writable(&mut self) {
        self.blocked_since = None;
        self.backlog.taken(self.bytes());
    }

    /// Whether nothing waits to be sent, and all that was handed over is written.
    pub(super) fn is_idle(&self) -> bool {
        let is_behind = !self.owed.is_empty() || self.answers.wait();
        self.blocked_since.is_none() && self.bytes() == 0 && !is_behind
    }

    /// Whether a message of this node waits.
    pub(super) fn has_own(&self) -> bool {
        let mut queued = self.own.iter();
        queued.any(|queued| queued.priority == Priority::Own) || self.owes_own()
    }

    /// Whether a message of this node found no place.
    pub(super) fn owes_own(&self) -> bool {
        let mut owed = self.owed.iter();
        owed.any(|(_, priority)| *priority == Priority::Own)
    }

    /// For how long it has taken nothing although something waits.
    pub(super) fn stalled(&self, now: Micros) -> Duration {
        let waits = self.bytes() > 0 || !self.owed.is_empty();
        let since = self.blocked_since.filter(|_| waits);
        since.map_or(Duration::ZERO, |since| now.since(since))
    }

    /// A heartbeat: whether it has taken little for so long, of much that was to be sent.
    pub(super) fn lags(&mut self, now: Micros, span: Duration) -> bool {
        let lags = self.backlog.lags(now, self.bytes(), span, self.max_bytes);
        // Who has just taken all that it was given is not to be waited for: nothing would say that it reads again.
        lags && self.blocked_since.is_some()
    }

    /// A control frame of its own.
    pub(super) fn control<T: WireType>(&mut self, kind: u8, body: &T) {
        let mut frame = BytesMut::new();
        write_frame(kind, body, &mut frame);
        if self.reserve(frame.len()) {
            self.frames.push_back(frame.freeze());
        }
    }

    /// Whether there was no room for what a neighbour has to be told: it reads nothing, and what comes later would
    /// make no sense to it.
    pub(super) const fn is_overfull(&self) -> bool {
        self.is_overfull
    }

    /// Whether what it is told of chunks finds room: no more waits than a neighbour that reads lets wait.
    pub(super) const fn takes_news(&self) -> bool {
        self.control_bytes <= self.max_bytes / NEWS_SHARE
    }

    /// Room for control, for which messages wait by name; `false` if there is none.
    fn reserve(&mut self, bytes: usize) -> bool {
        self.backlog.offer(bytes);
        while self.occupied() + bytes > self.max_bytes && self.displace() {}
        self.is_overfull |= self.occupied() + bytes > self.max_bytes;
        if !self.is_overfull {
            self.control_bytes += bytes;
        }
        !self.is_overfull
    }

    /// A message gives its place up, those of others first; `false` if there is none.
    fn displace(&mut self) -> bool {
        if let Some(Queued { parcel, .. }) = self.forwarded.pop_front() {
            self.message_bytes = self.message_bytes.saturating_sub(cost(&parcel));
            self.miss(&parcel);
            return true;
        }
        let Some(queued) = self.own.pop_back() else {
            return false;
        };
        self.message_bytes = self.message_bytes.saturating_sub(cost(&queued.parcel));
        self.owed.push_front((queued.parcel.id, queued.priority));
        true
    }

    /// A heartbeat: the neighbour hears of more.
    pub(super) const fn beat(&mut self) {
        self.announced = 0;
        self.promised = 0;
    }

    /// Whether it is to hear of, or to get, what found no place.
    pub(super) fn is_behind(&self) -> bool {
        !self.missed.is_empty() || !self.owed.is_empty() || self.answers.wait()
    }

    /// Whether anything waits, and nothing is under way whose end would tell of it.
    pub(super) fn waits(&self) -> bool {
        self.blocked_since.is_none() && (self.bytes() > 0 || self.is_behind())
    }

    /// A message is announced; `false` if too much waits, or if it hears of no more until the next
    /// heartbeat.
    pub(super) fn announce(
        &mut self,
        topic: TopicHash,
        id: MessageId,
        config: &QueueConfig,
    ) -> bool {
        let is_full = self.occupied() + ID_BYTES > config.max_bytes;
        // Who waits for answers is promised no more of them.
        if is_full || self.announced >= config.max_announced || self.answers.wait() {
            return false;
        }
        self.announced += 1;
        self.control_bytes += ID_BYTES;
        self.announcements.push((topic, id));
        true
    }

    /// A message is announced when less waits: it found no place.
    pub(super) fn miss(&mut self, parcel: &Parcel) {
        if self.missed.len() >= MAX_MISSED {
            self.missed.pop_front();
        }
        self.missed.push_back(Missed {
            topic: parcel.topic,
            id: parcel.id,
            bytes: cost(parcel),
        });
    }

    /// A message is asked for; `false` if too much waits: who announces and does not read is not asked.
    pub(super) fn want(&mut self, id: MessageId, config: &QueueConfig) -> bool {
        if self.occupied() + ID_BYTES > config.max_bytes {
            return false;
        }
        self.control_bytes += ID_BYTES;
        self.wanted.push(id);
        true
    }

    /// A message is refused, unless too much waits already: that only saves a copy.
    pub(super) fn refuse(&mut self, id: MessageId) {
        let has_room = self.occupied() + ID_BYTES <= self.max_bytes;
        if self.unwanted.len() < MAX_UNWANTED && has_room {
            self.control_bytes += ID_BYTES;
            self.unwanted.push(id);
        }
    }

    /// A mode is asked for; of several for one publisher the last one counts.
    pub(super) fn mode(&mut self, topic: TopicHash, publisher: PeerId, mode: Mode) {
        let of_topic = self.modes.get(&topic);
        let is_new = of_topic.is_none_or(|modes| !modes.contains_key(&publisher));
        if !is_new || self.reserve(ID_BYTES) {
            let of_topic = self.modes.entry(topic).or_default();
            of_topic.insert(publisher, mode);
        }
    }

    /// A message is to be sent; `false` if it is not. One of this node, or one that was asked for, comes by no
    /// other way: it waits by name while there is no room, or while too much is asked for, unless too many do.
    pub(super) fn put(
        &mut self,
        parcel: Arc<Parcel>,
        since: Micros,
        priority: Priority,
        config: &QueueConfig,
    ) -> bool {
        self.backlog.offer(cost(&parcel));
        let queued = Queued {
            parcel,
            since,
            priority,
        };
        if priority == Priority::Forwarded {
            return self.line_up(queued, config);
        }
        let id = queued.parcel.id;
        if priority == Priority::Asked {
            self.promised = self.promised.saturating_sub(cost(&queued.parcel));
        }
        if priority == Priority::Asked && self.answers.are_late(since) {
            return self.answers.put_off(id);
        }
        if self.owed.is_empty() && self.line_up(queued, config) {
            return true;
        }
        let has_room = self.owed.len() < MAX_OWED;
        if has_room {
            self.owed.push_back((id, priority));
        }
        has_room
    }

    /// A message stands in line; `false` if too much does. Those of others make room for one of this node,
    /// and for one that was asked for: they are announced instead.
    fn line_up(&mut self, queued: Queued, config: &QueueConfig) -> bool {
        let bytes = cost(&queued.parcel);
        while self.occupied() + bytes > config.max_bytes {
            let makes_room = queued.priority != Priority::Forwarded;
            if !makes_room || self.forwarded.is_empty() || !self.displace() {
                return false;
            }
        }
        self.message_bytes += bytes;
        match queued.priority {
            Priority::Asked | Priority::Own => self.own.push_back(queued),
            Priority::Forwarded => self.forwarded.push_back(queued),
        }
        true
    }

    /// Messages do not wait any more; what was said of them does.
    pub(super) fn drop_messages(&mut self) {
        self.own.clear();
        self.forwarded.clear();
        self.missed.clear();
        self.owed.clear();
        self.answers.clear();
        self.message_bytes = 0;
        self.backlog.begin_anew();
    }

    /// What is to be sent now, if the neighbour takes it. `is_needless` says of which messages it has no
    /// need any more, and `held` gives those that are here; what is too old is announced instead.
    pub(super) fn take(
        &mut self,
        now: Micros,
        theirs: &Subscriptions,
        config: &QueueConfig,
        is_needless: impl Fn(&MessageId) -> bool,
        held: impl Fn(&MessageId) -> Option<Arc<Parcel>>,
    ) -> Option<Bytes> {
        let is_empty = self.bytes() == 0 && !self.is_behind();
        if self.blocked_since.is_some() || is_empty {
            return None;
        }
        self.line_up_answers(now, config, &held);
        self.announce_missed(theirs, config, &is_needless, &held);
        let mut control = BytesMut::new();
        self.write_control(theirs, &mut control);
        let mut out = BytesMut::new();
        // Until there is something to send: what waits may be needless, or too old.
        loop {
            self.write_messages(now, theirs, config, &is_needless, &mut out);
            self.backlog.hand(control.len() + out.len());
            // Before anything else takes the room that this batch left.
            self.line_up_owed(now, config, &held);
            if !out.is_empty() || (self.own.is_empty() && self.forwarded.is_empty()) {
                break;
            }
        }
        if control.is_empty() && out.is_empty() {
            self.announce_missed(theirs, config, &is_needless, &held);
            self.write_control(theirs, &mut control);
        }
        if control.is_empty() && out.is_empty() {
            return None;
        }
        self.blocked_since = Some(now);
        control.unsplit(out);
        self.backlog.hand(control.len());
        Some(control.freeze())
    }

    /// What found no place is announced once half of the room is free and nothing is owed, and no more of
    /// it in a heartbeat than a quarter of the room, beside what was asked for meanwhile: it is a promise
    /// to answer in time.
    fn announce_missed(
        &mut self,
        theirs: &Subscriptions,
        config: &QueueConfig,
        is_needless: impl Fn(&MessageId) -> bool,
        held: impl Fn(&MessageId) -> Option<Arc<Parcel>>,
    ) {
        let owes = !self.owed.is_empty() || self.answers.wait();
        if owes || self.occupied() > config.max_bytes / 2 {
            return;
        }
        while self.promised < config.max_bytes / 4
            && self.announced < config.max_announced
            && let Some(Missed { topic, id, bytes }) = self.missed.pop_front()
        {
            if theirs.contains(&topic) && !is_needless(&id) && held(&id).is_some() {
                self.announce(topic, id, config);
                self.promised += bytes;
            }
        }
    }

    /// What is owed stands in line as far as there is room. What is not held any more cannot be sent.
    fn line_up_owed(
        &mut self,
        now: Micros,
        config: &QueueConfig,
        held: impl Fn(&MessageId) -> Option<Arc<Parcel>>,
    ) {
        while let Some((id, priority)) = self.owed.front().copied() {
            let queued = held(&id).map(|parcel| Queued {
                parcel,
                since: now,
                priority,
            });
            let is_lined_up = queued.is_none_or(|queued| self.line_up(queued, config));
            // One that does not fit into an empty queue never will.
            if !is_lined_up && self.occupied() > 0 {
                return;
            }
            self.owed.pop_front();
        }
    }

    /// What the neighbour was asked for in the last batch: from now on it is late or not.
    pub(super) fn take_asked(&mut self) -> Vec<MessageId> {
        std::mem::take(&mut self.asked)
    }

    /// Bytes of all that waits.
    pub(super) const fn bytes(&self) -> usize {
        self.control_bytes + self.message_bytes
    }

    /// Bytes of all that waits, and of what is handed over and not taken yet.
    pub(super) const fn occupied(&self) -> usize {
        self.bytes() + self.backlog.in_hand()
    }
}

fn cost(parcel: &Parcel) -> usize {
    PLACE_BYTES + parcel.content.bytes()
}
