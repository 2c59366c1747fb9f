//! Finding a record.

use std::collections::{BTreeMap, BTreeSet};

use super::crawl::Crawl;
use super::{Context, Progress};
use crate::discovery::Key;
use crate::discovery::config::HARDENED_PATHS;
use crate::discovery::lookup::Found;
use crate::discovery::machine::io::{Event, Fault, Outcome};
use crate::discovery::machine::search::{Aim, Question};
use crate::discovery::machine::signal::{CheckOwner, Signal};
use crate::discovery::record::{CheckContext, Checked, Eviction, Kind, RecordFault};
use crate::discovery::region::share_of;
use crate::identity::PeerId;
use crate::wire::message::discovery::Record;

/// Holders that agree on the best version, after which a kind that has versions is taken for found: one
/// that missed the last version is outvoted by those that did not. Only those within the key's region
/// count: whoever stands at the way there could give an old version to everybody who passes.
const AGREEING: usize = 3;

/// Records whose signature is being verified. More come only if holders differ.
const MAX_CHECKS: usize = 32;

/// A lookup that carries the question, and, where the nodes around the key look suspicious, a walk
/// through its region.
#[derive(Debug, Clone)]
pub(in crate::discovery::machine) struct Get {
    kind: &'static Kind,
    key: Key,
    is_hardened: bool,
    /// Records that wait for their signature to be verified.
    checking: BTreeMap<u64, (PeerId, Record, Checked)>,
    next_tag: u64,
    /// The best so far, and who in the key's region gave it.
    best: Option<(Record, Checked)>,
    givers: BTreeSet<PeerId>,
    /// What the lookup came to, once it is over.
    looked_up: Option<Found>,
    crawl: Option<Crawl>,
}

impl Get {
    pub(in crate::discovery::machine) fn new(
        kind: &'static Kind,
        key: Key,
        is_hardened: bool,
    ) -> Self {
        Self {
            kind,
            key,
            is_hardened,
            checking: BTreeMap::new(),
            next_tag: 0,
            best: None,
            givers: BTreeSet::new(),
            looked_up: None,
            crawl: None,
        }
    }

    pub(super) fn on(&mut self, context: &mut Context<'_>, signal: Signal) -> Progress {
        match signal {
            Signal::Start => self.start(context),
            Signal::Value { contact, record } => self.judge(context, contact.peer, record),
            Signal::Verified { tag, is_valid } => self.verified(context, tag, is_valid),
            Signal::Found(search, found) => match &mut self.crawl {
                Some(crawl) => _ = crawl.found(context, search, &found),
                None => self.looked_up = Some(found),
            },
            _ => {}
        }
        self.conclude(context)
    }

    fn question(&self) -> Question {
        Question::Value {
            kind: self.kind.number,
            key: self.key,
        }
    }

    fn start(&mut self, context: &mut Context<'_>) {
        if let Some(record) = context.holding.find(context.core.now, self.kind, &self.key) {
            let local = context.core.local;
            self.judge(context, local, record);
            if self.is_enough() {
                return;
            }
        }
        let paths = if self.is_hardened { HARDENED_PATHS } else { 1 };
        let aim = Aim::asking(self.key, self.question());
        context.core.search(context.id, Aim { paths, ..aim });
    }

    /// Checks a record that a peer gave; `Holding` checked this node's own.
    fn judge(&mut self, context: &mut Context<'_>, peer: PeerId, record: Record) {
        let check = CheckContext {
            network: context.holding.network(),
            now: context.core.now,
            sender: peer,
        };
        let body = record.body.as_bytes();
        let mut checked = match self.kind.check_answer(&check, body, &self.key) {
            Ok(checked) => checked,
            Err(fault) => return self.blame(context, peer, fault),
        };
        let is_known = self.best.as_ref().is_some_and(|(best, _)| *best == record);
        match checked.signature.take() {
            Some(signature) if !is_known && peer != context.core.local => {
                if self.checking.len() >= MAX_CHECKS {
                    return;
                }
                let tag = self.next_tag;
                self.next_tag += 1;
                self.checking.insert(tag, (peer, record, checked));
                let owner = CheckOwner::Operation(context.id, tag);
                context.core.verify(owner, signature);
            }
            _ => self.take(context, peer, (record, checked)),
        }
    }

    fn verified(&mut self, context: &mut Context<'_>, tag: u64, is_valid: bool) {
        let Some((peer, record, checked)) = self.checking.remove(&tag) else {
            return;
        };
        if is_valid {
            self.take(context, peer, (record, checked));
        } else {
            self.blame(context, peer, RecordFault::BadSignature);
        }
    }

    fn take(&mut self, context: &Context<'_>, peer: PeerId, (record, checked): (Record, Checked)) {
        let best = self.best.as_ref().map(|(_, best)| best.version);
        if best.is_some_and(|best| checked.version < best) {
            return;
        }
        if best.is_none_or(|best| checked.version > best) {
            self.best = Some((record, checked));
            self.givers.clear();
        }
        let share = share_of(context.core.network_size());
        if self.key.distance(&peer.into()).fraction() <= share || peer == context.core.local {
            self.givers.insert(peer);
        }
    }

    fn blame(&self, context: &mut Context<'_>, peer: PeerId, fault: RecordFault) {
        // This node's own store is checked when it is filled.
        if peer != context.core.local && fault.blames_sender() {
            context.core.blame(peer, Fault::InvalidRecord(fault));
        }
    }

    /// Walks through the region if nothing was found where there should be something; `false` if that
    /// was done, or is not called for.
    fn walk(&mut self, context: &mut Context<'_>) -> bool {
        let Some(found) = &self.looked_up else {
            return false;
        };
        let is_called_for = found.is_dense || self.is_hardened;
        let is_found = self.best.is_some() && !self.is_hardened;
        if self.crawl.is_some() || is_found || !is_called_for {
            return false;
        }
        if !context.core.config.region {
            return false;
        }
        if found.is_suspicious && context.core.density().is_bounded() {
            context.core.emit(Event::Suspicious { target: self.key });
        }
        let crawl = Crawl::start(context, self.key, self.question(), &found.answered);
        let is_over = crawl.is_over();
        self.crawl = Some(crawl);
        !is_over
    }

    /// Whether all searches are over.
    fn is_searched(&self) -> bool {
        match &self.crawl {
            Some(crawl) => crawl.is_over(),
            None => self.looked_up.is_some(),
        }
    }

    fn is_enough(&self) -> bool {
        let has_versions = self.kind.eviction == Eviction::EarlierVersion;
        if has_versions {
            // Hardened, it hears everybody.
            !self.is_hardened && self.givers.len() >= AGREEING
        } else {
            self.best.is_some()
        }
    }

    fn conclude(&mut self, context: &mut Context<'_>) -> Progress {
        if !self.is_enough() {
            let is_waiting = !self.is_searched() || !self.checking.is_empty();
            if is_waiting || self.walk(context) {
                return Progress::Going;
            }
        }
        let best = self.best.take().map(|(record, _)| record);
        context.done(Outcome::Record(best));
        Progress::Over
    }
}
