//! Long messages: a header that spreads as any message does, and chunks that neighbours exchange.
//!
//! The [`Outline`] in the header says what each chunk is, so that a chunk is checked alone and passed on
//! before the next one is here. Who has which chunks is told to all neighbours that take part. Chunks are
//! offered, the rarest first, and no more at once than an uplink carries in a round trip: so each is
//! offered once before any is offered twice, and who got one early has little time to be asked for it by
//! everybody before others can give it, too.

mod chunk_set;
mod news;
mod outline;
#[cfg(test)]
mod tests;
mod transfer;
mod transfers;

pub use chunk_set::ChunkSet;
pub(super) use news::News;
pub use outline::Outline;
pub(super) use transfer::Arrival;
pub use transfers::CHUNK_DEADLINE;
pub(super) use transfers::{NotBegun, Origin, Transfers};
