//! Reading what a search was answered.

use bytes::Bytes;

use super::io::Fault;
use super::search::Question;
use crate::discovery::{Scope, contact};
use crate::policy::IpGroup;
use crate::wire::Address;
use crate::wire::codec::decode;
use crate::wire::message::discovery::{
    self as wire, Contact, Nodes, Providers, Record, StoreOutcome, Stored, Value,
};

/// An answer, whatever its frame.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    pub(super) contacts: Vec<Contact>,
    pub(super) record: Option<Record>,
    pub(super) providers: Vec<Contact>,
    /// What is wrong with a contact that is left out.
    pub(super) fault: Option<Fault>,
}

/// Reads an answer to `question`. Contacts that break the rules for one told by a peer of this scope
/// are left out, and are a fault of its; the rest is used.
pub(super) fn read(
    question: Question,
    kind: u8,
    body: &Bytes,
    scope: Scope,
) -> Result<Answer, Fault> {
    let mut answer = match kind {
        wire::NODES => {
            let nodes: Nodes = decode(body).map_err(Fault::Malformed)?;
            Answer {
                contacts: nodes.contacts.into_vec(),
                ..Answer::default()
            }
        }
        wire::VALUE => {
            let value: Value = decode(body).map_err(Fault::Malformed)?;
            Answer {
                contacts: value.contacts.into_vec(),
                record: Some(value.record),
                ..Answer::default()
            }
        }
        wire::PROVIDERS => {
            let providers: Providers = decode(body).map_err(Fault::Malformed)?;
            Answer {
                contacts: providers.contacts.into_vec(),
                providers: providers.providers.into_vec(),
                ..Answer::default()
            }
        }
        _ => return Err(Fault::Incoherent),
    };
    let is_asked_for =
        |record: &Record| matches!(question, Question::Value { kind, .. } if kind == record.kind);
    if answer
        .record
        .as_ref()
        .is_some_and(|record| !is_asked_for(record))
    {
        return Err(Fault::Incoherent);
    }
    let contacts = leave_out(&mut answer.contacts, scope);
    answer.fault = leave_out(&mut answer.providers, scope).or(contacts);
    Ok(answer)
}

/// What became of the `count` records of a STORE.
pub(super) fn outcomes(body: &Bytes, count: usize) -> Result<Vec<StoreOutcome>, Fault> {
    let stored: Stored = decode(body).map_err(Fault::Malformed)?;
    if stored.outcomes.len() == count {
        Ok(stored.outcomes.into_vec())
    } else {
        Err(Fault::Incoherent)
    }
}

/// The IP group that a contact is charged to: that of its first address.
pub(super) fn group_of(contact: &Contact) -> IpGroup {
    let mut sockets = contact.addresses.iter().filter_map(Address::socket_addr);
    sockets
        .next()
        .map_or(IpGroup::Local, |one| IpGroup::of(one.ip()))
}

/// Leaves out the contacts that break the rules; what the first of them breaks.
fn leave_out(contacts: &mut Vec<Contact>, scope: Scope) -> Option<Fault> {
    let mut fault = None;
    contacts.retain(|one| match contact::check(one, scope) {
        Ok(()) => true,
        Err(wrong) => {
            fault.get_or_insert(Fault::ForbiddenAddress(wrong));
            false
        }
    });
    fault
}
