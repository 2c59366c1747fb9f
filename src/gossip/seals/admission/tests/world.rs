//! Neighbours that bring seals, and a backend that verifies them, in virtual time.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::gossip::seals::testing::poisson_gap;

/// A stream of seals.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    /// Each seal is of one of these publishers, in turn.
    pub(super) publishers: Vec<u64>,
    /// Each comes over all of these links, a few milliseconds apart.
    pub(super) links: Vec<u64>,
    /// Seals a second.
    pub(super) rate: f64,
    pub(super) validity: Validity,
}

/// What became of the seals of one publisher.
#[derive(Debug, Clone, Default)]
pub(super) struct Fate {
    pub(super) offered: usize,
    pub(super) admitted: usize,
    pub(super) longest_wait: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Brought { seal: u64, who: u64, link: u64 },
    Verdict { seal: u64 },
}

pub(super) struct World {
    admission: Admission,
    events: BTreeSet<(Micros, Event)>,
    names: BTreeMap<SealId, u64>,
    /// Publisher and first offer of each seal.
    seals: BTreeMap<u64, (u64, Micros)>,
    forged: BTreeSet<u64>,
    closed: BTreeSet<Link>,
    verdict_after: Duration,
    pub(super) fates: BTreeMap<u64, Fate>,
    /// Verifications of seals that were not valid.
    pub(super) wasted: usize,
}

impl World {
    pub(super) fn run(seed: u64, seconds: u64, senders: &[Sender]) -> Self {
        println!("seed {seed}");
        let mut world = Self {
            admission: admission(),
            events: BTreeSet::new(),
            names: BTreeMap::new(),
            seals: BTreeMap::new(),
            forged: BTreeSet::new(),
            closed: BTreeSet::new(),
            verdict_after: Duration::from_millis(1),
            fates: BTreeMap::new(),
            wasted: 0,
        };
        let rng = &mut rng(seed);
        let mut number = 0;
        for sender in senders {
            let mut at = START;
            for who in sender.publishers.iter().cycle() {
                at = at + Duration::from_micros(poisson_gap(rng, sender.rate));
                if at > after(seconds * 1_000_000) {
                    break;
                }
                number += 1;
                world.plan(rng, at, number, *who, sender);
            }
        }
        world.play();
        check(&world.admission);
        world
    }

    pub(super) fn fates_of(&self, publishers: &[u64]) -> Fate {
        let mut all = Fate::default();
        for fate in publishers.iter().filter_map(|who| self.fates.get(who)) {
            all.offered += fate.offered;
            all.admitted += fate.admitted;
            all.longest_wait = all.longest_wait.max(fate.longest_wait);
        }
        all
    }

    fn plan(
        &mut self,
        rng: &mut rand_chacha::ChaCha8Rng,
        at: Micros,
        seal: u64,
        who: u64,
        sender: &Sender,
    ) {
        self.names.insert(seal_id(seal), seal);
        if sender.validity == Validity::Invalid {
            self.forged.insert(seal);
        }
        for link in &sender.links {
            let at = at + Duration::from_micros(below(rng, 5_000));
            let link = *link;
            self.events.insert((at, Event::Brought { seal, who, link }));
        }
    }

    fn play(&mut self) {
        loop {
            let timer = self.admission.next();
            let event = self.events.first().map(|(at, _)| *at);
            let Some(now) = [timer, event].into_iter().flatten().min() else {
                return;
            };
            while let Some((at, event)) = self.events.first().copied()
                && at <= now
            {
                self.events.pop_first();
                self.happens(now, event);
            }
            while self.admission.expired(now).is_some() {}
            while let Some(admitted) = self.admission.poll(now) {
                self.begins(now, &admitted);
            }
        }
    }

    fn happens(&mut self, now: Micros, event: Event) {
        match event {
            Event::Brought { link, .. } if self.closed.contains(&Link(link)) => {}
            Event::Brought { seal, who, link } => {
                let is_new = !self.seals.contains_key(&seal);
                self.seals.entry(seal).or_insert((who, now));
                let fate = self.fates.entry(who).or_default();
                fate.offered += usize::from(is_new);
                // What was verified is not offered again.
                if is_new || self.admission.waiting.contains_key(&seal_id(seal)) {
                    offer(&mut self.admission, now, link, who, seal);
                }
            }
            Event::Verdict { seal } => {
                let id = seal_id(seal);
                if !self.forged.contains(&seal) {
                    self.admission.finished(now, &id, Validity::Valid);
                    return;
                }
                self.wasted += 1;
                let link = self.admission.in_flight[&id].link;
                self.admission.finished(now, &id, Validity::Invalid);
                self.admission.forget_link(link);
                self.closed.insert(link);
            }
        }
    }

    fn begins(&mut self, now: Micros, admitted: &Admitted) {
        let seal = self.names[&admitted.seal];
        let (who, offered) = self.seals[&seal];
        if !self.forged.contains(&seal) {
            let fate = self.fates.entry(who).or_default();
            fate.admitted += 1;
            fate.longest_wait = fate.longest_wait.max(now.since(offered));
        }
        let verdict = now + self.verdict_after;
        self.events.insert((verdict, Event::Verdict { seal }));
    }
}
