//! The node: its configuration and assembly.

mod config;

pub use config::{ConfigError, CredentialKind, P2PConfig, ProviderKind, ValidConfig};
