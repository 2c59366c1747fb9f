//! What is learned of the links of one class.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Link;
use crate::policy::Micros;
use crate::wire::message::gossip::Mode;

/// Least weight of the newest sample.
const NEWEST: f64 = 0.25;

/// Least weight of a sample of a link that was to be silent: it is seldom heard.
const NEWEST_SILENT: f64 = 0.5;

/// What a link that sends at once is ahead of others, in microseconds: two that are equally good do
/// not take turns.
const AHEAD_EAGER: f64 = 3_000.0;

/// The same for one that announces at once.
const AHEAD_LAZY: f64 = 1_500.0;

/// Messages after which a publisher is one that says more.
const ENOUGH_HEARD: u32 = 4;

/// How long ago the last one may be then.
const LATELY: Duration = Duration::from_secs(5);

/// How many links do what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice {
    pub(super) eager: usize,
    pub(super) lazy_random: usize,
    pub(super) lazy_best: usize,
}

#[derive(Debug)]
struct Place {
    mode: Option<Mode>,
    /// Mean lateness in microseconds.
    late: f64,
}

#[derive(Debug)]
pub(super) struct Learned {
    /// Draws the links that announce whatever they achieve: nobody else knows it.
    lot: u64,
    heard: u32,
    pub(super) heard_at: Micros,
    pub(super) rerank_at: Option<Micros>,
    places: BTreeMap<Link, Place>,
}

impl Learned {
    pub(super) const fn new(lot: u64, now: Micros) -> Self {
        Self {
            lot,
            heard: 0,
            heard_at: now,
            rerank_at: None,
            places: BTreeMap::new(),
        }
    }

    /// Whether enough was heard, and lately, to expect more soon.
    pub(super) fn is_lively(&self, now: Micros) -> bool {
        self.heard >= ENOUGH_HEARD && now.since(self.heard_at) < LATELY
    }

    pub(super) fn mode(&self, link: Link) -> Option<Mode> {
        self.places.get(&link)?.mode
    }

    pub(super) fn set_mode(&mut self, link: Link, mode: Mode) -> Option<Mode> {
        self.places.get_mut(&link)?.mode.replace(mode)
    }

    pub(super) fn eager(&self) -> impl Iterator<Item = Link> {
        let eager = |place: &Place| place.mode == Some(Mode::Eager);
        let places = self.places.iter();
        places
            .filter(move |(_, place)| eager(place))
            .map(|(link, _)| *link)
    }

    pub(super) fn left(&mut self, link: Link) {
        self.places.remove(&link);
    }

    pub(super) fn heard(&mut self, now: Micros, links: &[Link], cap: Duration) {
        self.heard = self.heard.saturating_add(1);
        self.heard_at = now;
        let (weight, cap) = (self.weight(), micros(cap));
        for link in links {
            let (mode, late) = (None, cap);
            let place = self.places.entry(*link).or_insert(Place { mode, late });
            if place.mode != Some(Mode::Silent) {
                place.late += weight * (cap - place.late);
            }
        }
    }

    pub(super) fn sighted(&mut self, link: Link, late: Duration, cap: Duration) {
        let (weight, cap) = (self.weight(), micros(cap));
        let late = micros(late).min(cap);
        let Some(place) = self.places.get_mut(&link) else {
            return;
        };
        if place.mode == Some(Mode::Silent) {
            place.late += weight.max(NEWEST_SILENT) * (late - place.late);
        } else {
            // It was taken for as late as can be when the message was first heard of.
            place.late -= weight * (cap - late);
        }
    }

    /// The mode of every link.
    pub(super) fn choose(
        &mut self,
        links: &[(Link, bool)],
        choice: Choice,
        cap: Duration,
        is_good: impl Fn(Link) -> bool,
        has_room: impl Fn(Link) -> bool,
    ) -> Vec<(Link, Mode)> {
        for (link, _) in links {
            let (mode, late) = (None, micros(cap));
            self.places.entry(*link).or_insert(Place { mode, late });
        }
        let mut ranked: Vec<_> = links
            .iter()
            .map(|(link, in_mesh)| (self.rank(*link, *in_mesh), *link))
            .collect();
        ranked.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        let mut modes: BTreeMap<Link, Mode> = links
            .iter()
            .map(|(link, _)| (*link, Mode::Silent))
            .collect();
        let ranked = ranked.into_iter().map(|(_, link)| link);
        let (good, bad): (Vec<_>, Vec<_>) = ranked.partition(|link| is_good(*link));
        let mut left = choice.eager;
        for link in &good {
            let is_incumbent = self.mode(*link) == Some(Mode::Eager);
            if left > 0 && (is_incumbent || has_room(*link)) {
                modes.insert(*link, Mode::Eager);
                left -= 1;
            }
        }
        let announce = |modes: &mut BTreeMap<Link, Mode>, link: Link| {
            if modes.get(&link) == Some(&Mode::Silent) {
                modes.insert(link, Mode::Lazy);
                return true;
            }
            false
        };
        let mut drawn = good.clone();
        drawn.retain(|link| modes.get(link) == Some(&Mode::Silent));
        drawn.sort_by_key(|link| mixed(self.lot, *link));
        for link in drawn.into_iter().take(choice.lazy_random) {
            announce(&mut modes, link);
        }
        // A bad link that was ever heard of comes before those of whom nothing is known: when all that
        // bring something are bad, they are all there is.
        let (heard, others): (Vec<_>, Vec<_>) =
            good.into_iter().partition(|link| self.is_heard(*link, cap));
        let bad = bad.into_iter().filter(|link| self.is_heard(*link, cap));
        let mut left = choice.lazy_best;
        for link in heard.into_iter().chain(bad).chain(others) {
            if left > 0 && announce(&mut modes, link) {
                left -= 1;
            }
        }
        modes.into_iter().collect()
    }

    /// Whether a link brought or announced any message.
    fn is_heard(&self, link: Link, cap: Duration) -> bool {
        let place = self.places.get(&link);
        place.is_some_and(|place| place.late < micros(cap))
    }

    fn rank(&self, link: Link, in_mesh: bool) -> f64 {
        let place = self.places.get(&link);
        let mode = place.and_then(|place| place.mode);
        let ahead = match mode.unwrap_or_else(|| cold(in_mesh)) {
            Mode::Eager => AHEAD_EAGER,
            Mode::Lazy => AHEAD_LAZY,
            Mode::Silent => 0.0,
        };
        place.map_or(f64::MAX, |place| place.late - ahead)
    }

    fn weight(&self) -> f64 {
        (1.0 / f64::from(self.heard.max(1))).max(NEWEST)
    }
}

/// What a link does for a class of which nothing is known yet.
pub(in crate::gossip::machine) const fn cold(in_mesh: bool) -> Mode {
    if in_mesh { Mode::Eager } else { Mode::Lazy }
}

#[allow(clippy::cast_precision_loss, reason = "below a second")]
fn micros(span: Duration) -> f64 {
    span.as_micros() as f64
}

/// The finaliser of SplitMix64 over a secret and a link.
fn mixed(lot: u64, link: Link) -> u64 {
    let mut hash = lot ^ link.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}
