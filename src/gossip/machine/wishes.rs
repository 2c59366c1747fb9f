//! How neighbours want the messages of which publishers.

use std::collections::hash_map::Entry;

use foldhash::HashMap;

use super::parcel::Class;
use super::{Link, TopicHash};
use crate::identity::PeerId;
use crate::wire::message::gossip::Mode;

/// Classes for which a neighbour may ask for a mode: as many as this node chooses links for.
pub(super) const MAX_ASKED: usize = 4_096;

/// What neighbours asked for, by class: one look-up tells what all of them want of a message.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// In the order of links.
    modes: HashMap<Class, Vec<(Link, Mode)>>,
    askers: HashMap<Link, Asker>,
}

/// For which classes one neighbour asked.
#[derive(Debug, Default)]
struct Asker {
    publishers: HashMap<TopicHash, Vec<PeerId>>,
    count: usize,
    /// Whether all of it was gone through since the last heartbeat.
    is_swept: bool,
}

/// What neighbours want of one class.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a>(&'a [(Link, Mode)]);

impl Wanted<'_> {
    /// What a neighbour asked for, if it did.
    pub(super) fn by(&self, link: Link) -> Option<Mode> {
        let at = self.0.binary_search_by_key(&link, |(link, _)| *link);
        at.ok().map(|at| self.0[at].1)
    }
}

impl Wishes {
    pub(super) fn of(&self, class: &Class) -> Wanted<'_> {
        Wanted(self.modes.get(class).map_or(&[], Vec::as_slice))
    }

    /// A neighbour says how it wants the messages of a class. When there are too many, those of publishers of whom
    /// nothing `is_known` here give way, at most once in a heartbeat. It is not heard if there are none: the
    /// mesh decides then, as for a class that nobody spoke of.
    pub(super) fn ask(
        &mut self,
        link: Link,
        class: Class,
        mode: Mode,
        is_known: impl Fn(&Class) -> bool,
    ) {
        let is_new = self.of(&class).by(link).is_none();
        let asker = self.askers.entry(link).or_default();
        if is_new && asker.count >= MAX_ASKED && !asker.is_swept {
            asker.is_swept = true;
            self.sweep(link, is_known);
        }
        if is_new && !self.count(link, class) {
            return;
        }
        let modes = self.modes.entry(class).or_default();
        match modes.binary_search_by_key(&link, |(link, _)| *link) {
            Ok(at) => modes[at].1 = mode,
            Err(at) => modes.insert(at, (link, mode)),
        }
    }

    /// What a neighbour asked for on a topic is void. Each wish is forgotten once: to come and go costs no more than
    /// was said meanwhile.
    pub(super) fn leave(&mut self, link: Link, topic: &TopicHash) {
        let Some(asker) = self.askers.get_mut(&link) else {
            return;
        };
        let publishers = asker.publishers.remove(topic).unwrap_or_default();
        asker.count -= publishers.len();
        for publisher in publishers {
            self.forget(link, (*topic, publisher));
        }
    }

    /// All that a neighbour asked for is void.
    pub(super) fn disconnected(&mut self, link: Link) {
        let asker = self.askers.remove(&link).unwrap_or_default();
        for (topic, publishers) in asker.publishers {
            for publisher in publishers {
                self.forget(link, (topic, publisher));
            }
        }
    }

    /// A heartbeat: what was asked for may be gone through again.
    pub(super) fn beat(&mut self) {
        for asker in self.askers.values_mut() {
            asker.is_swept = false;
        }
    }

    /// For how many classes a neighbour asked.
    #[cfg(test)]
    pub(super) fn of_neighbour(&self, link: Link) -> usize {
        self.askers.get(&link).map_or(0, |asker| asker.count)
    }

    /// Writes down that a neighbour asks for one more; whether there is room.
    fn count(&mut self, link: Link, (topic, publisher): Class) -> bool {
        let asker = self.askers.entry(link).or_default();
        let has_room = asker.count < MAX_ASKED;
        if has_room {
            asker.count += 1;
            asker.publishers.entry(topic).or_default().push(publisher);
        }
        has_room
    }

    fn sweep(&mut self, link: Link, is_known: impl Fn(&Class) -> bool) {
        let Some(asker) = self.askers.get_mut(&link) else {
            return;
        };
        let mut void = Vec::new();
        for (topic, publishers) in &mut asker.publishers {
            let unknown = publishers.extract_if(.., |one| !is_known(&(*topic, *one)));
            void.extend(unknown.map(|publisher| (*topic, publisher)));
        }
        asker.count -= void.len();
        for class in void {
            self.forget(link, class);
        }
    }

    fn forget(&mut self, link: Link, class: Class) {
        if let Entry::Occupied(mut entry) = self.modes.entry(class) {
            entry.get_mut().retain(|(asker, _)| *asker != link);
            if entry.get().is_empty() {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: Link = Link(1);

    fn class(topic: &str, number: usize) -> Class {
        let publisher = PeerId::from_bytes(*blake3::hash(&number.to_le_bytes()).as_bytes());
        (TopicHash::of(topic), publisher)
    }

    fn all(_: &Class) -> bool {
        true
    }

    impl Wishes {
        fn asked(&self, topic: &str, number: usize) -> Option<Mode> {
            self.of(&class(topic, number)).by(LINK)
        }
    }

    #[test]
    fn modes_beyond_the_limit_are_not_heard_and_those_before_may_change() {
        let mut wishes = Wishes::default();
        let name = |number: usize| ["one", "other"][number % 2];
        for number in 0..=MAX_ASKED {
            wishes.ask(LINK, class(name(number), number), Mode::Lazy, all);
        }
        let last = MAX_ASKED - 1;
        assert_eq!(wishes.asked(name(last), last), Some(Mode::Lazy));
        assert_eq!(wishes.asked("one", MAX_ASKED), None);
        wishes.ask(LINK, class("one", 0), Mode::Eager, all);
        assert_eq!(wishes.asked("one", 0), Some(Mode::Eager));
        // What it asked for on a topic that it left makes room.
        wishes.leave(LINK, &TopicHash::of("other"));
        wishes.ask(LINK, class("one", MAX_ASKED), Mode::Lazy, all);
        assert_eq!(wishes.asked("one", MAX_ASKED), Some(Mode::Lazy));
        assert_eq!(wishes.asked("other", 1), None);
    }

    /// Somebody with thousands of keys said one thing under each, and every neighbour chose its links for them.
    #[test]
    fn attack_modes_for_publishers_that_are_forgotten_make_room_for_others() {
        let mut wishes = Wishes::default();
        for number in 0..MAX_ASKED {
            wishes.ask(LINK, class("one", number), Mode::Lazy, all);
        }
        let is_known = |known: &Class| *known == class("one", 0);
        wishes.ask(LINK, class("one", MAX_ASKED), Mode::Eager, is_known);
        assert_eq!(wishes.asked("one", MAX_ASKED), Some(Mode::Eager));
        assert_eq!(wishes.asked("one", 0), Some(Mode::Lazy));
        assert_eq!(wishes.asked("one", 1), None);
        assert_eq!((wishes.of_neighbour(LINK), wishes.modes.len()), (2, 2));
        // All is gone through once in a heartbeat.
        for number in 1..MAX_ASKED {
            wishes.ask(LINK, class("one", number), Mode::Lazy, all);
        }
        let next = class("one", MAX_ASKED + 1);
        wishes.ask(LINK, next, Mode::Eager, |_| false);
        assert_eq!(wishes.asked("one", MAX_ASKED + 1), None);
        wishes.beat();
        wishes.ask(LINK, next, Mode::Eager, |_| false);
        assert_eq!(wishes.asked("one", MAX_ASKED + 1), Some(Mode::Eager));
    }

    /// What it said of others is not gone through for that: whoever comes and goes on one topic would have all of it
    /// looked at each time.
    #[test]
    fn who_leaves_a_topic_loses_its_wishes_there_and_only_these() {
        let mut wishes = Wishes::default();
        for number in 0..MAX_ASKED / 2 {
            wishes.ask(LINK, class("left", number), Mode::Lazy, all);
            wishes.ask(LINK, class("kept", number), Mode::Eager, all);
        }
        assert_eq!(wishes.of_neighbour(LINK), MAX_ASKED);
        for _ in 0..3 {
            wishes.leave(LINK, &TopicHash::of("left"));
            wishes.leave(LINK, &TopicHash::of("never"));
            assert_eq!(wishes.of_neighbour(LINK), MAX_ASKED / 2);
        }
        assert_eq!(wishes.asked("left", 0), None);
        assert_eq!(wishes.asked("kept", 0), Some(Mode::Eager));
        for number in 0..=MAX_ASKED / 2 {
            wishes.ask(LINK, class("back", number), Mode::Lazy, all);
        }
        assert_eq!(wishes.of_neighbour(LINK), MAX_ASKED, "as many as went");
    }

    #[test]
    fn who_is_gone_leaves_the_wishes_of_others_and_nothing_else() {
        let mut wishes = Wishes::default();
        for link in [Link(3), LINK, Link(2)] {
            for number in 0..2 {
                wishes.ask(link, class("one", number), Mode::Lazy, all);
            }
        }
        wishes.ask(LINK, class("one", 2), Mode::Silent, all);
        wishes.disconnected(LINK);
        assert_eq!(wishes.asked("one", 0), None);
        for link in [Link(2), Link(3)] {
            assert_eq!(wishes.of(&class("one", 0)).by(link), Some(Mode::Lazy));
        }
        for link in [Link(2), Link(3)] {
            wishes.disconnected(link);
        }
        assert!(wishes.modes.is_empty() && wishes.askers.is_empty());
    }
}
