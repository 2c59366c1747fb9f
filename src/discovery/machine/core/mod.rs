//! What all operations share: the table, the connections, the searches and calls under way.

mod searching;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;

use super::OperationId;
use super::answer::group_of;
use super::calls::{Call, Calls, Late, Patience, Purpose};
use super::io::{CallFailure, CallId, CheckId, Event, Fault, Output};
use super::liars::Liars;
use super::links::Links;
use super::search::{Aim, Search, SearchId, find_node};
use super::signal::{Absence, CheckOwner, Signal};
use crate::discovery::config::{DiscoveryConfig, K};
use crate::discovery::record::PendingSignature;
use crate::discovery::region::{REACH, surroundings};
use crate::discovery::table::{Entered, RoutingTable};
use crate::discovery::{Density, Key, Scope, SizeEstimate};
use crate::identity::PeerId;
use crate::policy::{IpGroup, Now};
use crate::wire::codec::encode;
use crate::wire::message::discovery::{self as wire, Contact};

/// Requests of this node that wait for answers at once: ten lookups at their widest.
pub(super) const MAX_CALLS: usize = 512;

/// Nodes that are asked for a sign of life at once.
const MAX_PROBES: usize = 32;

/// Of these, nodes that are not in the table: a quarter, so that silent ones do not keep the table from being
/// looked after; and of one IP group as many as a bucket takes, so that they do not keep all others waiting.
const MAX_NEWCOMERS: usize = 8;
const MAX_NEWCOMERS_OF_GROUP: usize = 2;

/// Peers that are kept out of the table, and for how long: as many, and as long, as a ban.
const MAX_VETOES: usize = 1_024;
const VETO: Duration = Duration::from_secs(600);

#[derive(Debug, Clone)]
pub(super) struct Core {
    pub(super) local: PeerId,
    pub(super) config: DiscoveryConfig,
    /// When the present input came.
    pub(super) now: Now,
    pub(super) rng: ChaCha8Rng,
    pub(super) table: RoutingTable,
    pub(super) estimate: SizeEstimate,
    pub(super) links: Links,
    pub(super) calls: Calls,
    pub(super) outputs: VecDeque<Output>,
    /// What operations have to be told.
    pub(super) signals: VecDeque<(OperationId, Signal)>,
    /// Whether a node of the table failed and is to be asked again.
    pub(super) has_doubts: bool,
    searches: BTreeMap<SearchId, Search>,
    /// Whether a search could not send because too many calls were under way.
    has_starved: bool,
    waiting: VecDeque<(SearchId, OperationId, Aim)>,
    next_search: u64,
    checks: BTreeMap<CheckId, CheckOwner>,
    next_check: u64,
    /// Who is asked for a sign of life, in which group.
    probes: BTreeMap<PeerId, IpGroup>,
    liars: Liars,
    vetoes: VecDeque<(PeerId, crate::policy::Micros)>,
}

impl Core {
    pub(super) fn new(local: PeerId, config: DiscoveryConfig, rng: ChaCha8Rng) -> Self {
        let is_bounded = config.density_quota;
        Self {
            local,
            now: Now::default(),
            rng,
            table: RoutingTable::new(local.into()),
            estimate: SizeEstimate::new(K, is_bounded),
            links: Links::default(),
            calls: Calls::default(),
            outputs: VecDeque::new(),
            signals: VecDeque::new(),
            has_doubts: false,
            searches: BTreeMap::new(),
            has_starved: false,
            waiting: VecDeque::new(),
            next_search: 0,
            checks: BTreeMap::new(),
            next_check: 0,
            probes: BTreeMap::new(),
            liars: Liars::default(),
            vetoes: VecDeque::new(),
            config,
        }
    }

    pub(super) fn density(&self) -> &Arc<Density> {
        self.estimate.density()
    }

    /// Nodes expected in the network; at least those that are known.
    #[allow(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn network_size(&self) -> f64 {
        self.density().size().max(self.table.len() as f64 + 1.0)
    }

    /// Whether a lookup for `key` would end around this node; in a network of fewer than 640 nodes, where
    /// most would, only of the nearest.
    pub(super) fn is_near(&self, key: &Key) -> bool {
        let near = surroundings(REACH, self.density().size());
        self.key().distance(key).fraction() < near
    }

    pub(super) fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(super) fn blame(&mut self, peer: PeerId, fault: Fault) {
        self.outputs.push_back(Output::Fault { peer, fault });
    }

    pub(super) fn signal(&mut self, operation: OperationId, signal: Signal) {
        self.signals.push_back((operation, signal));
    }

    /// Has a signature verified; the owner hears of it.
    pub(super) fn verify(&mut self, owner: CheckOwner, signature: PendingSignature) {
        let check = CheckId(self.next_check);
        self.next_check += 1;
        self.checks.insert(check, owner);
        let signature = Box::new(signature);
        self.outputs.push_back(Output::Verify { check, signature });
    }

    pub(super) fn verified(&mut self, check: CheckId) -> Option<CheckOwner> {
        self.checks.remove(&check)
    }

    // Calls.

    /// Asks a peer something.
    pub(super) fn call(&mut self, purpose: Purpose, contact: Contact, kind: u8, body: Bytes) {
        let peer = contact.peer;
        let is_warm = self.links.is_connected(&peer);
        let rtt = self.links.rtt(&peer).or_else(|| self.table.rtt(&peer));
        let patience = match (kind, purpose, rtt) {
            (wire::STORE | wire::HAND_OFF, ..) => Patience::bulk(),
            (_, Purpose::Probe, _) => Patience::unhurried(),
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
    pub(super) fn probe(&mut self, contact: Contact) {
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
    pub(super) fn probe_newcomer(&mut self, contact: Contact) -> bool {
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

    fn abandon(&mut self, id: CallId) {
        if let Some(call) = self.calls.remove(id) {
            if call.purpose == Purpose::Probe {
                self.probes.remove(&call.contact.peer);
            }
            self.outputs.push_back(Output::Abandon(id));
        }
    }

    /// A peer answered.
    pub(super) fn answered(&mut self, id: CallId, scope: Scope, frame: (u8, Bytes)) {
        let Some(call) = self.calls.remove(id) else {
            return;
        };
        self.heard(&call);
        match call.purpose {
            Purpose::Search(search) | Purpose::Repeated(search) => {
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

    pub(super) fn enter(&mut self, contact: &Contact, rtt: Option<Duration>) {
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
    pub(super) fn failed(&mut self, id: CallId, why: CallFailure) {
        let Some(call) = self.calls.remove(id) else {
            return;
        };
        if matches!(call.purpose, Purpose::Repeated(_)) {
            return;
        }
        let peer = call.contact.peer;
        match why {
            // What was given up is counted already.
            CallFailure::Unreachable if self.is_about_entry(&call) && !call.is_given_up() => {
                self.silent(&peer, call.purpose);
            }
            CallFailure::OtherNetwork if self.is_about_entry(&call) => self.expel(&peer),
            CallFailure::Unreachable | CallFailure::OtherNetwork => {}
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
                CallFailure::OtherIdentity { group } => Absence::SomebodyElse(group),
                _ => Absence::Silent,
            },
        );
    }

    /// Somebody else answered at an address that `teller` named.
    pub(super) fn caught(&mut self, teller: PeerId, group: IpGroup) {
        if self.liars.caught(self.now.mono, teller, group) {
            self.blame(teller, Fault::WrongAddresses);
        }
    }

    /// Where this node knows a peer to be: from the peer itself, or since it answered there.
    pub(super) fn known_contact(&self, peer: &PeerId) -> Option<&Contact> {
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
            Purpose::Repeated(_) => {}
            Purpose::Probe => {
                self.probes.remove(&peer);
                self.has_doubts |= self.links.missed(&peer);
            }
        }
    }

    /// Looks at the deadlines that have passed.
    pub(super) fn look_at_deadlines(&mut self) {
        while let Some((id, late)) = self.calls.next_late(self.now.mono) {
            let Some(call) = self.calls.get(id) else {
                continue;
            };
            let (contact, purpose) = (call.contact.clone(), call.purpose);
            let peer = contact.peer;
            let is_about_entry = self.is_about_entry(call);
            // Over the connection that there is, and while its answer may still count: a node that was held up has
            // much that is late, and repeats nothing.
            let may_repeat = call.was_warm
                && call.is_hoped_for(self.now.mono)
                && self.links.is_connected(&peer)
                && self.calls.len() < MAX_CALLS;
            match (purpose, late) {
                (Purpose::Search(search), _) => {
                    if late != Late::Slow && is_about_entry {
                        self.doubted(&peer);
                    }
                    self.search_late(search, &contact, (late, may_repeat));
                }
                (Purpose::Repeated(_), Late::Lost) => self.abandon(id),
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

    /// The earliest deadline of a call or a search.
    pub(super) fn next_deadline(&self) -> Option<crate::policy::Micros> {
        let searches = self.searches.values().map(|search| search.deadline);
        searches.chain(self.calls.next_deadline()).min()
    }

    // The table.

    /// A peer did not answer. That counts against it for good only if it was all that was asked: the end
    /// of one connection cuts off many requests.
    fn silent(&mut self, peer: &PeerId, purpose: Purpose) {
        if purpose == Purpose::Probe {
            self.missed(peer);
        } else {
            self.doubted(peer);
        }
    }

    /// A lookup did not wait for a peer, which may be busy: whether it is there, a probe will tell.
    fn doubted(&mut self, peer: &PeerId) {
        self.has_doubts |= self.table.doubted(peer);
    }

    /// A peer did not answer a probe.
    fn missed(&mut self, peer: &PeerId) {
        let was_there = self.table.contains(peer);
        let density = self.density().clone();
        let asks_again = self.table.failed(peer, &density);
        self.has_doubts |= asks_again;
        if was_there && !asks_again {
            self.emit(Event::Removed(*peer));
            self.table_changed();
        }
    }

    /// Takes a peer out of the table at once.
    pub(super) fn expel(&mut self, peer: &PeerId) {
        let density = self.density().clone();
        if self.table.remove(peer, &density) {
            self.emit(Event::Removed(*peer));
            self.table_changed();
        }
    }

    /// Whether this node has a public address: those that it could not reach any more leave.
    pub(super) fn set_public(&mut self, is_public: bool) {
        let before: Vec<_> = self.table.iter().map(|entry| entry.contact.peer).collect();
        let density = self.density().clone();
        self.table.set_public(is_public, &density);
        for peer in before {
            if !self.table.contains(&peer) {
                self.emit(Event::Removed(peer));
            }
        }
        self.table_changed();
    }

    fn table_changed(&mut self) {
        for peer in self.table.take_followed() {
            self.emit(Event::Added(peer));
        }
        let neighbourhood = self.table.neighbourhood();
        self.estimate
            .own_neighbourhood(self.now.mono, neighbourhood);
    }

    /// Keeps a peer out of the table for a while.
    pub(super) fn veto(&mut self, peer: PeerId) {
        self.expel(&peer);
        if self.vetoes.len() >= MAX_VETOES {
            self.vetoes.pop_front();
        }
        self.vetoes.push_back((peer, self.now.mono + VETO));
    }

    pub(super) fn is_vetoed(&self, peer: &PeerId) -> bool {
        let now = self.now.mono;
        let mut vetoes = self.vetoes.iter();
        vetoes.any(|(vetoed, until)| vetoed == peer && *until > now)
    }

    /// The place of this node.
    pub(super) fn key(&self) -> Key {
        self.local.into()
    }
}

/// Whether a request carries records, or asks for many.
const fn is_bulk(request: u8) -> bool {
    matches!(request, wire::STORE | wire::HAND_OFF)
}
