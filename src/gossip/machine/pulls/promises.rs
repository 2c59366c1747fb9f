//! What neighbours were asked for, and until when each is to have sent it.

use std::collections::BTreeSet;
use std::collections::btree_map::Entry as Place;
use std::time::Duration;

use super::Pulls;
use crate::gossip::machine::{Gossip, Link};
use crate::policy::Micros;
use crate::wire::message::gossip::MessageId;

/// A timer that is so late was: this node did nothing in between, and read nothing of what it was sent.
const STALL: Duration = Duration::from_millis(700);

/// How soon a neighbour sends what it announced.
#[derive(Debug, Clone, Copy)]
pub(in crate::gossip::machine) struct PromiseTimes {
    /// When it is late.
    usual: Duration,
    /// When it has broken its promise.
    most: Duration,
}

impl Pulls {
    /// A neighbour was asked for a message, and is to send it in time.
    pub(in crate::gossip::machine) fn promise(
        &mut self,
        now: Micros,
        times: PromiseTimes,
        id: MessageId,
        link: Link,
    ) {
        if let Place::Vacant(place) = self.promised.entry((id, link)) {
            place.insert(now);
            self.promises.insert((now + times.usual, id, link));
        }
    }

    /// A neighbour sent a message; whether it had promised to.
    pub(super) fn keep(
        &mut self,
        now: Micros,
        times: PromiseTimes,
        id: MessageId,
        link: Link,
    ) -> bool {
        let Some(at) = self.promised.remove(&(id, link)) else {
            return false;
        };
        self.promises.remove(&(at + times.usual, id, link));
        self.overdue.remove(&(at + times.most, id, link));
        self.answered(now.since(at));
        true
    }

    /// Whether a neighbour is to send a message that it was asked for.
    pub(in crate::gossip::machine) fn is_promised(&self, link: Link, id: &MessageId) -> bool {
        self.promised.contains_key(&(*id, link))
    }

    /// After a stall of this node every neighbour has as much more time.
    fn forgive_stall(&mut self, now: Micros) {
        let stall = now.since(std::mem::replace(&mut self.looked, now));
        let first = [self.promises.first(), self.overdue.first()];
        let due = first.into_iter().flatten().map(|(at, ..)| *at).min();
        if due.is_none_or(|due| now.since(due) < STALL) {
            return;
        }
        for moments in [&mut self.promises, &mut self.overdue] {
            let later = std::mem::take(moments).into_iter();
            *moments = later.map(|(at, id, link)| (at + stall, id, link)).collect();
        }
        for at in self.promised.values_mut() {
            *at = *at + stall;
        }
    }

    /// An answer that is late, if there is one.
    fn pop_late(&mut self, now: Micros) -> Option<(MessageId, Link)> {
        let (_, id, link) = pop_due(&mut self.promises, now)?;
        Some((id, link))
    }

    /// What is late may still come.
    fn wait_for(&mut self, times: PromiseTimes, id: MessageId, link: Link) {
        if let Some(at) = self.promised.get(&(id, link)) {
            self.overdue.insert((*at + times.most, id, link));
        }
    }

    /// A neighbour that has not sent what it had the whole time for, if there is one.
    fn pop_broken(&mut self, now: Micros) -> Option<Link> {
        let (_, id, link) = pop_due(&mut self.overdue, now)?;
        self.promised.remove(&(id, link));
        Some(link)
    }

    /// A neighbour is gone, and what it announced on its streams with it.
    pub(in crate::gossip::machine) fn release(&mut self, link: Link) {
        self.promised.retain(|(_, one), _| *one != link);
        self.promises.retain(|(.., one)| *one != link);
        self.overdue.retain(|(.., one)| *one != link);
    }
}

impl Gossip {
    /// Who is late is asked last for a while. If it sends messages at all, it may be overloaded, and has the
    /// whole time of a promise; else it has broken one.
    pub(super) fn look_at_promises(&mut self) {
        let (now, times) = (self.now.mono, self.promise_times());
        self.pulls.forgive_stall(now);
        while let Some((id, link)) = self.pulls.pop_late(now) {
            if let Some(sources) = &mut self.sources {
                sources.broke_promise(now, link);
            }
            let neighbour = self.neighbours.get(&link);
            if neighbour.is_some_and(|one| one.brings(now)) && times.usual < times.most {
                self.pulls.wait_for(times, id, link);
            } else {
                self.pulls.promised.remove(&(id, link));
                self.score.misbehaved(link, 1);
            }
        }
        while let Some(link) = self.pulls.pop_broken(now) {
            self.score.misbehaved(link, 1);
        }
    }

    pub(in crate::gossip::machine) fn promise_times(&self) -> PromiseTimes {
        let most = self.config.iwant_followup_time;
        let usual = self.by_source().map_or(most, |one| one.promise.min(most));
        PromiseTimes { usual, most }
    }
}

/// The first of moments in order, if it has come.
fn pop_due(
    moments: &mut BTreeSet<(Micros, MessageId, Link)>,
    now: Micros,
) -> Option<(Micros, MessageId, Link)> {
    let first = moments.first().copied().filter(|(at, ..)| *at <= now)?;
    moments.remove(&first);
    Some(first)
}
