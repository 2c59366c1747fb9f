//! Which messages the program judges, and when: the neighbours that brought them take turns, so that
//! none of them delays or crowds out what others brought.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use super::store::State;
use super::{Gossip, Link, Output, TopicHash, Verdict};
use crate::wire::message::gossip::MessageId;

/// Messages that the program judges at once: what waits for something else, a disk or a lock, is overlapped.
pub(super) const AT_ONCE: usize = 64;

/// Of these, messages that one neighbour brought: it takes four of them to have all the places.
pub(super) const AT_ONCE_PER_LINK: usize = 16;

/// Messages that wait, at most: 32 MiB of the longest.
pub(super) const MAX_WAITING: usize = 2_048;

/// Of these, messages that one neighbour brought: what the fastest link brings in a quarter of a second at
/// a thousand a second.
pub(super) const MAX_WAITING_PER_LINK: usize = 256;

/// Messages that wait for the program, by who brought each of them first.
#[derive(Debug, Default)]
pub(super) struct Judging {
    /// No line is empty.
    lines: BTreeMap<Link, Line>,
    /// Messages that wait, the long ones apart.
    waiting: usize,
    /// What the program judges now.
    open: BTreeMap<MessageId, Link>,
    open_of: BTreeMap<Link, usize>,
    /// Whose turn was last.
    last: Option<Link>,
}

/// What waits of one neighbour.
#[derive(Debug, Default)]
struct Line {
    messages: VecDeque<MessageId>,
    /// Long messages all of which are here, of which the neighbour gave the last chunk. They are in memory until
    /// they are judged, so that they are bounded with it; they come first and give way to none.
    whole: VecDeque<MessageId>,
}

impl Line {
    fn len(&self) -> usize {
        self.messages.len()
    }

    fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.whole.is_empty()
    }
}

impl Judging {
    /// Whether one more message of a neighbour finds a place. When all places are taken it does as long
    /// as another neighbour has more of them.
    pub(super) fn has_room(&self, link: Link) -> bool {
        let own = self.lines.get(&link).map_or(0, Line::len);
        let longest = || self.lines.values().map(Line::len).max().unwrap_or(0);
        own < MAX_WAITING_PER_LINK && (self.waiting < MAX_WAITING || own + 1 < longest())
    }

    /// A message stands in line, if there is [room](Self::has_room); the one that loses its place to it, the
    /// last of the longest line.
    pub(super) fn put(&mut self, link: Link, id: MessageId) -> Option<MessageId> {
        let displaced = if self.waiting >= MAX_WAITING {
            self.displace()
        } else {
            None
        };
        self.waiting += 1;
        let line = self.lines.entry(link).or_default();
        line.messages.push_back(id);
        displaced
    }

    /// All of a long message is here.
    pub(super) fn put_whole(&mut self, link: Link, id: MessageId) {
        let line = self.lines.entry(link).or_default();
        line.whole.push_back(id);
    }

    /// The next message to be judged, of the neighbour whose turn it is.
    pub(super) fn begin(&mut self) -> Option<MessageId> {
        if self.open.len() >= AT_ONCE {
            return None;
        }
        let link = self.next_link()?;
        let line = self.lines.get_mut(&link)?;
        let whole = line.whole.pop_front();
        self.waiting -= usize::from(whole.is_none());
        let id = whole.or_else(|| line.messages.pop_front())?;
        self.shortened(link);
        self.last = Some(link);
        self.open.insert(id, link);
        *self.open_of.entry(link).or_default() += 1;
        Some(id)
    }

    /// The program judged a message, or need not.
    pub(super) fn end(&mut self, id: &MessageId) {
        let Some(link) = self.open.remove(id) else {
            return;
        };
        if let Some(open) = self.open_of.get_mut(&link) {
            *open -= 1;
            if *open == 0 {
                self.open_of.remove(&link);
            }
        }
    }

    /// The next neighbour after the last one that has something in line and not too much open.
    fn next_link(&self) -> Option<Link> {
        let after = self.last.map_or(Bound::Unbounded, Bound::Excluded);
        let later = self.lines.range((after, Bound::Unbounded));
        let mut links = later.chain(self.lines.iter()).map(|(link, _)| *link);
        links.find(|link| self.open_of(*link) < AT_ONCE_PER_LINK)
    }

    fn displace(&mut self) -> Option<MessageId> {
        let lines = self.lines.iter();
        let longest = lines.max_by_key(|(_, line)| line.len());
        let link = longest.map(|(link, _)| *link)?;
        let id = self.lines.get_mut(&link)?.messages.pop_back();
        self.waiting -= usize::from(id.is_some());
        self.shortened(link);
        id
    }

    fn shortened(&mut self, link: Link) {
        if self.lines.get(&link).is_some_and(Line::is_empty) {
            self.lines.remove(&link);
        }
    }

    fn open_of(&self, link: Link) -> usize {
        self.open_of.get(&link).copied().unwrap_or(0)
    }

    /// Messages of a neighbour that wait, and that are being judged.
    #[cfg(test)]
    pub(super) fn of(&self, link: Link) -> (usize, usize) {
        let line = self.lines.get(&link);
        (line.map_or(0, Line::len), self.open_of(link))
    }
}

impl Gossip {
    /// A proven message stands in line for the program, which has room for it.
    pub(super) fn judge(&mut self, link: Link, id: MessageId) {
        if let Some(displaced) = self.judging.put(link, id) {
            // Nobody is to blame, and nobody has seen it: it may come again.
            let entry = self.store.get(&displaced);
            if let Some(State::Waiting(_, from)) = entry.map(|entry| &entry.state) {
                let from = from.clone();
                self.forsake(&displaced, &from);
            }
        }
        self.judge_waiting();
    }

    /// A long message all of which is here stands in line once more.
    pub(super) fn judge_whole(&mut self, link: Link, id: MessageId) {
        self.judging.put_whole(link, id);
        self.judge_waiting();
    }

    pub(super) fn judged(&mut self, id: &MessageId, verdict: Verdict) {
        self.judging.end(id);
        self.decide(id, verdict);
        self.judge_waiting();
    }

    /// Has messages judged whose turn it is. Those of a topic that the program left are dropped.
    fn judge_waiting(&mut self) {
        while let Some(id) = self.judging.begin() {
            if let Some(question) = self.question(&id) {
                self.outputs.push_back(question);
            } else {
                self.judging.end(&id);
                self.decide(&id, Verdict::Ignore);
            }
        }
    }

    /// What the program is asked; nothing if it does not want to know any more, or if something else was said under
    /// the counter of the message while it waited.
    fn question(&mut self, id: &MessageId) -> Option<Output> {
        let entry = self.store.get(id)?;
        let State::Waiting(parcel, _) = &entry.state else {
            let whole = self.transfers.get_mut(id)?.to_judge()?.clone();
            return self.wants(&whole.topic).then_some(Output::Judge(whole));
        };
        let parcel = parcel.clone();
        if !self.wants(&parcel.topic) || !self.is_fresh(&parcel) {
            return None;
        }
        let Some(message) = parcel.message() else {
            return parcel.header().map(Output::JudgeHeader);
        };
        self.remember(&parcel);
        Some(Output::Judge(message))
    }

    fn wants(&self, topic: &TopicHash) -> bool {
        let topic = self.topics.get(topic);
        topic.is_some_and(super::Topic::is_subscribed)
    }
}
