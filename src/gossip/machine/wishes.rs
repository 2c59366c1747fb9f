//! How all neighbours want the messages of one publisher, at one look-up.

use std::collections::BTreeMap;

use foldhash::HashMap;

use super::Link;
use super::neighbour::Neighbour;
use super::parcel::Class;
use crate::wire::message::gossip::Mode;

/// Classes of which it is written down: as many publishers as say something in a large network. 16 bytes a neighbour
/// and class: 400 KiB with 25 neighbours. Of more, all is written down anew now and then.
pub(super) const MAX_WRITTEN: usize = 1_024;

/// What neighbours asked for, by class, where messages came lately. Each neighbour has its own and bounded list
/// ([`Neighbour::asked`]); this is a copy of them, the other way round.
#[derive(Debug, Default)]
pub(super) struct Wishes(HashMap<Class, Vec<(Link, Mode)>>);

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
    /// What was written down last of a class.
    pub(super) fn of(&self, class: &Class) -> Wanted<'_> {
        Wanted(self.0.get(class).map_or(&[], Vec::as_slice))
    }

    /// Writes down what neighbours want of a class, unless that is done already.
    pub(super) fn write_down(&mut self, class: &Class, neighbours: &BTreeMap<Link, Neighbour>) {
        if self.0.contains_key(class) {
            return;
        }
        if self.0.len() >= MAX_WRITTEN {
            self.0.clear();
        }
        let modes = neighbours.iter();
        let modes = modes.filter_map(|(link, one)| Some((*link, one.asked(class)?)));
        self.0.insert(*class, modes.collect());
    }

    /// A neighbour asked for a mode.
    pub(super) fn changed(&mut self, class: &Class, link: Link, mode: Option<Mode>) {
        let (Some(modes), Some(mode)) = (self.0.get_mut(class), mode) else {
            return;
        };
        match modes.binary_search_by_key(&link, |(link, _)| *link) {
            Ok(at) => modes[at].1 = mode,
            Err(at) => modes.insert(at, (link, mode)),
        }
    }

    /// What a neighbour asked for is void.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// Whether it is what the neighbours say.
    #[cfg(test)]
    pub(super) fn are_true(&self, neighbours: &BTreeMap<Link, Neighbour>) -> bool {
        self.0.keys().all(|class| {
            let mut anew = Self::default();
            anew.write_down(class, neighbours);
            anew.0[class] == self.0[class]
        })
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
