//! Discovery: Kademlia that holds under churn and attack.
//!
//! Pure: time and chance are arguments, frames go in and come out. The simulator runs ten thousand
//! of these machines in one process, a node runs one of them over QUIC.

mod contact;
mod key;

pub use contact::{ContactFault, Scope, check as check_contact};
pub use key::{Distance, KEY_BITS, Key};

#[cfg(test)]
mod vectors;
