//! DNS names in addresses.

use std::fmt;
use std::str::FromStr;

/// A host name: labels of 1–63 characters `a`–`z`, `0`–`9` and `-` (not at either end), joined by
/// dots, at most 253 characters (RFC 1035 §2.3.4), in lower case and without the final dot.
///
/// The last label must not be all digits (RFC 3696 §2), or an IPv4 address could pass for a name.
/// `Debug` does not print it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsName(Box<str>);

/// The text is not a host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a DNS name in lower case")]
pub struct InvalidDnsName;

impl DnsName {
    /// Longest name in its text form: 255 bytes on the wire of DNS, less the first length and the
    /// root label.
    pub const MAX_LEN: usize = 253;

    /// Longest label: its length has six bits.
    const MAX_LABEL_LEN: usize = 63;

    /// The name.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DnsName {
    type Err = InvalidDnsName;

    fn from_str(text: &str) -> Result<Self, InvalidDnsName> {
        let last = text.rsplit('.').next().unwrap_or_default();
        let valid = text.len() <= Self::MAX_LEN
            && text.split('.').all(is_label)
            && !last.bytes().all(|byte| byte.is_ascii_digit());
        if valid {
            Ok(Self(text.into()))
        } else {
            Err(InvalidDnsName)
        }
    }
}

fn is_label(label: &str) -> bool {
    (1..=DnsName::MAX_LABEL_LEN).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DnsName([redacted])")
    }
}
