//! What an operation is told.

use bytes::Bytes;

use super::OperationId;
use super::intake::IntakeId;
use super::search::SearchId;
use crate::discovery::Scope;
use crate::discovery::lookup::Found;
use crate::identity::PeerId;
use crate::policy::IpGroup;
use crate::wire::message::discovery::{Contact, Record};

#[derive(Debug, Clone)]
pub(super) enum Signal {
    /// It begins.
    Start,
    /// A search of its is over.
    Found(SearchId, Found),
    /// A peer answered a search with a record. It is not checked.
    Value { contact: Contact, record: Record },
    /// A peer answered a search with providers.
    Providers {
        teller: PeerId,
        providers: Vec<Contact>,
    },
    /// A peer answered a call of its.
    Answered {
        tag: u64,
        contact: Contact,
        scope: Scope,
        frame: (u8, Bytes),
    },
    /// A peer did not.
    Unanswered {
        tag: u64,
        contact: Contact,
        why: Absence,
    },
    /// A signature was verified.
    Verified { tag: u64, is_valid: bool },
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absence {
    /// It is there, and has no time.
    Busy,
    /// It is there, and does not answer such questions.
    Unwilling,
    /// Nothing could be sent: nothing is known of it.
    NotDialled,
    /// Somebody else answered at its address, which is in this network.
    SomebodyElse(IpGroup),
    /// Nothing came of it.
    Silent,
}

/// Who waits for a signature to be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CheckOwner {
    /// An operation, with a number that it understands.
    Operation(OperationId, u64),
    /// Records that a peer gave, and which of them.
    Intake(IntakeId, usize),
}
