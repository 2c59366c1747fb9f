//! Answering the requests of peers.

use bytes::Bytes;

use super::core::Core;
use super::holding::Holding;
use super::io::{Asker, Output, Refuse, ReplyFrame, RequestId};
use crate::discovery::config::K;
use crate::discovery::record;
use crate::discovery::store::Holder;
use crate::discovery::{Key, Scope};
use crate::identity::PeerId;
use crate::wire::Violation;
use crate::wire::codec::{List, decode, encode};
use crate::wire::message::discovery::{
    self as wire, Contact, FindNode, FindValue, GetProviders, HandOff, HandedOff, MAX_CONTACTS,
    MAX_RECORDS, Nodes, Providers, Record, Store, Value,
};

/// Tokens that a HAND_OFF costs: so many questions are answered in the time in which it looks at
/// [`HAND_OFF_SCAN`] records.
const HAND_OFF_COST: u32 = 16;

/// Bytes of a STORE for one token: a record with key and signature, whose verification takes four
/// times what answering a question does.
const STORE_BYTES_A_TOKEN: usize = 2 << 10;

/// Records that one HAND_OFF looks at: each is compared with all of the table.
pub(super) const HAND_OFF_SCAN: usize = 1_024;

/// Bytes of records in one answer; the frame holds 512 KiB.
const HAND_OFF_BYTES: usize = 500 << 10;

/// Most tokens that a STORE costs: half of what a peer may have at once.
const MAX_STORE_COST: u32 = 64;

/// Tokens that a request costs.
pub(super) fn cost(kind: u8, body: &Bytes) -> u32 {
    match kind {
        wire::STORE => {
            let tokens = u32::try_from(body.len() / STORE_BYTES_A_TOKEN);
            tokens.unwrap_or(u32::MAX).clamp(1, MAX_STORE_COST)
        }
        wire::HAND_OFF => HAND_OFF_COST,
        _ => 1,
    }
}

/// Answers a request that was admitted, now or when its signatures are verified.
pub(super) fn serve(
    core: &mut Core,
    holding: &mut Holding,
    (id, asker): (RequestId, Asker),
    kind: u8,
    body: &Bytes,
) {
    let changes = matches!(kind, wire::STORE | wire::HAND_OFF);
    let reply = if changes && !asker.is_confirmed {
        Err(Refuse::Early)
    } else {
        match kind {
            wire::FIND_NODE => find_node(core, &asker, body),
            wire::FIND_VALUE => find_value(core, holding, &asker, body),
            wire::GET_PROVIDERS => get_providers(core, holding, &asker, body),
            wire::HAND_OFF => hand_off(core, holding, &asker, body),
            wire::STORE => match decode::<Store>(body) {
                Ok(store) => {
                    let holder = Holder {
                        peer: asker.peer,
                        group: asker.group,
                    };
                    let records = store.records.into_vec();
                    return holding.take_in(core, holder, records, Some(id));
                }
                Err(violation) => Err(Refuse::Violation(violation)),
            },
            kind => Err(Refuse::Violation(Violation::UnknownFrame { kind })),
        }
    };
    core.outputs.push_back(Output::Reply { id, reply });
}

fn find_node(core: &Core, asker: &Asker, body: &Bytes) -> Result<ReplyFrame, Refuse> {
    let question: FindNode = decode(body)?;
    let target = Key::from_bytes(question.target);
    let contacts = near(core, asker, &target, question.want.into());
    Ok(frame(wire::NODES, encode(&Nodes { contacts })))
}

fn find_value(
    core: &Core,
    holding: &Holding,
    asker: &Asker,
    body: &Bytes,
) -> Result<ReplyFrame, Refuse> {
    let question: FindValue = decode(body)?;
    let kind = record::kind(question.kind).filter(|kind| kind.slots == 1);
    let kind = kind.ok_or(Refuse::Unsupported)?;
    let key = Key::from_bytes(question.key);
    let target = Key::from_bytes(question.target);
    let contacts = near(core, asker, &target, MAX_CONTACTS);
    Ok(match holding.find(core.now, kind, &key) {
        Some(record) => frame(wire::VALUE, encode(&Value { record, contacts })),
        None => frame(wire::NODES, encode(&Nodes { contacts })),
    })
}

fn get_providers(
    core: &mut Core,
    holding: &Holding,
    asker: &Asker,
    body: &Bytes,
) -> Result<ReplyFrame, Refuse> {
    let question: GetProviders = decode(body)?;
    let key = Key::from_bytes(question.key);
    let target = Key::from_bytes(question.target);
    let mut providers = holding.providers(core.now, &key, &mut core.rng);
    providers
        .iter_mut()
        .for_each(|one| asker.scope.hide_others(one));
    let contacts = near(core, asker, &target, MAX_CONTACTS);
    let providers = List::truncated(providers);
    let body = encode(&Providers {
        providers,
        contacts,
    });
    Ok(frame(wire::PROVIDERS, body))
}

/// Records that the asker should hold: fewer than k nodes known here are nearer to their keys.
fn hand_off(
    core: &Core,
    holding: &Holding,
    asker: &Asker,
    body: &Bytes,
) -> Result<ReplyFrame, Refuse> {
    let question: HandOff = decode(body)?;
    let after = question.after.map(Key::from_bytes);
    let (mut records, mut bytes, mut next) = (List::<Record, MAX_RECORDS>::new(), 0, None);
    let mut last = after;
    let overview = core.table.overview();
    for (scanned, held) in holding
        .store
        .records_after(after, core.now.mono)
        .enumerate()
    {
        let size = held.record.body.as_bytes().len();
        if scanned >= HAND_OFF_SCAN || records.len() >= MAX_RECORDS || bytes + size > HAND_OFF_BYTES
        {
            next = last;
            break;
        }
        last = Some(held.key);
        let is_out = overview.are_nearer(K, &held.key, &asker.peer);
        if !is_out && records.push(held.record).is_ok() {
            bytes += size;
        }
    }
    let next = next.map(|key| *key.as_bytes());
    Ok(frame(
        wire::HANDED_OFF,
        encode(&HandedOff { records, next }),
    ))
}

fn near(core: &Core, asker: &Asker, target: &Key, want: usize) -> List<Contact, MAX_CONTACTS> {
    let count = want.min(MAX_CONTACTS);
    let to: (&PeerId, Scope) = (&asker.peer, asker.scope);
    List::truncated(core.table.reply(target, count, to, core.density()))
}

fn frame(kind: u8, body: Bytes) -> ReplyFrame {
    ReplyFrame { kind, body }
}

impl From<Violation> for Refuse {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}
