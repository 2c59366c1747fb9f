//! A lookup under way, with what it asks and for whom.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::OperationId;
use crate::discovery::lookup::Lookup;
use crate::discovery::{Distance, Key};
use crate::identity::PeerId;
use crate::policy::Micros;
use crate::wire::codec::encode;
use crate::wire::message::discovery::{
    self as wire, Contact, FindNode, FindValue, GetProviders, MAX_CONTACTS,
};

/// Number of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SearchId(pub(super) u64);

/// What a search asks every node on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// Which nodes are near?
    Nodes,
    /// And this record?
    Value { kind: u16, key: Key },
    /// And the providers of this key?
    Providers { key: Key },
}

/// Where a search goes, and from where.
#[derive(Debug, Clone)]
pub(super) struct Aim {
    pub(super) target: Key,
    pub(super) question: Question,
    /// Start from these, or from the table.
    pub(super) seeds: Option<Vec<Contact>>,
    pub(super) paths: usize,
    /// It is over when this peer answers.
    pub(super) goal: Option<PeerId>,
    /// Whether it shows how many nodes there are.
    pub(super) is_sample: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Search {
    pub(super) owner: OperationId,
    pub(super) question: Question,
    pub(super) goal: Option<PeerId>,
    pub(super) lookup: Lookup,
    /// It is over then, whatever it found.
    pub(super) deadline: Micros,
    /// When it began.
    pub(super) began: Micros,
    /// The nearest node that answered, and when.
    pub(super) nearest: Option<(Distance, Micros)>,
    /// Who was asked more than once.
    pub(super) repeated: BTreeSet<PeerId>,
}

impl Aim {
    /// Nodes near `target`, from the table, on one path.
    pub(super) const fn nodes(target: Key) -> Self {
        Self {
            target,
            question: Question::Nodes,
            seeds: None,
            paths: 1,
            goal: None,
            is_sample: false,
        }
    }

    /// The record with this key, or its providers.
    pub(super) fn asking(target: Key, question: Question) -> Self {
        Self {
            question,
            ..Self::nodes(target)
        }
    }
}

impl Question {
    /// The frame that asks it on the way to `target`.
    pub(super) fn frame(self, target: &Key) -> (u8, Bytes) {
        let target = *target.as_bytes();
        match self {
            Self::Nodes => (wire::FIND_NODE, encode(&find_node(target, MAX_CONTACTS))),
            Self::Value { kind, key } => {
                let key = *key.as_bytes();
                let body = FindValue { target, kind, key };
                (wire::FIND_VALUE, encode(&body))
            }
            Self::Providers { key } => {
                let key = *key.as_bytes();
                (wire::GET_PROVIDERS, encode(&GetProviders { target, key }))
            }
        }
    }
}

/// A question for the nodes near `target`.
pub(super) fn find_node(target: [u8; 32], want: usize) -> FindNode {
    let want = u8::try_from(want).unwrap_or(u8::MAX);
    FindNode { target, want }
}
