//! One long message: which of its chunks are here, who has which, and who was asked for what.

mod telling;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rand_chacha::ChaCha8Rng;
use rand_core::Rng;

use super::transfers::{IDLE, STALLED};
use super::{ChunkSet, Outline};
use crate::gossip::{Link, Message};
use crate::policy::Micros;
use crate::wire::message::gossip::ChunkRange;

/// Chunks that are asked for at once, those apart that are late: 4 MiB, three times what 100 Mbit/s carry in a
/// round trip of 100 ms. With those that are late it is no more than [`MAX_ASKED_OF_LINK`] of each neighbour.
pub(super) const MAX_ASKED: usize = 64;

/// Chunks that one neighbour is asked for at once, if there are many; of few each is asked for its share.
pub(super) const WINDOW: usize = 4;

/// Chunks of all messages that one neighbour is asked for at once, and has not given, however late: a mebibyte,
/// what 100 Mbit/s carry in 80 ms. Who offers all and gives nothing holds up a quarter of what may be asked
/// for.
pub(super) const MAX_ASKED_OF_LINK: usize = 16;

/// The share of a message that has to come for it to be said to gain: 512 KiB of the longest in five seconds are
/// 0.8 Mbit/s; of those of up to four mebibytes one chunk.
const GAIN_SHARE: usize = 64;

/// What a neighbour may say and ask beyond once for each chunk: after a loss of connection, or of
/// what it heard before it had the header.
pub(super) const SLACK: usize = 8;

/// Time after which an offer that was not taken up keeps no other one back: whoever got it is busy.
pub(super) const OFFER: Duration = Duration::from_secs(1);

/// An order of neighbours that is drawn anew each time: none of them is always the first.
struct Lot(u64);

impl Lot {
    fn draw(rng: &mut ChaCha8Rng) -> Self {
        Self(rng.next_u64() | 1)
    }

    /// An odd factor leaves all numbers different.
    const fn place(&self, link: Link) -> u64 {
        link.0.wrapping_add(1).wrapping_mul(self.0)
    }
}

/// A long message under way, or here.
#[derive(Debug)]
pub(in crate::gossip) struct Transfer {
    outline: Arc<Outline>,
    here: ChunkSet,
    pieces: Vec<Option<Bytes>>,
    partners: BTreeMap<Link, Partner>,
    /// How many partners have each chunk, or are offered it.
    copies: Vec<u16>,
    under_way: BTreeMap<u16, Vec<(Link, Micros)>>,
    /// All of it, while the program judges it.
    judging: Option<Message>,
    /// Whether it is a message of this node.
    is_own: bool,
    /// Nothing is asked for, offered or to be told until something happens: thousands of messages that
    /// are here cost nothing then.
    is_quiet: bool,
    /// Whether it stands in the line of those that wait for room to offer something.
    is_waiting: bool,
    progress: Micros,
    /// How many chunks were here when enough of them had come, and when that was.
    gained: (usize, Micros),
}

/// A neighbour that may take part.
#[derive(Debug, Default)]
struct Partner {
    /// It said so.
    is_in: bool,
    has: ChunkSet,
    /// What it offers, and has not refused.
    offers: ChunkSet,
    /// What it was told that this node has.
    told: ChunkSet,
    /// What it was offered, and what of that it does not have yet.
    offered: ChunkSet,
    open: BTreeMap<u16, Micros>,
    /// Asked for at the moment.
    asked: usize,
    /// Given in all, and announcements in all.
    given: usize,
    heard: usize,
}

/// What became of a chunk that came.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::gossip) enum Arrival {
    /// It is new.
    New,
    /// It is new, and the last one: the message.
    Last(Bytes),
    /// It was here.
    Needless,
    /// It is not what the outline says.
    Forged,
}

/// What no honest neighbour says of its chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::gossip) enum Lie {
    /// Chunks that the message does not have.
    NoSuchChunk,
    /// More announcements than there is to tell.
    TooMany,
}

impl Transfer {
    /// A message of which nothing is here.
    pub(super) fn fetched(now: Micros, outline: Arc<Outline>) -> Self {
        let count = usize::from(outline.count());
        Self {
            here: ChunkSet::default(),
            pieces: vec![None; count],
            partners: BTreeMap::new(),
            copies: vec![0; count],
            under_way: BTreeMap::new(),
            judging: None,
            is_own: false,
            is_quiet: false,
            is_waiting: false,
            progress: now,
            gained: (0, now),
            outline,
        }
    }

    /// A message of this node.
    pub(super) fn published(now: Micros, outline: Arc<Outline>, data: &Bytes) -> Self {
        Self {
            here: ChunkSet::first(outline.count()),
            pieces: outline.cut(data),
            is_own: true,
            ..Self::fetched(now, outline)
        }
    }

    /// A neighbour may be told again what it was not told for a while.
    pub(super) const fn resume(&mut self) {
        self.is_quiet = false;
    }

    /// Whether a neighbour offers something that is not here.
    pub(super) fn lacks_of(&self, link: Link) -> bool {
        let partner = self.partners.get(&link);
        partner.is_some_and(|one| !one.offers.without(&self.here).is_empty())
    }

    /// A neighbour that gets the header, and is offered chunks with it.
    pub(in crate::gossip) fn meet(&mut self, link: Link) {
        self.partners.entry(link).or_default();
        self.is_quiet = false;
    }

    /// A neighbour takes part, and has these chunks, and offers these.
    pub(in crate::gossip) fn hear(
        &mut self,
        link: Link,
        has: &[ChunkRange],
        offers: &[ChunkRange],
    ) -> Result<(), Lie> {
        self.is_quiet = false;
        let count = self.outline.count();
        let has = ChunkSet::of_ranges(has, count).ok_or(Lie::NoSuchChunk)?;
        let offers = ChunkSet::of_ranges(offers, count).ok_or(Lie::NoSuchChunk)?;
        let partner = self.partners.entry(link).or_default();
        partner.heard += 1;
        if partner.heard > 4 * usize::from(count) + SLACK {
            return Err(Lie::TooMany);
        }
        if !partner.is_in {
            // What it was told before it may not have understood.
            partner.is_in = true;
            partner.told = ChunkSet::default();
            partner.offered = ChunkSet::default();
        }
        partner.offers = partner.offers.and(&offers);
        let new = has.and(&offers).without(&partner.has);
        partner.has = partner.has.and(&new);
        for index in new.iter() {
            let was_offered = partner.open.remove(&index).is_some();
            if let Some(copies) = self
                .copies
                .get_mut(usize::from(index))
                .filter(|_| !was_offered)
            {
                *copies += 1;
            }
        }
        Ok(())
    }

    /// A neighbour is gone.
    pub(in crate::gossip) fn lose(&mut self, link: Link) {
        let Some(partner) = self.partners.remove(&link) else {
            return;
        };
        self.is_quiet = false;
        let offered: ChunkSet = partner.open.into_keys().collect();
        for index in partner.has.and(&offered).iter() {
            self.one_less(index);
        }
        self.under_way.retain(|_, asked| {
            asked.retain(|(other, _)| *other != link);
            !asked.is_empty()
        });
    }

    fn one_less(&mut self, index: u16) {
        if let Some(copies) = self.copies.get_mut(usize::from(index)) {
            *copies = copies.saturating_sub(1);
        }
    }

    /// Nothing was to be done although there was room: so it stays until something happens, if nothing
    /// is waited for.
    pub(super) fn settle(&mut self, now: Micros) {
        self.is_quiet = self.under_way.is_empty() && self.open_offers(now) == 0;
    }

    /// It gets into the line of those that wait for room; `false` if it stands there.
    pub(super) const fn begins_to_wait(&mut self) -> bool {
        !std::mem::replace(&mut self.is_waiting, true)
    }

    /// There is room.
    pub(super) const fn wake(&mut self) {
        self.is_waiting = false;
        self.is_quiet = false;
    }

    /// Whether nothing is to be done.
    pub(super) const fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    /// Offers that are neither taken up nor old.
    pub(super) fn open_offers(&self, now: Micros) -> usize {
        let open = self.partners.values().flat_map(|one| one.open.values());
        open.filter(|since| now.since(**since) < OFFER).count()
    }

    /// What is to be asked for now, of whom; at most `room` chunks, and of each neighbour, which takes part in
    /// this message or others, as many as there is room of it. Chunks that were last asked for before
    /// `late` are asked for once more, of somebody else.
    pub(in crate::gossip) fn ask(
        &mut self,
        now: Micros,
        late: Micros,
        room: usize,
        room_of: &mut BTreeMap<Link, usize>,
        rng: &mut ChaCha8Rng,
    ) -> Vec<(Link, u16)> {
        let mut asks = Vec::new();
        while asks.len() < room
            && let Some((link, index)) = self.next_ask(late, room_of, rng)
        {
            if let Some(room) = room_of.get_mut(&link) {
                *room = room.saturating_sub(1);
            }
            self.under_way.entry(index).or_default().push((link, now));
            if let Some(partner) = self.partners.get_mut(&link) {
                partner.asked += 1;
            }
            asks.push((link, index));
        }
        asks
    }

    /// The neighbour that is asked for least, and the rarest chunk that it offers.
    fn next_ask(
        &self,
        late: Micros,
        room_of: &BTreeMap<Link, usize>,
        rng: &mut ChaCha8Rng,
    ) -> Option<(Link, u16)> {
        let mut idle: Vec<_> = self.partners.iter().collect();
        let window = WINDOW.max(MAX_ASKED / self.partners.len().max(1));
        idle.retain(|(link, partner)| {
            let room = room_of.get(link).copied().unwrap_or(0);
            partner.asked < window && room > 0
        });
        let lot = Lot::draw(rng);
        idle.sort_by_key(|(link, partner)| (partner.asked, lot.place(**link)));
        let asked: ChunkSet = self.under_way.keys().copied().collect();
        for (link, partner) in &idle {
            let lacking = partner.offers.without(&self.here).without(&asked);
            if let Some(index) = self.rarest(&lacking, rng) {
                return Some((**link, index));
            }
        }
        let late = self.under_way.iter().filter(|(_, asked)| {
            let last = asked.last();
            last.is_some_and(|(_, at)| *at <= late)
        });
        for (index, asked) in late {
            let other = idle.iter().find(|(link, partner)| {
                partner.offers.contains(*index) && asked.iter().all(|(one, _)| one != *link)
            });
            if let Some((link, _)) = other {
                return Some((**link, *index));
            }
        }
        None
    }

    /// One of those of which there are the fewest copies, by lot.
    fn rarest(&self, chunks: &ChunkSet, rng: &mut ChaCha8Rng) -> Option<u16> {
        let copies = |index: &u16| self.copies.get(usize::from(*index)).copied();
        let least = chunks.iter().filter_map(|index| copies(&index)).min()?;
        let rare = chunks.iter().filter(|index| copies(index) == Some(least));
        let rare: Vec<_> = rare.collect();
        let drawn = rng.next_u64() % rare.len().max(1) as u64;
        rare.get(usize::try_from(drawn).unwrap_or(0)).copied()
    }

    /// A neighbour answered, or did not; after what time.
    pub(in crate::gossip) fn answered(
        &mut self,
        now: Micros,
        link: Link,
        index: u16,
    ) -> Option<Duration> {
        self.is_quiet = false;
        let asked = self.under_way.get_mut(&index)?;
        let place = asked.iter().position(|(other, _)| *other == link)?;
        let (_, at) = asked.remove(place);
        if asked.is_empty() {
            self.under_way.remove(&index);
        }
        if let Some(partner) = self.partners.get_mut(&link) {
            partner.asked = partner.asked.saturating_sub(1);
        }
        Some(now.since(at))
    }

    /// A neighbour does not give what it offered.
    pub(in crate::gossip) fn disappoint(&mut self, link: Link, index: u16) {
        if let Some(partner) = self.partners.get_mut(&link) {
            partner.offers = partner.offers.without(&[index].into_iter().collect());
        }
    }

    /// A chunk came.
    pub(in crate::gossip) fn arrive(&mut self, now: Micros, index: u16, data: Bytes) -> Arrival {
        if self.here.contains(index) {
            return Arrival::Needless;
        }
        if !self.outline.is_chunk(index, &data) {
            return Arrival::Forged;
        }
        if let Some(place) = self.pieces.get_mut(usize::from(index)) {
            *place = Some(data);
        }
        self.here.insert(index);
        self.is_quiet = false;
        self.progress = now;
        if self.here.len() >= self.gained.0 + self.pieces.len().div_ceil(GAIN_SHARE) {
            self.gained = (self.here.len(), now);
        }
        if !self.is_complete() {
            return Arrival::New;
        }
        self.under_way.clear();
        // Who is late with one of its chunks owes nothing any more.
        self.partners.values_mut().for_each(|one| one.asked = 0);
        let mut whole = BytesMut::with_capacity(self.outline.length() as usize);
        for piece in self.pieces.iter().flatten() {
            whole.extend_from_slice(piece);
        }
        let whole = whole.freeze();
        // The message is in memory once.
        self.pieces = self.outline.cut(&whole);
        Arrival::Last(whole)
    }

    /// A chunk that a neighbour was offered, unless it has had enough.
    pub(in crate::gossip) fn give(&mut self, now: Micros, link: Link, index: u16) -> Option<Bytes> {
        let piece = self.pieces.get(usize::from(index))?.clone()?;
        let partner = self.partners.get_mut(&link)?;
        // What it was offered before it took part it may ask for when it does.
        if !partner.offered.contains(index) && !partner.open.contains_key(&index) {
            return None;
        }
        if partner.given >= 2 * self.pieces.len() + SLACK {
            return None;
        }
        partner.given += 1;
        self.progress = now;
        Some(piece)
    }

    /// The program is asked for its opinion.
    pub(in crate::gossip) fn judge(&mut self, message: Message) {
        self.judging = Some(message);
    }

    /// The program has one; the message, if it was asked.
    pub(in crate::gossip) fn judged(&mut self) -> Option<Message> {
        self.judging.take()
    }

    /// What the program is to judge.
    pub(in crate::gossip) const fn to_judge(&self) -> Option<&Message> {
        self.judging.as_ref()
    }

    /// Whether the program is asked for its opinion.
    pub(super) const fn is_judged(&self) -> bool {
        self.judging.is_some()
    }

    /// Whether all is here, and accepted.
    pub(super) fn is_done(&self) -> bool {
        self.is_complete() && !self.is_judged()
    }

    /// Whether a neighbour that got the header does not have all of it.
    pub(super) fn is_awaited(&self, link: Link) -> bool {
        let partner = self.partners.get(&link);
        partner.is_some_and(|one| one.has.len() < self.pieces.len())
    }

    /// Whether it is a message of this node.
    pub(super) const fn is_own(&self) -> bool {
        self.is_own
    }

    /// Whether it is a message of this node that was given out lately, or may still be.
    pub(super) fn is_own_and_young(&self, now: Micros) -> bool {
        self.is_own && now.since(self.progress) < IDLE
    }

    /// When enough chunks had come last to say that it is being fetched.
    pub(super) const fn gained(&self) -> Micros {
        self.gained.1
    }

    /// Whether too few chunks came lately of what is not here.
    pub(super) fn is_stalled(&self, now: Micros) -> bool {
        !self.is_complete() && now.since(self.gained.1) >= STALLED
    }

    /// Whether all is here.
    pub(super) fn is_complete(&self) -> bool {
        self.here.len() == self.pieces.len()
    }

    /// Questions after `late` that are not answered yet.
    pub(super) fn asked_since(&self, late: Micros) -> usize {
        let asked = self.under_way.values().flatten();
        asked.filter(|(_, at)| *at > late).count()
    }

    /// Neighbours that are asked, and how many chunks each owes.
    pub(super) fn asked_by_link(&self) -> impl Iterator<Item = (Link, usize)> + '_ {
        let partners = self.partners.iter();
        partners.map(|(link, partner)| (*link, partner.asked))
    }

    /// Bytes of the message.
    pub(super) fn bytes(&self) -> usize {
        self.outline.length() as usize
    }

    /// When a chunk came, or was given, last.
    pub(super) const fn progress(&self) -> Micros {
        self.progress
    }

    /// When something is to be done after `polled`, if nothing comes: a chunk is late by `patience`, or an
    /// offer keeps no other back any more.
    pub(super) fn next(&self, patience: Duration, polled: Micros) -> Option<Micros> {
        let asked = self.under_way.values();
        let late = asked.filter_map(|asked| asked.last().map(|(_, at)| *at + patience));
        let open = self.partners.values().flat_map(|one| one.open.values());
        let old = open.map(|since| *since + OFFER);
        late.chain(old).filter(|at| *at > polled).min()
    }
}
