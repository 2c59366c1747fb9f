//! Whether strangers can reach this node.

use serde::{Deserialize, Serialize};

/// Whether strangers can dial this node. Set by the configuration; later found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reachability {
    /// Nobody knows. The node acts as if it could be reached: most that cannot are found out soon,
    /// and a network in which everybody waits for certainty never starts.
    #[default]
    Unknown,
    /// From everywhere.
    Public,
    /// Only by those that it dialled: it asks others and does not serve.
    Private,
}

impl Reachability {
    /// Whether the node offers to answer the queries of strangers.
    #[must_use]
    pub const fn is_server(self) -> bool {
        !matches!(self, Self::Private)
    }
}
