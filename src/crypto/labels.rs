//! The one table of domain separation labels, and the hashes derived under them.
//!
//! Every keyed hash, MAC, key derivation and signature of the protocol has a label of its own, so
//! that bytes made for one purpose are never valid for another. Bare BLAKE3 is used only as the
//! inner digest of a body, a topic or a leaf list.

use super::secret::SharedSecret;

/// Declares the label enum and the table of all labels from one list.
macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident = $context:literal,)*) => {
        /// A domain separation label.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Label {
            $($(#[$doc])* $name,)*
        }

        impl Label {
            /// Every label, in the order of the specification's table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The BLAKE3 `derive_key` context string.
            #[must_use]
            pub const fn context(self) -> &'static str {
                match self {
                    $(Self::$name => $context,)*
                }
            }
        }
    };
}

labels! {
    /// Names a verification key: suite byte ‖ encoded key.
    PeerId = "creto/1 peer id",
    /// Names a network: the network's name in UTF-8.
    Network = "creto/1 network",
    /// Names one message under a seal.
    Leaf = "creto/1 leaf",
    /// Opens the signed input of a seal.
    Seal = "creto/1 seal",
    /// Names one message on an unsigned topic.
    Unsigned = "creto/1 unsigned message",
    /// Derives a node's QUIC stateless reset key from its signing seed.
    ResetKey = "creto/1 stateless reset key",
    /// Derives a node's QUIC address token key from its signing seed.
    TokenKey = "creto/1 address token key",
    /// Derives a node's QUIC connection id key from its signing seed.
    ConnectionIdKey = "creto/1 connection id key",
    /// Names an immutable record: its value.
    ImmutableKey = "creto/1 immutable record key",
    /// Names a mutable record: owner ‖ salt.
    MutableKey = "creto/1 mutable record key",
    /// Opens the signed input of a mutable record.
    MutableRecord = "creto/1 mutable record",
    /// Names a role that nodes advertise: the role's name in UTF-8.
    RoleKey = "creto/1 role key",
    /// Checks a file of discovery's state: the file's bytes before it.
    DiscoveryState = "creto/1 discovery state",
    /// Opens the signed input of the start-up self-test.
    SelfTest = "creto/1 self test",
}

impl Label {
    /// The 32 bytes that open every input signed under this label: [`derive_key`] of nothing.
    ///
    /// No label hash begins with 0x20 (the padding that opens what TLS 1.3 signs, RFC 8446,
    /// section 4.4.3) or 0x30 (a DER SEQUENCE), so an identity key that also signs TLS handshakes
    /// and certificates never signs the same bytes for two purposes.
    #[must_use]
    pub fn hash(self) -> [u8; 32] {
        derive_key(self, &[])
    }
}

/// BLAKE3 in `derive_key` mode over the concatenation of `parts`.
///
/// Every part but the last must have a fixed width, or two different inputs could concatenate to
/// the same bytes; a variable-length field is given by its hash.
#[must_use]
pub fn derive_key(label: Label, parts: &[&[u8]]) -> [u8; 32] {
    *hasher(label, parts).finalize().as_bytes()
}

/// [`derive_key`] for secret inputs: the result is a secret, too.
#[must_use]
pub fn derive_secret(label: Label, parts: &[&[u8]]) -> SharedSecret {
    let mut hasher = hasher(label, parts);
    let secret = SharedSecret::from_bytes(hasher.finalize().as_bytes());
    zeroize::Zeroize::zeroize(&mut hasher);
    secret
}

/// A MAC: BLAKE3 keyed with `derive_secret(label, key)` over the concatenation of `parts`.
///
/// The result compares in constant time. [`derive_key`]'s rule on the widths of parts holds.
#[must_use]
pub fn mac(label: Label, key: &SharedSecret, parts: &[&[u8]]) -> blake3::Hash {
    let key = derive_secret(label, &[key.expose()]);
    let mut hasher = blake3::Hasher::new_keyed(key.expose());
    for part in parts {
        hasher.update(part);
    }
    let tag = hasher.finalize();
    zeroize::Zeroize::zeroize(&mut hasher);
    tag
}

fn hasher(label: Label, parts: &[&[u8]]) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new_derive_key(label.context());
    for part in parts {
        hasher.update(part);
    }
    hasher
}
