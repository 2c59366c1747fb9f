//! Publishers that said two things under one counter.

use std::collections::BTreeMap;
use std::time::Duration;

use super::parcel::{Class, Parcel, Proof};
use super::{Event, Gossip};
use crate::gossip::TopicHash;
use crate::gossip::seals::SealId;
use crate::identity::PeerId;
use crate::policy::Micros;

/// Time for which one piece of evidence says enough of a publisher in one epoch on one topic: each further message
/// would bring the same two seals, or two as good.
pub(super) const TOLD_FOR: Duration = Duration::from_secs(60);

/// Runs of publishers of which that is remembered, and so events in that time: half of what a reader may fall
/// behind. 100 KiB. Of others nothing is told.
pub(super) const MAX_TOLD: usize = 1_024;

/// The counters of one publisher in one epoch on one topic.
type Run = (PeerId, TopicHash, u64);

/// What was told lately, and until when that is enough.
#[derive(Debug, Default)]
pub(super) struct Equivocations(BTreeMap<Run, Micros>);

impl Equivocations {
    fn is_to_be_told(&self, now: Micros, run: &Run) -> bool {
        match self.0.get(run) {
            Some(until) => *until <= now,
            None => self.0.len() < MAX_TOLD,
        }
    }

    /// Whether a publisher was caught lately.
    pub(super) fn contest(&self, now: Micros, (topic, publisher): &Class) -> bool {
        let run = |epoch| (*publisher, *topic, epoch);
        let mut runs = self.0.range(run(u64::MIN)..=run(u64::MAX));
        runs.any(|(_, until)| now < *until)
    }

    fn told(&mut self, now: Micros, run: Run) {
        self.0.insert(run, now + TOLD_FOR);
    }

    /// A heartbeat.
    pub(super) fn age(&mut self, now: Micros) {
        self.0.retain(|_, until| now < *until);
    }
}

impl Gossip {
    /// The counter of a proven message belongs to another seal. If the two contradict each other that is told,
    /// once in a while of one publisher: it may say the second thing in as many messages as it likes.
    pub(super) fn tell_equivocation(&mut self, parcel: &Parcel, other: &SealId) {
        let (one, other) = (
            parcel.proof.as_ref().map(Proof::seal),
            self.seals.get(other),
        );
        let (Some(one), Some(other)) = (one, other) else {
            return;
        };
        let publisher = one.publisher();
        let (now, run) = (self.now.mono, (publisher, parcel.topic, one.body().epoch()));
        if self.equivocations.is_to_be_told(now, &run) && one.contradicts(other) {
            let seals = [other.clone(), one.clone()];
            self.equivocations.told(now, run);
            self.emit(Event::Equivocation { publisher, seals });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_publishers_are_told_of_as_may_be_and_others_when_time_has_passed() {
        let (mut equivocations, now) = (Equivocations::default(), Micros(1_000_000));
        let run = |number: usize| {
            let publisher = *blake3::hash(&number.to_le_bytes()).as_bytes();
            (PeerId::from_bytes(publisher), TopicHash::of("one"), 1)
        };
        for number in 0..MAX_TOLD {
            assert!(equivocations.is_to_be_told(now, &run(number)), "{number}");
            equivocations.told(now, run(number));
        }
        assert!(!equivocations.is_to_be_told(now, &run(MAX_TOLD)));
        let (publisher, topic, _) = run(0);
        let other = (TopicHash::of("two"), publisher);
        let last = now + TOLD_FOR - Duration::from_micros(1);
        assert!(equivocations.contest(last, &(topic, publisher)));
        assert!(!equivocations.contest(now + TOLD_FOR, &(topic, publisher)));
        assert!(!equivocations.contest(now, &other));
        let later = now + TOLD_FOR;
        equivocations.age(later - Duration::from_micros(1));
        assert!(!equivocations.is_to_be_told(later, &run(MAX_TOLD)));
        assert!(equivocations.is_to_be_told(later, &run(0)));
        equivocations.age(later);
        assert!(equivocations.is_to_be_told(later, &run(MAX_TOLD)));
    }
}
