//! What the themes share.

pub(crate) mod attacker;
pub(crate) mod nodes;
pub(crate) mod peer;
