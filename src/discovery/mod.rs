//! Discovery: Kademlia that holds under churn and attack.
//!
//! Pure: time and chance are arguments, frames go in and come out. The simulator runs ten thousand
//! of these machines in one process, a node runs one of them over QUIC.

mod config;
mod contact;
mod density;
mod key;
pub mod lookup;
mod machine;
pub mod record;
mod region;
mod scope;
mod state;
pub mod store;
pub mod table;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod vectors;

pub use config::{DiscoveryConfig, HARDENED_PATHS, K, Rate, ServingConfig};
pub use contact::{ContactFault, check as check_contact};
pub use density::{Density, SizeEstimate, poisson_at_least};
pub use key::{Distance, KEY_BITS, Key};
pub use machine::{
    Asker, CallFailure, CallId, CheckId, Command, Event, Fault, Input, Kademlia, Looked,
    MAX_OPERATIONS, MAX_PUBLICATIONS, OperationId, Outcome, Output, Refuse, Rejection, ReplyFrame,
    RequestId, Setup,
};
pub use region::{bits_of, share_of};
pub use scope::Scope;
pub use state::{
    MAX_SAVED_BYTES, MAX_SAVED_CONTACTS, MAX_SAVED_RECORDS, MAX_STATE_BYTES, SavedState, StateFault,
};
