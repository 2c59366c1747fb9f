//! Penalties of neighbours that went.

use std::collections::BTreeMap;

use super::MAX_RETAINED;
use super::counters::Counters;
use crate::gossip::Link;
use crate::policy::Micros;

/// Who went with a penalty, so that coming back washes nothing off. They do not decay meanwhile: who
/// is away does not improve.
///
/// At most [`MAX_RETAINED`]. When there are more, the mildest is forgotten, be it the newcomer: no
/// crowd of small offenders gets a large one forgotten.
#[derive(Debug, Clone, Default)]
pub(super) struct Retained(BTreeMap<Link, Absent>);

#[derive(Debug, Clone)]
struct Absent {
    until: Micros,
    /// The score with which it went; at most zero.
    score: f64,
    counters: Counters,
}

impl Retained {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn keep(&mut self, link: Link, until: Micros, score: f64, counters: Counters) {
        let absent = Absent {
            until,
            score,
            counters,
        };
        self.0.insert(link, absent);
        if self.0.len() > MAX_RETAINED {
            let scores = self.0.iter().map(|(link, absent)| (*link, absent.score));
            if let Some((mildest, _)) = scores.max_by(|a, b| a.1.total_cmp(&b.1)) {
                self.0.remove(&mildest);
            }
        }
    }

    /// What is remembered of a link that comes back; it is not absent any more.
    pub(super) fn take(&mut self, link: Link, now: Micros) -> Option<Counters> {
        let absent = self.0.remove(&link)?;
        (absent.until > now).then_some(absent.counters)
    }

    pub(super) fn expire(&mut self, now: Micros) {
        self.0.retain(|_, absent| absent.until > now);
    }
}
