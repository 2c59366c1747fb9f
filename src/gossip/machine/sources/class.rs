//! What is learned of the links of one class.

use std::time::Duration;

use super::Link;
use super::trial::HEARS;
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

/// Mean lateness, of the most that counts, below which a link is known to bring messages: that of one that brought one
/// and then missed eight, each with a weight of a quarter.
const BROUGHT: f64 = 0.9;

/// Messages after which a publisher is one that says more.
const ENOUGH_HEARD: u32 = 4;

/// How long ago the last one may be then.
const LATELY: Duration = Duration::from_secs(5);

/// A neighbour that wants a topic.
#[derive(Debug, Clone, Copy)]
pub(in crate::gossip::machine) struct Subscriber {
    /// Which.
    pub(in crate::gossip::machine) link: Link,
    /// Whether it is in the topic's mesh.
    pub(in crate::gossip::machine) in_mesh: bool,
    /// Whether this node dialled it.
    pub(in crate::gossip::machine) is_outbound: bool,
}

/// How many links do what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice {
    pub(super) eager: usize,
    pub(super) lazy_random: usize,
    pub(super) lazy_outbound: usize,
    pub(super) lazy_best: usize,
}

#[derive(Debug)]
struct Place {
    link: Link,
    mode: Option<Mode>,
    /// When it was asked for that.
    since: Micros,
    /// Mean lateness in microseconds.
    late: f64,
}

#[derive(Debug)]
pub(in crate::gossip::machine) struct Learned {
    /// Draws the links that announce whatever they achieve: nobody else knows it. Of two that this node dialled both
    /// announce, whatever is drawn.
    lot: u64,
    heard: u32,
    pub(super) heard_at: Micros,
    pub(super) rerank_at: Option<Micros>,
    /// Whether more was known of the class once: the neighbours may have been asked for other modes then, and
    /// not for new ones yet.
    is_forgotten: bool,
    /// In the order of links.
    places: Vec<Place>,
}

impl Learned {
    pub(super) const fn new(lot: u64, now: Micros, is_forgotten: bool) -> Self {
        Self {
            is_forgotten,
            lot,
            heard: 0,
            heard_at: now,
            rerank_at: None,
            places: Vec::new(),
        }
    }

    /// Whether enough was heard, and lately, to expect more soon.
    pub(super) fn is_lively(&self, now: Micros) -> bool {
        self.heard >= ENOUGH_HEARD && now.since(self.heard_at) < LATELY
    }

    pub(in crate::gossip::machine) fn mode(&self, link: Link) -> Option<Mode> {
        self.place(link)?.mode
    }

    pub(super) fn set_mode(&mut self, now: Micros, link: Link, mode: Mode) -> Option<Mode> {
        let place = self.place_mut(link)?;
        if place.mode != Some(mode) {
            place.since = now;
        }
        place.mode.replace(mode)
    }

    /// Whether a link is to send messages of the class at once, and has had the time to hear of it.
    pub(in crate::gossip::machine) fn owes(&self, link: Link, in_mesh: bool, now: Micros) -> bool {
        let place = self.place(link);
        match place.and_then(|place| Some((place.mode?, place.since))) {
            Some((mode, since)) => mode == Mode::Eager && now.since(since) >= HEARS,
            None => in_mesh && !self.is_forgotten,
        }
    }

    /// Whether a link brought messages of the class lately: of eight in a row that it does not bring the last is one
    /// that nobody wonders about.
    pub(in crate::gossip::machine) fn has_brought(&self, link: Link, cap: Duration) -> bool {
        let place = self.place(link);
        place.is_some_and(|place| place.late < BROUGHT * micros(cap))
    }

    /// Whether links were chosen.
    pub(in crate::gossip::machine) fn is_chosen(&self) -> bool {
        self.eager().next().is_some()
    }

    pub(super) fn eager(&self) -> impl Iterator<Item = Link> {
        let places = self.places.iter();
        let eager = places.filter(|place| place.mode == Some(Mode::Eager));
        eager.map(|place| place.link)
    }

    pub(super) fn left(&mut self, link: Link) {
        self.places.retain(|place| place.link != link);
    }

    pub(super) fn heard(&mut self, now: Micros, links: &[Link], cap: Duration) {
        self.heard = self.heard.saturating_add(1);
        self.heard_at = now;
        let (weight, cap) = (self.weight(), micros(cap));
        for link in links {
            let place = self.place_of(*link, cap);
            if place.mode != Some(Mode::Silent) {
                place.late += weight * (cap - place.late);
            }
        }
    }

    pub(super) fn sighted(&mut self, link: Link, late: Duration, cap: Duration) {
        let (weight, cap) = (self.weight(), micros(cap));
        let late = micros(late).min(cap);
        let Some(place) = self.place_mut(link) else {
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
        links: &[Subscriber],
        choice: Choice,
        cap: Duration,
        is_good: impl Fn(Link) -> bool,
        has_room: impl Fn(Link) -> bool,
    ) -> Vec<(Link, Mode)> {
        let ranked = links.iter().map(|one| {
            let place = self.place_of(one.link, micros(cap));
            Candidate {
                link: one.link,
                rank: place.rank(one.in_mesh),
                is_outbound: one.is_outbound,
                is_heard: place.late < micros(cap),
                is_incumbent: place.mode == Some(Mode::Eager),
                is_good: is_good(one.link),
                mode: Mode::Silent,
            }
        });
        let mut ranked: Vec<_> = ranked.collect();
        ranked.sort_by(|one, other| {
            let by_rank = one.rank.total_cmp(&other.rank);
            by_rank.then(one.link.cmp(&other.link))
        });
        let eager = |one: &Candidate| one.is_good && (one.is_incumbent || has_room(one.link));
        assign(&mut ranked, choice.eager, Mode::Eager, eager);
        self.draw_announcers(&mut ranked, choice);
        // A bad link that was ever heard of comes before those of whom nothing is known: when all that
        // bring something are bad, they are all there is.
        let mut left = choice.lazy_best;
        left = assign(&mut ranked, left, Mode::Lazy, |one| {
            one.is_good && one.is_heard
        });
        left = assign(&mut ranked, left, Mode::Lazy, |one| {
            !one.is_good && one.is_heard
        });
        assign(&mut ranked, left, Mode::Lazy, |one| one.is_good);
        let modes = ranked.into_iter();
        modes.map(|one| (one.link, one.mode)).collect()
    }

    /// Some announce whatever they achieve, and of these some that this node dialled: nobody who dials in has all
    /// of their places, with however many identities.
    fn draw_announcers(&self, ranked: &mut [Candidate], choice: Choice) {
        let mut drawn: Vec<_> = ranked.iter_mut().collect();
        drawn.sort_by_cached_key(|one| mixed(self.lot, one.link));
        let dialled = choice.lazy_outbound.min(choice.lazy_random);
        let is_dialled = |one: &Candidate| one.is_good && one.is_outbound;
        let missing = assign(reborrowed(&mut drawn), dialled, Mode::Lazy, is_dialled);
        let left = choice.lazy_random - dialled + missing;
        assign(reborrowed(&mut drawn), left, Mode::Lazy, |one| one.is_good);
    }

    fn place(&self, link: Link) -> Option<&Place> {
        let at = self.find(link).ok()?;
        self.places.get(at)
    }

    fn place_mut(&mut self, link: Link) -> Option<&mut Place> {
        let at = self.find(link).ok()?;
        self.places.get_mut(at)
    }

    /// The place of a link; of one that is new, as late as can be.
    fn place_of(&mut self, link: Link, late: f64) -> &mut Place {
        let at = self.find(link).unwrap_or_else(|at| {
            let place = Place {
                link,
                mode: None,
                since: Micros(0),
                late,
            };
            self.places.insert(at, place);
            at
        });
        &mut self.places[at]
    }

    fn find(&self, link: Link) -> Result<usize, usize> {
        self.places.binary_search_by_key(&link, |place| place.link)
    }

    fn weight(&self) -> f64 {
        (1.0 / f64::from(self.heard.max(1))).max(NEWEST)
    }
}

impl Place {
    fn rank(&self, in_mesh: bool) -> f64 {
        let ahead = match self.mode.unwrap_or_else(|| cold(in_mesh)) {
            Mode::Eager => AHEAD_EAGER,
            Mode::Lazy => AHEAD_LAZY,
            Mode::Silent => 0.0,
        };
        self.late - ahead
    }
}

/// A link that may be chosen.
#[derive(Debug)]
struct Candidate {
    link: Link,
    rank: f64,
    is_outbound: bool,
    /// Whether it brought or announced any message.
    is_heard: bool,
    /// Whether it sends at once already.
    is_incumbent: bool,
    is_good: bool,
    mode: Mode,
}

/// Gives the first so many of those that are silent and fit a mode; how many are left to give.
fn assign<'a>(
    candidates: impl IntoIterator<Item = &'a mut Candidate>,
    mut left: usize,
    mode: Mode,
    fits: impl Fn(&Candidate) -> bool,
) -> usize {
    for one in candidates {
        if left > 0 && one.mode == Mode::Silent && fits(one) {
            one.mode = mode;
            left -= 1;
        }
    }
    left
}

/// The same candidates, to be gone through more than once.
fn reborrowed<'a>(candidates: &'a mut [&mut Candidate]) -> impl Iterator<Item = &'a mut Candidate> {
    candidates.iter_mut().map(|one| &mut **one)
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
pub(in crate::gossip::machine) fn mixed(lot: u64, link: Link) -> u64 {
    let mut hash = lot ^ link.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a publisher whose links are chosen newly nobody owes anything before it can have heard so.
    #[test]
    fn a_link_that_was_chosen_a_moment_ago_owes_nothing_yet() {
        let (now, cap) = (Micros(10_000_000), Duration::from_millis(60));
        let mut learned = Learned::new(1, now, false);
        learned.heard(now, &[Link(1)], cap);
        assert!(learned.owes(Link(1), true, now), "the mesh says so");
        assert!(!learned.owes(Link(1), false, now));
        learned.set_mode(now, Link(1), Mode::Eager);
        for (after, owes) in [(0, false), (999, false), (1_000, true)] {
            assert_eq!(
                learned.owes(Link(1), true, now + Duration::from_millis(after)),
                owes,
                "{after}"
            );
        }
        // To say the same again changes nothing.
        learned.set_mode(now + Duration::from_millis(1_500), Link(1), Mode::Eager);
        assert!(learned.owes(Link(1), true, now + Duration::from_millis(1_500)));
        let mut forgotten = Learned::new(1, now, true);
        forgotten.heard(now, &[Link(1)], cap);
        assert!(
            !forgotten.owes(Link(1), true, now),
            "it may remember other words"
        );
    }
}
