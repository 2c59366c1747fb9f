//! What a sweep sends.

use crate::discovery::Key;
use crate::wire::message::discovery::{Contact, MAX_RECORDS, Record};

/// Bytes of records in one STORE; the frame holds 512 KiB.
const MAX_BATCH_BYTES: usize = 500 << 10;

/// A record to be stored, and what became of it.
#[derive(Debug, Clone)]
pub(in crate::discovery::machine) struct SweepItem {
    pub(in crate::discovery::machine) key: Key,
    pub(in crate::discovery::machine) record: Record,
    /// Whether this node published it, rather than holds it for others.
    pub(in crate::discovery::machine) is_own: bool,
}

/// Records for one node.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub(super) contact: Contact,
    pub(super) items: Vec<usize>,
    /// Whether its node had no time for it once.
    pub(super) is_again: bool,
}

/// Splits what one node gets into messages.
pub(super) fn parts(all: &[SweepItem], items: Vec<usize>) -> Vec<Vec<usize>> {
    let mut parts = vec![Vec::new()];
    let mut bytes = 0;
    for index in items {
        let size = all
            .get(index)
            .map_or(0, |item| item.record.body.as_bytes().len());
        let is_full = parts.last().is_none_or(|part| part.len() >= MAX_RECORDS);
        if is_full || bytes + size > MAX_BATCH_BYTES {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(part) = parts.last_mut() {
            part.push(index);
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}
