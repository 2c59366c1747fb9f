mod chunk_set;
mod early;
mod news;
mod outline;
mod room;
mod transfer;
mod transfers;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use super::news::News;
use super::transfer::Transfer;
use super::{Origin, Outline, Transfers};
use crate::crypto::CHUNK_BYTES;
use crate::gossip::{Link, Source, TopicHash};
use crate::identity::PeerId;
use crate::policy::Micros;
use crate::wire::message::gossip::{ChunkRange, MessageId};

const START: Micros = Micros(1_000_000);
const MILLISECOND: Duration = Duration::from_millis(1);

fn rng(seed: u64) -> ChaCha8Rng {
    println!("seed {seed}");
    ChaCha8Rng::seed_from_u64(seed)
}

/// The outline of a message of so many zeros in whole chunks.
fn outline(chunks: u16) -> Arc<Outline> {
    Arc::new(Outline::of(&zeros(chunks)).unwrap())
}

fn zeros(chunks: u16) -> Bytes {
    vec![0; usize::from(chunks) * CHUNK_BYTES].into()
}

/// A message of this node, of so many chunks.
fn published(chunks: u16) -> Transfer {
    Transfer::published(START, outline(chunks), &zeros(chunks))
}

fn fetched(chunks: u16) -> Transfer {
    Transfer::fetched(START, outline(chunks))
}

const fn range(first: u16, count: u16) -> ChunkRange {
    ChunkRange { first, count }
}

fn takes_part(transfer: &mut Transfer, link: u64) {
    transfer.hear(Link(link), &[], &[]).unwrap();
}

fn offers(transfer: &mut Transfer, link: u64, ranges: &[ChunkRange]) {
    transfer.hear(Link(link), &[], ranges).unwrap();
}

fn of_publisher(publisher: u16) -> Origin {
    let mut bytes = [0; 32];
    bytes[..2].copy_from_slice(&publisher.to_le_bytes());
    Origin {
        topic: TopicHash::of("vertices"),
        source: Source {
            publisher: PeerId::from_bytes(bytes),
            epoch: 1,
            counter: 0,
            timestamp_ms: 0,
        },
    }
}

const fn id(number: u16) -> MessageId {
    let [low, high] = number.to_le_bytes();
    let mut id = [0; 32];
    id[0] = low;
    id[1] = high;
    id
}

/// What is offered in all, as neighbour and chunk.
fn offered<'a>(news: impl IntoIterator<Item = (&'a Link, &'a News)>) -> Vec<(u64, u16)> {
    let offers = news.into_iter().flat_map(|(link, news)| {
        let link = link.0;
        news.offers
            .iter()
            .map(move |index| (link, index))
            .collect::<Vec<_>>()
    });
    offers.collect()
}

/// A room for messages of this node and others of 64 MiB.
fn transfers() -> Transfers {
    Transfers::new(64 << 20)
}
