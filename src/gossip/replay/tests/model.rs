//! The window against a list of everything.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::gossip::TopicHash;

type Line = (PeerId, TopicHash, u64);

/// Counters that came to one seal at once.
#[derive(Debug)]
struct Claim {
    line: Line,
    seal: SealId,
    end: u64,
    touched: Micros,
    newest_ms: u64,
}

/// A map from every counter to its owner.
#[derive(Debug, Default)]
struct Model {
    claims: Vec<Claim>,
    owners: BTreeMap<(Line, u64), usize>,
    seen: BTreeSet<(Line, u64)>,
    /// Counter and timestamp up to which each line was forgotten.
    forgotten: BTreeMap<Line, (u64, u64)>,
    highest: BTreeMap<PeerId, u64>,
    swept: Micros,
}

fn line(message: &Listed) -> Line {
    let seal = message.seal();
    (seal.publisher(), seal.topic(), seal.body().epoch())
}

impl Model {
    fn judge(&self, now: Now, message: &Listed) -> Judgement {
        let (line, made) = (line(message), message.timestamp_ms());
        if made + 120_000 < now.wall.0 {
            return Judgement::TooOld;
        }
        if made > now.wall.0 + 30_000 {
            return Judgement::TooNew;
        }
        let counter = message.counter();
        if let Some(owner) = self.owners.get(&(line, counter)) {
            let other = self.claims[*owner].seal;
            if other != message.seal().id() {
                return Judgement::CounterReused { other };
            }
            if self.seen.contains(&(line, counter)) {
                return Judgement::Seen;
            }
        }
        let highest = self.highest.get(&line.0).copied().unwrap_or(0);
        if line.2 < highest && made >= highest {
            return Judgement::Superseded;
        }
        match self.forgotten.get(&line) {
            Some((end, newest)) if counter < *end && made <= *newest => Judgement::BelowFloor,
            _ => Judgement::Fresh,
        }
    }

    fn insert(&mut self, now: Now, message: &Listed) -> Judgement {
        self.expire(now.mono);
        let judgement = self.judge(now, message);
        if judgement == Judgement::Fresh {
            self.accept(now, message);
        }
        judgement
    }

    fn accept(&mut self, now: Now, message: &Listed) {
        let (line, counter) = (line(message), message.counter());
        let owner = self.owners.get(&(line, counter)).copied();
        let owner = owner.unwrap_or_else(|| self.claim(line, message));
        let claim = &mut self.claims[owner];
        claim.touched = now.mono;
        claim.newest_ms = claim.newest_ms.max(message.timestamp_ms());
        self.seen.insert((line, counter));
        let highest = self.highest.entry(line.0).or_default();
        *highest = line.2.max(*highest);
    }

    /// From the counter on, downwards and upwards, all that the seal lists and nobody owns.
    fn claim(&mut self, line: Line, message: &Listed) -> usize {
        let body = message.seal().body();
        let number = self.claims.len();
        let free = |counter: &u64| !self.owners.contains_key(&(line, *counter));
        let counter = message.counter();
        let below = (body.first_counter()..counter).rev().take_while(free);
        let above = (counter..body.next_counter()).take_while(free);
        let claimed: Vec<_> = below.chain(above).collect();
        let end = claimed.iter().max().unwrap() + 1;
        for counter in claimed {
            self.owners.insert((line, counter), number);
        }
        self.claims.push(Claim {
            line,
            seal: message.seal().id(),
            end,
            touched: Micros(0),
            newest_ms: 0,
        });
        number
    }

    fn expire(&mut self, now: Micros) {
        if now.since(self.swept) < Duration::from_secs(10) {
            return;
        }
        self.swept = now;
        let horizon = now - Duration::from_secs(150);
        let (claims, seen, forgotten) = (&self.claims, &mut self.seen, &mut self.forgotten);
        self.owners.retain(|(line, counter), owner| {
            let claim = &claims[*owner];
            let stays = claim.touched >= horizon;
            if !stays {
                seen.remove(&(*line, *counter));
                let (end, newest) = forgotten.entry(claim.line).or_default();
                *end = claim.end.max(*end);
                *newest = claim.newest_ms.max(*newest);
            }
            stays
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn agrees_with_a_map_of_every_counter(seed: u64, step_ms in 10u64..20_000, jumps: bool) {
        let rng = &mut rng(seed);
        let (mut window, mut model) = (ReplayWindow::new(), Model::default());
        let (mut ms, mut jump) = (0, 0i64);
        for _ in 0..250 {
            ms += below(rng, step_ms);
            if jumps && below(rng, 50) == 0 {
                jump = below(rng, 400_000) as i64 - 200_000;
            }
            let now = jumped(ms, jump);
            let list = List {
                topic: below(rng, 2),
                epoch: WALL + below(rng, 3) * 100_000,
                first: below(rng, 60),
                leaves: 1 + below(rng, 90),
                version: below(rng, 3),
            };
            let seal = list.seal(&key(below(rng, 3)));
            for _ in 0..6 {
                let counter = list.first + below(rng, list.leaves);
                let timestamp = now.wall.0 + 35_000 - below(rng, 160_000);
                let one = message(&seal, counter, timestamp);
                prop_assert_eq!(window.judge(now, &one), model.judge(now, &one));
                prop_assert_eq!(window.insert(now, &one), model.insert(now, &one));
            }
            check(&window);
        }
    }
}
