//! Records that peers give to this node to hold.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::core::Core;
use super::holding::Holding;
use super::io::{Fault, Output, Refuse, ReplyFrame, RequestId};
use super::signal::CheckOwner;
use crate::discovery::record::{self, CheckContext, Checked, Kind, RecordFault};
use crate::discovery::store::{Holder, Judgement};
use crate::wire::codec::{List, SharedList, encode};
use crate::wire::message::discovery::{self as wire, Contact, Record, StoreOutcome, Stored};

/// Number of records that came together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct IntakeId(u64);

/// Signatures that wait to be verified: 100 ms of one core. Each holds its record, 24 KB at most.
const MAX_CHECKS: usize = 1_024;

/// Records that came together and are not all judged.
#[derive(Debug, Clone)]
struct Intake {
    holder: Holder,
    answer_to: Option<RequestId>,
    outcomes: Vec<StoreOutcome>,
    /// One fault a message, however many records are wrong.
    is_blamed: bool,
    pending: BTreeMap<usize, (&'static Kind, Checked)>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Intakes {
    next: u64,
    open: BTreeMap<IntakeId, Intake>,
    checks: usize,
}

/// What to do with one record.
enum Verdict {
    Now(StoreOutcome),
    Verify(&'static Kind, Checked),
}

/// See [`Holding::take_in`].
pub(super) fn begin(
    holding: &mut Holding,
    core: &mut Core,
    holder: Holder,
    records: Vec<Record>,
    answer_to: Option<RequestId>,
) {
    if holding.intakes.checks + records.len() > MAX_CHECKS {
        return refuse_all(core, answer_to);
    }
    let id = IntakeId(holding.intakes.next);
    holding.intakes.next += 1;
    let mut intake = Intake {
        holder,
        answer_to,
        outcomes: Vec::with_capacity(records.len()),
        is_blamed: false,
        pending: BTreeMap::new(),
    };
    let mut fault = None;
    for (index, record) in records.into_iter().enumerate() {
        let verdict = judge(holding, core, &intake, &record).unwrap_or_else(|wrong| {
            fault = fault.or(Some(wrong).filter(|wrong| wrong.blames_sender()));
            Verdict::Now(match wrong {
                RecordFault::WrongSuite => StoreOutcome::Unsupported,
                _ => StoreOutcome::Invalid,
            })
        });
        let outcome = match verdict {
            Verdict::Now(outcome) => outcome,
            Verdict::Verify(kind, mut checked) => {
                if let Some(signature) = checked.signature.take() {
                    core.verify(CheckOwner::Intake(id, index), signature);
                    intake.pending.insert(index, (kind, checked));
                }
                StoreOutcome::Invalid
            }
        };
        intake.outcomes.push(outcome);
    }
    if let Some(fault) = fault {
        intake.is_blamed = true;
        core.blame(holder.peer, Fault::InvalidRecord(fault));
    }
    if intake.outcomes.contains(&StoreOutcome::Superseded)
        && holding.is_stale_again(core.now.mono, holder.peer)
    {
        core.blame(holder.peer, Fault::StaleRecord);
    }
    holding.intakes.checks += intake.pending.len();
    if intake.pending.is_empty() {
        finish(core, intake);
    } else {
        holding.intakes.open.insert(id, intake);
    }
}

/// A signature was verified.
pub(super) fn verified(
    holding: &mut Holding,
    core: &mut Core,
    (id, index): (IntakeId, usize),
    is_valid: bool,
) {
    let Some(intake) = holding.intakes.open.get_mut(&id) else {
        return;
    };
    let Some((kind, checked)) = intake.pending.remove(&index) else {
        return;
    };
    holding.intakes.checks -= 1;
    let holder = intake.holder;
    let outcome = if is_valid {
        holding.store.put(core.now.mono, &holder, kind, &checked)
    } else {
        if !std::mem::replace(&mut intake.is_blamed, true) {
            let fault = Fault::InvalidRecord(RecordFault::BadSignature);
            core.blame(holder.peer, fault);
        }
        StoreOutcome::Invalid
    };
    if let Some(place) = intake.outcomes.get_mut(index) {
        *place = outcome;
    }
    if intake.pending.is_empty()
        && let Some(intake) = holding.intakes.open.remove(&id)
    {
        finish(core, intake);
    }
}

fn judge(
    holding: &mut Holding,
    core: &mut Core,
    intake: &Intake,
    record: &Record,
) -> Result<Verdict, RecordFault> {
    let Some(kind) = record::kind(record.kind) else {
        return Ok(Verdict::Now(StoreOutcome::Unsupported));
    };
    let holder = intake.holder;
    let context = CheckContext {
        network: holding.network(),
        now: core.now,
        sender: holder.peer,
    };
    let checked = match kind.check(&context, record.body.as_bytes()) {
        // A suite of a later version: no fault, as with a kind of a later version.
        Err(RecordFault::WrongSuite) => return Ok(Verdict::Now(StoreOutcome::Unsupported)),
        checked => checked?,
    };
    if kind.number == wire::kind::PROVIDER {
        if intake.answer_to.is_none() {
            return Ok(Verdict::Now(StoreOutcome::Invalid));
        }
        let contact = provider(core, &holder);
        let (store, rng) = (&mut holding.store, &mut core.rng);
        let now = core.now.mono;
        let life = checked.lifetime(now);
        let outcome = store.provide(now, &holder, contact, checked.key, life, rng);
        return Ok(Verdict::Now(outcome));
    }
    let now = core.now.mono;
    let verdict = match holding.store.judge(now, &holder, kind, &checked) {
        Judgement::Superseded => Verdict::Now(StoreOutcome::Superseded),
        Judgement::Full => Verdict::Now(StoreOutcome::Full),
        Judgement::Store if checked.signature.is_some() => Verdict::Verify(kind, checked),
        Judgement::Store | Judgement::Refresh => {
            Verdict::Now(holding.store.put(core.now.mono, &holder, kind, &checked))
        }
    };
    Ok(verdict)
}

/// Where others may find a provider: where this node found it, not where it says it is.
fn provider(core: &Core, holder: &Holder) -> Contact {
    let known = core.links.contact(&holder.peer).cloned();
    known.unwrap_or(Contact {
        peer: holder.peer,
        addresses: SharedList::new(),
    })
}

fn refuse_all(core: &mut Core, answer_to: Option<RequestId>) {
    if let Some(id) = answer_to {
        let reply = Err(Refuse::Busy);
        core.outputs.push_back(Output::Reply { id, reply });
    }
}

fn finish(core: &mut Core, intake: Intake) {
    if let Some(id) = intake.answer_to {
        let outcomes = List::truncated(intake.outcomes);
        let body: Bytes = encode(&Stored { outcomes });
        let kind = wire::STORED;
        let reply = Ok(ReplyFrame { kind, body });
        core.outputs.push_back(Output::Reply { id, reply });
    }
}
