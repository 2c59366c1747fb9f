//! First flights as a flooder makes them: one captured dial, again and again under new connection
//! ids.
//!
//! The keys of Initial packets follow from the dialler's first connection id (RFC 9001, section
//! 5.2). Whoever has one ClientHello can therefore make any number of valid first flights for the
//! price of encrypting them; no two look alike to the acceptor.

// Real QUIC sends the flight, so its moment is waited for.
#![allow(clippy::disallowed_methods)]

use std::net::IpAddr;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rustls::Side;
use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::quic::{Keys, Version};
use tokio::time::sleep;

use super::{Net, Verdict};
use crate::transport::environment::Environment;

/// Version 1 of QUIC, as it stands in a long header.
const VERSION_1: [u8; 4] = [0, 0, 0, 1];

/// Where the length of the destination id stands: after the first byte and the version.
const ID_LENGTH_AT: usize = 5;

/// The sample of header protection begins four bytes behind the start of the packet number and has
/// as many bytes as a block of AES (RFC 9001, sections 5.4.2 and 5.4.3).
const SAMPLE: Range<usize> = 4..20;

/// A dialler's first flight with its protection taken off.
#[derive(Debug, Clone)]
pub struct FirstFlight {
    packets: Vec<Packet>,
}

/// An Initial packet that fills its datagram.
#[derive(Debug, Clone)]
struct Packet {
    /// Header and payload, neither protected, without the tag.
    plain: Vec<u8>,
    id: Range<usize>,
    number: u64,
    number_at: Range<usize>,
}

/// A flight is complete when nothing has followed for so long: it leaves in one go, and is not
/// repeated before a probe timeout of a second.
const QUIET: Duration = Duration::from_millis(20);

impl FirstFlight {
    /// Takes the first flight of a dial off the network before it arrives. `dial` begins the dial on
    /// the host at `ip`, which is dead afterwards; the network's tap is replaced.
    ///
    /// Waits for ever if `dial` sends nothing. `None` if the dial showed a token.
    pub async fn capture<T>(
        net: &Net,
        ip: IpAddr,
        dial: impl FnOnce(Environment) -> T,
    ) -> Option<Self> {
        let tape = Arc::new(Mutex::new(Vec::new()));
        let writer = tape.clone();
        net.set_tap(move |datagram| {
            if datagram.from.ip() != ip {
                return Verdict::Pass;
            }
            let mut tape = writer.lock().unwrap_or_else(PoisonError::into_inner);
            tape.push(datagram.contents.clone());
            Verdict::Drop
        });
        let dialling = dial(net.host(ip));
        let recorded = || tape.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut datagrams = recorded();
        loop {
            sleep(QUIET).await;
            let now = recorded();
            if !now.is_empty() && now.len() == datagrams.len() {
                break;
            }
            datagrams = now;
        }
        net.kill(ip);
        net.set_tap(|_| Verdict::Pass);
        drop(dialling);
        Self::open(&datagrams)
    }

    /// `None` if a datagram is not one Initial packet of a dialler without a token.
    fn open<'a>(datagrams: impl IntoIterator<Item = &'a Bytes>) -> Option<Self> {
        let packets: Option<Vec<_>> = datagrams.into_iter().map(Packet::open).collect();
        Some(Self { packets: packets? })
    }

    /// The same flight under the connection id number `number`; `None` only if the primitives fail.
    #[must_use]
    pub fn numbered(&self, number: u64) -> Option<Vec<Bytes>> {
        let hash = blake3::hash(&number.to_le_bytes());
        self.packets
            .iter()
            .map(|packet| packet.seal(hash.as_bytes()))
            .collect()
    }
}

impl Packet {
    fn open(datagram: &Bytes) -> Option<Self> {
        let (id, number_start) = parse(datagram)?;
        let keys = initial_keys(datagram.get(id.clone())?, Side::Server)?.remote;
        let mut plain = datagram.to_vec();
        let sample = sample(&plain, number_start)?;
        let (first, rest) = plain.split_first_mut()?;
        let field = rest.get_mut(number_start - 1..number_start + 3)?;
        keys.header.decrypt_in_place(&sample, first, field).ok()?;
        let number_at = number_start..number_start + usize::from(*first & 0x03) + 1;
        let number = plain.get(number_at.clone())?;
        let number = number
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let (header, payload) = plain.split_at_mut_checked(number_at.end)?;
        let length = keys
            .packet
            .decrypt_in_place(number, header, payload)
            .ok()?
            .len();
        plain.truncate(number_at.end + length);
        Some(Self {
            plain,
            id,
            number,
            number_at,
        })
    }

    fn seal(&self, id: &[u8; 32]) -> Option<Bytes> {
        let mut sealed = self.plain.clone();
        let id = id.get(..self.id.len())?;
        sealed.get_mut(self.id.clone())?.copy_from_slice(id);
        let keys = initial_keys(id, Side::Client)?.local;
        let (header, payload) = sealed.split_at_mut_checked(self.number_at.end)?;
        let tag = keys
            .packet
            .encrypt_in_place(self.number, header, payload)
            .ok()?;
        sealed.extend_from_slice(tag.as_ref());
        let sample = sample(&sealed, self.number_at.start)?;
        let (first, rest) = sealed.split_first_mut()?;
        let field = rest.get_mut(self.number_at.start - 1..self.number_at.end - 1)?;
        keys.header.encrypt_in_place(&sample, first, field).ok()?;
        Some(sealed.into())
    }
}

/// Where the destination id and the packet number stand in an Initial packet (RFC 9000, section
/// 17.2.2).
fn parse(datagram: &[u8]) -> Option<(Range<usize>, usize)> {
    let is_initial = datagram.first()? & 0xf0 == 0xc0 && datagram.get(1..5)? == VERSION_1;
    let id_start = ID_LENGTH_AT + 1;
    let id = id_start..id_start + usize::from(*datagram.get(ID_LENGTH_AT)?);
    let source_length = usize::from(*datagram.get(id.end)?);
    let token_length_at = id.end + 1 + source_length;
    let has_token = *datagram.get(token_length_at)? != 0;
    // Longer than 63 bytes, so its length takes two bytes.
    let length_at = token_length_at + 1;
    let length: [u8; 2] = datagram.get(length_at..length_at + 2)?.try_into().ok()?;
    let length = usize::from(u16::from_be_bytes(length) & 0x3fff);
    let number_start = length_at + 2;
    let fills = number_start + length == datagram.len();
    (is_initial && !has_token && fills).then_some((id, number_start))
}

fn sample(packet: &[u8], number_start: usize) -> Option<[u8; 16]> {
    let at = number_start + SAMPLE.start..number_start + SAMPLE.end;
    packet.get(at)?.try_into().ok()
}

fn initial_keys(id: &[u8], side: Side) -> Option<Keys> {
    let suite = TLS13_AES_128_GCM_SHA256.tls13()?;
    Some(Keys::initial(Version::V1, suite, suite.quic?, id, side))
}
