//! What an operator may set.

use serde::{Deserialize, Serialize};

use crate::discovery::store::{StoreConfig, StoreConfigError};
use crate::p2p::OutOfRange;
use crate::p2p::bounds::check;

/// How discovery works on this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DiscoverySettings {
    /// How much the node holds for others.
    pub store: StoreConfig,
    /// Connections that discovery dialled and keeps; 8 to 4 096, default 64. Fewer make lookups
    /// slower, since each first meeting is a handshake.
    pub warm_links: u32,
}

/// Why settings cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DiscoverySettingsError {
    /// A setting of the store.
    #[error("discovery.{0}")]
    Store(#[from] StoreConfigError),
    /// A number.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
}

impl Default for DiscoverySettings {
    fn default() -> Self {
        Self {
            store: StoreConfig::default(),
            warm_links: 64,
        }
    }
}

impl DiscoverySettings {
    /// Checks every field.
    ///
    /// # Errors
    /// The first field out of its range.
    pub fn validate(&self) -> Result<(), DiscoverySettingsError> {
        self.store.validate()?;
        let warm_links = self.warm_links.into();
        Ok(check("discovery.warm_links", warm_links, 8..=4_096)?)
    }
}
