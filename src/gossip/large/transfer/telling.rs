//! What neighbours are told of the chunks that are here, and offered.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha8Rng;

use super::{Lot, Partner, Transfer};
use crate::gossip::Link;
use crate::gossip::large::{ChunkSet, News};
use crate::policy::Micros;

impl Transfer {
    /// What each neighbour is to be told now, with at most `room` new offers. The `deaf` are told later.
    pub(in crate::gossip) fn tell(
        &mut self,
        now: Micros,
        room: usize,
        deaf: &BTreeSet<Link>,
        rng: &mut ChaCha8Rng,
    ) -> BTreeMap<Link, News> {
        let mut news: BTreeMap<Link, News> = BTreeMap::new();
        for _ in 0..room {
            let Some((link, index)) = self.next_offer(deaf, rng) else {
                break;
            };
            if let Some(partner) = self.partners.get_mut(&link) {
                partner.offered.insert(index);
                partner.told.insert(index);
                let was_open = partner.open.insert(index, now).is_some();
                if let Some(copies) = self
                    .copies
                    .get_mut(usize::from(index))
                    .filter(|_| !was_open)
                {
                    *copies += 1;
                }
            }
            news.entry(link).or_default().offers.insert(index);
        }
        let asked: ChunkSet = self.under_way.keys().copied().collect();
        let partners = self.partners.iter_mut();
        let told = partners.filter(|(link, one)| one.is_in && !deaf.contains(link));
        for (link, partner) in told {
            // What somebody else was asked for will be here: an offer of it is declined so.
            let declined: ChunkSet = asked
                .iter()
                .filter(|index| {
                    let of = self.under_way.get(index).into_iter().flatten();
                    partner.offers.contains(*index) && of.clone().all(|(other, _)| other != link)
                })
                .collect();
            let new = self.here.and(&declined).without(&partner.told);
            if !new.is_empty() {
                partner.told = partner.told.and(&new);
                news.entry(*link).or_default().has = new;
            }
        }
        news
    }

    /// The neighbour to whom the fewest offers are open, of several the one that lacks the most, and the
    /// rarest chunk that it lacks.
    fn next_offer(&self, deaf: &BTreeSet<Link>, rng: &mut ChaCha8Rng) -> Option<(Link, u16)> {
        let lacks = |one: &Partner| self.here.without(&one.has).without(&one.offered);
        let lot = Lot::draw(rng);
        let partners = self.partners.iter();
        let partners = partners.filter(|(link, _)| !deaf.contains(link));
        let lacking = partners.map(|(link, one)| (one.open.len(), *link, lacks(one)));
        let lacking = lacking.filter(|(.., lacks)| !lacks.is_empty());
        let order = |(open, link, lacks): &(usize, Link, ChunkSet)| {
            (*open, Reverse(lacks.len()), lot.place(*link))
        };
        let (_, link, lacks) = lacking.min_by_key(order)?;
        Some((link, self.rarest(&lacks, rng)?))
    }
}
