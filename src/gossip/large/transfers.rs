//! All long messages that are under way, or here for others.

mod pace;
mod polling;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pace::Pace;

use super::Outline;
use super::transfer::Transfer;
use crate::gossip::{Link, Source, TopicHash};
use crate::identity::PeerId;
use crate::policy::Micros;
use crate::wire::message::gossip::{ChunkRange, MAX_LARGE, MAX_RANGES, MessageId};

/// Offers that are open at once: what 100 Mbit/s carry in a quarter of a second. On links of 25 ms an offer, the
/// question, the chunk and the news of its arrival take 100 ms and the time in line; with fewer offers the
/// uplink idles (10 MiB to 36 nodes, simulated uplinks: 1.42 s with 24, 1.30 with 32, 1.25 with 40 and 48;
/// over QUIC, whose links start slowly: 1.30 s with 40, 1.24 with 48), with many more a node that got a
/// chunk early is asked for it by everybody.
pub(super) const MAX_OFFERS: usize = 48;

/// How long a chunk is waited for that a neighbour was asked for: somebody else was asked long before.
pub const CHUNK_DEADLINE: Duration = Duration::from_secs(10);

/// Time without a chunk after which a message is given up, and after which one that is here is not
/// kept for others: neighbours that lack it would have asked.
pub(super) const IDLE: Duration = Duration::from_secs(30);

/// Time in which a message that is fetched gains chunks worth the name, or gives way to others: several times what
/// is waited for a late chunk.
pub(super) const STALLED: Duration = Duration::from_secs(5);

/// Announcements of chunks whose header is not here yet, and of each neighbour: the header comes on the
/// same way, a moment earlier or later.
pub(super) const MAX_EARLY: usize = 1_024;
pub(super) const MAX_EARLY_OF_ONE: usize = 16;

/// How long they are kept.
pub(super) const EARLY: Duration = Duration::from_secs(10);

/// Bounds of the time after which a chunk is asked for once more; and the guess until one came.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));
pub(super) const FIRST_PATIENCE: Duration = Duration::from_secs(1);

/// Publishers whose message was rejected when all of it was here, and for how long no long message of
/// theirs is carried.
pub(super) const MAX_DISTRUSTED: usize = 1_024;
pub(super) const DISTRUST: Duration = Duration::from_secs(600);

/// Whose message it is, and where it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::gossip) struct Origin {
    pub(in crate::gossip) topic: TopicHash,
    pub(in crate::gossip) source: Source,
}

/// Why a message is not carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::gossip) enum NotBegun {
    /// There is no room, or its publisher has its share of it.
    Full,
    /// A message of its publisher was rejected.
    Distrusted,
    /// It is under way.
    Known,
}

/// What a neighbour said of a message whose header is not here.
#[derive(Debug)]
struct Early {
    since: Micros,
    has: Vec<ChunkRange>,
    offers: Vec<ChunkRange>,
}

/// See the module.
#[derive(Debug)]
pub(in crate::gossip) struct Transfers {
    max_bytes: usize,
    open: BTreeMap<MessageId, (Origin, Transfer)>,
    early: BTreeMap<(Link, MessageId), Early>,
    /// Messages with something to offer that found no room for it, the longest first, each once. They are not looked at
    /// until there is some, or something happens: one neighbour that takes up nothing would have thousands looked
    /// at all the time.
    waiting: VecDeque<MessageId>,
    /// Neighbours that are told nothing for a while: they do not read what they were told.
    deaf: BTreeSet<Link>,
    /// How long a neighbour takes for a chunk, on average.
    response: Option<Duration>,
    pace: Pace,
    distrusted: BTreeMap<PeerId, Micros>,
    /// Messages that made room for others before all of them was here.
    given_up: Vec<MessageId>,
    /// When it was looked at last: what was late then has nobody else to be asked.
    polled: Micros,
    /// When a chunk was given last.
    gave: Micros,
}

impl Transfers {
    /// Messages of so many bytes in all.
    pub(in crate::gossip) const fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            open: BTreeMap::new(),
            early: BTreeMap::new(),
            waiting: VecDeque::new(),
            deaf: BTreeSet::new(),
            response: None,
            pace: Pace::new(),
            distrusted: BTreeMap::new(),
            given_up: Vec::new(),
            polled: Micros(0),
            gave: Micros(0),
        }
    }

    /// Begins to fetch a message.
    pub(in crate::gossip) fn fetch(
        &mut self,
        now: Micros,
        id: MessageId,
        origin: Origin,
        outline: &Arc<Outline>,
    ) -> Result<&mut Transfer, NotBegun> {
        self.make_room(now, id, origin, outline.length() as usize)?;
        let mut transfer = Transfer::fetched(now, outline.clone());
        for ((link, of), early) in &self.early {
            if *of == id {
                // Whoever lied is found out when it says so again.
                _ = transfer.hear(*link, &early.has, &early.offers);
            }
        }
        self.early.retain(|(_, of), _| *of != id);
        let (_, transfer) = self.open.entry(id).or_insert((origin, transfer));
        Ok(transfer)
    }

    /// Begins to spread a message of this node.
    pub(in crate::gossip) fn publish(
        &mut self,
        now: Micros,
        id: MessageId,
        origin: Origin,
        outline: &Arc<Outline>,
        data: &Bytes,
    ) -> Result<&mut Transfer, NotBegun> {
        self.may_begin(id, origin)?;
        while self.bytes() + data.len() > self.max_bytes {
            self.give_way(|_| true)?;
        }
        let transfer = Transfer::published(now, outline.clone(), data);
        let (_, transfer) = self.open.entry(id).or_insert((origin, transfer));
        Ok(transfer)
    }

    fn may_begin(&self, id: MessageId, origin: Origin) -> Result<(), NotBegun> {
        if self.open.contains_key(&id) {
            return Err(NotBegun::Known);
        }
        if self.distrusted.contains_key(&origin.source.publisher) {
            return Err(NotBegun::Distrusted);
        }
        Ok(())
    }

    fn make_room(
        &mut self,
        now: Micros,
        id: MessageId,
        origin: Origin,
        bytes: usize,
    ) -> Result<(), NotBegun> {
        self.has_room(now, id, origin, bytes)?;
        let publisher = origin.source.publisher;
        let of_publisher = |of: &Origin| of.source.publisher == publisher;
        let others = self.room_of_others(now);
        self.reserve(now, bytes, MAX_LARGE, of_publisher);
        self.reserve(now, bytes, others, |_| true);
        while self.bytes() + bytes > self.max_bytes {
            let is_kept = self.young_bytes(now) <= self.max_bytes / 2;
            self.give_way(|one| one.is_done() && !(is_kept && one.is_own_and_young(now)))?;
        }
        Ok(())
    }

    /// Whether a message of so many bytes may be begun, and finds room if those that have stalled give way.
    pub(in crate::gossip) fn has_room(
        &self,
        now: Micros,
        id: MessageId,
        origin: Origin,
        bytes: usize,
    ) -> Result<(), NotBegun> {
        self.may_begin(id, origin)?;
        let publisher = origin.source.publisher;
        let of_publisher = |of: &Origin| of.source.publisher == publisher;
        self.may_reserve(now, bytes, MAX_LARGE, of_publisher)?;
        self.may_reserve(now, bytes, self.room_of_others(now), |_| true)
    }

    /// Bytes for messages of others: this node's own stay while they are given out, but for what is more than half
    /// of the room.
    fn room_of_others(&self, now: Micros) -> usize {
        let young = self.young_bytes(now);
        let kept = if young <= self.max_bytes / 2 {
            young
        } else {
            0
        };
        self.max_bytes - kept
    }

    /// Whether so many bytes find room within a limit beside the messages that are not here, if those that have
    /// stalled give way.
    fn may_reserve(
        &self,
        now: Micros,
        bytes: usize,
        limit: usize,
        counts: impl Fn(&Origin) -> bool,
    ) -> Result<(), NotBegun> {
        let open = self.open.values().filter(|(of, _)| counts(of));
        let staying = open.filter(|(_, one)| !one.is_done() && !one.is_stalled(now));
        let staying: usize = staying.map(|(_, one)| one.bytes()).sum();
        if staying + bytes > limit {
            return Err(NotBegun::Full);
        }
        Ok(())
    }

    /// Messages that have stalled give way until so many bytes find room, the one first that gained nothing for the
    /// longest time: whoever seals a header and gives no chunk keeps nobody else out for long.
    fn reserve(
        &mut self,
        now: Micros,
        bytes: usize,
        limit: usize,
        counts: impl Fn(&Origin) -> bool,
    ) {
        let mut stalled = Vec::new();
        let mut reserved = bytes;
        for (id, (of, one)) in &self.open {
            if counts(of) && !one.is_done() {
                reserved += one.bytes();
                if one.is_stalled(now) {
                    stalled.push((one.gained(), *id, one.bytes()));
                }
            }
        }
        stalled.sort_unstable();
        for (_, id, freed) in stalled {
            if reserved <= limit {
                return;
            }
            reserved -= freed;
            self.give_up(id);
        }
    }

    fn give_up(&mut self, id: MessageId) {
        if let Some((_, transfer)) = self.open.remove(&id)
            && !transfer.is_done()
        {
            self.given_up.push(id);
        }
    }

    /// Messages that made room for others before all of them was here: they are not carried any more.
    pub(in crate::gossip) fn take_given_up(&mut self) -> Vec<MessageId> {
        std::mem::take(&mut self.given_up)
    }

    /// Bytes of this node's messages that are given out.
    fn young_bytes(&self, now: Micros) -> usize {
        let open = self.open.values().map(|(_, one)| one);
        let young = open.filter(|one| one.is_own_and_young(now));
        young.map(Transfer::bytes).sum()
    }

    /// Of the messages that may go, the one goes in which nothing happened for the longest time: first of those
    /// that are here.
    fn give_way(&mut self, may_go: impl Fn(&Transfer) -> bool) -> Result<(), NotBegun> {
        let open = self.open.iter().filter(|(_, (_, one))| may_go(one));
        let first = open.min_by_key(|(_, (_, one))| (!one.is_done(), one.is_own(), one.progress()));
        let first = *first.ok_or(NotBegun::Full)?.0;
        self.give_up(first);
        Ok(())
    }

    /// Bytes of all that is under way or here.
    pub(in crate::gossip) fn bytes(&self) -> usize {
        self.open
            .values()
            .map(|(_, transfer)| transfer.bytes())
            .sum()
    }

    pub(in crate::gossip) fn get_mut(&mut self, id: &MessageId) -> Option<&mut Transfer> {
        self.open.get_mut(id).map(|(_, transfer)| transfer)
    }

    /// A chunk for a neighbour that asks, if it is to have it.
    pub(in crate::gossip) fn give(
        &mut self,
        now: Micros,
        id: &MessageId,
        link: Link,
        index: u16,
    ) -> Option<Bytes> {
        let (_, transfer) = self.open.get_mut(id)?;
        let chunk = transfer.give(now, link, index)?;
        self.gave = now;
        Some(chunk)
    }

    /// When a chunk was given last.
    pub(in crate::gossip) const fn gave_at(&self) -> Micros {
        self.gave
    }

    /// Whether a neighbour takes part in a message of this publisher and does not have all of it.
    pub(in crate::gossip) fn is_awaited(&self, publisher: PeerId, link: Link) -> bool {
        let mut open = self.open.values();
        open.any(|(of, transfer)| of.source.publisher == publisher && transfer.is_awaited(link))
    }

    /// Where a message was said, and by whom.
    pub(in crate::gossip) fn origin(&self, id: &MessageId) -> Option<Origin> {
        self.open.get(id).map(|(origin, _)| *origin)
    }

    /// A neighbour has chunks of a message whose header is not here: it may come.
    pub(in crate::gossip) fn hear_early(
        &mut self,
        now: Micros,
        link: Link,
        id: MessageId,
        said: (&[ChunkRange], &[ChunkRange]),
    ) {
        let key = (link, id);
        let of_one = self
            .early
            .range((link, [0; 32])..=(link, [255; 32]))
            .count();
        let is_known = self.early.contains_key(&key);
        if !is_known && (of_one >= MAX_EARLY_OF_ONE || self.early.len() >= MAX_EARLY) {
            return;
        }
        let early = self.early.entry(key).or_insert_with(|| Early {
            since: now,
            has: Vec::new(),
            offers: Vec::new(),
        });
        for (heard, new) in [(&mut early.has, said.0), (&mut early.offers, said.1)] {
            // What does not fit is told again when this node takes part.
            let room = MAX_RANGES.saturating_sub(heard.len());
            heard.extend(new.iter().take(room));
        }
    }

    /// A neighbour is told nothing until it [hears](Self::hears) again.
    pub(in crate::gossip) fn deafened(&mut self, link: Link) {
        self.deaf.insert(link);
    }

    /// Whether a neighbour is told nothing for now.
    pub(in crate::gossip) fn is_deaf(&self, link: Link) -> bool {
        self.deaf.contains(&link)
    }

    /// A neighbour reads again; whether it is to be told what it was not told meanwhile.
    pub(in crate::gossip) fn hears(&mut self, link: Link) -> bool {
        let was_deaf = self.deaf.remove(&link);
        if was_deaf {
            self.open.values_mut().for_each(|(_, one)| one.resume());
        }
        was_deaf
    }

    /// A neighbour is gone.
    pub(in crate::gossip) fn lose(&mut self, link: Link) {
        self.deaf.remove(&link);
        self.pace.lose(link);
        for (_, transfer) in self.open.values_mut() {
            transfer.lose(link);
        }
        self.early.retain(|(of, _), _| *of != link);
    }

    /// Messages of a topic of which not all is here.
    pub(in crate::gossip) fn missing(&self, topic: &TopicHash) -> impl Iterator<Item = MessageId> {
        let open = self.open.iter();
        let missing =
            open.filter(move |(_, (origin, one))| origin.topic == *topic && !one.is_complete());
        missing.map(|(id, _)| *id)
    }

    /// A message is not carried any more.
    pub(in crate::gossip) fn drop(&mut self, id: &MessageId) -> Option<Origin> {
        self.open.remove(id).map(|(origin, _)| origin)
    }

    /// What is not here of a topic is not fetched any more.
    pub(in crate::gossip) fn leave(&mut self, topic: &TopicHash) {
        let is_kept = |origin: &Origin, one: &Transfer| origin.topic != *topic || one.is_done();
        self.open.retain(|_, (origin, one)| is_kept(origin, one));
    }

    /// No long message of a publisher is carried for a while.
    pub(in crate::gossip) fn distrust(&mut self, now: Micros, publisher: PeerId) {
        let is_new = !self.distrusted.contains_key(&publisher);
        if is_new && self.distrusted.len() >= MAX_DISTRUSTED {
            let first = self.distrusted.iter().min_by_key(|(_, until)| **until);
            if let Some(first) = first.map(|(publisher, _)| *publisher) {
                self.distrusted.remove(&first);
            }
        }
        self.distrusted.insert(publisher, now + DISTRUST);
    }

    /// A heartbeat: what nobody brings or asks for any more is forgotten. Messages that were not
    /// completed.
    pub(in crate::gossip) fn age(&mut self, now: Micros) -> Vec<MessageId> {
        self.early.retain(|_, early| now.since(early.since) < EARLY);
        self.distrusted.retain(|_, until| now < *until);
        let mut given_up = Vec::new();
        self.open.retain(|id, (_, transfer)| {
            let is_over = now.since(transfer.progress()) >= IDLE && !transfer.is_judged();
            if is_over && !transfer.is_done() {
                given_up.push(*id);
            }
            !is_over
        });
        given_up
    }
}
