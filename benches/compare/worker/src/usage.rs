//! What a process used, as Linux counts it.

use std::fs;

/// Units of processor time in `/proc`, a second: the same on every Linux that programs see.
const TICKS: f64 = 100.0;

/// Bytes of a page.
const PAGE: f64 = 4_096.0;

/// Seconds of processor time and mebibytes in memory, of this process.
pub(crate) fn used() -> String {
    format!("{} {}", cpu_seconds(), resident_mib())
}

/// Seconds of processor time of this process.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may hold spaces.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next().and_then(|one| one.parse::<f64>().ok());
    let (user, system) = (ticks(), ticks());
    (user.unwrap_or(f64::NAN) + system.unwrap_or(f64::NAN)) / TICKS
}

/// Mebibytes of this process that are in memory.
fn resident_mib() -> f64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split_whitespace().nth(1);
    let pages = pages.and_then(|pages| pages.parse::<f64>().ok());
    pages.unwrap_or(f64::NAN) * PAGE / f64::from(1 << 20)
}
