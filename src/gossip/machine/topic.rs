//! One topic as this node deals with it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::audits::Settling;
use super::contributions::Contributions;
use super::io::{Link, TopicOptions};
use crate::policy::Micros;

/// Longest time for which a neighbour stays away when it is asked to, whatever it was told: nobody
/// else's number reaches the clock.
pub(super) const MAX_BACKOFF: Duration = Duration::from_secs(3_600);

/// Back-offs of a topic that are kept, each way: as many as there are numbers of neighbours that left. Those that end
/// first give way.
const MAX_BACKOFFS: usize = 4_096;

/// A topic to which the program subscribed, or in which it published lately.
#[derive(Debug, Default)]
pub(super) struct Topic {
    /// None if the program does not subscribe to it.
    pub(super) subscription: Option<TopicOptions>,
    /// Neighbours that send each other its messages.
    pub(super) mesh: BTreeSet<Link>,
    pub(super) contributions: Contributions,
    /// Members that are too new to be audited.
    pub(super) settling: Settling,
    /// Idle members that made place since the last heartbeat.
    pub(super) replaced: usize,
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
        self.contributions.joined(link, now);
        self.settling.joined(link, now);
        self.mesh.insert(link)
    }

    /// A neighbour leaves the mesh; `false` if it is not in it.
    pub(super) fn leave(&mut self, link: Link) -> bool {
        self.mesh.remove(&link)
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
    if backoffs.len() >= MAX_BACKOFFS && !backoffs.contains_key(&link) {
        let soonest = backoffs.iter().min_by_key(|(_, away)| away.until);
        if let Some(soonest) = soonest.map(|(link, _)| *link) {
            backoffs.remove(&soonest);
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_strangers_that_say_to_stay_away_are_remembered_up_to_a_number() {
        let (mut topic, now) = (Topic::default(), Micros(1));
        for number in 0..=4_096 {
            let span = Duration::from_secs(60 + number % 7);
            topic.avoid(Link(number), now, span);
        }
        assert_eq!(topic.avoided.len(), 4_096);
        assert!(topic.is_avoided(Link(4_096), now) && topic.is_avoided(Link(6), now));
        assert!(
            !topic.is_avoided(Link(0), now),
            "the first of those that end first"
        );
    }
}
