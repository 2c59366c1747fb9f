//! Lookups under way: when they begin, what they are answered, how they end.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;

use super::{Core, MAX_CALLS};
use crate::discovery::Scope;
use crate::discovery::lookup::{ALARM_AT, Found, Lookup, LookupPolicy};
use crate::discovery::machine::OperationId;
use crate::discovery::machine::answer;
use crate::discovery::machine::calls::{Late, Purpose, Repetition};
use crate::discovery::machine::io::{Event, Looked};
use crate::discovery::machine::search::{Aim, Question, Search, SearchId};
use crate::discovery::machine::signal::Signal;
use crate::identity::PeerId;
use crate::wire::message::discovery::Contact;

/// Lookups at once; more wait for their turn.
const MAX_SEARCHES: usize = 64;

/// Lookups that wait for their turn: a table's refresh has less than one a bucket.
const MAX_WAITING: usize = 1_024;

/// No lookup takes longer: twenty steps to nodes that are given up after half a second each.
const LONGEST_SEARCH: Duration = Duration::from_secs(10);

/// Nodes from which a lookup starts: as many as it may ask before the first answer, and enough to go
/// on if half of them are dead.
const SEEDS: usize = 40;

impl Core {
    /// Begins a lookup, or lines it up. Its owner is told what it finds.
    pub(in crate::discovery::machine) fn search(
        &mut self,
        owner: OperationId,
        aim: Aim,
    ) -> SearchId {
        let id = SearchId(self.next_search);
        self.next_search += 1;
        if self.searches.len() < MAX_SEARCHES {
            self.begin(id, owner, aim);
        } else if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back((id, owner, aim));
        } else {
            self.signal(owner, Signal::Found(id, Found::default()));
        }
        id
    }

    fn begin(&mut self, id: SearchId, owner: OperationId, aim: Aim) {
        let target = aim.target;
        self.table.looked_up(self.now.mono, &target);
        let seeds = aim
            .seeds
            .unwrap_or_else(|| self.table.seeds(&target, SEEDS));
        let policy = LookupPolicy {
            alpha: self.config.alpha,
            alpha_max: self.config.alpha_max,
            paths: aim.paths.max(self.config.paths),
        };
        let density = if aim.is_sample {
            self.estimate.sampling_density()
        } else {
            self.density().clone()
        };
        let lookup = Lookup::new(target, seeds, &policy, density);
        let search = Search {
            owner,
            question: aim.question,
            goal: aim.goal,
            lookup,
            deadline: self.now.mono + LONGEST_SEARCH,
            began: self.now.mono,
            nearest: None,
            repeated: BTreeSet::new(),
        };
        self.searches.insert(id, search);
        self.pump(id);
    }

    /// Sends what a search wants to send, and ends it if it is over.
    pub(super) fn pump(&mut self, id: SearchId) {
        loop {
            if self.calls.len() >= MAX_CALLS {
                self.has_starved = true;
                break;
            }
            let Some(search) = self.searches.get_mut(&id) else {
                return;
            };
            let Some(contact) = search.lookup.next_request() else {
                break;
            };
            let (kind, body) = search.question.frame(search.lookup.target());
            if contact.peer != self.local && !self.is_vetoed(&contact.peer) {
                self.call(Purpose::Search(id), contact, kind, body);
            } else if let Some(search) = self.searches.get_mut(&id) {
                search.lookup.failed(&contact.peer);
            }
        }
        let now = self.now.mono;
        let over = |search: &Search| search.lookup.is_finished() || search.deadline <= now;
        if self.searches.get(&id).is_some_and(over) {
            self.end_search(id);
        }
    }

    pub(super) fn end_search(&mut self, id: SearchId) {
        let Some(search) = self.searches.remove(&id) else {
            return;
        };
        let is_meant = |one: Purpose| one.search() == Some(id);
        for call in self.calls.with_purpose(is_meant) {
            self.abandon(call);
        }
        let found = search.lookup.found();
        let target = *search.lookup.target();
        let answered_at = search.nearest.map_or(self.now.mono, |(_, at)| at);
        self.emit(Event::Looked(Looked {
            target,
            hops: found.hops,
            requests: found.requests,
            nearest_after: answered_at.since(search.began),
            over_after: self.now.mono.since(search.began),
            over_quota: found.over_quota,
            is_suspicious: found.is_suspicious,
        }));
        if found.over_quota >= ALARM_AT {
            let over_quota = found.over_quota;
            self.emit(Event::Alarm { target, over_quota });
        }
        self.signal(search.owner, Signal::Found(id, found));
    }

    /// Lets go of all that an operation has under way.
    pub(in crate::discovery::machine) fn forget(&mut self, operation: OperationId) {
        self.waiting.retain(|(_, owner, _)| *owner != operation);
        let owned = |(_, search): &(&SearchId, &Search)| search.owner == operation;
        let searches: Vec<_> = self
            .searches
            .iter()
            .filter(owned)
            .map(|(id, _)| *id)
            .collect();
        let is_meant = |purpose| match purpose {
            Purpose::Search(id) | Purpose::Repeated(id, _) => searches.contains(&id),
            Purpose::Operation(owner, _) => owner == operation,
            Purpose::Probe => false,
        };
        for call in self.calls.with_purpose(is_meant) {
            self.abandon(call);
        }
        for id in searches {
            self.searches.remove(&id);
        }
    }

    /// Calls and searches under way, those that wait included.
    #[cfg(test)]
    pub(in crate::discovery::machine) fn pending(&self) -> (usize, usize) {
        (self.calls.len(), self.searches.len() + self.waiting.len())
    }

    pub(super) fn search_late(&mut self, id: SearchId, contact: &Contact, late: (Late, bool)) {
        let Some(search) = self.searches.get_mut(&id) else {
            return;
        };
        let peer = &contact.peer;
        let mut repeats = false;
        match late {
            (Late::Slow, may_repeat) => {
                let may_repeat = may_repeat && search.question == Question::Nodes;
                repeats = search.lookup.slow(peer, may_repeat);
            }
            (Late::GivenUp, _) => search.lookup.given_up(peer),
            (Late::Lost, _) => search.lookup.failed(peer),
        }
        if repeats {
            self.repeat(id, contact.clone(), Repetition::First);
        }
        self.pump(id);
    }

    /// A repeated question is not answered either: it is repeated for the last time.
    pub(super) fn repetition_late(&mut self, id: SearchId, contact: Contact) {
        let search = self.searches.get_mut(&id);
        if search.is_some_and(|search| search.lookup.still_slow(&contact.peer)) {
            self.repeat(id, contact, Repetition::Last);
        }
    }

    /// Asks a node once more what it did not answer in time, over the connection that there is. QUIC repeats a lost
    /// packet after a probe timeout: where question and answer are lost, one after the other, that takes longer
    /// than the three round trips after which a node is given up, and of the k nearest each counts.
    fn repeat(&mut self, id: SearchId, contact: Contact, repetition: Repetition) {
        let Some(search) = self.searches.get_mut(&id) else {
            return;
        };
        search.repeated.insert(contact.peer);
        let (kind, body) = search.question.frame(search.lookup.target());
        self.call(Purpose::Repeated(id, repetition), contact, kind, body);
    }

    /// A node that was asked again has answered: other answers are not waited for.
    pub(super) fn end_repetition(&mut self, id: SearchId, peer: &PeerId) {
        let Some(search) = self.searches.get_mut(&id) else {
            return;
        };
        if search.repeated.remove(peer) {
            for call in self.calls.of_search(id, peer) {
                self.abandon(call);
            }
        }
    }

    /// Begins searches that waited for their turn, and goes on with those that could not send.
    pub(in crate::discovery::machine) fn go_on(&mut self) {
        while self.searches.len() < MAX_SEARCHES
            && let Some((id, owner, aim)) = self.waiting.pop_front()
        {
            self.begin(id, owner, aim);
        }
        if self.calls.len() < MAX_CALLS && std::mem::take(&mut self.has_starved) {
            let searches: Vec<_> = self.searches.keys().copied().collect();
            for id in searches {
                self.pump(id);
            }
        }
    }

    /// Takes what a search was answered. Whatever is wrong with an answer ends the peer's part.
    pub(super) fn search_answered(
        &mut self,
        id: SearchId,
        contact: &Contact,
        scope: Scope,
        (kind, body): (u8, Bytes),
    ) {
        let Some(search) = self.searches.get_mut(&id) else {
            return;
        };
        let peer = contact.peer;
        let answer = answer::read(search.question, kind, &body, scope);
        let answer = match answer {
            Ok(answer) => answer,
            Err(fault) => {
                search.lookup.failed(&peer);
                return self.blame(peer, fault);
            }
        };
        let (local, links, table) = (self.local, &self.links, &self.table);
        let mut named = answer.contacts;
        named.retain(|one| {
            let is_reachable = !one.addresses.is_empty() || links.is_connected(&one.peer);
            one.peer != local && is_reachable
        });
        let lookup = &mut search.lookup;
        let new = named.iter().filter(|one| lookup.is_news(&peer, &one.peer));
        let new: Vec<_> = new.map(|one| one.peer).collect();
        for named in new {
            // Who is known is asked where it was seen, before it is asked where others say it is.
            let seen = links.contact(&named);
            if let Some(known) = seen.or_else(|| table.contact(&named)) {
                lookup.add(known.clone(), &peer);
            }
        }
        search.lookup.answered(&peer, named);
        let distance = search.lookup.target().distance(&peer.into());
        if search.nearest.is_none_or(|(nearest, _)| distance < nearest) {
            search.nearest = Some((distance, self.now.mono));
        }
        let (owner, is_goal) = (search.owner, search.goal == Some(peer));
        if let Some(fault) = answer.fault {
            self.blame(peer, fault);
        }
        if let Some(record) = answer.record {
            let contact = contact.clone();
            self.signal(owner, Signal::Value { contact, record });
        }
        if !answer.providers.is_empty() {
            let (teller, providers) = (peer, answer.providers);
            self.signal(owner, Signal::Providers { teller, providers });
        }
        if is_goal {
            self.end_search(id);
        }
    }
}
