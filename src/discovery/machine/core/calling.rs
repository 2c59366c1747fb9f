//! Requests of this node: who is asked what, and what comes of it.

use std::time::Duration;

use bytes::Bytes;

use super::{Core, MAX_CALLS};
use crate::discovery::Scope;
use crate::discovery::machine::answer::group_of;
use crate::discovery::machine::calls::{Call, Late, Patience, Purpose, Repetition};
use crate::discovery::machine::io::{CallFailure, CallId, Event, Fault, Output};
use crate::discovery::machine::search::find_node;
use crate::discovery::machine::signal::{Absence, Signal};
use crate::discovery::table::Entered;
use crate::identity::PeerId;
use crate::policy::{IpGroup, Micros};
use crate::wire::codec::encode;
use crate::wire::message::discovery::{self as wire, Contact};

/// Calls under way from which on nothing is repeated: the other half is for first questions.
const MAX_REPEATING: usize = MAX_CALLS / 2;

/// Nodes that are asked for a sign of life at once.
const MAX_PROBES: usize = 32;

/// Of these, nodes that are not in the table: a quarter, so that silent ones do not keep the table from being
/// looked after; and of one IP group as many as a bucket takes, so that they do not keep all others waiting.
const MAX_NEWCOMERS: usize = 8;
const MAX_NEWCOMERS_OF_GROUP: usize = 2;

impl Core {
    /// Asks a peer something.
    pub(in crate::discovery::machine) fn call(
        &mut self,
        purpose: Purpose,
        contact: Contact,
        kind: u8,
        body: Bytes,
    ) {
        let peer = contact.peer;
        let is_warm = self.links.is_connected(&peer);
        let rtt = self.links.rtt(&peer).or_else(|| self.table.rtt(&peer));
        let patience = match (kind, purpose, rtt) {
            (wire::STORE | wire::HAND_OFF, ..) => Patience::bulk(),
            (_, Purpose::Probe | Purpose::Repeated(_, Repetition::Last), _) => {
                Patience::unhurried()
            }
            (_, Purpose::Repeated(_, Repetition::First), Some(rtt)) => Patience::repeated(rtt),
            (_, _, Some(rtt)) if is_warm => Patience::warm(rtt),
            (_, _, Some(rtt)) => self.calls.cold(rtt),
            (_, _, None) => self.calls.unknown(),
        };
        let what = (contact.clone(), kind, purpose);
        let call = self.calls.insert(self.now.mono, what, patience, is_warm);
        self.outputs.push_back(Output::Call {
            call,
            contact,
            kind,
            body,
        });
    }

    /// Asks a node whether it is there.
    pub(in crate::discovery::machine) fn probe(&mut self, contact: Contact) {
        let peer = contact.peer;
        let is_needless = peer == self.local || self.is_vetoed(&peer);
        if is_needless || self.probes.len() >= MAX_PROBES || self.probes.contains_key(&peer) {
            return;
        }
        self.probes.insert(peer, group_of(&contact));
        let body = encode(&find_node(*peer.as_bytes(), 0));
        self.call(Purpose::Probe, contact, wire::FIND_NODE, body);
    }

    /// Asks a node that has not answered yet, unless as many are being asked as may be: then later. Whether it
    /// does.
    pub(in crate::discovery::machine) fn probe_newcomer(&mut self, contact: Contact) -> bool {
        // Nobody can be told where it is: it has no place in the table, whatever it answers.
        if contact.addresses.is_empty() {
            return false;
        }
        let group = group_of(&contact);
        let asked = self.probes.iter();
        let newcomers = asked.filter(|(peer, _)| !self.table.contains(peer));
        let (count, of_group) = newcomers.fold((0, 0), |(count, of_group), (_, other)| {
            (count + 1, of_group + usize::from(*other == group))
        });
        let is_crowded = !group.is_local() && of_group >= MAX_NEWCOMERS_OF_GROUP;
        if count >= MAX_NEWCOMERS || is_crowded {
            self.has_doubts |= self.links.is_due_soon(&contact.peer);
            return false;
        }
        self.probe(contact);
        true
    }

    pub(super) fn abandon(&mut self, id: CallId) {
        if let Some(call) = self.calls.remove(id) {
            if call.purpose == Purpose::Probe {
                self.probes.remove(&call.contact.peer);
            }
            self.outputs.push_back(Output::Abandon(id));
        }
    }

    /// A peer answered.
    pub(in crate::discovery::machine) fn answered(
        &mut self,
        id: CallId,
        scope: Scope,
        frame: (u8, Bytes),
    ) {
        let Some(call) = self.calls.remove(id) else {
            return;
        };
        self.heard(&call);
        match call.purpose {
            Purpose::Search(search) | Purpose::Repeated(search, _) => {
                self.end_repetition(search, &call.contact.peer);
                self.search_answered(search, &call.contact, scope, frame);
                self.pump(search);
            }
            Purpose::Operation(operation, tag) => {
                let contact = call.contact;
                let signal = Signal::Answered {
                    tag,
                    contact,
                    scope,
                    frame,
                };
                self.signal(operation, signal);
            }
            Purpose::Probe => _ = self.probes.remove(&call.contact.peer),
        }
    }

    /// A node that answers belongs into the table, and its distance is known.
    fn heard(&mut self, call: &Call) {
        let span = self.now.mono.since(call.sent);
        let peer = call.contact.peer;
        let is_bulk = is_bulk(call.request);
        let rtt = (call.was_warm && !is_bulk).then_some(span);
        match rtt {
            Some(rtt) => self.links.measured(&peer, rtt),
            None if !is_bulk => self.calls.note_new_contact(span),
            None => {}
        }
        self.links.answered(&peer);
        // It enters where it was seen; of the addresses that a teller named perhaps one is its. If it
        // has not said who it is, it enters when it does.
        match self.links.contact(&peer).cloned() {
            Some(contact) if self.links.is_server(&peer) => self.enter(&contact, rtt),
            // It answers, and says that it does not serve.
            Some(_) => {}
            None if self.table.contains(&peer) => self.enter(&call.contact, rtt),
            None => {}
        }
    }

    pub(in crate::discovery::machine) fn enter(
        &mut self,
        contact: &Contact,
        rtt: Option<Duration>,
    ) {
        if self.is_vetoed(&contact.peer) {
            return;
        }
        let density = self.density().clone();
        let entered = self.table.answered(self.now.mono, contact, rtt, &density);
        match entered {
            Entered::Added => {
                self.table_changed();
                self.emit(Event::Added(contact.peer));
            }
            Entered::Waiting(Some(oldest)) => self.probe(oldest),
            Entered::Known | Entered::Waiting(None) | Entered::Refused(_) => {}
        }
    }

    /// A call came to nothing.
    pub(in crate::discovery::machine) fn failed(&mut self, id: CallId, why: CallFailure) {
        let Some(call) = self.calls.remove(id) else {
            return;
        };
        if matches!(call.purpose, Purpose::Repeated(..)) {
            return;
        }
        let peer = call.contact.peer;
        match why {
            // What was given up is counted already.
            CallFailure::Unreachable | CallFailure::NoAddress
                if self.is_about_entry(&call) && !call.is_given_up() =>
            {
                self.silent(&peer, call.purpose);
            }
            CallFailure::OtherNetwork if self.is_about_entry(&call) => self.expel(&peer),
            CallFailure::Unreachable | CallFailure::NoAddress | CallFailure::OtherNetwork => {}
            // It does not answer questions any more; records it may refuse.
            CallFailure::Refused if !is_bulk(call.request) => self.expel(&peer),
            CallFailure::Refused => {}
            CallFailure::OtherIdentity { group } => {
                if self.is_about_entry(&call) {
                    self.expel(&peer);
                }
                if let Purpose::Search(search) = call.purpose
                    && let Some(search) = self.searches.get(&search)
                    && let Some(teller) = search.lookup.teller(&peer)
                {
                    self.caught(teller, group);
                }
            }
            CallFailure::Busy
            | CallFailure::Unsupported
            | CallFailure::NotDialled
            | CallFailure::Malformed => {}
        }
        self.give_up(
            &call,
            match why {
                CallFailure::Busy => Absence::Busy,
                CallFailure::Refused | CallFailure::Unsupported => Absence::Unwilling,
                CallFailure::NotDialled | CallFailure::NoAddress => Absence::NotDialled,
                CallFailure::OtherIdentity { group } => Absence::SomebodyElse(group),
                _ => Absence::Silent,
            },
        );
    }

    /// Somebody else answered at an address that `teller` named.
    pub(in crate::discovery::machine) fn caught(&mut self, teller: PeerId, group: IpGroup) {
        if self.liars.caught(self.now.mono, teller, group) {
            self.blame(teller, Fault::WrongAddresses);
        }
    }

    /// Where this node knows a peer to be: from the peer itself, or since it answered there.
    pub(in crate::discovery::machine) fn known_contact(&self, peer: &PeerId) -> Option<&Contact> {
        let seen = self.links.contact(peer);
        seen.or_else(|| self.table.contact(peer))
    }

    /// Whether a call that came to nothing says something about the table's entry: it went where the
    /// entry says, or over a connection. At an address that others name anybody may be, or nobody.
    fn is_about_entry(&self, call: &Call) -> bool {
        let known = self.table.contact(&call.contact.peer);
        let is_there = known.is_none_or(|known| known.addresses == call.contact.addresses);
        call.was_warm || is_there
    }

    /// Tells whoever waits for a call that there will be no answer.
    fn give_up(&mut self, call: &Call, why: Absence) {
        let peer = call.contact.peer;
        match call.purpose {
            Purpose::Search(id) => {
                if let Some(search) = self.searches.get_mut(&id) {
                    search.lookup.failed(&peer);
                }
                self.pump(id);
            }
            Purpose::Operation(operation, tag) => {
                let contact = call.contact.clone();
                let signal = Signal::Unanswered { tag, contact, why };
                self.signal(operation, signal);
            }
            Purpose::Repeated(..) => {}
            Purpose::Probe => {
                self.probes.remove(&peer);
                self.has_doubts |= self.links.missed(&peer);
            }
        }
    }

    /// Looks at the deadlines that have passed.
    pub(in crate::discovery::machine) fn look_at_deadlines(&mut self) {
        while let Some((id, late)) = self.calls.next_late(self.now.mono) {
            let Some(call) = self.calls.get(id) else {
                continue;
            };
            let (contact, purpose) = (call.contact.clone(), call.purpose);
            let peer = contact.peer;
            let is_about_entry = self.is_about_entry(call);
            let may_repeat = self.may_repeat(call);
            match (purpose, late) {
                (Purpose::Search(search), _) => {
                    if late != Late::Slow && is_about_entry {
                        self.doubted(&peer);
                    }
                    self.search_late(search, &contact, (late, may_repeat));
                }
                (Purpose::Repeated(search, Repetition::First), Late::Slow) if may_repeat => {
                    self.repetition_late(search, contact);
                }
                (Purpose::Repeated(..), Late::Lost) => self.abandon(id),
                (_, Late::Slow | Late::GivenUp) => {}
                (_, Late::Lost) => {
                    if is_about_entry {
                        self.silent(&peer, purpose);
                    }
                    if let Some(call) = self.calls.remove(id) {
                        self.outputs.push_back(Output::Abandon(id));
                        self.give_up(&call, Absence::Silent);
                    }
                }
            }
        }
        let now = self.now.mono;
        let due = self
            .searches
            .iter()
            .filter(|(_, search)| search.deadline <= now);
        let due: Vec<_> = due.map(|(id, _)| *id).collect();
        for id in due {
            self.end_search(id);
        }
    }

    /// Whether a question may be asked again: over the connection that there is, and while the answer may come in
    /// time. A node that was held up, or has much under way, repeats nothing: so much may be late since its own line
    /// is full.
    fn may_repeat(&self, call: &Call) -> bool {
        let rtt = self.links.rtt(&call.contact.peer);
        let is_in_time = rtt.is_some_and(|rtt| call.is_hoped_for(self.now.mono + rtt));
        call.was_warm
            && is_in_time
            && self.links.is_connected(&call.contact.peer)
            && self.calls.len() < MAX_REPEATING
    }

    /// The earliest deadline of a call or a search.
    pub(in crate::discovery::machine) fn next_deadline(&self) -> Option<Micros> {
        let searches = self.searches.values().map(|search| search.deadline);
        searches.chain(self.calls.next_deadline()).min()
    }
}

/// Whether a request carries records, or asks for many.
const fn is_bulk(request: u8) -> bool {
    matches!(request, wire::STORE | wire::HAND_OFF)
}
