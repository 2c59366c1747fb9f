//! Which messages were heard, so that none is heard twice.
//!
//! A message is accepted if its timestamp is at most 120 s behind and 30 s ahead of this node's wall
//! clock; so it must be known for 150 s, and is too old from then on. What is remembered is not messages
//! but *seals*, and which of the messages of each were accepted: about 90 bytes a seal and a bit a
//! message. So a publisher of 10 000 messages a second fits its 1 MiB for the whole time.
//!
//! *Who owns a counter.* The first seal of which a message was accepted owns all counters that it lists
//! and nobody owned before. A message of another seal with such a counter is
//! [`CounterReused`](Judgement::CounterReused), whether or not the owner's came yet: the two lists
//! contradict each other already.
//!
//! *Epochs.* They are numbers that rise, and nothing else: no epoch is too high or too low for a clock. A
//! message of an older epoch than another one that was accepted is judged by its timestamp like any
//! other, as long as that lies before the later epoch's number; a publisher that restarts with a clock
//! that works says nothing in its old epoch after that. So nobody is locked out: a publisher whose clock
//! was ten minutes or a year off is refused while its timestamps are, and heard as soon as they are
//! right, in the same epoch or the next, higher or (if it lost what it stored) lower one.
//!
//! *Memory.* Beyond 1 MiB for one publisher, or 16 MiB in all, the seals that were quiet for the longest
//! time are forgotten. What a publisher says on one topic in one epoch leaves a trace, up to which counter
//! and timestamp it was forgotten; whatever is below both is refused. Who is forgotten without a trace is
//! refused below a timestamp, the floor. In all, rather than the publishers heard least recently: those
//! would be the quiet honest ones, in a flood of new identities, and their messages could be repeated. A
//! floor only costs those that come late; what the default admission lets through in all (2 500 seals a
//! second) keeps it more than ten seconds behind.
//!
//! *Clocks.* Ages are measured by the monotonic clock. The traces that silent publishers leave are in
//! their own counters and timestamps, so that a wall clock that is set back revives nothing; and as new
//! messages have new counters, or a new epoch, they lock nobody out when clocks that were wrong are set
//! right. A floor ahead of every timestamp that is accepted was made by a clock that was wrong, and does
//! not count. Nothing survives a restart of the node.

mod ages;
mod epoch;
mod publisher;
mod record;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use self::ages::Ages;
use self::publisher::{PUBLISHER_BYTES, Publisher};
use crate::gossip::seals::{Listed, SealId};
use crate::identity::PeerId;
use crate::policy::{Micros, Now};

pub use epoch::next_epoch;

/// How far a timestamp may be behind this node's wall clock.
pub const MAX_AGE: Duration = Duration::from_secs(120);

/// How far it may be ahead.
pub const MAX_AHEAD: Duration = Duration::from_secs(30);

/// How long a message is known, at least: from the moment when its timestamp is just not too new until
/// it is too old.
pub const KEPT: Duration = MAX_AGE.saturating_add(MAX_AHEAD);

/// Bytes for one publisher: 150 s of 50 seals a second that list 200 messages each.
pub const MAX_PUBLISHER_BYTES: usize = 1 << 20;

/// Bytes in all: 150 s of 500 small seals a second.
pub const MAX_BYTES: usize = 16 << 20;

/// Publishers that fell silent whose traces are kept, for the case that the wall clock goes back; as
/// many as links are chosen for. About 2 MB.
pub const MAX_SILENT: usize = 4_096;

/// Topics and epochs of one publisher that fell silent whose traces are kept.
pub const MAX_SILENT_RUNS: usize = 16;

/// None of them, when room is needed.
const NO_TRACE: usize = 0;

/// Time between two looks for what is too old. A look takes a few milliseconds if the window is full of
/// publishers that said one thing each, else less than one.
pub const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// How far the clocks of honest publishers are ahead, at most, as a floor for all sees it: nobody else's
/// timestamps may lift it.
const CLOCK_SLACK: Duration = Duration::from_secs(5);

/// What is known of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// It was not heard before.
    Fresh,
    /// It was.
    Seen,
    /// Another seal lists a message with its counter. Look for the other one with
    /// [`VerifiedSeals::get`](crate::gossip::seals::VerifiedSeals::get) once this seal is verified:
    /// if they [contradict](crate::gossip::seals::SharedSeal::contradicts) each other, they are the
    /// evidence; if not, the publisher listed the same message twice.
    CounterReused {
        /// The seal that owns the counter.
        other: SealId,
    },
    /// Its epoch ended before it was made.
    Superseded,
    /// So much is to be remembered that it cannot be told whether it was heard before.
    BelowFloor,
    /// It was made more than two minutes ago.
    TooOld,
    /// It will be made in more than half a minute.
    TooNew,
}

impl Judgement {
    /// Whether the message will never be fresh, whatever seal comes with it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Seen | Self::Superseded | Self::BelowFloor | Self::TooOld => true,
            // That its counter was used counts only once its seal is verified.
            Self::Fresh | Self::CounterReused { .. } | Self::TooNew => false,
        }
    }
}

/// The messages of all publishers that were accepted in the last 150 s.
#[derive(Debug, Clone)]
pub struct ReplayWindow {
    limits: Limits,
    publishers: BTreeMap<PeerId, Publisher>,
    /// What they take.
    bytes: usize,
    /// Before this moment things were forgotten for want of room.
    cut: Option<Micros>,
    swept: Micros,
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    publisher: usize,
    total: usize,
    silent: usize,
}

impl Default for ReplayWindow {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether a message that this node takes may be too old or too new for a neighbour: clocks differ, and it is on its
/// way for a while.
#[must_use]
pub fn is_near_limit(now: Now, message: &Listed) -> bool {
    let (made, slack) = (message.timestamp_ms(), millis(CLOCK_SLACK));
    let oldest = now.wall.0.saturating_sub(millis(MAX_AGE) - slack);
    let newest = now.wall.0.saturating_add(millis(MAX_AHEAD) - slack);
    made < oldest || made > newest
}

impl ReplayWindow {
    /// Nothing was heard.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_limits(Limits {
            publisher: MAX_PUBLISHER_BYTES,
            total: MAX_BYTES,
            silent: MAX_SILENT,
        })
    }

    const fn with_limits(limits: Limits) -> Self {
        Self {
            limits,
            publishers: BTreeMap::new(),
            bytes: 0,
            cut: None,
            swept: Micros(0),
        }
    }

    /// What is known of a message. It costs a look into two sorted lists, and nothing has to be
    /// verified before: a message that is not [`Fresh`](Judgement::Fresh) is not worth it, but for a
    /// counter that may have been reused.
    #[must_use]
    pub fn judge(&self, now: Now, message: &Listed) -> Judgement {
        let made = message.timestamp_ms();
        if made < now.wall.0.saturating_sub(millis(MAX_AGE)) {
            return Judgement::TooOld;
        }
        let latest = now.wall.0.saturating_add(millis(MAX_AHEAD));
        if made > latest {
            return Judgement::TooNew;
        }
        let Some(publisher) = self.publishers.get(&message.seal().publisher()) else {
            return if made <= self.floor_of_strangers(now) {
                Judgement::BelowFloor
            } else {
                Judgement::Fresh
            };
        };
        publisher.judge(latest, message)
    }

    /// Remembers a message of a valid seal if it is [`Fresh`](Judgement::Fresh); says what it was.
    pub fn insert(&mut self, now: Now, message: &Listed) -> Judgement {
        self.expire(now.mono);
        let judgement = self.judge(now, message);
        if judgement == Judgement::Fresh {
            self.accept(now, message);
        }
        judgement
    }

    /// Forgets what is too old. Called by [`insert`](Self::insert); a node that hears nothing calls it
    /// at its heartbeat.
    pub fn expire(&mut self, now: Micros) {
        if now.since(self.swept) < SWEEP_EVERY {
            return;
        }
        self.swept = now;
        self.forget_before(now - KEPT, MAX_SILENT_RUNS);
        self.keep_few_silent();
    }

    /// What it takes in memory, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Publishers of whom something is remembered.
    #[must_use]
    pub fn publishers(&self) -> usize {
        self.publishers.len()
    }

    fn accept(&mut self, now: Now, message: &Listed) {
        let limits = self.limits;
        let floor = self.floor_of_strangers(now);
        let name = message.seal().publisher();
        if !self.publishers.contains_key(&name) {
            self.bytes = self.bytes.saturating_add(PUBLISHER_BYTES);
        }
        let publisher = self.publishers.entry(name);
        let publisher = publisher.or_insert_with(|| Publisher::new(floor));
        let before = publisher.bytes();
        publisher.accept(now.mono, message);
        while publisher.bytes() > limits.publisher {
            let wanted = publisher.bytes().saturating_sub(below(limits.publisher));
            let mut ages = Ages::new(now.mono);
            publisher.add_to(&mut ages);
            publisher.forget_before(ages.horizon(wanted), NO_TRACE);
        }
        let after = publisher.bytes();
        self.bytes = self.bytes.saturating_add(after).saturating_sub(before);
        if self.bytes > limits.total {
            self.make_room(now.mono);
        }
    }

    /// Forgets the silent, and if that is not enough, what was quiet for the longest time.
    fn make_room(&mut self, now: Micros) {
        self.forget_silent();
        let enough = below(self.limits.total);
        let mut limit = enough;
        while self.bytes > limit {
            let mut ages = Ages::new(now);
            for publisher in self.publishers.values() {
                publisher.add_to(&mut ages);
            }
            let horizon = ages.horizon(self.bytes.saturating_sub(enough));
            self.forget_before(horizon, NO_TRACE);
            self.forget_silent();
            self.cut = self.cut.max(Some(horizon));
            limit = self.limits.total;
        }
    }

    fn forget_silent(&mut self) {
        self.publishers.retain(|_, one| !one.is_silent());
        self.recount();
    }

    fn forget_before(&mut self, horizon: Micros, silent_runs: usize) {
        for publisher in self.publishers.values_mut() {
            publisher.forget_before(horizon, silent_runs);
        }
        self.recount();
    }

    /// Of the publishers that left nothing but traces, those heard last stay.
    fn keep_few_silent(&mut self) {
        let silent = self.publishers.iter().filter(|(_, one)| one.is_silent());
        let mut silent: Vec<_> = silent.map(|(name, one)| (one.heard(), *name)).collect();
        let Some(too_many) = silent.len().checked_sub(self.limits.silent) else {
            return;
        };
        silent.sort_unstable();
        for (_, name) in silent.into_iter().take(too_many) {
            self.publishers.remove(&name);
        }
        self.recount();
    }

    fn recount(&mut self) {
        let publishers = self.publishers.len().saturating_mul(PUBLISHER_BYTES);
        let within: usize = self.publishers.values().map(Publisher::bytes).sum();
        self.bytes = publishers.saturating_add(within);
    }

    /// The timestamp up to which messages of publishers are refused of whom nothing is known, because
    /// what was known may have been forgotten. Read by today's wall clock, so that it never stays ahead
    /// of one that was set back.
    fn floor_of_strangers(&self, now: Now) -> u64 {
        let Some(cut) = self.cut else {
            return 0;
        };
        let age = millis(now.mono.since(cut));
        let at = now.wall.0.saturating_sub(age);
        at.saturating_add(millis(CLOCK_SLACK))
    }
}

/// What is aimed at when a limit is exceeded: less, so that it is not exceeded at once again.
const fn below(limit: usize) -> usize {
    limit - limit / 8
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
