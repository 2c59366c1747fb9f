//! What a node knows of messages: those it has heard of, those it holds, those it has seen.

use std::collections::VecDeque;
use std::sync::Arc;

use foldhash::{HashMap, HashSet};

use super::expected::Owed;
use super::held::Held;
use super::io::Link;
use super::missing::{Missing, Place};
use super::parcel::Parcel;
use crate::gossip::seals::SealId;
use crate::policy::Micros;
use crate::wire::message::gossip::MessageId;

/// Ids of messages that are not held any more, in each of two generations: a thousand messages a
/// second for two minutes. Older ones are told by their counters and timestamps.
const MAX_SEEN: usize = 131_072;

/// Bytes of messages that are held for those who ask: four seconds of 120 Mbit/s. Beyond it the oldest of
/// whoever said the most are not to be had any more.
pub(super) const MAX_HELD_BYTES: usize = 64 << 20;

/// What is known of a message whose details still count.
#[derive(Debug)]
pub(super) struct Entry {
    /// Where it stands among those that are missing, while it is not here.
    place: Option<Place>,
    /// At which heartbeat it was entered: under an older one stands what was forgotten before and came back.
    entered: u64,
    /// When the first neighbour had it, those apart that are not believed.
    pub(super) first: Option<Micros>,
    /// Which neighbours had it.
    pub(super) sightings: Sightings,
    pub(super) state: State,
    /// Who sent it, as far as that is of interest.
    pub(super) brought: Vec<Link>,
    /// What the neighbours owe that were asked for it, while their time runs.
    pub(super) owed: Option<Owed>,
    /// How it was asked for, if it was.
    pub(super) pull: Option<Pull>,
}

#[derive(Debug)]
pub(super) enum State {
    /// Announced, not here.
    Missing,
    /// Here under seals that are not verified; a forged one keeps no true one away.
    Unproven(Vec<Offered>),
    /// Here and proven, neither passed on nor dropped yet; who brought it.
    Waiting(Arc<Parcel>, Vec<Link>),
    /// Accepted; whoever asks gets it.
    Held(Arc<Parcel>),
    /// Dropped for good.
    Dropped,
    /// The same because the program rejected it; who is blamed for it.
    Rejected(Vec<Link>),
}

/// A message under a seal that is not verified.
#[derive(Debug)]
pub(super) struct Offered {
    pub(super) parcel: Arc<Parcel>,
    /// Who brought it so.
    pub(super) from: Vec<Link>,
}

impl Offered {
    pub(super) fn seal(&self) -> Option<SealId> {
        self.parcel.proof.as_ref().map(|proof| proof.seal().id())
    }
}

/// A neighbour that had a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sighting {
    pub(super) link: Link,
    pub(super) at: Micros,
    /// Whether it sent the message unasked, and did not announce it.
    pub(super) is_sent: bool,
}

/// Which neighbours had a message. In a storm of announcements a thousand do, and each is looked for among all.
#[derive(Debug)]
pub(super) struct Sightings {
    /// In the order in which they were seen.
    all: Vec<Sighting>,
    /// In the order of links, once there are more than a [`FEW`].
    links: Vec<Link>,
}

/// Among so many one is found as fast by looking at each: sixteen are a few lines of a cache, and most messages have
/// fewer.
const FEW: usize = 16;

impl Sightings {
    const fn new() -> Self {
        Self {
            all: Vec::new(),
            links: Vec::new(),
        }
    }

    /// The first of a neighbour.
    pub(super) fn add(&mut self, sighting: Sighting) {
        self.all.push(sighting);
        if self.all.len() == FEW + 1 {
            self.links = self.all.iter().map(|one| one.link).collect();
            self.links.sort_unstable();
        } else if self.all.len() > FEW
            && let Err(place) = self.links.binary_search(&sighting.link)
        {
            self.links.insert(place, sighting.link);
        }
    }

    fn include(&self, link: Link) -> bool {
        if self.all.len() > FEW {
            self.links.binary_search(&link).is_ok()
        } else {
            self.all.iter().any(|one| one.link == link)
        }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// The earliest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Sighting> {
        self.all.iter()
    }
}

/// A message that is being asked for, or was.
#[derive(Debug, Default)]
pub(super) struct Pull {
    /// Whether somebody else is asked after a while.
    pub(super) is_open: bool,
    /// Who was asked.
    pub(super) asked: Vec<Link>,
    /// Who announced it again since: it could not send it then.
    pub(super) again: Vec<Link>,
    /// How many of them were neighbours that bring messages.
    pub(super) believed: usize,
    /// How often somebody was asked since it is open.
    pub(super) tries: u32,
}

impl Pull {
    /// Neighbours that were asked now.
    pub(super) fn ask(&mut self, links: &[Link]) {
        self.again.retain(|link| !links.contains(link));
        for link in links {
            if !self.asked.contains(link) {
                self.asked.push(*link);
            }
        }
        self.tries += 1;
    }
}

impl Entry {
    const fn new(place: Option<Place>, entered: u64) -> Self {
        Self {
            place,
            entered,
            first: None,
            sightings: Sightings::new(),
            state: State::Missing,
            brought: Vec::new(),
            owed: None,
            pull: None,
        }
    }

    pub(super) fn is_missing(&self) -> bool {
        matches!(self.state, State::Missing)
    }

    /// Whether it may still turn out that the message is not here.
    fn is_open(&self) -> bool {
        matches!(self.state, State::Missing | State::Unproven(_))
    }

    /// A neighbour sent the message.
    pub(super) fn sent_by(&mut self, link: Link) {
        let is_open = self.is_open();
        match &mut self.owed {
            Some(owed) => owed.sent_by(link),
            None if is_open && !self.brought.contains(&link) => self.brought.push(link),
            None => {}
        }
    }

    /// Whether it counts that a neighbour sends the message, though it is here.
    pub(super) fn is_audited(&self, link: Link) -> bool {
        let owed = self.owed.as_ref();
        owed.is_some_and(|owed| owed.is_audited(link))
    }

    /// Whether a neighbour is not to be told of the message yet.
    pub(super) fn is_withheld(&self, link: Link) -> bool {
        let owed = self.owed.as_ref();
        owed.is_some_and(|owed| owed.is_withheld(link))
    }

    /// Whether a neighbour is not to hear of the message yet in any way.
    pub(super) fn is_hidden(&self, link: Link) -> bool {
        let owed = self.owed.as_ref();
        owed.is_some_and(|owed| owed.is_hidden(link))
    }

    /// Whether a neighbour is known to have the message.
    pub(super) fn is_with(&self, link: Link) -> bool {
        self.sightings.include(link)
    }

    /// Whether a neighbour was asked for the message.
    pub(super) fn was_asked_of(&self, link: Link) -> bool {
        self.pull
            .as_ref()
            .is_some_and(|pull| pull.asked.contains(&link))
    }
}

#[derive(Debug, Default)]
pub(super) struct Store {
    /// Only looked up, never iterated.
    entries: HashMap<MessageId, Entry>,
    /// Ids by the heartbeat in which they came, the newest first.
    windows: VecDeque<VecDeque<MessageId>>,
    /// Number of the newest one.
    beats: u64,
    missing: Missing,
    held: Held,
    seen: HashSet<MessageId>,
    seen_before: HashSet<MessageId>,
    rotated: Micros,
}

impl Store {
    /// Whether the message was here already, or is: proven.
    pub(super) fn is_known(&self, id: &MessageId) -> bool {
        let is_here = self.entries.get(id).map(|entry| !entry.is_open());
        is_here.unwrap_or_else(|| self.was_seen(id))
    }

    pub(super) fn get(&self, id: &MessageId) -> Option<&Entry> {
        self.entries.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &MessageId) -> Option<&mut Entry> {
        self.entries.get_mut(id)
    }

    /// The message, if it may be given to others.
    pub(super) fn held(&self, id: &MessageId) -> Option<&Arc<Parcel>> {
        match &self.entries.get(id)?.state {
            State::Held(parcel) => Some(parcel),
            _ => None,
        }
    }

    /// The entry of a message that a neighbour has; a new one if it was never heard of. None if it was seen
    /// and forgotten, or if too many are missing.
    pub(super) fn hear(&mut self, id: MessageId, link: Link) -> Option<&mut Entry> {
        if !self.entries.contains_key(&id) {
            if self.was_seen(&id) {
                return None;
            }
            let place = self.place(&id, link)?;
            self.enter(id, Some(place));
        }
        self.entries.get_mut(&id)
    }

    /// The entry of a message that is here, however many are missing; another state is to be
    /// [set](Self::set) at once. None if it was seen and forgotten.
    pub(super) fn arrive(&mut self, id: MessageId) -> Option<&mut Entry> {
        if !self.entries.contains_key(&id) {
            if self.was_seen(&id) {
                return None;
            }
            self.enter(id, None);
        }
        self.entries.get_mut(&id)
    }

    fn enter(&mut self, id: MessageId, place: Option<Place>) {
        newest(&mut self.windows).push_back(id);
        self.entries.insert(id, Entry::new(place, self.beats));
    }

    /// A place for what is missing. Of the one that gives way nothing is known any more.
    fn place(&mut self, id: &MessageId, link: Link) -> Option<Place> {
        let (place, displaced) = self.missing.put(link, *id)?;
        if let Some(displaced) = displaced {
            self.entries.remove(&displaced);
        }
        Some(place)
    }

    fn was_seen(&self, id: &MessageId) -> bool {
        self.seen.contains(id) || self.seen_before.contains(id)
    }

    /// Another state, and the one before. To say that a message is missing, [lose](Self::lose) it.
    pub(super) fn set(&mut self, id: &MessageId, state: State) -> Option<State> {
        let entry = self.entries.get_mut(id)?;
        if let Some(place) = entry.place.take() {
            self.missing.remove(place);
        }
        if let State::Held(parcel) = &state {
            self.held.add(parcel);
        }
        let former = std::mem::replace(&mut entry.state, state);
        if let State::Held(parcel) = &former {
            self.held.remove(parcel, |id| is_held(&self.entries, id));
        }
        self.let_go();
        Some(former)
    }

    /// A message that was here, brought by these, is missing. It counts as if another neighbour that has it had
    /// announced it first, or else one of these. If none has room for it, nothing is known of it any more.
    pub(super) fn lose(&mut self, id: &MessageId, brought_by: &[Link]) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        // Whoever sent it keeps the merit, if it is owed again.
        let kept = entry.owed.take().map(Owed::into_kept);
        entry.brought.extend(kept.unwrap_or_default());
        let mut links: Vec<_> = entry.sightings.iter().map(|one| one.link).collect();
        links.sort_by_key(|link| brought_by.contains(link));
        self.set(id, State::Missing);
        let place = links.into_iter().find_map(|link| self.place(id, link));
        match self.entries.get_mut(id) {
            Some(entry) if place.is_some() => entry.place = place,
            _ => _ = self.entries.remove(id),
        }
    }

    /// A message that is not here is not to be had any more.
    pub(super) fn drop_missing(&mut self, id: &MessageId) {
        if self.entries.get(id).is_some_and(Entry::is_missing) {
            self.set(id, State::Dropped);
        }
    }

    /// Messages of which anything is known beside that they were seen.
    #[cfg(test)]
    pub(super) fn entries(&self) -> usize {
        self.entries.len()
    }

    /// Messages that are missing.
    #[cfg(test)]
    pub(super) const fn missing(&self) -> usize {
        self.missing.len()
    }

    /// Bytes that are held.
    #[cfg(test)]
    pub(super) const fn held_bytes(&self) -> usize {
        self.held.bytes()
    }

    /// What came since the heartbeat before the last `windows` ones, and is held.
    pub(super) fn recent(&self, windows: usize) -> impl Iterator<Item = &Arc<Parcel>> {
        let windows = self.windows.iter().take(windows + 1);
        let numbered = (0..).zip(windows).flat_map(|(ago, ids)| {
            let window = self.beats.saturating_sub(ago);
            ids.iter().map(move |id| (window, id))
        });
        let entered = |id| self.entries.get(id).map(|entry| entry.entered);
        let ids = numbered.filter(move |(window, id)| entered(*id) == Some(*window));
        ids.filter_map(|(_, id)| self.held(id))
    }

    /// A heartbeat: what is older than `kept` heartbeats is forgotten, but for its id. What still waits
    /// for a judgement stays.
    pub(super) fn shift(&mut self, now: Micros, kept: usize, seen_for: std::time::Duration) {
        if now.since(self.rotated) >= seen_for || self.seen.len() >= MAX_SEEN {
            self.seen_before = std::mem::take(&mut self.seen);
            self.rotated = now;
        }
        self.beats += 1;
        self.windows.push_front(VecDeque::new());
        while self.windows.len() > kept + 1 {
            let window = self.oldest();
            for id in self.windows.pop_back().unwrap_or_default() {
                self.forget(id, window);
            }
        }
    }

    /// Number of the oldest window.
    fn oldest(&self) -> u64 {
        let others = self.windows.len().saturating_sub(1) as u64;
        self.beats.saturating_sub(others)
    }

    /// While too much is held, the oldest messages of whoever has the most are dropped: who says much has only
    /// itself to wait for.
    fn let_go(&mut self) {
        while self.held.bytes() > MAX_HELD_BYTES
            && let Some(id) = self.held.oldest_of_largest()
            && let Some(entry) = self.entries.remove(&id)
        {
            self.seen.insert(id);
            self.unhold(&entry.state);
        }
    }

    /// What was removed takes no room any more.
    fn unhold(&mut self, state: &State) {
        if let State::Held(parcel) = state {
            self.held.remove(parcel, |id| is_held(&self.entries, id));
        }
    }

    fn forget(&mut self, id: MessageId, window: u64) {
        let entry = self.entries.get_mut(&id);
        let Some(entry) = entry.filter(|entry| entry.entered == window) else {
            return;
        };
        match &entry.state {
            State::Unproven(_) | State::Waiting(..) => {
                entry.entered = self.beats;
                return newest(&mut self.windows).push_back(id);
            }
            State::Held(_) | State::Dropped | State::Rejected(_) => _ = self.seen.insert(id),
            State::Missing => {}
        }
        if let Some(entry) = self.entries.remove(&id) {
            if let Some(place) = entry.place {
                self.missing.remove(place);
            }
            self.unhold(&entry.state);
        }
    }
}

fn newest(windows: &mut VecDeque<VecDeque<MessageId>>) -> &mut VecDeque<MessageId> {
    if windows.is_empty() {
        windows.push_front(VecDeque::new());
    }
    // There is one now.
    &mut windows[0]
}

fn is_held(entries: &HashMap<MessageId, Entry>, id: &MessageId) -> bool {
    let entry = entries.get(id);
    entry.is_some_and(|entry| matches!(entry.state, State::Held(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_neighbour_that_was_seen_is_found_however_many_are() {
        let mut sightings = Sightings::new();
        // In no order, each once: 7 has no divisor in common with 64.
        let links = (0..64_u64).map(|number| Link(number * 7 % 64));
        for (before, link) in links.enumerate() {
            assert_eq!(sightings.len(), before);
            assert!(!sightings.include(link), "{link:?}");
            sightings.add(Sighting {
                link,
                at: Micros(before as u64),
                is_sent: true,
            });
            assert!(sightings.include(link), "{link:?}");
            assert!(sightings.iter().all(|one| sightings.include(one.link)));
            let at = sightings.iter().map(|one| one.at.0);
            assert!(at.eq(0..=before as u64), "the earliest comes first");
        }
    }
}
