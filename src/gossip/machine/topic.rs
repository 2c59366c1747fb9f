//! One topic as this node deals with it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::io::{Link, TopicOptions};
use crate::policy::Micros;

/// Longest time for which a neighbour stays away when it is asked to, whatever it was told: nobody
/// else's number reaches the clock.
pub(super) const MAX_BACKOFF: Duration = Duration::from_secs(3_600);

/// So many messages of a topic come, and a member is not seen with any of them: it brings nothing. A silent
/// link announces one in 32 all the same, so that one in sixty of those that are silent is taken for such a
/// member by chance.
pub(super) const IDLE_AFTER: u64 = 128;

/// And for so long: three heartbeats. A burst of one publisher says nothing of anybody else.
const IDLE_FOR: Duration = Duration::from_secs(2);

/// A neighbour that was the first to bring a message within this time brings messages.
const BRINGS: Duration = Duration::from_secs(10);

/// Who joins a mesh has the time of an idle member to be seen, once in this time: to leave and to come back
/// makes nobody busy.
const GRANTED_EVERY: Duration = Duration::from_secs(60);

/// A topic to which the program subscribed, or in which it published lately.
#[derive(Debug, Default)]
pub(super) struct Topic {
    /// None if the program does not subscribe to it.
    pub(super) subscription: Option<TopicOptions>,
    /// Neighbours that send each other its messages.
    pub(super) mesh: BTreeSet<Link>,
    /// What each neighbour was seen to bring.
    seen: BTreeMap<Link, Seen>,
    /// Idle members that made place since the last look at the mesh.
    pub(super) replaced: usize,
    /// Messages so far.
    accepted: u64,
    /// Neighbours to whom own messages go while there is no subscription.
    pub(super) fanout: BTreeSet<Link>,
    /// When this node published in it last.
    pub(super) published: Micros,
    /// Neighbours that this node told to stay away.
    sent_away: BTreeMap<Link, Away>,
    /// Neighbours that told this node to stay away.
    avoided: BTreeMap<Link, Away>,
    /// When the mesh was compared with those outside it.
    pub(super) compared: Micros,
    /// Neighbours in the order in which they hear of messages at heartbeats.
    turns: VecDeque<Link>,
    /// Mean size of its messages, in bytes.
    pub(super) size: f64,
}

/// A back-off.
#[derive(Debug, Clone, Copy)]
struct Away {
    /// When it was said last.
    since: Micros,
    until: Micros,
    why: Why,
}

/// Why somebody is to stay away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The mesh is full: whoever is worth more than a member may be taken back.
    NoRoom,
    /// It brought nothing; it may be taken back when it does.
    Idle,
    /// Anything else.
    Unwanted,
}

/// What a neighbour was seen to bring.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// At which message, and when, it was seen with one last, or joined.
    accepted: u64,
    at: Micros,
    /// When it had time to be seen because it joined.
    granted: Option<Micros>,
    /// When it was the first to bring a message last.
    brought: Option<Micros>,
}

impl Topic {
    pub(super) const fn is_subscribed(&self) -> bool {
        self.subscription.is_some()
    }

    pub(super) fn is_unsigned(&self) -> bool {
        self.subscription.is_some_and(|options| options.is_unsigned)
    }

    /// A neighbour joins the mesh; `false` if it is in it.
    pub(super) fn join(&mut self, link: Link, now: Micros) -> bool {
        self.sent_away.remove(&link);
        self.avoided.remove(&link);
        let accepted = self.accepted;
        let seen = self.seen_of(link, now);
        let is_granted = seen.granted.is_some_and(|at| now.since(at) < GRANTED_EVERY);
        if !is_granted {
            (seen.accepted, seen.at, seen.granted) = (accepted, now, Some(now));
        }
        self.mesh.insert(link)
    }

    /// A neighbour leaves the mesh; `false` if it is not in it.
    pub(super) fn leave(&mut self, link: Link) -> bool {
        self.mesh.remove(&link)
    }

    /// A neighbour is gone, or wants no messages of it any more.
    pub(super) fn forget(&mut self, link: Link) {
        self.seen.remove(&link);
        self.fanout.remove(&link);
    }

    /// A message came; who brought it first, if a neighbour did.
    pub(super) fn accept(&mut self, first: Option<Link>, now: Micros) {
        self.accepted += 1;
        if let Some(link) = first {
            self.saw(link, now);
            self.seen_of(link, now).brought = Some(now);
        }
    }

    /// A neighbour brought or announced a message.
    pub(super) fn saw(&mut self, link: Link, now: Micros) {
        let accepted = self.accepted;
        let seen = self.seen_of(link, now);
        (seen.accepted, seen.at) = (accepted, now);
    }

    /// Whether a neighbour brings nothing, not even news.
    pub(super) fn is_idle(&self, link: Link, now: Micros) -> bool {
        let seen = self.seen.get(&link);
        seen.is_none_or(|seen| {
            self.accepted - seen.accepted >= IDLE_AFTER && now.since(seen.at) >= IDLE_FOR
        })
    }

    /// Whether a neighbour was the first to bring a message lately, and has not fallen silent since.
    pub(super) fn brings(&self, link: Link, now: Micros) -> bool {
        let brought = self.seen.get(&link).and_then(|seen| seen.brought);
        brought.is_some_and(|at| now.since(at) < BRINGS) && !self.is_idle(link, now)
    }

    fn seen_of(&mut self, link: Link, now: Micros) -> &mut Seen {
        let accepted = self.accepted;
        self.seen.entry(link).or_insert(Seen {
            accepted,
            at: now,
            granted: None,
            brought: None,
        })
    }

    /// Whether a neighbour was told to stay away.
    pub(super) fn is_sent_away(&self, link: Link, now: Micros) -> bool {
        self.sent_away
            .get(&link)
            .is_some_and(|away| now < away.until)
    }

    /// Whether this node was told to stay away.
    pub(super) fn is_avoided(&self, link: Link, now: Micros) -> bool {
        self.avoided.get(&link).is_some_and(|away| now < away.until)
    }

    /// How long ago a neighbour was told to stay away, if it may be taken back.
    pub(super) fn refused_for(&self, link: Link, now: Micros) -> Option<Duration> {
        let away = self.sent_away.get(&link);
        let refused = away.filter(|away| away.why != Why::Unwanted)?;
        Some(now.since(refused.since))
    }

    /// How long ago this node was told to stay away, if it was.
    pub(super) fn avoided_for(&self, link: Link, now: Micros) -> Option<Duration> {
        Some(now.since(self.avoided.get(&link)?.since))
    }

    /// A neighbour stays away, at least this long and at most an hour.
    pub(super) fn send_away(&mut self, link: Link, now: Micros, span: Duration, why: Why) {
        keep_longer(&mut self.sent_away, link, now, span, why);
    }

    /// This node stays away from a neighbour, at least this long and at most an hour.
    pub(super) fn avoid(&mut self, link: Link, now: Micros, span: Duration) {
        keep_longer(&mut self.avoided, link, now, span, Why::Unwanted);
    }

    /// Time passes; whether anybody is still to stay away.
    pub(super) fn end_backoffs(&mut self, now: Micros) -> bool {
        for backoffs in [&mut self.sent_away, &mut self.avoided] {
            backoffs.retain(|_, away| now < away.until);
        }
        !self.sent_away.is_empty() || !self.avoided.is_empty()
    }

    /// Those whose turn it is to hear of messages, of those who lack some. `present` are all of these, in an
    /// order drawn by lot, in which newcomers have their first turn: before the others.
    pub(super) fn take_turns(&mut self, present: Vec<Link>, count: usize) -> Vec<Link> {
        let all: BTreeSet<_> = present.iter().copied().collect();
        self.turns.retain(|link| all.contains(link));
        let known: BTreeSet<_> = self.turns.iter().copied().collect();
        for link in present.into_iter().filter(|link| !known.contains(link)) {
            self.turns.push_front(link);
        }
        let count = count.min(self.turns.len());
        self.turns.rotate_left(count);
        self.turns
            .range(self.turns.len() - count..)
            .copied()
            .collect()
    }

    /// Learns of the size of a message.
    #[allow(clippy::cast_precision_loss, reason = "below 2^52")]
    pub(super) fn sized(&mut self, bytes: usize) {
        let bytes = bytes as f64;
        if self.size == 0.0 {
            self.size = bytes;
        } else {
            self.size += (bytes - self.size) / 8.0;
        }
    }
}

/// What is agreed later counts if it is longer.
fn keep_longer(
    backoffs: &mut BTreeMap<Link, Away>,
    link: Link,
    now: Micros,
    span: Duration,
    why: Why,
) {
    let (since, until) = (now, now + span.min(MAX_BACKOFF));
    let away = Away { since, until, why };
    let agreed = backoffs.entry(link).or_insert(away);
    if agreed.until <= now {
        *agreed = away;
        return;
    }
    agreed.since = since;
    agreed.until = until.max(agreed.until);
    if why == Why::Unwanted {
        agreed.why = why;
    }
}
