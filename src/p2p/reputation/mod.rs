//! What peers did wrong, and what it costs them.
//!
//! A score is 0 at best and falls with every fault; it recovers by half every half-life. Only bytes
//! that came from the peer itself over a confirmed connection lower it, so that nobody can be made
//! to look bad by somebody else: see [`ConfirmedEvidence`].

mod config;
mod evidence;
mod fault;
mod ledger;
mod leniency;
mod score;
#[cfg(test)]
mod tests;

pub use config::ReputationConfig;
pub use evidence::{ConfirmedEvidence, PathKind, Standing};
pub use fault::{Fault, Severity};
pub use ledger::{MAX_RATED_PEERS, ReputationLedger};
pub use leniency::{Leniency, MAX_FORGIVEN, Novelty, REFUSAL_ON_ITS_WAY};
pub use score::{MAX_SUB_SCORES, Reputation, Verdict};
