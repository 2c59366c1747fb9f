//! Padding of the ClientHello.
//!
//! An acceptor may answer an unproven address with three times the bytes it got (RFC 9000 §8.1).
//! Its flight with an ML-DSA-87 key and signature is about 9 KB, a bare ClientHello fills two
//! datagrams, and the third datagram that padding adds is what lets the flight out at once:
//! without it, first contact takes two round trips instead of one. TLS 1.3 has a padding
//! extension (RFC 7685) that rustls does not offer, so the bytes are names of application
//! protocols that nobody speaks. They are the same on all nodes and tell nothing about one.

/// Names added; with [`NAME_BYTES`] and their lengths they take 1 004 bytes.
const NAMES: u8 = 4;

/// Length of a name: at most 255 (RFC 7301).
const NAME_BYTES: usize = 250;

/// The protocol names that follow the real one in a padded ClientHello.
pub(super) fn padding_names() -> impl Iterator<Item = Vec<u8>> {
    (0..NAMES).map(|index| {
        let mut name = b"creto/padding/".to_vec();
        name.push(b'0' + index);
        name.resize(NAME_BYTES, b'.');
        name
    })
}
