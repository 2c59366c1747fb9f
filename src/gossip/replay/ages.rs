//! How much was touched how long ago.

use std::time::Duration;

use crate::policy::Micros;

/// Parts of each power of two: an age is known to an eighth of itself.
const PARTS: usize = 8;
const PART_BITS: u32 = PARTS.trailing_zeros();

/// One for each age below [`PARTS`], and [`PARTS`] for each power of two from there on.
pub(super) const CLASSES: usize = PARTS * (u64::BITS - PART_BITS + 1) as usize;

/// Bytes by the age of what holds them.
#[derive(Debug, Clone)]
pub(super) struct Ages {
    now: Micros,
    bytes: [usize; CLASSES],
}

impl Ages {
    pub(super) const fn new(now: Micros) -> Self {
        Self {
            now,
            bytes: [0; CLASSES],
        }
    }

    pub(super) fn add(&mut self, touched: Micros, bytes: usize) {
        let age = self.now.0.saturating_sub(touched.0);
        if let Some(class) = self.bytes.get_mut(class_of(age)) {
            *class = class.saturating_add(bytes);
        }
    }

    /// The earliest moment so that at least `wanted` bytes were touched before it: everything is, if
    /// there is not as much.
    pub(super) fn horizon(&self, wanted: usize) -> Micros {
        let mut found = 0usize;
        let classes = self.bytes.iter().enumerate().rev();
        let enough = classes
            .map(|(class, bytes)| {
                found = found.saturating_add(*bytes);
                (class, found)
            })
            .find(|(_, found)| *found >= wanted);
        let youngest = enough.map_or(0, |(class, _)| youngest_of(class));
        let before = Duration::from_micros(1);
        Micros(self.now.0.saturating_sub(youngest)) + before
    }
}

pub(super) fn class_of(age: u64) -> usize {
    let Some(power) = age.checked_ilog2().filter(|power| *power >= PART_BITS) else {
        return usize::try_from(age).unwrap_or(0);
    };
    let shift = power - PART_BITS;
    // The highest bit and the three behind it: 8 to 15.
    let leading = usize::try_from(age >> shift).unwrap_or(0);
    PARTS * shift as usize + leading
}

/// The least age of a class.
pub(super) fn youngest_of(class: usize) -> u64 {
    if class < 2 * PARTS {
        return class as u64;
    }
    let shift = class / PARTS - 1;
    ((class % PARTS + PARTS) as u64) << shift
}
