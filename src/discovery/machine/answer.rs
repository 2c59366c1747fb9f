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
}

/// Reads an answer to `question`. Every contact in it must follow the rules for one told by a peer of
/// this scope; of an answer that breaks them nothing is used.
pub(super) fn read(
    question: Question,
    kind: u8,
    body: &Bytes,
    scope: Scope,
) -> Result<Answer, Fault> {
    let answer = match kind {
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
    let is_asked_for = |record: &Record| matches!(question, Question::Value { kind, .. } if kind == record.kind);
    if answer.record.as_ref().is_some_and(|record| !is_asked_for(record)) {
        return Err(Fault::Incoherent);
    }
    check(&answer.contacts, scope)?;
    check(&answer.providers, scope)?;
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
    sockets.next().map_or(IpGroup::Local, |one| IpGroup::of(one.ip()))
}

/// Whether every contact follows the rules.
pub(super) fn check(contacts: &[Contact], scope: Scope) -> Result<(), Fault> {
    let mut verdicts = contacts.iter().map(|one| contact::check(one, scope));
    verdicts.try_for_each(|verdict| verdict.map_err(Fault::ForbiddenAddress))
}
