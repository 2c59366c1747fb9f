//! Signatures that cost nothing to make.

use crate::crypto::{SIGNATURE_BYTES, Seal, SealBody, Signature};

/// Fills a signature behind its number.
const FILLER: u8 = 0x5a;

/// The number of what is no signature.
const FORGED: u64 = u64::MAX;

const NUMBER_BYTES: usize = size_of::<u64>();

/// All signatures that were handed out, by number, and for what.
///
/// It grows with every seal of a run: a few hundred bytes each.
#[derive(Debug, Default)]
pub(super) struct Signatures(Vec<SealBody>);

impl Signatures {
    /// A signature that is valid for this and nothing else.
    pub(super) fn sign(&mut self, body: SealBody) -> Signature {
        self.0.push(body);
        numbered(self.0.len() as u64 - 1)
    }

    /// What somebody gets who asks for the signature of somebody else.
    pub(super) fn forge() -> Signature {
        numbered(FORGED)
    }

    /// Whether a seal is as it was signed. Its key is the one that it names: a machine looks.
    pub(super) fn is_valid(&self, seal: &Seal) -> bool {
        let Some((number, filler)) = seal.signature().as_bytes().split_first_chunk() else {
            return false;
        };
        let place = usize::try_from(u64::from_be_bytes(*number)).unwrap_or(usize::MAX);
        let signed = self.0.get(place);
        signed == Some(seal.body()) && filler.iter().all(|byte| *byte == FILLER)
    }
}

fn numbered(number: u64) -> Signature {
    let mut bytes = Box::new([FILLER; SIGNATURE_BYTES]);
    if let Some(front) = bytes.first_chunk_mut::<NUMBER_BYTES>() {
        *front = number.to_be_bytes();
    }
    Signature::from(bytes)
}
