//! Messages that some neighbours are not told of for a while, to see whether they bring them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::expected::{MAX_OPEN_OF_ACCOUNT, Owed, account_of};
use super::outbox::Priority;
use super::parcel::Parcel;
use super::store::State;
use super::{Gossip, Link};
use crate::gossip::score::{Deliveries, MeshDeliveries};
use crate::policy::Micros;

/// How long a member is in the mesh before it is audited where that alone decides: in some heartbeats a newcomer finds
/// others from whom it hears what it is to bring.
const SETTLING: Duration = Duration::from_secs(5);

/// A member that comes and goes is given that time once in so long.
const SETTLES_EVERY: Duration = Duration::from_secs(60);

/// Where the mesh alone decides a message is withheld for as long at most, whatever the window, and as much longer as it
/// took to be judged: it must be held until then.
const LONGEST: Duration = Duration::from_secs(1);

/// A node whose timers are so late was held up, and has not read what came meanwhile.
const HELD_UP: Duration = Duration::from_millis(100);

/// Who joined a mesh in the last minute, and when; be it over another connection.
#[derive(Debug, Default)]
pub(super) struct Settling(BTreeMap<Link, Micros>);

impl Settling {
    pub(super) fn joined(&mut self, link: Link, now: Micros) {
        self.0.entry(link).or_insert(now);
    }

    pub(super) fn age(&mut self, now: Micros) {
        self.0.retain(|_, at| now.since(*at) < SETTLES_EVERY);
    }

    fn is_over(&self, link: Link, now: Micros) -> bool {
        let joined = self.0.get(&link);
        joined.is_none_or(|at| now.since(*at) >= SETTLING)
    }
}

/// For how long a message is withheld that was accepted so long after it was first heard of; none if it is forgotten
/// before that ends.
fn span(age: Duration, window: Duration, held_for: Duration) -> Option<Duration> {
    let span = age + window.min(LONGEST);
    (age + span <= held_for).then_some(span)
}

fn was_held_up(due: Micros, now: Micros) -> bool {
    now.since(due) > HELD_UP
}

impl Gossip {
    /// A message is accepted, and the mesh alone decides who gets it. Everybody is told at once, which excuses
    /// them, but for those who are audited: they owe it. What this program took to judge it others take as well, and
    /// those who are one step farther away begin later.
    pub(super) fn audit_members(&mut self, parcel: &Parcel, from: &[Link]) {
        let MeshDeliveries { rule, window, .. } = *self.deliveries(&parcel.topic);
        if self.is_by_source(parcel) || matches!(rule, Deliveries::Absolute { .. }) {
            return;
        }
        let account = account_of(parcel);
        let has_room = self.expectations.has_room(&account, MAX_OPEN_OF_ACCOUNT);
        if !has_room || self.may_be_dropped(parcel) {
            return;
        }
        let members = self.mesh(&parcel.topic);
        let members: Vec<_> = members
            .filter(|link| self.is_audited_with(parcel, *link))
            .collect();
        let now = self.now.mono;
        let held_for = self.config.heartbeat_interval * (self.config.history_length as u32 - 1);
        let Some(entry) = self.store.get_mut(&parcel.id) else {
            return;
        };
        let Some(age) = entry.first.map(|at| now.since(at)) else {
            return;
        };
        let Some(span) = span(age, window, held_for).filter(|_| !members.is_empty()) else {
            return;
        };
        let mut owed = Owed::until_told(members);
        let bringers = entry.brought.iter().chain(from);
        for link in bringers.filter(|link| !entry.was_asked_of(**link)) {
            owed.sent_by(*link);
        }
        entry.owed = Some(owed);
        self.expectations.release_at(now + span, parcel.id);
        self.expectations.open(now + span, parcel.id, account);
    }

    /// Whether links are chosen for messages like this one, or else the mesh alone decides.
    fn is_by_source(&self, parcel: &Parcel) -> bool {
        self.sources.is_some() && parcel.class().is_some()
    }

    fn is_audited_with(&self, parcel: &Parcel, link: Link) -> bool {
        let (now, topic) = (self.now.mono, self.topics.get(&parcel.topic));
        self.expectations.audits_with(&parcel.id, link)
            && !self.is_explicit(link)
            && topic.is_some_and(|topic| topic.settling.is_over(link, now))
    }

    /// Those in a topic who may be told of a message now.
    pub(super) fn tellable(&self, parcel: &Parcel) -> Vec<Link> {
        let mut links = self.subscribers(&parcel.topic).to_vec();
        let entry = self.store.get(&parcel.id);
        if let Some(owed) = entry.and_then(|entry| entry.owed.as_ref()) {
            links.retain(|link| !owed.is_withheld(*link));
        }
        links
    }

    /// Tells those who were audited of what they did not send in time.
    pub(super) fn end_audits(&mut self) {
        let now = self.now.mono;
        while let Some((due, id)) = self.expectations.release(now) {
            let Some(entry) = self.store.get_mut(&id) else {
                continue;
            };
            let Some(owed) = entry.owed.as_mut() else {
                continue;
            };
            let withheld = owed.release(was_held_up(due, now));
            let over = entry.owed.take_if(|owed| owed.is_over_when_told());
            // What is not accepted yet is passed on to all when it is.
            let State::Held(parcel) = &entry.state else {
                continue;
            };
            let parcel = parcel.clone();
            if let Some(owed) = over {
                self.settle(&parcel, &owed);
            }
            self.pass_on_to(&parcel, Priority::Forwarded, &withheld);
            self.announce_outside(&parcel, &withheld);
        }
    }

    /// Who left the mesh meanwhile, where that alone decides, is told what it may ask for.
    fn announce_outside(&mut self, parcel: &Parcel, links: &[Link]) {
        if self.is_by_source(parcel) {
            return;
        }
        let gossip = self.score.thresholds().gossip;
        for link in links {
            let topic = self.topics.get(&parcel.topic);
            let in_mesh = topic.is_some_and(|topic| topic.mesh.contains(link));
            let is_there = self.subscribers(&parcel.topic).contains(link);
            let entry = self.store.get(&parcel.id);
            let lacks = entry.is_some_and(|entry| !entry.is_with(*link));
            if !in_mesh && is_there && lacks && self.is_trusted(*link, gossip) {
                self.announce(*link, parcel);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_micros(1);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_member_is_settled_after_five_seconds_and_not_anew_within_a_minute() {
        let (joined, link) = (Micros(1_000_000), Link(1));
        let mut settling = Settling::default();
        settling.joined(link, joined);
        assert!(!settling.is_over(link, joined + SETTLING - STEP));
        assert!(settling.is_over(link, joined + SETTLING));
        for (after, is_settled) in [
            (SETTLES_EVERY - STEP, true),
            (SETTLES_EVERY, false),
            (SETTLES_EVERY + STEP, false),
        ] {
            let mut settling = Settling::default();
            settling.joined(link, joined);
            let again = joined + after;
            settling.age(again);
            settling.joined(link, again);
            assert_eq!(settling.is_over(link, again), is_settled, "{after:?}");
        }
    }

    #[test]
    fn a_message_is_withheld_for_a_second_at_most_and_for_as_long_as_it_took() {
        let held = SECOND * 3;
        for (window, withheld) in [
            (SECOND - STEP, SECOND - STEP),
            (SECOND, SECOND),
            (SECOND + STEP, SECOND),
        ] {
            assert_eq!(span(Duration::ZERO, window, held), Some(withheld));
            assert_eq!(span(SECOND, window, held), Some(SECOND + withheld));
        }
    }

    #[test]
    fn what_is_forgotten_before_is_not_withheld() {
        for (age, is_withheld) in [
            (SECOND - STEP, true),
            (SECOND, true),
            (SECOND + STEP, false),
        ] {
            let span = span(age, SECOND, SECOND * 3);
            assert_eq!(span.is_some(), is_withheld, "{age:?}");
        }
    }

    #[test]
    fn a_node_was_held_up_when_its_timers_are_late_by_more_than_a_tenth_of_a_second() {
        let due = Micros(1_000_000);
        for (late, is_late) in [
            (HELD_UP - STEP, false),
            (HELD_UP, false),
            (HELD_UP + STEP, true),
        ] {
            assert_eq!(was_held_up(due, due + late), is_late, "{late:?}");
        }
    }
}
