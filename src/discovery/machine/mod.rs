//! The machine: everything that discovery decides.

mod admission;
mod answer;
mod calls;
mod core;
mod holding;
mod intake;
mod io;
mod liars;
mod links;
mod maintenance;
mod operation;
mod publications;
mod search;
mod serve;
mod signal;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use super::Key;
use super::config::DiscoveryConfig;
use super::record::{self, CheckContext};
use super::store::StoreConfig;
use super::table::TableEntry;
use crate::identity::PeerId;
use crate::policy::{Micros, Now};
use crate::wire::message::discovery::{Contact, Record};

use self::admission::Admission;
use self::core::Core;
use self::holding::Holding;
use self::maintenance::Maintenance;
use self::operation::{
    Bootstrap, Closest, Context, FindPeer, FindProviders, Get, HandOff, Operation, Progress, Put,
    Sweep, SweepItem,
};
use self::publications::NotPublished;
use self::signal::{CheckOwner, Signal};

pub use io::{
    Asker, CallFailure, CallId, CheckId, Command, Event, Fault, Input, Looked, OperationId,
    Outcome, Output, Refuse, Rejection, ReplyFrame, RequestId,
};
pub use publications::MAX_PUBLICATIONS;

/// Commands of the program under way at once.
pub const MAX_OPERATIONS: usize = 1_024;

/// What a machine is made of.
#[derive(Debug, Clone)]
pub struct Setup {
    /// This node.
    pub local: PeerId,
    /// The network that records are signed for.
    pub network: [u8; 32],
    /// How it works.
    pub config: DiscoveryConfig,
    /// How much it holds for others.
    pub store: StoreConfig,
    /// Where its chance comes from.
    pub seed: [u8; 32],
}

/// Kademlia: one node's part of it.
///
/// *Driving it.* Hand in each [`Input`] with the time by [`handle`](Self::handle), then take outputs
/// from [`poll_output`](Self::poll_output) until there are none, then wait for the next input, but no
/// longer than until [`poll_timeout`](Self::poll_timeout): then hand in [`Input::Timer`]. The
/// monotonic time never goes back; the wall clock may jump. Every [`Output::Call`] is answered by one
/// [`Input::Answer`] or [`Input::Failed`], unless it is abandoned before; what comes later, or under
/// an unknown number, is ignored. Every [`Input::Request`] gets one [`Output::Reply`].
#[derive(Debug, Clone)]
pub struct Kademlia {
    core: Core,
    holding: Holding,
    admission: Admission,
    maintenance: Maintenance,
    operations: BTreeMap<OperationId, Operation>,
    next_internal: u64,
}

impl Kademlia {
    /// A machine that knows nobody.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let rng = ChaCha8Rng::from_seed(setup.seed);
        Self {
            admission: Admission::new(setup.config.serving),
            core: Core::new(setup.local, setup.config, rng),
            holding: Holding::new(setup.network, setup.store),
            maintenance: Maintenance::default(),
            operations: BTreeMap::new(),
            next_internal: OperationId::FIRST_INTERNAL,
        }
    }

    /// Takes an input. See the type for the order of calls.
    pub fn handle(&mut self, now: Now, input: Input) {
        self.core.now = now;
        match input {
            Input::Connected { peer, rtt } => self.core.links.connected(peer, rtt),
            Input::Met { contact, is_server } => self.met(contact, is_server),
            Input::Disconnected(peer) => self.core.links.disconnected(&peer),
            Input::Request {
                id,
                asker,
                kind,
                body,
            } => self.request(id, asker, kind, &body),
            Input::Answer {
                call,
                scope,
                kind,
                body,
            } => self.core.answered(call, scope, (kind, body)),
            Input::Failed { call, why } => self.core.failed(call, why),
            Input::Verified { check, is_valid } => self.verified(check, is_valid),
            Input::Veto(peer) => self.core.veto(peer),
            Input::Start { operation, command } => self.start(operation, command),
            Input::Cancel(operation) => self.end(operation),
            Input::Unpublish { kind, key } => {
                self.holding.publications.remove(kind, &key);
            }
            Input::Public(is_public) => self.core.set_public(is_public),
            Input::Serving(serves) => self.serving(serves),
            Input::Timer => self.timer(),
        }
        self.settle();
    }

    /// The next thing to do, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.core.outputs.pop_front()
    }

    /// When [`Input::Timer`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        let calls = self.core.next_deadline();
        let maintenance = self.maintenance.next(&self.holding);
        calls.into_iter().chain(maintenance).min()
    }

    /// This node.
    #[must_use]
    pub const fn local(&self) -> PeerId {
        self.core.local
    }

    /// The routing table.
    pub fn table(&self) -> impl Iterator<Item = TableEntry> + '_ {
        self.core.table.iter()
    }

    /// Nodes in the routing table.
    #[must_use]
    pub const fn table_len(&self) -> usize {
        self.core.table.len()
    }

    /// How many nodes the network is estimated to have.
    #[must_use]
    pub fn network_size(&self) -> f64 {
        self.core.network_size()
    }

    /// Records held for others, and their bytes.
    #[must_use]
    pub fn held(&self) -> (usize, u64) {
        (self.holding.store.len(), self.holding.store.bytes())
    }

    /// The records that this node publishes.
    pub fn publications(&self) -> impl Iterator<Item = &Record> {
        self.holding.publications.iter()
    }

    /// Whether this node holds, or publishes, a record.
    #[must_use]
    pub fn holds(&self, kind: u16, key: &Key) -> bool {
        let kind = record::kind(kind);
        kind.is_some_and(|kind| self.holding.find(self.core.now, kind, key).is_some())
    }

    /// Calls, searches and operations under way.
    #[cfg(test)]
    pub(crate) fn pending(&self) -> (usize, usize, usize) {
        let (calls, searches) = self.core.pending();
        (calls, searches, self.operations.len())
    }

    /// A connected peer said who it is. One that answers queries enters the table if it has answered
    /// one, and is asked for a sign of life if the table has use for it; one that does not any more
    /// has no place there.
    fn met(&mut self, contact: Contact, is_server: bool) {
        let peer = contact.peer;
        self.core.links.met(contact.clone(), is_server);
        if !is_server {
            return self.core.expel(&peer);
        }
        self.core.table.moved(&contact);
        if !self.core.table.wants(&peer, self.core.density()) {
            return;
        }
        if self.core.links.has_answered(&peer) {
            let rtt = self.core.links.rtt(&peer);
            self.core.enter(&contact, rtt);
        } else if !self.core.links.has_missed(&peer) {
            // Who says again who it is is not asked sooner for that.
            self.core.probe_newcomer(contact);
        }
    }

    /// Who begins to answer takes over what it should hold, as a newcomer does.
    fn serving(&mut self, serves: bool) {
        let served = std::mem::replace(&mut self.holding.serves, serves);
        if serves && !served {
            self.begin(vec![Operation::HandOff(HandOff::default())]);
        }
    }

    fn request(&mut self, id: RequestId, asker: Asker, kind: u8, body: &bytes::Bytes) {
        let cost = serve::cost(kind, body);
        if !self.admission.admit(self.core.now.mono, &asker, cost) {
            let reply = Err(Refuse::Busy);
            return self.core.outputs.push_back(Output::Reply { id, reply });
        }
        serve::serve(&mut self.core, &mut self.holding, (id, asker), kind, body);
    }

    fn verified(&mut self, check: CheckId, is_valid: bool) {
        match self.core.verified(check) {
            Some(CheckOwner::Operation(operation, tag)) => {
                let signal = Signal::Verified { tag, is_valid };
                self.core.signal(operation, signal);
            }
            Some(CheckOwner::Intake(intake, index)) => {
                let place = (intake, index);
                intake::verified(&mut self.holding, &mut self.core, place, is_valid);
            }
            None => {}
        }
    }

    fn start(&mut self, id: OperationId, command: Command) {
        // A number that is used twice is the later command's.
        self.end(id);
        if self.operations.len() >= MAX_OPERATIONS {
            return self.reject(id, Rejection::TooMany);
        }
        let operation = match command {
            Command::Bootstrap { seeds } => Operation::Bootstrap(Bootstrap::new(seeds)),
            Command::FindPeer(peer) => Operation::FindPeer(FindPeer(peer)),
            Command::Closest(key) => Operation::Closest(Closest(key)),
            Command::Get {
                kind,
                key,
                is_hardened,
            } => match record::kind(kind) {
                Some(kind) => Operation::Get(Get::new(kind, key, is_hardened)),
                None => return self.reject(id, Rejection::UnknownKind),
            },
            Command::Put(record) => match self.publish(record) {
                Ok(put) => Operation::Put(Box::new(put)),
                Err(rejection) => return self.reject(id, rejection),
            },
            Command::PutMany(records) => self.publish_many(records),
            Command::Providers {
                key,
                limit,
                only_live,
            } => Operation::Providers(FindProviders::new(key, limit, only_live)),
        };
        self.operations.insert(id, operation);
        self.core.signal(id, Signal::Start);
    }

    /// Keeps many records published, and begins to store them.
    fn publish_many(&mut self, records: Vec<Record>) -> Operation {
        let all = records.len();
        let mut items = Vec::with_capacity(all);
        for record in records {
            if let Ok(key) = self.note_publication(&record) {
                let is_own = true;
                items.push(SweepItem {
                    key,
                    record,
                    is_own,
                });
            }
        }
        let rejected = all - items.len();
        Operation::Sweep(Box::new(Sweep::new(items, rejected)))
    }

    /// Keeps a record published, and begins to store it.
    fn publish(&mut self, record: Record) -> Result<Put, Rejection> {
        let key = self.note_publication(&record)?;
        Ok(Put::new(key, record))
    }

    /// Keeps a record published; a provider that takes itself back says so once.
    fn note_publication(&mut self, record: &Record) -> Result<Key, Rejection> {
        let kind = record::kind(record.kind).ok_or(Rejection::UnknownKind)?;
        let context = CheckContext {
            network: self.holding.network(),
            now: self.core.now,
            sender: self.core.local,
        };
        let body = record.body.as_bytes();
        let checked = kind.check(&context, body);
        let checked = checked.map_err(|_| Rejection::InvalidRecord)?;
        let key = checked.key;
        if checked.lifetime(self.core.now.mono).is_zero() {
            self.holding.publications.remove(kind.number, &key);
            return Ok(key);
        }
        let republish = self.core.config.republish;
        let publications = &mut self.holding.publications;
        publications
            .insert(self.core.now, republish, record.clone(), checked)
            .map_err(|reason| match reason {
                NotPublished::TooMany => Rejection::TooManyPublications,
                NotPublished::Superseded => Rejection::Superseded,
            })?;
        Ok(key)
    }

    fn reject(&mut self, operation: OperationId, rejection: Rejection) {
        let outcome = Outcome::Rejected(rejection);
        self.core
            .outputs
            .push_back(Output::Done { operation, outcome });
    }

    fn timer(&mut self) {
        self.core.look_at_deadlines();
        let begun = self.maintenance.run(&mut self.core, &mut self.holding);
        self.begin(begun);
    }

    /// Tells operations what happened until nothing happens any more.
    fn settle(&mut self) {
        self.maintenance.arm(&mut self.core);
        loop {
            self.core.go_on();
            let Some((id, signal)) = self.core.signals.pop_front() else {
                break;
            };
            let Some(mut operation) = self.operations.remove(&id) else {
                continue;
            };
            let mut begun = Vec::new();
            let mut context = Context {
                id,
                core: &mut self.core,
                holding: &mut self.holding,
                begun: &mut begun,
            };
            match operation.on(&mut context, signal) {
                Progress::Going => _ = self.operations.insert(id, operation),
                Progress::Over => self.core.forget(id),
            }
            self.begin(begun);
        }
    }

    fn begin(&mut self, operations: Vec<Operation>) {
        for operation in operations {
            let id = OperationId(self.next_internal);
            self.next_internal += 1;
            self.operations.insert(id, operation);
            self.core.signal(id, Signal::Start);
        }
    }

    fn end(&mut self, operation: OperationId) {
        if self.operations.remove(&operation).is_some() {
            self.core.forget(operation);
        }
    }
}
