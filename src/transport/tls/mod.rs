//! TLS 1.3 for exactly one group (X25519MLKEM768) and one signature scheme (ML-DSA-87).
//!
//! rustls drives the handshake; key exchange, signing and verifying are ours, through
//! [`crypto::Provider`](crate::crypto::Provider). Credentials are raw public keys (RFC 7250) or
//! self-signed certificates, fixed for a network: in both, only the public key counts.

mod backend;
mod config;
mod credential;
mod fifo_store;
mod padding;
mod server_name;
mod sessions;
mod tickets;
mod verifier;

#[cfg(test)]
mod tests;

pub use credential::Credential;

#[cfg(any(test, feature = "sim"))]
pub(super) use config::TlsSettings;
pub use config::{PqcHandshake, TlsError};
pub(super) use server_name::ServerName;
pub(super) use sessions::ResumptionStores;
pub(super) use tickets::TicketStore;
pub(super) use verifier::peer_key;
