//! The formula once more, as a table of numbers that is read off step by step.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const LINKS: u64 = 3;
const TOPICS: u64 = 3;

/// Small numbers, so that caps and thresholds are met: topic 0 is absolute, the others expect.
fn config() -> ScoreConfig {
    let mut config = ScoreConfig {
        topic_cap: 3.0,
        deficit_cap: 50.0,
        ..ScoreConfig::default()
    };
    config.colocation.threshold = 1;
    config.behaviour.threshold = 2.0;
    config.slow.cap = 40.0;
    config.retain = Duration::from_secs(60);
    config.default_topic.first_deliveries.cap = 12.0;
    config.default_topic.first_deliveries.decay = 0.83;
    config.default_topic.mesh_deliveries.cap = 20.0;
    config.default_topic.mesh_deliveries.decay = 0.71;
    config.default_topic.mesh_deliveries.rule = Deliveries::Expected {
        share: 0.7,
        evidence: 8.0,
    };
    let mut absolute = config.default_topic;
    absolute.weight = 0.5;
    absolute.mesh_deliveries.cap = 6.0;
    absolute.mesh_deliveries.rule = Deliveries::Absolute {
        threshold: 3.0,
        traffic: 6.0,
        activation: Duration::from_secs(2),
    };
    config.topics.insert(topic(0), absolute);
    config.validate().unwrap();
    config
}

#[derive(Debug, Clone)]
enum Step {
    Connect(u64, bool),
    Disconnect(u64),
    Graft(u64, u64),
    Prune(u64, u64),
    First(u64, u64),
    Duplicate(u64, u64, u64),
    Expect(u64, u64, bool),
    Invalid(u64, u64),
    Misbehave(u64, u32),
    Slow(u64, u32),
    Application(u64, f64),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let place = || (0..LINKS, 0..TOPICS);
    prop_oneof![
        2 => (0..LINKS, any::<bool>()).prop_map(|(l, local)| Step::Connect(l, local)),
        1 => (0..LINKS).prop_map(Step::Disconnect),
        3 => place().prop_map(|(l, t)| Step::Graft(l, t)),
        1 => place().prop_map(|(l, t)| Step::Prune(l, t)),
        6 => place().prop_map(|(l, t)| Step::First(l, t)),
        6 => (place(), 0..2_000_u64).prop_map(|((l, t), late)| Step::Duplicate(l, t, late)),
        12 => (place(), any::<bool>()).prop_map(|((l, t), kept)| Step::Expect(l, t, kept)),
        1 => place().prop_map(|(l, t)| Step::Invalid(l, t)),
        1 => (0..LINKS, 0..4_u32).prop_map(|(l, count)| Step::Misbehave(l, count)),
        1 => (0..LINKS, 0..30_u32).prop_map(|(l, count)| Step::Slow(l, count)),
        1 => (0..LINKS, -3.0_f64..3.0).prop_map(|(l, value)| Step::Application(l, value)),
        5 => (0..4_000_u64).prop_map(Step::Pass),
        1 => (0..90_000_u64).prop_map(Step::Pass),
    ]
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Row {
    joined: Option<u64>,
    first: f64,
    brought: f64,
    asked: f64,
    before: f64,
    failure: f64,
    invalid: f64,
}

#[derive(Debug, Clone, Default)]
struct Peer {
    rows: BTreeMap<u64, Row>,
    application: f64,
    faults: f64,
    slow: f64,
    is_local: bool,
}

/// Times in milliseconds.
struct Model {
    config: ScoreConfig,
    now: u64,
    decayed: u64,
    seen: u64,
    present: BTreeMap<u64, Peer>,
    absent: BTreeMap<u64, (u64, Peer)>,
    traffic: f64,
}

fn shrink(value: &mut f64, factor: f64, zero: f64) {
    *value *= factor;
    if *value < zero {
        *value = 0.0;
    }
}

impl Model {
    fn of(&self, number: u64) -> TopicScore {
        *self.config.topic(&topic(number))
    }

    fn deficit(&self, number: u64, row: &Row) -> f64 {
        let Some(joined) = row.joined else { return 0.0 };
        match self.of(number).mesh_deliveries.rule {
            Deliveries::Absolute { .. } => {
                let is_active = self.seen.saturating_sub(joined) > 2_000;
                if is_active && self.traffic - row.before >= 6.0 && row.brought < 3.0 {
                    3.0 - row.brought
                } else {
                    0.0
                }
            }
            Deliveries::Expected { .. } => {
                if row.asked >= 8.0 && row.brought < 0.7 * row.asked {
                    (0.7 * row.asked - row.brought) / (0.7 * row.asked)
                } else {
                    0.0
                }
            }
        }
    }

    fn topic_score(&self, peer: &Peer, number: u64) -> f64 {
        let (Some(row), t) = (peer.rows.get(&number), self.of(number)) else {
            return 0.0;
        };
        let p3 = self.deficit(number, row).powi(2);
        let owed = p3 * t.mesh_deliveries.weight + row.failure * t.mesh_failure.weight;
        self.beside_deficits(peer, number) + owed * t.weight
    }

    fn beside_deficits(&self, peer: &Peer, number: u64) -> f64 {
        let (Some(row), t) = (peer.rows.get(&number), self.of(number)) else {
            return 0.0;
        };
        let time = row.joined.map_or(0, |at| self.seen.saturating_sub(at));
        let p1 = (time as f64 / 1_000.0).min(60.0);
        let sum = p1 * t.time_in_mesh.weight
            + row.first * t.first_deliveries.weight
            + row.invalid.powi(2) * t.invalid.weight;
        sum * t.weight
    }

    fn score(&self, link: u64) -> f64 {
        let Some(peer) = self.present.get(&link) else {
            return 0.0;
        };
        let c = &self.config;
        let (mut good, mut bad, mut idle) = (0.0, 0.0, 0.0);
        for number in 0..TOPICS {
            let score = self.topic_score(peer, number);
            let owes_nothing = self.beside_deficits(peer, number);
            if score > 0.0 {
                good += score;
            } else if owes_nothing > 0.0 {
                idle += score;
            } else {
                bad += owes_nothing;
                idle += score - owes_nothing;
            }
        }
        let neighbours = self.present.values().filter(|one| !one.is_local).count();
        let surplus = if peer.is_local {
            0.0
        } else {
            neighbours.saturating_sub(1) as f64
        };
        let faults = (peer.faults - c.behaviour.threshold).max(0.0);
        good.min(c.topic_cap)
            + bad
            + idle.max(-c.deficit_cap)
            + c.application_weight * peer.application
            + c.colocation.weight * surplus.powi(2)
            + c.behaviour.weight * faults.powi(2)
            + c.slow.weight * (peer.slow - c.slow.threshold).max(0.0)
    }

    fn leave(&self, number: u64, row: &mut Row) {
        let deficit = self.deficit(number, row);
        if deficit > 0.0 {
            row.failure += deficit.powi(2);
            (row.brought, row.asked, row.before) = (0.0, 0.0, 0.0);
        }
        row.joined = None;
    }

    fn interval(&mut self) {
        let zero = self.config.decay_to_zero;
        shrink(&mut self.traffic, 0.71, zero);
        let (faults, slow) = (self.config.behaviour.decay, self.config.slow.decay);
        let scores: Vec<_> = (0..TOPICS).map(|number| self.of(number)).collect();
        for peer in self.present.values_mut() {
            shrink(&mut peer.faults, faults, zero);
            shrink(&mut peer.slow, slow, zero);
            for (number, row) in &mut peer.rows {
                let t = &scores[*number as usize];
                shrink(&mut row.first, 0.83, zero);
                shrink(&mut row.failure, t.mesh_failure.decay, zero);
                shrink(&mut row.invalid, t.invalid.decay, zero);
                if *number == 0 {
                    shrink(&mut row.brought, 0.71, zero);
                    shrink(&mut row.before, 0.71, zero);
                } else if row.asked > 8.0 {
                    let left = (0.71 * row.asked).max(8.0);
                    shrink(&mut row.brought, left / row.asked, zero);
                    row.asked = left;
                }
            }
        }
    }

    fn row(&mut self, link: u64, number: u64) -> Option<&mut Row> {
        let peer = self.present.get_mut(&link)?;
        Some(peer.rows.entry(number).or_default())
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Connect(link, is_local) => {
                if let Some(peer) = self.present.get_mut(&link) {
                    peer.is_local = is_local;
                    return;
                }
                let (until, peer) = self.absent.remove(&link).unwrap_or_default();
                let mut peer = if until > self.now {
                    peer
                } else {
                    Peer::default()
                };
                peer.is_local = is_local;
                self.present.insert(link, peer);
            }
            Step::Disconnect(link) => self.disconnect(link),
            Step::Graft(link, number) => {
                let (now, traffic) = (self.now, self.traffic);
                let Some(row) = self.row(link, number) else {
                    return;
                };
                if row.joined.is_none() {
                    row.joined = Some(now);
                    if number == 0 {
                        (row.brought, row.before) = (0.0, traffic);
                    }
                }
            }
            Step::Prune(link, number) => {
                if let Some(mut row) = self.row(link, number).cloned() {
                    self.leave(number, &mut row);
                    *self.row(link, number).unwrap() = row;
                }
            }
            Step::First(link, number) => {
                if number == 0 {
                    self.traffic = (self.traffic + 1.0).min(12.0);
                }
                if let Some(row) = self.row(link, number) {
                    row.first = (row.first + 1.0).min(12.0);
                }
                self.bring(link, number);
            }
            Step::Duplicate(link, number, late) if late <= 1_000 => self.bring(link, number),
            Step::Duplicate(..) => {}
            Step::Expect(link, number, is_kept) => self.expect(link, number, is_kept),
            Step::Pass(millis) => self.pass(millis),
            _ => self.penalise(step),
        }
    }

    fn penalise(&mut self, step: &Step) {
        match *step {
            Step::Invalid(link, number) => {
                if let Some(row) = self.row(link, number) {
                    row.invalid += 1.0;
                }
            }
            Step::Misbehave(link, count) => {
                if let Some(peer) = self.present.get_mut(&link) {
                    peer.faults += f64::from(count);
                }
            }
            Step::Slow(link, count) => {
                if let Some(peer) = self.present.get_mut(&link) {
                    peer.slow = (peer.slow + f64::from(count)).min(40.0);
                }
            }
            Step::Application(link, value) => {
                if let Some(peer) = self.present.get_mut(&link) {
                    peer.application = value;
                }
            }
            _ => unreachable!(),
        }
    }

    fn bring(&mut self, link: u64, number: u64) {
        if let Some(row) = self.row(link, number)
            && number == 0
            && row.joined.is_some()
        {
            row.brought = (row.brought + 1.0).min(6.0);
        }
    }

    fn expect(&mut self, link: u64, number: u64, is_kept: bool) {
        if let Some(row) = self.row(link, number)
            && number != 0
            && row.joined.is_some()
        {
            row.asked += 1.0;
            row.brought += f64::from(u8::from(is_kept));
            if row.asked > 20.0 {
                row.brought *= 20.0 / row.asked;
                row.asked = 20.0;
            }
        }
    }

    fn disconnect(&mut self, link: u64) {
        let Some(mut peer) = self.present.remove(&link) else {
            return;
        };
        for (number, row) in &mut peer.rows {
            self.leave(*number, row);
            row.first = 0.0;
            if *number == 0 || row.brought >= 0.7 * row.asked {
                (row.brought, row.asked, row.before) = (0.0, 0.0, 0.0);
            }
        }
        peer.application = peer.application.min(0.0);
        self.absent.insert(link, (self.now + 60_000, peer));
    }

    fn pass(&mut self, millis: u64) {
        self.now += millis;
        self.seen = self.now;
        while self.decayed + 1_000 <= self.now {
            self.decayed += 1_000;
            self.interval();
        }
    }
}

fn apply(board: &mut ScoreBoard, now: Micros, step: &Step) {
    match *step {
        Step::Connect(link, is_local) => {
            let site = IpGroup::V4([8, 8, 8]);
            let group = if is_local { IpGroup::Local } else { site };
            board.connected(now, Link(link), group);
        }
        Step::Disconnect(link) => board.disconnected(now, Link(link)),
        Step::Graft(link, number) => board.grafted(now, Link(link), topic(number)),
        Step::Prune(link, number) => board.pruned(Link(link), topic(number)),
        Step::First(link, number) => board.first_delivery(Link(link), topic(number)),
        Step::Duplicate(link, number, late) => {
            let came = now + Duration::from_millis(late);
            board.duplicate(came, Link(link), topic(number), now);
        }
        Step::Expect(link, number, is_kept) => {
            let outcome = if is_kept {
                Expectation::Kept
            } else {
                Expectation::Broken
            };
            board.expected(Link(link), topic(number), outcome);
        }
        Step::Invalid(link, number) => board.invalid(Link(link), topic(number)),
        Step::Misbehave(link, count) => board.misbehaved(Link(link), count),
        Step::Slow(link, count) => board.slow(Link(link), count),
        Step::Application(link, value) => board.set_application(Link(link), value),
        Step::Pass(_) => board.decay(now),
    }
}

fn is_near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_board_agrees_with_the_formula(steps in prop::collection::vec(step(), 1..300)) {
        let mut board = ScoreBoard::new(config());
        board.decay(Micros(0));
        let mut model = Model {
            config: config(),
            now: 0,
            decayed: 0,
            seen: 0,
            present: BTreeMap::new(),
            absent: BTreeMap::new(),
            traffic: 0.0,
        };
        for step in &steps {
            model.apply(step);
            apply(&mut board, Micros(model.now * 1_000), step);
            for link in 0..LINKS {
                let (expected, score) = (model.score(link), board.score(Link(link)));
                prop_assert!(is_near(expected, score), "{step:?}: {score} for {expected}");
                let Some(peer) = model.present.get(&link) else { continue };
                for number in 0..TOPICS {
                    let expected = model.topic_score(peer, number);
                    let score = board.topic_score(Link(link), &topic(number));
                    prop_assert!(is_near(expected, score), "{step:?}: {score} for {expected}");
                }
            }
        }
    }
}
