//! What each neighbour contributes to a topic.

use std::collections::BTreeMap;
use std::time::Duration;

use super::io::Link;
use super::neighbour::BRINGS;
use crate::policy::Micros;

/// So many messages of a topic come, and a neighbour is not seen with any of them: it brings nothing. A silent
/// link announces one in 32 all the same, so that one in sixty of those that are silent is taken for such a
/// neighbour by chance.
pub(super) const IDLE_AFTER: u64 = 128;

/// And for so long: three heartbeats. A burst of one publisher says nothing of anybody else.
pub(super) const IDLE_FOR: Duration = Duration::from_secs(2);

/// Who joins a mesh has the time of an idle member to be seen, once in this time: to leave and to come back
/// makes nobody busy.
pub(super) const GRANTED_EVERY: Duration = Duration::from_secs(60);

/// What the neighbours were seen to bring; of those that are gone nothing is known.
#[derive(Debug, Default)]
pub(super) struct Contributions {
    /// Messages so far.
    accepted: u64,
    seen: BTreeMap<Link, Seen>,
}

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

impl Contributions {
    /// A message came; who brought it first, if that is a neighbour.
    pub(super) fn accept(&mut self, first: Option<Link>, now: Micros) {
        self.accepted += 1;
        if let Some(link) = first {
            self.saw(link, now);
            self.seen(link, now).brought = Some(now);
        }
    }

    /// A neighbour brought or announced a message.
    pub(super) fn saw(&mut self, link: Link, now: Micros) {
        let accepted = self.accepted;
        let seen = self.seen(link, now);
        (seen.accepted, seen.at) = (accepted, now);
    }

    /// A neighbour joined the mesh.
    pub(super) fn joined(&mut self, link: Link, now: Micros) {
        let accepted = self.accepted;
        let seen = self.seen(link, now);
        let is_granted = seen.granted.is_some_and(|at| now.since(at) < GRANTED_EVERY);
        if !is_granted {
            (seen.accepted, seen.at, seen.granted) = (accepted, now, Some(now));
        }
    }

    /// A neighbour is gone.
    pub(super) fn left(&mut self, link: Link) {
        self.seen.remove(&link);
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

    /// Neighbours of whom something is known.
    #[cfg(test)]
    pub(super) fn known(&self) -> usize {
        self.seen.len()
    }

    fn seen(&mut self, link: Link, now: Micros) -> &mut Seen {
        let accepted = self.accepted;
        self.seen.entry(link).or_insert(Seen {
            accepted,
            at: now,
            granted: None,
            brought: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Micros = Micros(1_000_000);
    const STEP: Duration = Duration::from_micros(1);
    const LINK: Link = Link(1);

    /// Many messages of others.
    fn pass(contributions: &mut Contributions, count: u64, now: Micros) {
        for _ in 0..count {
            contributions.accept(None, now);
        }
    }

    #[test]
    fn who_is_not_seen_with_so_many_messages_for_so_long_is_idle() {
        for (messages, span, is_idle) in [
            (IDLE_AFTER - 1, IDLE_FOR * 2, false),
            (IDLE_AFTER, IDLE_FOR, true),
            (IDLE_AFTER + 1, IDLE_FOR, true),
            (IDLE_AFTER * 100, IDLE_FOR - STEP, false),
            (IDLE_AFTER, IDLE_FOR + STEP, true),
        ] {
            let mut contributions = Contributions::default();
            contributions.joined(LINK, START);
            pass(&mut contributions, messages, START);
            let found = contributions.is_idle(LINK, START + span);
            assert_eq!(found, is_idle, "{messages} messages, {span:?}");
            contributions.saw(LINK, START + span);
            assert!(!contributions.is_idle(LINK, START + span + IDLE_FOR));
        }
    }

    #[test]
    fn who_leaves_and_comes_back_has_no_more_time_than_who_stays() {
        for (after, is_idle) in [
            (GRANTED_EVERY - STEP, true),
            (GRANTED_EVERY, false),
            (GRANTED_EVERY + STEP, false),
        ] {
            let mut contributions = Contributions::default();
            contributions.joined(LINK, START);
            pass(&mut contributions, IDLE_AFTER, START);
            contributions.joined(LINK, START + after);
            assert_eq!(
                contributions.is_idle(LINK, START + after),
                is_idle,
                "{after:?}"
            );
        }
    }

    #[test]
    fn who_was_first_brings_messages_for_ten_seconds_unless_it_falls_silent() {
        let mut contributions = Contributions::default();
        contributions.accept(Some(LINK), START);
        assert!(!contributions.brings(Link(2), START));
        assert!(contributions.brings(LINK, START + BRINGS - STEP));
        assert!(!contributions.brings(LINK, START + BRINGS));
        pass(&mut contributions, IDLE_AFTER, START);
        assert!(contributions.brings(LINK, START + IDLE_FOR - STEP));
        assert!(!contributions.brings(LINK, START + IDLE_FOR));
    }
}
