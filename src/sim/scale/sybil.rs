//! Attackers that stand around a key and answer with each other only.

use bytes::Bytes;

use crate::discovery::{Key, ReplyFrame};
use crate::wire::codec::{List, decode, encode};
use crate::wire::message::discovery::{
    self as wire, Contact, FindNode, FindValue, GetProviders, HandedOff, MAX_CONTACTS, Nodes,
    Providers, Record, Store, StoreOutcome, Stored, Value,
};

/// A group of attackers that act together. Each answers every question with the members of its group
/// that are nearest to the target; each says that it stores what it is given, and forgets it.
#[derive(Debug, Clone, Default)]
pub struct SybilGroup {
    pub(super) members: Vec<Contact>,
    /// What they say that the value of every key is.
    pub(super) lie: Option<Record>,
}

impl SybilGroup {
    /// The answer to a request.
    pub(super) fn answer(&self, kind: u8, body: &Bytes) -> Option<ReplyFrame> {
        let (kind, body) = match kind {
            wire::FIND_NODE => self.nodes(decode::<FindNode>(body).ok()?.target),
            wire::FIND_VALUE => self.value(decode::<FindValue>(body).ok()?.target),
            wire::GET_PROVIDERS => {
                let target = decode::<GetProviders>(body).ok()?.target;
                let (providers, contacts) = (List::new(), self.near(target));
                let answer = Providers {
                    providers,
                    contacts,
                };
                (wire::PROVIDERS, encode(&answer))
            }
            wire::STORE => {
                let records = decode::<Store>(body).ok()?.records;
                let outcomes = records.iter().map(|_| StoreOutcome::Stored);
                let outcomes = List::truncated(outcomes);
                (wire::STORED, encode(&Stored { outcomes }))
            }
            wire::HAND_OFF => {
                let (records, next) = (List::new(), None);
                (wire::HANDED_OFF, encode(&HandedOff { records, next }))
            }
            _ => return None,
        };
        Some(ReplyFrame { kind, body })
    }

    fn value(&self, target: [u8; 32]) -> (u8, Bytes) {
        let Some(record) = self.lie.clone() else {
            return self.nodes(target);
        };
        let contacts = self.near(target);
        (wire::VALUE, encode(&Value { record, contacts }))
    }

    fn nodes(&self, target: [u8; 32]) -> (u8, Bytes) {
        let contacts = self.near(target);
        (wire::NODES, encode(&Nodes { contacts }))
    }

    fn near(&self, target: [u8; 32]) -> List<Contact, MAX_CONTACTS> {
        let target = Key::from_bytes(target);
        let mut members: Vec<_> = self.members.iter().collect();
        members.sort_by_key(|one| target.distance(&one.peer.into()));
        List::truncated(members.into_iter().cloned())
    }
}
