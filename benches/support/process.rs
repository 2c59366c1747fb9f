//! What the process used, as the system and the allocator count it.

use std::fs;
use std::time::Duration;

/// Memory pages of every platform that Linux runs this on.
const PAGE_BYTES: u64 = 4096;

/// Bytes in live allocations.
pub(crate) fn live_bytes() -> u64 {
    let stats = stats_alloc::INSTRUMENTED_SYSTEM.stats();
    stats.bytes_allocated.wrapping_sub(stats.bytes_deallocated) as u64
}

/// Allocations made since the start.
pub(crate) fn allocations() -> u64 {
    stats_alloc::INSTRUMENTED_SYSTEM.stats().allocations as u64
}

/// Resident memory in bytes; 0 where there is no `/proc`.
pub(crate) fn resident_bytes() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * PAGE_BYTES
}

/// Processor time of the calling thread; zero where there is no `/proc`.
pub(crate) fn thread_time() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat
        .split_whitespace()
        .next()
        .and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}
