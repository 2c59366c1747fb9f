//! What a received key, seal or message must be before anything is verified.

use super::shared::{Listed, SharedSeal};
use crate::crypto::{ContentDigest, LeafInput, SealBody, Signature, Suite, VerifyingKey};
use crate::gossip::Fault;
use crate::gossip::large::Outline;
use crate::wire::message::gossip::{Key, Large, Message, Seal};

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
    let content = ContentDigest::of(frame.data.as_bytes());
    check_listed(network, seal, frame.index, frame.timestamp_ms, content)
}

/// The header of a long message that a frame brings, under the seal that it refers to, and the outline of
/// the message.
///
/// # Errors
/// [`Fault::InvalidHeader`] for a length that no long message has, or another number of hashes than that
/// length has chunks; [`Fault::NotInSeal`] as above.
pub fn check_large(
    network: &[u8; 32],
    seal: &SharedSeal,
    frame: Large,
) -> Result<(Listed, Outline), Fault> {
    let (index, timestamp_ms) = (frame.index, frame.timestamp_ms);
    let outline = Outline::new(frame.length, frame.chunks.into_vec());
    let outline = outline.ok_or(Fault::InvalidHeader)?;
    let listed = check_listed(network, seal, index, timestamp_ms, outline.content())?;
    Ok((listed, outline))
}

fn check_listed(
    network: &[u8; 32],
    seal: &SharedSeal,
    index: u16,
    timestamp_ms: u64,
    content: ContentDigest,
) -> Result<Listed, Fault> {
    let body = seal.body();
    let listed = body.leaf(index).zip(body.counter(index));
    let (leaf, counter) = listed.ok_or(Fault::NotInSeal)?;
    let input = LeafInput {
        network,
        topic: body.topic(),
        publisher: body.publisher(),
        epoch: body.epoch(),
        counter,
        timestamp_ms,
        content,
    };
    if input.leaf() != leaf {
        return Err(Fault::NotInSeal);
    }
    Ok(Listed {
        seal: seal.clone(),
        counter,
        leaf,
        timestamp_ms,
    })
}

/// Sorting has no bad case that the maker of a list could choose, as a hash table has.
fn lists_one_twice(leaves: &[[u8; 32]]) -> bool {
    let mut sorted: Vec<_> = leaves.iter().collect();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| pair.first() == pair.last())
}
