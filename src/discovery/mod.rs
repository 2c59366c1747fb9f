//! Discovery: Kademlia that holds under churn and attack.
//!
//! Pure: time and chance are arguments, frames go in and come out. The simulator runs ten thousand
//! of these machines in one process, a node runs one of them over QUIC.

mod key;
pub mod record;
pub mod store;

pub use key::{Distance, KEY_BITS, Key};
