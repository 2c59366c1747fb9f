//! How much is heard of one publisher, and of one neighbour.

use foldhash::HashMap;

use super::parcel::{Class, Parcel};
use super::{Gossip, Link, Output, TopicHash};
use crate::gossip::config::RateConfig;
use crate::policy::{Micros, TokenBucket};
use crate::wire::message::gossip as wire;

/// Publishers whose rate is remembered, in two generations of half as many: a full one becomes the old one, and who
/// is in the old one and says nothing is forgotten. As many as links are chosen for. To fill one takes a verified
/// seal of each of 2 048, for which the default admission needs most of a second.
pub(super) const MAX_RATED: usize = 4_096;

/// Seconds of its rate that may come at once.
const BURST: u32 = 2;

/// What the head of a frame counts beside its body.
const FRAME_BYTES: usize = 64;

/// What a subscription counts, and the end of one: a topic is looked at for each, and nobody has more than 128.
const SUBSCRIPTION_BYTES: usize = 1_024;

/// What an ordinal counts that stands for a topic to be joined: as much as an id, although it has one byte.
const ORDINAL_BYTES: usize = 32;

/// Whose messages share a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Rated {
    Publisher(Class),
    /// On an unsigned topic nobody knows who says something, but who brings it.
    Neighbour(Link, TopicHash),
}

#[derive(Debug)]
struct Allowance {
    messages: TokenBucket,
    kibibytes: TokenBucket,
}

/// The rates of messages.
#[derive(Debug)]
pub(super) struct Rates {
    config: RateConfig,
    young: HashMap<Rated, Allowance>,
    old: HashMap<Rated, Allowance>,
}

impl Rates {
    pub(super) fn new(config: RateConfig) -> Self {
        Self {
            config,
            young: HashMap::default(),
            old: HashMap::default(),
        }
    }

    /// Whether one more message of so many bytes is within the rate.
    fn admits(&mut self, now: Micros, rated: Rated, bytes: usize) -> bool {
        let allowance = self.allowance(now, rated);
        let kibibytes = u32::try_from(bytes.div_ceil(1_024)).unwrap_or(u32::MAX);
        allowance.messages.available(now) > 0
            && allowance.kibibytes.try_take(kibibytes, now)
            && allowance.messages.try_take(1, now)
    }

    fn allowance(&mut self, now: Micros, rated: Rated) -> &mut Allowance {
        if self.young.len() >= MAX_RATED / 2 && !self.young.contains_key(&rated) {
            self.old = std::mem::take(&mut self.young);
        }
        let (config, old) = (self.config, &mut self.old);
        self.young.entry(rated).or_insert_with(|| {
            old.remove(&rated).unwrap_or_else(|| Allowance {
                messages: bucket(config.messages, now),
                kibibytes: bucket(config.kibibytes, now),
            })
        })
    }
}

/// How much is heard of a neighbour beside messages.
#[derive(Debug)]
pub(super) struct Heard {
    control: TokenBucket,
    /// What later frames refer to.
    named: TokenBucket,
}

impl Heard {
    pub(super) fn new(config: &RateConfig, now: Micros) -> Self {
        Self {
            control: bucket(config.control_bytes, now),
            named: bucket(config.named_bytes, now),
        }
    }
}

fn bucket(per_second: u32, now: Micros) -> TokenBucket {
    TokenBucket::new(per_second.saturating_mul(BURST), per_second, now)
}

impl Gossip {
    /// Whether a proven message is within what is heard of its publisher, or of who brought it where nobody signs.
    /// What is beyond is nobody's fault.
    pub(super) fn is_within_rate(&mut self, parcel: &Parcel, first: Option<Link>) -> bool {
        let of_neighbour = || Some(Rated::Neighbour(first?, parcel.topic));
        let rated = parcel.class().map(Rated::Publisher).or_else(of_neighbour);
        let (now, bytes) = (self.now.mono, parcel.content.bytes());
        rated.is_none_or(|rated| self.rates.admits(now, rated, bytes))
    }

    /// Whether a frame is beyond what is heard of its neighbour. What later frames
    /// [refer to](Self::names), and messages, which have rates of their own, always are within.
    pub(super) fn is_over_rate(&mut self, link: Link, kind: u8, bytes: usize) -> bool {
        let bytes = match kind {
            wire::GRAFT | wire::WAKE => bytes * ORDINAL_BYTES,
            wire::PRUNE
            | wire::IHAVE
            | wire::IWANT
            | wire::IDONTWANT
            | wire::MODES
            | wire::HAVE => bytes,
            _ => return false,
        };
        let now = self.now.mono;
        let neighbour = self.neighbours.get_mut(&link);
        neighbour.is_some_and(|one| !one.heard.control.try_take(cost(bytes), now))
    }

    /// A neighbour names a key or seal of so many bytes; `false` if it is let go, for it named too much. Later frames
    /// refer to it, so that none can be left out. That is no fault: somebody may make an honest node name
    /// seals again and again.
    pub(super) fn names(&mut self, link: Link, bytes: usize) -> bool {
        let now = self.now.mono;
        let Some(neighbour) = self.neighbours.get_mut(&link) else {
            return false;
        };
        let is_within = neighbour.heard.named.try_take(cost(bytes), now);
        if !is_within {
            neighbour.is_over = true;
            self.outputs.push_back(Output::End(link));
        }
        is_within
    }

    /// The same of so many topics that it subscribes to or leaves.
    pub(super) fn names_topics(&mut self, link: Link, count: usize) -> bool {
        self.names(link, count * SUBSCRIPTION_BYTES)
    }
}

fn cost(bytes: usize) -> u32 {
    u32::try_from(bytes + FRAME_BYTES).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const START: Micros = Micros(1_000_000);

    fn rates(messages: u32, kibibytes: u32) -> Rates {
        Rates::new(RateConfig {
            messages,
            kibibytes,
            ..RateConfig::default()
        })
    }

    fn of(number: usize) -> Rated {
        Rated::Neighbour(Link(number as u64), TopicHash::of("one"))
    }

    #[test]
    fn two_seconds_of_a_rate_are_heard_at_once_and_then_as_much_as_it_says() {
        let mut rates = rates(10, 1_000);
        for number in 0..=20 {
            assert_eq!(rates.admits(START, of(1), 100), number < 20, "{number}");
        }
        assert!(rates.admits(START, of(2), 100), "another one");
        let later = START + Duration::from_secs(1);
        for number in 0..=10 {
            assert_eq!(rates.admits(later, of(1), 100), number < 10, "{number}");
        }
    }

    #[test]
    fn bytes_have_a_rate_too_and_what_is_refused_takes_none() {
        let mut rates = rates(1_000, 8);
        assert!(rates.admits(START, of(1), 15 << 10));
        assert!(!rates.admits(START, of(1), (1 << 10) + 1));
        assert!(rates.admits(START, of(1), 1 << 10));
        assert!(!rates.admits(START, of(1), 1));
    }

    #[test]
    fn as_many_rates_are_remembered_as_may_be_and_whoever_speaks_keeps_its_own() {
        let mut rates = rates(1, 1_000);
        for number in 0..3 * MAX_RATED {
            rates.admits(START, of(number), 1);
            let speaks = rates.admits(START, of(0), 1);
            assert!(!speaks || number == 0, "{number}");
            assert!(rates.young.len() + rates.old.len() <= MAX_RATED);
        }
    }
}
