//! Names of roles.

use thiserror::Error;

use crate::discovery::Key;

/// Nodes that take part in consensus.
pub const ROLE_CONSENSUS: &str = "consensus";

/// Nodes that relay for others.
pub const ROLE_RELAY: &str = "relay";

/// Longest name of a role, in bytes: it is hashed, and shown to people.
pub const MAX_ROLE_NAME: usize = 64;

/// Why a name names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RoleError {
    /// Its length in bytes.
    #[error("the name of a role has 1 to {MAX_ROLE_NAME} bytes, not {0}")]
    Length(usize),
    /// A byte that is not printable ASCII.
    #[error("the name of a role has only printable ASCII characters, not the byte {0:#04x}")]
    NotPrintable(u8),
}

/// Where the nodes with a role are found.
///
/// # Errors
/// [`RoleError`] if `role` is no name of one.
pub fn role_key(role: &str) -> Result<Key, RoleError> {
    if role.is_empty() || role.len() > MAX_ROLE_NAME {
        return Err(RoleError::Length(role.len()));
    }
    let is_wrong = |byte: &u8| !(b' '..=b'~').contains(byte);
    match role.bytes().find(is_wrong) {
        Some(byte) => Err(RoleError::NotPrintable(byte)),
        None => Ok(Key::of_role(role)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_of_a_name_holds() {
        for (length, is_name) in [(0, false), (1, true), (63, true), (64, true), (65, false)] {
            let name = "r".repeat(length);
            assert_eq!(role_key(&name).is_ok(), is_name, "{length}");
        }
        for (text, is_name) in [
            (" ", true),
            ("~", true),
            ("\u{1f}", false),
            ("\u{7f}", false),
        ] {
            assert_eq!(role_key(text).is_ok(), is_name, "{text:?}");
        }
        assert_eq!(role_key("é"), Err(RoleError::NotPrintable(0xc3)));
    }

    #[test]
    fn roles_differ() {
        assert_ne!(role_key(ROLE_CONSENSUS), role_key(ROLE_RELAY));
    }
}
