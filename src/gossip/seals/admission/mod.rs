//! Whose seal is verified next.
//!
//! A verification costs 80 µs, a garbage seal and a fresh identity cost their sender nothing. So both
//! publishers and neighbours have to share, and the order of the two matters:
//!
//! - *Links first, then publishers.* Shares by publisher alone would fall to whoever makes the most
//!   identities: a thousand of them over one link would leave ten honest publishers a hundredth of all
//!   verifications. A link costs a handshake and a place in the table of connections (but for
//!   the second for which what a neighbour brought that has left waits, too). So links take turns, and on its turn a link serves its publishers in turn. A link that brings less than its share
//!   leaves the rest to the others; one that brings more has only itself to wait for.
//! - *A publisher's own rate is shared the same way.* Anybody can claim to bring a seal of somebody
//!   else, and it counts against the publisher until the signature turns out wrong. As links take turns
//!   here, too, one that forges takes at most every second token; the allowance is twice what an honest
//!   publisher makes. A token that was spent on a forgery is given back.
//! - *Few seals of one link are verified at a time.* The first invalid signature closes a link: until it
//!   is found, no more than [`MAX_IN_FLIGHT_PER_LINK`] verifications were wasted on it, less than a
//!   handshake costs. So garbage is paid for by who sends it.
//!
//! What admission cannot see is a *valid* seal that is sent again after its verdict was forgotten. It
//! would cost its publisher a token. So a seal is only offered when one of its messages passed every
//! cheaper check: it is listed, its timestamp is in the window, and it was not seen.

mod buckets;
mod link_queue;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use self::buckets::Buckets;
use self::link_queue::LinkQueue;
use super::shared::SealId;
use super::verified::Validity;
use crate::gossip::{AdmissionConfig, Link};
use crate::identity::PeerId;
use crate::policy::{Micros, TokenBucket};

pub use buckets::MAX_RATED;

/// Seals that wait for one link: as many as its stream can refer to.
pub const MAX_WAITING_PER_LINK: usize = 256;

/// Seals that wait for all links, counted once a link: six seconds of the default total, where patience
/// is one. About 5 MB. Beyond it the link with most of them gives one up; within a link, the publisher
/// with most of them.
pub const MAX_WAITING: usize = 16_384;

/// Seals of one link that are being verified: 0.6 ms of work with the fast backend, less than the
/// handshake that a link costs. If a verdict takes 5 ms, one link still gets 1 600 a second through.
pub const MAX_IN_FLIGHT_PER_LINK: usize = 8;

/// Seals that are being verified in all: 20 ms of work with the fast backend. If it cannot keep up,
/// seals wait here and not behind it, where nobody shares.
pub const MAX_IN_FLIGHT: usize = 256;

/// All seals that are admitted at once, as a share of those a second: 100 ms of its time.
const BURST_SHARE: u32 = 10;

/// Rations verifications.
///
/// [`offer`](Self::offer) a seal, then [`poll`](Self::poll) until it gives nothing; report each verdict
/// with [`finished`](Self::finished). Call again at [`next`](Self::next), [`expired`](Self::expired)
/// first. Time is monotonic.
#[derive(Debug, Clone)]
pub struct Admission {
    config: AdmissionConfig,
    total: TokenBucket,
    publishers: Buckets,
    links: BTreeMap<Link, LinkQueue>,
    /// Links with waiting seals, the one whose turn is next in front.
    turns: VecDeque<Link>,
    waiting: BTreeMap<SealId, Waiting>,
    /// Entries in all queues; a seal that several links brought counts for each.
    queued: usize,
    deadlines: BTreeSet<(Micros, SealId)>,
    in_flight: BTreeMap<SealId, Admitted>,
    /// When something may be admitted; `None` while only a new offer or a verdict can change anything.
    retry_at: Option<Micros>,
}

#[derive(Debug, Clone)]
struct Waiting {
    publisher: PeerId,
    deadline: Micros,
    links: Vec<Link>,
}

/// There is no room for a seal.
struct Full;

/// What became of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// It waits for its turn, which may come at the next [`Admission::poll`].
    Waiting,
    /// It waits, and another one is forgotten for it.
    InsteadOf(SealId),
    /// It is forgotten: its link has as many waiting as it may, or as anybody.
    Full,
}

/// A seal whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admitted {
    /// Which.
    pub seal: SealId,
    /// Whose.
    pub publisher: PeerId,
    /// On the turn of this link; others may have brought it, too.
    pub link: Link,
}

impl Admission {
    /// Nothing waits.
    #[must_use]
    pub fn new(config: AdmissionConfig, now: Micros) -> Self {
        let per_second = config.total_per_second;
        let burst = (per_second / BURST_SHARE).max(1);
        Self {
            config,
            total: TokenBucket::new(burst, per_second, now),
            publishers: Buckets::new(config.publisher_burst, config.publisher_per_second),
            links: BTreeMap::new(),
            turns: VecDeque::new(),
            waiting: BTreeMap::new(),
            queued: 0,
            deadlines: BTreeSet::new(),
            in_flight: BTreeMap::new(),
            retry_at: None,
        }
    }

    /// A neighbour brought a seal of which nothing is known. It waits as long as its config says, from
    /// the first offer on; each link that offers it gives it a turn more.
    pub fn offer(&mut self, now: Micros, link: Link, publisher: PeerId, seal: SealId) -> Offer {
        let is_waiting_here = |one: &Waiting| one.links.contains(&link);
        let is_known = self.in_flight.contains_key(&seal)
            || self.waiting.get(&seal).is_some_and(is_waiting_here);
        if is_known {
            return Offer::Waiting;
        }
        let displaced = match self.make_room(link, &publisher) {
            Ok(displaced) => displaced,
            Err(Full) => return Offer::Full,
        };
        self.enqueue(now, link, publisher, seal);
        displaced.map_or(Offer::Waiting, Offer::InsteadOf)
    }

    /// The next seal to be verified. It is in flight until [`finished`](Self::finished).
    pub fn poll(&mut self, now: Micros) -> Option<Admitted> {
        if self.retry_at? > now {
            return None;
        }
        if self.in_flight.len() >= MAX_IN_FLIGHT {
            self.retry_at = None;
            return None;
        }
        if self.total.available(now) == 0 {
            self.retry_at = self.total.ready_at(1, now);
            return None;
        }
        match self.choose(now) {
            Ok(admitted) => {
                self.total.try_take(1, now);
                self.admit(admitted);
                Some(admitted)
            }
            Err(at) => {
                self.retry_at = at;
                None
            }
        }
    }

    /// The verdict on a seal in flight.
    pub fn finished(&mut self, now: Micros, seal: &SealId, validity: Validity) {
        let Some(admitted) = self.in_flight.remove(seal) else {
            return;
        };
        if validity == Validity::Invalid {
            self.publishers.give_back(&admitted.publisher);
        }
        if let Some(queue) = self.links.get_mut(&admitted.link) {
            queue.finish();
            if queue.is_idle() {
                self.links.remove(&admitted.link);
            }
        }
        self.retry(Some(now));
    }

    /// A seal that waited too long and is forgotten; to be called until there is none.
    pub fn expired(&mut self, now: Micros) -> Option<SealId> {
        let (deadline, seal) = *self.deadlines.first()?;
        if deadline > now {
            return None;
        }
        self.remove(&seal);
        Some(seal)
    }

    /// Nothing more of a link is verified: the seals that only it brought, and that are forgotten. What of it is being
    /// verified goes on.
    pub fn forget_link(&mut self, link: Link) -> Vec<SealId> {
        let Some(queue) = self.links.remove(&link) else {
            return Vec::new();
        };
        self.turns.retain(|one| *one != link);
        self.queued = self.queued.saturating_sub(queue.waiting());
        queue.seals().filter(|seal| self.lose(link, seal)).collect()
    }

    /// When to call again, if nothing happens before.
    #[must_use]
    pub fn next(&self) -> Option<Micros> {
        let (deadline, _) = self.deadlines.first()?;
        Some(self.retry_at.map_or(*deadline, |at| at.min(*deadline)))
    }

    /// Whether a seal waits, or is being verified.
    #[must_use]
    pub fn contains(&self, seal: &SealId) -> bool {
        self.waiting.contains_key(seal) || self.in_flight.contains_key(seal)
    }

    /// Seals that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Seals that are being verified.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    fn enqueue(&mut self, now: Micros, link: Link, publisher: PeerId, seal: SealId) {
        let deadline = now + self.config.patience;
        let waiting = self.waiting.entry(seal).or_insert_with(|| {
            self.deadlines.insert((deadline, seal));
            Waiting {
                publisher,
                deadline,
                links: Vec::new(),
            }
        });
        waiting.links.push(link);
        let queue = self.links.entry(link).or_default();
        if queue.waiting() == 0 {
            self.turns.push_back(link);
        }
        queue.push(publisher, seal);
        self.queued = self.queued.saturating_add(1);

        // A link whose share is being verified waits for a verdict, which asks again.
        if queue.in_flight() < MAX_IN_FLIGHT_PER_LINK && self.in_flight.len() < MAX_IN_FLIGHT {
            let publisher = self.publishers.ready_at(now, &publisher);
            let total = self.total.ready_at(1, now);
            self.retry(publisher.zip(total).map(|(one, other)| one.max(other)));
        }
    }

    /// Makes room for one seal more, at the cost of the publisher with most seals on this link, or of the
    /// link with most seals, if theirs are more. Gives the seal that nobody brings any more, if that came
    /// of it.
    fn make_room(&mut self, link: Link, publisher: &PeerId) -> Result<Option<SealId>, Full> {
        let queue = self.links.get(&link);
        let on_link = queue.map_or(0, LinkQueue::waiting);
        if let Some(queue) = queue
            && on_link >= MAX_WAITING_PER_LINK
        {
            let largest = queue.largest().ok_or(Full)?;
            let is_larger = queue.waiting_of(&largest) > queue.waiting_of(publisher) + 1;
            return if is_larger {
                self.displace(link, &largest)
            } else {
                Err(Full)
            };
        }
        if self.queued < MAX_WAITING {
            return Ok(None);
        }
        // Only a flood over more than 64 links comes here.
        let largest = self.links.iter().max_by_key(|(_, queue)| queue.waiting());
        let (largest, queue) = largest.ok_or(Full)?;
        if queue.waiting() <= on_link + 1 {
            return Err(Full);
        }
        let (link, publisher) = (*largest, queue.largest().ok_or(Full)?);
        self.displace(link, &publisher)
    }

    /// Takes the last seal of a publisher off a link.
    fn displace(&mut self, link: Link, publisher: &PeerId) -> Result<Option<SealId>, Full> {
        let queue = self.links.get(&link).ok_or(Full)?;
        let seal = queue.last_of(publisher).ok_or(Full)?;
        self.dequeue(link, publisher, &seal);
        Ok(self.lose(link, &seal).then_some(seal))
    }

    /// Gives every link with waiting seals its turn until one has a seal that may go.
    fn choose(&mut self, now: Micros) -> Result<Admitted, Option<Micros>> {
        let mut earliest: Option<Micros> = None;
        for _ in 0..self.turns.len() {
            let Some(link) = self.turns.pop_front() else {
                break;
            };
            self.turns.push_back(link);
            let Some(queue) = self.links.get_mut(&link) else {
                continue;
            };
            if queue.in_flight() >= MAX_IN_FLIGHT_PER_LINK {
                continue;
            }
            match queue.choose(|publisher| self.publishers.take(now, publisher)) {
                Ok((publisher, seal)) => {
                    return Ok(Admitted {
                        seal,
                        publisher,
                        link,
                    });
                }
                Err(at) => earliest = [earliest, at].into_iter().flatten().min(),
            }
        }
        Err(earliest)
    }

    fn admit(&mut self, admitted: Admitted) {
        if let Some(queue) = self.links.get_mut(&admitted.link) {
            queue.begin();
        }
        self.remove(&admitted.seal);
        self.in_flight.insert(admitted.seal, admitted);
    }

    /// Takes a seal out of all queues.
    fn remove(&mut self, seal: &SealId) {
        let Some(waiting) = self.waiting.remove(seal) else {
            return;
        };
        self.deadlines.remove(&(waiting.deadline, *seal));
        for link in waiting.links {
            self.dequeue(link, &waiting.publisher, seal);
        }
    }

    fn dequeue(&mut self, link: Link, publisher: &PeerId, seal: &SealId) {
        let Some(queue) = self.links.get_mut(&link) else {
            return;
        };
        queue.remove(publisher, seal);
        self.queued = self.queued.saturating_sub(1);
        if queue.waiting() == 0 {
            self.turns.retain(|one| *one != link);
        }
        if queue.is_idle() {
            self.links.remove(&link);
        }
    }

    /// A link does not bring a seal any more; says whether nobody does, so that it is forgotten.
    fn lose(&mut self, link: Link, seal: &SealId) -> bool {
        let Some(waiting) = self.waiting.get_mut(seal) else {
            return false;
        };
        waiting.links.retain(|one| *one != link);
        if !waiting.links.is_empty() {
            return false;
        }
        self.remove(seal);
        true
    }

    /// Asks again at `at` at the latest.
    fn retry(&mut self, at: Option<Micros>) {
        self.retry_at = [self.retry_at, at].into_iter().flatten().min();
    }
}
