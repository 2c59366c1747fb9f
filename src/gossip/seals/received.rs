//! What a received key, seal or message must be before anything is verified.

use super::shared::{Listed, SharedSeal};
use crate::crypto::{LeafInput, SealBody, Signature, Suite, VerifyingKey};
use crate::gossip::Fault;
use crate::wire::message::gossip::{Key, Message, Seal};

/// The key that a frame brings. Its hash is the publisher's name, so that no key can stand for another
/// publisher.
///
/// # Errors
/// [`Fault::InvalidKey`] for a suite that this version does not know.
pub fn check_key(frame: &Key) -> Result<VerifyingKey, Fault> {
    match Suite::try_from(frame.suite) {
        Ok(Suite::MlDsa87) => Ok(VerifyingKey::ml_dsa_87(&frame.key)),
        Err(_) => Err(Fault::InvalidKey),
    }
}

/// The seal that a frame brings, under the key that it refers to. Its signature is not verified.
///
/// Costs 30 µs for the longest list, a third of its verification; most of it goes into finding a leaf
/// that is listed twice, which would give one message two counters.
///
/// # Errors
/// [`Fault::InvalidSeal`] for a seal without leaves, with a leaf twice, or with counters that exceed the
/// last.
pub fn check_seal(
    network: &[u8; 32],
    frame: Seal,
    key: &VerifyingKey,
) -> Result<SharedSeal, Fault> {
    let leaves = frame.leaves.into_vec();
    if lists_one_twice(&leaves) {
        return Err(Fault::InvalidSeal);
    }
    let seal = SealBody::new(
        key.suite(),
        key.hash(),
        frame.topic,
        frame.epoch,
        frame.first,
        leaves,
    )
    .map(|body| body.with_signature(Signature::from(Box::new(frame.signature))))
    .map_err(|_| Fault::InvalidSeal)?;
    SharedSeal::new(network, seal, key.clone()).map_err(|_| Fault::InvalidSeal)
}

/// The message that a frame brings, under the seal that it refers to.
///
/// # Errors
/// [`Fault::NotInSeal`] if the list is shorter, or has another leaf there.
pub fn check_message(
    network: &[u8; 32],
    seal: &SharedSeal,
    frame: &Message,
) -> Result<Listed, Fault> {
    let body = seal.body();
    let listed = body.leaf(frame.index).zip(body.counter(frame.index));
    let (leaf, counter) = listed.ok_or(Fault::NotInSeal)?;
    let input = LeafInput {
        network,
        topic: body.topic(),
        publisher: body.publisher(),
        epoch: body.epoch(),
        counter,
        timestamp_ms: frame.timestamp_ms,
        data: frame.data.as_bytes(),
    };
    if input.leaf() != leaf {
        return Err(Fault::NotInSeal);
    }
    Ok(Listed {
        seal: seal.clone(),
        counter,
        leaf,
        timestamp_ms: frame.timestamp_ms,
    })
}

/// Sorting has no bad case that the maker of a list could choose, as a hash table has.
fn lists_one_twice(leaves: &[[u8; 32]]) -> bool {
    let mut sorted: Vec<_> = leaves.iter().collect();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| pair.first() == pair.last())
}
