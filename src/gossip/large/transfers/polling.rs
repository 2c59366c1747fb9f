//! What is to be asked for and told next, of all long messages together.

use std::collections::BTreeMap;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;

use super::{FIRST_PATIENCE, MAX_OFFERS, Origin, PATIENCE, Transfers};
use crate::gossip::Link;
use crate::gossip::large::news::News;
use crate::gossip::large::transfer::{MAX_ASKED, Transfer};
use crate::policy::Micros;
use crate::wire::message::gossip::MessageId;

impl Transfers {
    /// What is to be asked for now, of whom, and what is to be told.
    #[allow(clippy::type_complexity, reason = "two lists, taken apart at once")]
    pub(in crate::gossip) fn poll(
        &mut self,
        now: Micros,
        rng: &mut ChaCha8Rng,
    ) -> (Vec<(Link, MessageId, u16)>, Vec<(Link, MessageId, News)>) {
        let (mut asks, mut news) = (Vec::new(), Vec::new());
        self.polled = now;
        let patience = self.patience();
        let late = now - patience;
        let busy = || self.busy().map(|(_, one)| one);
        // What is late keeps nobody else from being asked, but for the one that is late.
        let young = busy().map(|one| one.asked_since(late)).sum();
        let mut room = MAX_ASKED.saturating_sub(young);
        let open: usize = busy().map(|one| one.open_offers(now)).sum();
        let mut offers = MAX_OFFERS.saturating_sub(open);
        self.wake(offers);
        let mut room_of = self.room_of_links();
        for (id, (_, transfer)) in &mut self.open {
            if transfer.is_quiet() {
                continue;
            }
            let before = (asks.len(), news.len());
            let (has_room, may_offer) = (room > 0, offers > 0);
            for (link, index) in transfer.ask(now, late, room, &mut room_of, rng) {
                room = room.saturating_sub(1);
                asks.push((link, *id, index));
            }
            for (link, told) in transfer.tell(now, offers, &self.deaf, rng) {
                offers = offers.saturating_sub(told.offers.len());
                news.push((link, *id, told));
            }
            if has_room && before == (asks.len(), news.len()) {
                transfer.settle(now);
                if !may_offer && transfer.is_quiet() && transfer.begins_to_wait() {
                    self.waiting.push_back(*id);
                }
            }
        }
        (asks, news)
    }

    /// Chunks that each neighbour may still be asked for.
    fn room_of_links(&self) -> BTreeMap<Link, usize> {
        let mut room_of = BTreeMap::new();
        for (link, asked) in self.busy().flat_map(|(_, one)| one.asked_by_link()) {
            let room = room_of.entry(link).or_insert_with(|| self.pace.of(link));
            *room = room.saturating_sub(asked);
        }
        room_of
    }

    /// As many messages as find room for an offer are looked at again.
    fn wake(&mut self, mut count: usize) {
        while count > 0
            && let Some(id) = self.waiting.pop_front()
        {
            // Others are gone.
            if let Some((_, transfer)) = self.open.get_mut(&id) {
                transfer.wake();
                count -= 1;
            }
        }
    }

    /// A neighbour answered a question, or did not; after what time. Other messages that it offers chunks of may have
    /// waited for that.
    pub(in crate::gossip) fn answered(
        &mut self,
        now: Micros,
        id: &MessageId,
        link: Link,
        index: u16,
    ) -> Option<Duration> {
        let open = self.open.values_mut().map(|(_, one)| one);
        let waiting = open.filter(|one| one.is_quiet() && one.lacks_of(link));
        let room = self.pace.of(link);
        waiting.take(room).for_each(Transfer::resume);
        self.get_mut(id)?.answered(now, link, index)
    }

    /// A neighbour let a question run out: it is asked for less at once, and may be asked for the same again.
    pub(in crate::gossip) fn ran_out(&mut self, link: Link) {
        self.pace.ran_out(link);
    }

    /// A chunk came from a neighbour, after so long, new or not.
    pub(in crate::gossip) fn gave_chunk(&mut self, link: Link, after: Duration) {
        self.pace.gave(link, after);
    }

    /// A chunk came that was new, after so long.
    pub(in crate::gossip) fn responded(&mut self, after: Duration) {
        let response = self.response.get_or_insert(after);
        *response = (*response * 7 + after) / 8;
    }

    #[cfg(test)]
    pub(in crate::gossip::large) fn pace(&self, link: Link) -> usize {
        self.pace.of(link)
    }

    pub(in crate::gossip::large) fn patience(&self) -> Duration {
        let (least, most) = PATIENCE;
        let usual = self.response.map(|usual| (usual * 3).clamp(least, most));
        usual.unwrap_or(FIRST_PATIENCE)
    }

    /// When something is to be done, if nothing comes before.
    pub(in crate::gossip) fn next(&self) -> Option<Micros> {
        let (patience, polled) = (self.patience(), self.polled);
        let busy = self.busy();
        busy.filter_map(|(_, one)| one.next(patience, polled)).min()
    }

    pub(in crate::gossip::large) fn busy(&self) -> impl Iterator<Item = &(Origin, Transfer)> {
        self.open.values().filter(|(_, one)| !one.is_quiet())
    }
}
