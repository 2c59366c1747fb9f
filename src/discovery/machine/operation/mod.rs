//! What takes more than one lookup: the machine's operations.
//!
//! An operation hears of what its searches and calls came to, and says when it is over. Every wait
//! of it is a search or a call with a deadline of its own, so that it always ends.

mod batch;
mod bootstrap;
mod crawl;
mod find;
mod get;
mod hand_off;
mod known;
mod named;
mod providers;
mod put;
mod sweep;

use super::OperationId;
use super::core::Core;
use super::holding::Holding;
use super::io::{Outcome, Output};
use super::signal::Signal;

pub(super) use batch::SweepItem;
pub(super) use bootstrap::Bootstrap;
pub(super) use find::{Closest, FindPeer, Refresh};
pub(super) use get::Get;
pub(super) use hand_off::HandOff;
pub(super) use providers::FindProviders;
pub(super) use put::Put;
pub(super) use sweep::Sweep;

/// Whether an operation goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Going,
    Over,
}

/// What an operation works with.
pub(super) struct Context<'a> {
    pub(super) id: OperationId,
    pub(super) core: &'a mut Core,
    pub(super) holding: &'a mut Holding,
    /// Operations that this one begins.
    pub(super) begun: &'a mut Vec<Operation>,
}

impl Context<'_> {
    /// Begins another operation, which reports to nobody.
    pub(super) fn begin(&mut self, operation: Operation) {
        self.begun.push(operation);
    }

    /// Tells the program what came of its command. An operation does this once; it may go on.
    pub(super) fn done(&mut self, outcome: Outcome) {
        if self.id.0 < OperationId::FIRST_INTERNAL {
            let operation = self.id;
            self.core
                .outputs
                .push_back(Output::Done { operation, outcome });
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Operation {
    Bootstrap(Bootstrap),
    FindPeer(FindPeer),
    Closest(Closest),
    Refresh(Refresh),
    Get(Get),
    Put(Box<Put>),
    Providers(FindProviders),
    HandOff(HandOff),
    Sweep(Box<Sweep>),
}

impl Operation {
    pub(super) fn on(&mut self, context: &mut Context<'_>, signal: Signal) -> Progress {
        match self {
            Self::Bootstrap(one) => one.on(context, signal),
            Self::FindPeer(one) => one.on(context, &signal),
            Self::Closest(one) => one.on(context, signal),
            Self::Refresh(one) => one.on(context, &signal),
            Self::Get(one) => one.on(context, signal),
            Self::Put(one) => one.on(context, signal),
            Self::Providers(one) => one.on(context, signal),
            Self::HandOff(one) => one.on(context, signal),
            Self::Sweep(one) => one.on(context, signal),
        }
    }
}
