use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::crypto::{ContentDigest, LeafInput, MAX_SEAL_LEAVES};
use crate::gossip::seals::testing::{NETWORK, key, poisson_gap, rng, topic};
use crate::gossip::{AdmissionConfig, NotPublished, PublicationId, SealingConfig, TopicHash};
use crate::policy::{Micros, TokenBucket};

const START: Micros = Micros(1_000_000);
const EPOCH: u64 = 77;

fn after(micros: u64) -> Micros {
    START + Duration::from_micros(micros)
}

fn pacer() -> Pacer {
    pacer_with(SealingConfig::default())
}

fn pacer_with(config: SealingConfig) -> Pacer {
    Pacer::new(config, NETWORK, &key(1), EPOCH, START)
}

fn pending(number: u64) -> Pending {
    Pending {
        publication: PublicationId(number),
        timestamp_ms: 1_000 + number,
        data: Bytes::copy_from_slice(&number.to_le_bytes()),
    }
}

fn sized(number: u64, length: usize) -> Pending {
    Pending {
        data: Bytes::from(vec![0; length]),
        ..pending(number)
    }
}

/// A pacer that has used up its burst, just now.
fn without_tokens() -> Pacer {
    let mut pacer = pacer();
    for number in 0..16 {
        pacer.push(topic(0), pending(number)).unwrap();
        assert!(pacer.poll(START).is_some());
    }
    pacer
}

/// A list that went out.
#[derive(Debug)]
struct Sent {
    at: Micros,
    topic: TopicHash,
    leaves: usize,
    longest_wait: Duration,
}

/// Messages that come at random, in virtual time.
struct Simulation {
    now: Micros,
    pacer: Pacer,
    pushed: BTreeMap<PublicationId, Micros>,
    sent: Vec<Sent>,
    refused: u64,
}

impl Simulation {
    fn new() -> Self {
        Self {
            now: START,
            pacer: pacer(),
            pushed: BTreeMap::new(),
            sent: Vec::new(),
            refused: 0,
        }
    }

    /// `rates` by topic, in messages a second.
    fn run(seed: u64, seconds: u64, rates: &[f64]) -> Self {
        println!("seed {seed}");
        let mut simulation = Self::new();
        let rng = &mut rng(seed);
        let end = after(seconds * 1_000_000);
        let gap = |rate, rng: &mut _| Duration::from_micros(poisson_gap(rng, rate));
        let mut arrivals: BTreeMap<(Micros, usize), f64> = BTreeMap::new();
        for (number, rate) in rates.iter().enumerate() {
            arrivals.insert((START + gap(*rate, rng), number), *rate);
        }
        let mut publication = 0;
        while let Some(((at, number), rate)) = arrivals.pop_first() {
            if at > end {
                break;
            }
            simulation.wait_until(at);
            simulation.push(at, topic(number as u64), publication);
            publication += 1;
            arrivals.insert((at + gap(rate, rng), number), rate);
        }
        simulation.wait_until(end);
        simulation
    }

    fn push(&mut self, at: Micros, topic: TopicHash, number: u64) {
        let message = pending(number);
        self.pushed.insert(message.publication, at);
        if self.pacer.push(topic, message).is_err() {
            self.refused += 1;
        }
        self.drain(at);
    }

    fn wait_until(&mut self, end: Micros) {
        while let Some(at) = self.pacer.next(self.now)
            && at <= end
        {
            self.now = at;
            assert!(self.drain(at) > 0, "nothing at the named moment");
        }
        self.now = end;
    }

    fn drain(&mut self, now: Micros) -> usize {
        let before = self.sent.len();
        while let Some(batch) = self.pacer.poll(now) {
            let waits = batch.messages.iter();
            let longest = waits.map(|one| now.since(self.pushed[&one.publication]));
            self.sent.push(Sent {
                at: now,
                topic: TopicHash::from_bytes(*batch.body.topic()),
                leaves: batch.messages.len(),
                longest_wait: longest.max().unwrap(),
            });
        }
        self.sent.len() - before
    }

    fn longest_wait(&self, topic: TopicHash) -> Duration {
        let of_topic = self.sent.iter().filter(|one| one.topic == topic);
        of_topic.map(|one| one.longest_wait).max().unwrap()
    }
}

#[test]
fn seals_follow_the_simulated_figures() {
    for (rate, seals, group) in [(1_000, 50, 20), (10_000, 52, 192), (50_000, 52, 964)] {
        for seed in 1..=3 {
            let seconds = 8;
            let done = Simulation::run(seed, seconds, &[f64::from(rate)]);
            let made = done.sent.len() as f64 / seconds as f64;
            let leaves: usize = done.sent.iter().map(|one| one.leaves).sum();
            let mean = leaves as f64 / done.sent.len() as f64;
            println!("{rate} messages/s: {made:.1} seals/s of {mean:.1}");
            assert!((made - f64::from(seals)).abs() <= 2.5, "{made} seals/s");
            assert!((mean / f64::from(group) - 1.0).abs() <= 0.06, "{mean}");
            assert_eq!(done.refused, 0);
            let wait = done.longest_wait(topic(0));
            assert!(wait <= Duration::from_millis(20), "{wait:?}");
        }
    }
}

#[test]
fn a_message_that_finds_a_token_is_sealed_at_once() {
    let mut pacer = pacer();
    for number in 0..16 {
        let leaf = pacer.push(topic(0), pending(number)).unwrap();
        assert_eq!(pacer.next(START), Some(START));
        let batch = pacer.poll(START).unwrap();
        assert_eq!(batch.body.leaves(), [leaf.0]);
        assert_eq!(batch.messages, [pending(number)]);
    }
    pacer.push(topic(0), pending(16)).unwrap();
    assert_eq!(pacer.poll(START), None);
    assert_eq!(pacer.next(START), Some(after(20_000)));
}

#[test]
fn a_message_waits_for_the_next_token_and_all_that_came_go_with_it() {
    let mut pacer = without_tokens();
    for number in 16..19 {
        pacer.push(topic(0), pending(number)).unwrap();
    }
    assert_eq!(pacer.poll(after(19_999)), None);
    let batch = pacer.poll(after(20_000)).unwrap();
    assert_eq!(batch.messages, [16, 17, 18].map(pending));
    assert_eq!(batch.body.first_counter(), 16);
    assert_eq!(pacer.next(after(20_000)), None);
    assert_eq!(pacer.waiting(), 0);
}

#[test]
fn a_full_list_does_not_wait() {
    let mut pacer = without_tokens();
    let full = MAX_SEAL_LEAVES as u64;
    for number in 0..full - 1 {
        pacer.push(topic(0), pending(number)).unwrap();
    }
    assert_eq!(pacer.poll(after(1)), None);
    pacer.push(topic(0), pending(full)).unwrap();
    assert_eq!(pacer.next(after(1)), Some(after(1)));
    let batch = pacer.poll(after(1)).unwrap();
    assert_eq!(batch.messages.len(), MAX_SEAL_LEAVES);
    assert_eq!(pacer.poll(after(1)), None);
}

#[test]
fn one_list_is_never_longer_than_a_seal() {
    let mut pacer = pacer();
    for number in 0..MAX_SEAL_LEAVES as u64 + 1 {
        pacer.push(topic(0), pending(number)).unwrap();
    }
    let first = pacer.poll(START).unwrap().body;
    let second = pacer.poll(START).unwrap().body;
    assert_eq!(first.leaves().len(), MAX_SEAL_LEAVES);
    assert_eq!(second.leaves().len(), 1);
    assert_eq!(second.first_counter(), first.next_counter());
}

#[test]
fn a_message_behind_a_full_list_waits_for_a_token_from_then_on() {
    let mut pacer = without_tokens();
    for number in 0..MAX_SEAL_LEAVES as u64 {
        pacer.push(topic(0), pending(number)).unwrap();
    }
    assert!(pacer.poll(after(19_000)).is_some());
    pacer.push(topic(0), pending(5_000)).unwrap();
    assert_eq!(pacer.next(after(19_001)), Some(after(39_000)));
}

#[test]
fn no_publisher_makes_more_seals_than_a_receiver_admits() {
    let admission = AdmissionConfig::default();
    for rate in [80_000.0, 200_000.0] {
        let done = Simulation::run(1, 3, &[rate]);
        let mut bucket = TokenBucket::new(
            admission.publisher_burst,
            admission.publisher_per_second,
            START,
        );
        println!(
            "{rate}: {} seals, {} refused",
            done.sent.len(),
            done.refused
        );
        assert!(done.sent.iter().all(|one| bucket.try_take(1, one.at)));
        assert_eq!(done.refused > 0, rate > 102_400.0);
    }
}

#[test]
fn the_topic_that_waits_longest_is_first() {
    let mut pacer = without_tokens();
    for (number, name) in [3, 1, 3, 2].into_iter().enumerate() {
        pacer.push(topic(name), pending(number as u64)).unwrap();
    }
    for (turn, name) in [3, 1, 2].into_iter().enumerate() {
        let now = after(20_000 * (turn as u64 + 1));
        let batch = pacer.poll(now).unwrap();
        assert_eq!(batch.body.topic(), topic(name).as_bytes());
        assert_eq!(pacer.poll(now), None);
    }
}

#[test]
fn a_flood_on_one_topic_does_not_hold_up_another() {
    let done = Simulation::run(1, 4, &[90_000.0, 20.0]);
    let wait = done.longest_wait(topic(1));
    println!("longest wait of the quiet topic: {wait:?}");
    assert!(wait <= Duration::from_millis(40), "{wait:?}");
}

#[test]
fn each_topic_counts_its_messages_from_zero_without_a_gap() {
    let mut pacer = pacer();
    let mut next = BTreeMap::new();
    for number in 0..400 {
        let name = topic(number % 3);
        let now = after(number * 1_000);
        let leaf = pacer.push(name, pending(number)).unwrap();
        assert_ne!(leaf.0, [0; 32]);
        while let Some(Batch { body, messages }) = pacer.poll(now) {
            let counter = next.entry(*body.topic()).or_insert(0);
            assert_eq!(body.first_counter(), *counter);
            for (index, message) in messages.iter().enumerate() {
                let input = LeafInput {
                    network: &NETWORK,
                    topic: body.topic(),
                    publisher: key(1).hash(),
                    epoch: EPOCH,
                    counter: *counter + index as u64,
                    timestamp_ms: message.timestamp_ms,
                    content: ContentDigest::of(&message.data),
                };
                assert_eq!(body.leaf(index as u16), Some(input.leaf()));
            }
            *counter = body.next_counter();
        }
    }
    assert!(next.values().all(|counter| *counter > 100));
}

#[test]
fn a_topic_that_was_forgotten_never_repeats_a_counter() {
    let config = SealingConfig {
        burst: u32::MAX,
        ..SealingConfig::default()
    };
    let mut pacer = pacer_with(config);
    let mut used = BTreeSet::new();
    let mut publish = |name| {
        pacer.push(topic(name), pending(0)).unwrap();
        let body = pacer.poll(START).unwrap().body;
        assert!(used.insert((*body.topic(), body.first_counter())));
        body.first_counter()
    };
    let topics = MAX_TOPICS_OF_PUBLISHER as u64;
    for _ in 0..3 {
        publish(0);
    }
    // At the limit everybody is remembered; one beyond it forgets who was silent longest.
    for name in 1..topics {
        assert_eq!(publish(name), 0);
    }
    assert_eq!(publish(0), 3);
    // Topic 1 goes, which used one counter; whoever is new begins behind it.
    assert_eq!(publish(topics), 1);
    assert_eq!(publish(2), 1);
    assert_eq!(publish(1), 1);
    // All others go, too, and among them topic 0, which used four.
    for name in topics + 1..2 * topics {
        publish(name);
    }
    assert_eq!(publish(0), 4);
}

#[test]
fn messages_that_wait_are_bounded_in_number() {
    let config = SealingConfig {
        max_waiting: 3,
        ..SealingConfig::default()
    };
    let mut pacer = pacer_with(config);
    for number in 0..3 {
        assert!(pacer.push(topic(number), pending(number)).is_ok());
    }
    assert_eq!(pacer.push(topic(0), pending(3)), Err(NotPublished::Busy));
    assert!(pacer.poll(START).is_some());
    assert!(pacer.push(topic(0), pending(3)).is_ok());
}

#[test]
fn messages_that_wait_are_bounded_in_bytes() {
    for (more, is_taken) in [(0, true), (1, false)] {
        let mut pacer = pacer();
        let half = MAX_WAITING_BYTES / 2;
        assert!(pacer.push(topic(0), sized(0, half)).is_ok());
        let second = pacer.push(topic(0), sized(1, half + more));
        assert_eq!(second.is_ok(), is_taken);
    }
    let mut pacer = pacer();
    let long = sized(0, MAX_WAITING_BYTES + 1);
    assert!(pacer.push(topic(0), long).is_ok(), "one alone always waits");
    assert!(pacer.poll(START).is_some());
    assert!(pacer.push(topic(0), pending(1)).is_ok());
}

#[test]
fn topics_that_wait_are_bounded() {
    let topics = MAX_TOPICS_OF_PUBLISHER as u64;
    let mut pacer = pacer();
    for name in 0..topics {
        assert!(pacer.push(topic(name), pending(name)).is_ok());
    }
    assert_eq!(
        pacer.push(topic(topics), pending(0)),
        Err(NotPublished::Busy)
    );
    assert!(pacer.push(topic(0), pending(0)).is_ok());
    assert!(pacer.poll(START).is_some());
    assert!(pacer.push(topic(topics), pending(0)).is_ok());
}
