//! What waits for one neighbour, by priority: control, own messages, those of others.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::neighbour::Subscriptions;
use super::parcel::{Content, Parcel, Proof};
use crate::gossip::TopicHash;
use crate::gossip::config::QueueConfig;
use crate::gossip::seals::{Reference, SentReferences};
use crate::identity::PeerId;
use crate::policy::Micros;
use crate::wire::codec::{List, Payload, WireType, encode};
use crate::wire::frame::encode_frame;
use crate::wire::message::gossip::{
    self as wire, IDontWant, IHave, IWant, MAX_CHANGES, MAX_IDS, MAX_UNWANTED, MessageId, Mode,
    ModeChange, Modes,
};

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
    announcements: BTreeMap<TopicHash, Vec<MessageId>>,
    /// Ids that it was told of since the last heartbeat.
    announced: usize,
    wanted: Vec<MessageId>,
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
    sent: SentReferences,
}

/// Bytes that an id takes in a queue.
const ID_BYTES: usize = size_of::<MessageId>();

/// Messages that found no place and are to be announced: as many as a program may publish at once, for so
/// many may wait for a seal. About 640 KiB; the oldest are forgotten first, for they are held for the
/// shortest time.
pub(super) const MAX_MISSED: usize = 8_192;

/// Messages that wait for room, by name: as many as a program may publish at once. 320 KiB.
pub(super) const MAX_OWED: usize = 8_192;

/// Bytes that a message takes in a queue beside what it says: one that says nothing takes room, too.
const PLACE_BYTES: usize = 64;

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            blocked_since: None,
            frames: VecDeque::new(),
            announcements: BTreeMap::new(),
            announced: 0,
            wanted: Vec::new(),
            unwanted: Vec::new(),
            modes: BTreeMap::new(),
            own: VecDeque::new(),
            forwarded: VecDeque::new(),
            missed: VecDeque::new(),
            owed: VecDeque::new(),
            control_bytes: 0,
            message_bytes: 0,
            sent: SentReferences::default(),
        }
    }

    /// The neighbour takes more.
    pub(super) fn writable(&mut self) {
        self.blocked_since = None;
    }

    /// Whether nothing waits, and all that was handed over is written.
    pub(super) fn is_idle(&self) -> bool {
        self.blocked_since.is_none() && self.bytes() == 0 && !self.is_behind()
    }

    /// For how long it has taken nothing although something waits.
    pub(super) fn stalled(&self, now: Micros) -> Duration {
        let waits = self.bytes() > 0;
        let since = self.blocked_since.filter(|_| waits);
        since.map_or(Duration::ZERO, |since| now.since(since))
    }

    /// A control frame of its own.
    pub(super) fn control<T: WireType>(&mut self, kind: u8, body: &T) {
        let mut frame = BytesMut::new();
        write_frame(kind, body, &mut frame);
        self.control_bytes += frame.len();
        self.frames.push_back(frame.freeze());
    }

    /// A heartbeat: the neighbour hears of more.
    pub(super) const fn beat(&mut self) {
        self.announced = 0;
    }

    /// Whether it is to hear of, or to get, what found no place.
    pub(super) fn is_behind(&self) -> bool {
        !self.missed.is_empty() || !self.owed.is_empty()
    }

    /// A message is announced; `false` if too much waits, or if it hears of no more until the next
    /// heartbeat.
    pub(super) fn announce(
        &mut self,
        topic: TopicHash,
        id: MessageId,
        config: &QueueConfig,
    ) -> bool {
        if self.bytes() + ID_BYTES > config.max_bytes || self.announced >= config.max_announced {
            return false;
        }
        self.announced += 1;
        self.control_bytes += ID_BYTES;
        self.announcements.entry(topic).or_default().push(id);
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

    /// A message that comes by no other way is sent now, or when there is room. `false` if too much is owed.
    pub(super) fn owe(
        &mut self,
        parcel: Arc<Parcel>,
        since: Micros,
        priority: Priority,
        config: &QueueConfig,
    ) -> bool {
        let id = parcel.id;
        if self.owed.is_empty() && self.push(parcel, since, priority, config) {
            return true;
        }
        let has_room = self.owed.len() < MAX_OWED;
        if has_room {
            self.owed.push_back((id, priority));
        }
        has_room
    }

    /// A message is asked for; `false` if too much waits: who announces and does not read is not asked.
    pub(super) fn want(&mut self, id: MessageId, config: &QueueConfig) -> bool {
        if self.bytes() + ID_BYTES > config.max_bytes {
            return false;
        }
        self.control_bytes += ID_BYTES;
        self.wanted.push(id);
        true
    }

    /// A message is refused, unless too much waits already.
    pub(super) fn refuse(&mut self, id: MessageId) {
        if self.unwanted.len() < MAX_UNWANTED {
            self.control_bytes += ID_BYTES;
            self.unwanted.push(id);
        }
    }

    /// A mode is asked for; of several for one publisher the last one counts.
    pub(super) fn mode(&mut self, topic: TopicHash, publisher: PeerId, mode: Mode) {
        let former = self.modes.entry(topic).or_default().insert(publisher, mode);
        if former.is_none() {
            self.control_bytes += ID_BYTES;
        }
    }

    /// A message stands in line; `false` if too much does. Those of others make room for one of this node,
    /// and for one that was asked for: they are announced instead.
    pub(super) fn push(
        &mut self,
        parcel: Arc<Parcel>,
        since: Micros,
        priority: Priority,
        config: &QueueConfig,
    ) -> bool {
        let bytes = cost(&parcel);
        while self.bytes() + bytes > config.max_bytes {
            let displaced = match priority {
                Priority::Asked | Priority::Own => self.forwarded.pop_front(),
                Priority::Forwarded => None,
            };
            let Some(Queued { parcel, .. }) = displaced else {
                return false;
            };
            self.message_bytes = self.message_bytes.saturating_sub(cost(&parcel));
            self.miss(&parcel);
        }
        self.message_bytes += bytes;
        let queued = Queued {
            parcel,
            since,
            priority,
        };
        match priority {
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
        self.message_bytes = 0;
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
        let is_empty = self.bytes() == 0 && self.missed.is_empty() && self.owed.is_empty();
        if self.blocked_since.is_some() || is_empty {
            return None;
        }
        let mut out = BytesMut::new();
        self.announce_missed(config, &is_needless, &held);
        self.write_messages(now, theirs, config, is_needless, &mut out);
        // Before anything else takes the room that this batch left.
        self.line_up_owed(now, config, held);
        let mut control = BytesMut::new();
        self.write_control(theirs, &mut control);
        self.control_bytes = 0;
        if control.is_empty() && out.is_empty() {
            return None;
        }
        self.blocked_since = Some(now);
        control.unsplit(out);
        Some(control.freeze())
    }

    /// What found no place is announced once half of the room is free and nothing is owed, and no more of
    /// it than fits when it is asked for: it is a promise to answer in time.
    fn announce_missed(
        &mut self,
        config: &QueueConfig,
        is_needless: impl Fn(&MessageId) -> bool,
        held: impl Fn(&MessageId) -> Option<Arc<Parcel>>,
    ) {
        if !self.owed.is_empty() || self.bytes() > config.max_bytes / 2 {
            return;
        }
        let mut room = config.max_bytes / 4;
        while room > 0
            && self.announced < config.max_announced
            && let Some(Missed { topic, id, bytes }) = self.missed.pop_front()
        {
            if !is_needless(&id) && held(&id).is_some() {
                self.announce(topic, id, config);
                room = room.saturating_sub(bytes);
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
            if let Some(parcel) = held(&id)
                && !self.push(parcel, now, priority, config)
            {
                return;
            }
            self.owed.pop_front();
        }
    }

    fn write_control(&mut self, theirs: &Subscriptions, out: &mut BytesMut) {
        for frame in self.frames.drain(..) {
            out.extend_from_slice(&frame);
        }
        for (hash, changes) in std::mem::take(&mut self.modes) {
            let Some(topic) = theirs.ordinal(&hash) else {
                continue;
            };
            let changes: Vec<_> = changes.into_iter().collect();
            for part in changes.chunks(MAX_CHANGES) {
                let changes = part.iter();
                let changes = changes.map(|(publisher, mode)| ModeChange {
                    publisher: *publisher,
                    mode: *mode,
                });
                let changes = List::truncated(changes);
                write_frame(wire::MODES, &Modes { topic, changes }, out);
            }
        }
        for part in std::mem::take(&mut self.wanted).chunks(MAX_IDS) {
            let ids = List::truncated(part.iter().copied());
            write_frame(wire::IWANT, &IWant { ids }, out);
        }
        for (hash, ids) in std::mem::take(&mut self.announcements) {
            let Some(topic) = theirs.ordinal(&hash) else {
                continue;
            };
            for part in ids.chunks(MAX_IDS) {
                let ids = List::truncated(part.iter().copied());
                write_frame(wire::IHAVE, &IHave { topic, ids }, out);
            }
        }
        for part in std::mem::take(&mut self.unwanted).chunks(MAX_UNWANTED) {
            let ids = List::truncated(part.iter().copied());
            write_frame(wire::IDONTWANT, &IDontWant { ids }, out);
        }
    }

    fn write_messages(
        &mut self,
        now: Micros,
        theirs: &Subscriptions,
        config: &QueueConfig,
        is_needless: impl Fn(&MessageId) -> bool,
        out: &mut BytesMut,
    ) {
        while out.len() < config.batch {
            let (queued, max_age) = match self.own.pop_front() {
                Some(queued) => (queued, config.max_age_own),
                None => match self.forwarded.pop_front() {
                    Some(queued) => (queued, config.max_age_forwarded),
                    None => break,
                },
            };
            let Queued {
                parcel,
                since,
                priority,
            } = queued;
            self.message_bytes = self.message_bytes.saturating_sub(cost(&parcel));
            if priority != Priority::Asked && is_needless(&parcel.id) {
                continue;
            }
            let Some(topic) = theirs.ordinal(&parcel.topic) else {
                continue;
            };
            if now.since(since) > max_age {
                self.miss(&parcel);
                continue;
            }
            match (&parcel.proof, &parcel.content) {
                (Some(proof), content) => self.write_sealed(proof, content, out),
                (None, Content::Whole(data)) => {
                    let data = payload(data);
                    write_frame(wire::UNSIGNED, &wire::Unsigned { topic, data }, out);
                }
                // Only a seal makes a header.
                (None, Content::Outline(_)) => {}
            }
        }
    }

    /// The key and the seal go before the first message that needs them on this stream.
    fn write_sealed(&mut self, proof: &Proof, content: &Content, out: &mut BytesMut) {
        let seal = match self.sent.seal(proof.seal()) {
            Reference::Known(ordinal) => ordinal,
            Reference::New(ordinal) => {
                let key = self.write_key(proof, out);
                let body = proof.seal().body();
                let frame = wire::Seal {
                    key,
                    topic: *body.topic(),
                    epoch: body.epoch(),
                    first: body.first_counter(),
                    leaves: List::truncated(body.leaves().iter().copied()),
                    signature: *proof.seal().seal().signature().as_bytes(),
                };
                write_frame(wire::SEAL, &frame, out);
                ordinal
            }
        };
        let (index, timestamp_ms) = (proof.index, proof.listed.timestamp_ms());
        match content {
            Content::Whole(data) => {
                let message = wire::Message {
                    seal,
                    index,
                    timestamp_ms,
                    data: payload(data),
                };
                write_frame(wire::MESSAGE, &message, out);
            }
            Content::Outline(outline) => {
                let large = wire::Large {
                    seal,
                    index,
                    timestamp_ms,
                    length: outline.length(),
                    chunks: List::truncated(outline.chunks().iter().copied()),
                };
                write_frame(wire::LARGE, &large, out);
            }
        }
    }

    fn write_key(&mut self, proof: &Proof, out: &mut BytesMut) -> u64 {
        let key = proof.seal().key();
        match self.sent.key(proof.seal().publisher()) {
            Reference::Known(ordinal) => ordinal,
            Reference::New(ordinal) => {
                let (suite, key) = (key.suite().byte(), *key.as_bytes());
                write_frame(wire::KEY, &wire::Key { suite, key }, out);
                ordinal
            }
        }
    }

    /// Bytes of all that waits.
    pub(super) const fn bytes(&self) -> usize {
        self.control_bytes + self.message_bytes
    }
}

fn cost(parcel: &Parcel) -> usize {
    PLACE_BYTES + parcel.content.bytes()
}

fn write_frame<T: WireType>(kind: u8, body: &T, out: &mut BytesMut) {
    encode_frame(kind, &encode(body), out);
}

/// A message that is held is never longer than a message may be.
fn payload<const MAX: usize>(data: &Bytes) -> Payload<MAX> {
    Payload::try_from(data.clone()).unwrap_or_default()
}
