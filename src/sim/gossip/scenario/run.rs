//! A run of a scenario.

use std::collections::BTreeMap;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use super::cast::{self, Cast};
use super::{Disturbance, Outcome, Publishing, Scenario, Stage};
use crate::policy::Micros;
use crate::sim::gossip::{Build, Histogram, NodeId, Reach, World, dice, shortest_paths};

/// Time after the measurement in which what was published may still arrive.
const DRAIN: Duration = Duration::from_secs(10);

/// Length of the stages after something happens.
const SHOCK: Duration = Duration::from_secs(2);
const RECOVERY: Duration = Duration::from_secs(8);

/// Heartbeats whose meshes are looked at after the begin of an attack, or after the first message if that is later.
const LOOKS: u32 = 40;

/// How often it is looked whether a slow reader is still in a mesh, and for how long.
const WATCH_EVERY: Duration = Duration::from_millis(50);
const WATCH_FOR: Duration = Duration::from_secs(30);

/// How often it is looked what honest nodes think of each other.
const JUDGE_EVERY: Duration = Duration::from_secs(1);

/// Nodes that restart do so at least this long before the end.
const BEFORE_END: Duration = Duration::from_secs(10);

/// Messages that missed a node and are named.
const MOST_MISSING: usize = 20;

/// What a scenario does at a moment.
#[derive(Debug, Clone, Copy)]
enum Act {
    Begin(Stage),
    /// From here on traffic counts.
    Measure,
    Crash(NodeId),
    Restart(NodeId),
    Deafen(NodeId),
    /// Looks at the meshes.
    Look,
    /// Looks where the slow reader is.
    Watch(NodeId),
    /// Looks at the scores.
    Judge,
}

/// When is published, and by whom.
struct Schedule {
    publishing: Publishing,
    rng: ChaCha8Rng,
    next: Micros,
}

impl Schedule {
    fn draw(&mut self) {
        self.next = self.next + dice::until_next(&mut self.rng, self.publishing.per_second);
    }

    fn next_until(&mut self, end: Micros) -> Option<(Micros, NodeId)> {
        if self.next >= end {
            return None;
        }
        let at = self.next;
        let publisher = dice::below(&mut self.rng, self.publishing.publishers as usize);
        self.draw();
        Some((at, NodeId(u32::try_from(publisher).ok()?)))
    }
}

struct Run<'a> {
    scenario: &'a Scenario,
    build: Build<'a>,
    world: World,
    schedule: Schedule,
    stage: Stage,
    /// The publisher that is censored, if one is.
    censored: Option<NodeId>,
    acts: BTreeMap<(Micros, usize), Act>,
    taken: Vec<f64>,
    /// Neighbours that have the slow reader out of their mesh since it stalled, and after how long.
    rid: BTreeMap<NodeId, Duration>,
    waited: usize,
    lowest_score: f64,
}

impl Scenario {
    /// Simulates it with the machines that `build` makes. The same seed gives the same outcome.
    #[must_use]
    pub fn run(&self, seed: u64, build: Build<'_>) -> Outcome {
        let mut world = World::new(seed, self.model);
        let cast = self.gather(&mut world, build);
        let honest = u32::try_from(cast.honest.len()).unwrap_or(u32::MAX);
        let publishing = Publishing {
            publishers: self.publishing.publishers.min(honest),
            ..self.publishing
        };
        let mut schedule = Schedule {
            publishing,
            rng: ChaCha8Rng::seed_from_u64(seed ^ u64::MAX),
            next: Micros(0) + self.quiet,
        };
        schedule.draw();
        let mut run = Run {
            scenario: self,
            build,
            world,
            schedule,
            stage: Stage::WarmUp,
            censored: self.censored(&cast),
            acts: BTreeMap::new(),
            taken: Vec::new(),
            rid: BTreeMap::new(),
            waited: 0,
            lowest_score: 0.0,
        };
        run.plan(&cast);
        run.perform(&cast)
    }
}

/// What is published in a stage is entered under this number, the messages of a censored publisher apart.
const fn part(stage: Stage, is_censored: bool) -> usize {
    if is_censored {
        Stage::ALL.len() + stage as usize
    } else {
        stage as usize
    }
}

impl Run<'_> {
    fn at(&mut self, after: Duration, act: Act) {
        let place = self.acts.len();
        self.acts.insert((Micros(0) + after, place), act);
    }

    fn plan(&mut self, cast: &Cast) {
        let scenario = self.scenario;
        self.at(scenario.measured_from(), Act::Begin(Stage::Before));
        self.at(scenario.measured_from(), Act::Measure);
        let mut judged = scenario.quiet;
        while judged < scenario.measured_until() {
            judged += JUDGE_EVERY;
            self.at(judged, Act::Judge);
        }
        if let Some(begins) = scenario.begins() {
            if begins >= scenario.measured_from() {
                self.at(begins, Act::Begin(Stage::Shock));
                self.at(begins + SHOCK, Act::Begin(Stage::Recovery));
                self.at(begins + SHOCK + RECOVERY, Act::Begin(Stage::After));
            }
            let heartbeat = scenario.settings.gossip.heartbeat_interval;
            let unspoken = scenario.unspoken(begins);
            for look in 1..=unspoken + LOOKS {
                self.at(begins + heartbeat * look, Act::Look);
            }
        }
        match scenario.disturbance {
            Disturbance::Crash(share) => {
                for node in self.some_of(cast, share) {
                    self.at(scenario.turn(), Act::Crash(node));
                }
            }
            Disturbance::Restarts { share, down } => self.plan_restarts(cast, share, down),
            Disturbance::SlowReader => {
                let reader = cast.honest[cast.honest.len() - 1];
                self.at(scenario.turn(), Act::Deafen(reader));
                let mut after = Duration::ZERO;
                while after < WATCH_FOR {
                    after += WATCH_EVERY;
                    self.at(scenario.turn() + after, Act::Watch(reader));
                }
            }
            _ => {}
        }
    }

    fn plan_restarts(&mut self, cast: &Cast, share: f64, down: Duration) {
        let scenario = self.scenario;
        let within = scenario.measured.saturating_sub(down + BEFORE_END);
        for node in self.some_of(cast, share) {
            let at = scenario.measured_from() + dice::span(self.world.places(), within);
            self.at(at, Act::Crash(node));
            self.at(at + down, Act::Restart(node));
        }
    }

    fn some_of(&mut self, cast: &Cast, share: f64) -> Vec<NodeId> {
        let all = u32::try_from(cast.honest.len()).unwrap_or(u32::MAX);
        let count = cast::part(all, share) as usize;
        let places = dice::some_of(self.world.places(), all, count);
        places
            .into_iter()
            .map(|place| cast.honest[place as usize])
            .collect()
    }

    fn perform(mut self, cast: &Cast) -> Outcome {
        let end = Micros(0) + self.scenario.measured_until();
        let mut measured = None;
        while let Some(((at, _), act)) = self.acts.pop_first() {
            if at > end && measured.is_none() {
                self.advance(end);
                measured = Some(self.world.take_traffic());
            }
            self.advance(at);
            self.act(act);
        }
        if measured.is_none() {
            self.advance(end);
            measured = Some(self.world.take_traffic());
        }
        let honest = cast
            .honest
            .iter()
            .filter(|one| self.world.is_counted(**one));
        let honest = u32::try_from(honest.count()).unwrap_or(u32::MAX);
        self.advance(end + DRAIN);
        let reaches = |is_censored| {
            let of = |stage: &Stage| self.world.reach(part(*stage, is_censored));
            Stage::ALL.iter().map(of).collect()
        };
        let stages: Vec<Reach> = reaches(false);
        let censored = if self.censored.is_some() {
            reaches(true)
        } else {
            Vec::new()
        };
        let is_slow = self.scenario.disturbance == Disturbance::SlowReader;
        Outcome {
            stages,
            censored,
            traffic: measured.unwrap_or_default(),
            measured: self.scenario.measured,
            honest,
            publishers: self.schedule.publishing.publishers,
            shortest: self.shortest(cast),
            slow_reader: is_slow.then(|| self.slowest(cast)),
            waited: self.waited,
            lowest_score: self.lowest_score,
            taken: self.taken,
            unspoken: self
                .scenario
                .begins()
                .map_or(0, |begins| self.scenario.unspoken(begins) as usize),
            handled: self.world.handled(),
            accused: self.world.accused(),
            accusations: self.world.accusations().to_vec(),
            missing: self.world.missing(MOST_MISSING),
        }
    }

    /// Lets time pass, with what is published in it.
    fn advance(&mut self, to: Micros) {
        let end = Micros(0) + self.scenario.measured_until();
        while let Some((at, publisher)) = self.schedule.next_until(to.min(end)) {
            let bytes = self.scenario.publishing.bytes;
            let is_censored = self.censored == Some(publisher);
            self.world.begin_stage(part(self.stage, is_censored));
            self.world.publish_at(at, publisher, bytes);
        }
        self.world.run_until(to);
    }

    fn act(&mut self, act: Act) {
        let (settings, build) = (&self.scenario.settings, self.build);
        match act {
            Act::Begin(stage) => self.stage = stage,
            Act::Measure => {
                self.world.take_traffic();
            }
            Act::Crash(node) => self.world.crash(node),
            Act::Restart(node) => self.world.restart(node, settings, build),
            Act::Deafen(node) => self.world.deafen(node),
            Act::Look => self.taken.extend(self.world.attackers_in_meshes()),
            Act::Watch(reader) => self.watch(reader),
            Act::Judge => {
                let lowest = self.world.lowest_honest_score().unwrap_or(0.0);
                self.lowest_score = self.lowest_score.min(lowest);
            }
        }
    }

    fn watch(&mut self, reader: NodeId) {
        for (neighbour, _) in self.world.neighbours(reader) {
            self.waited = self.waited.max(self.world.waiting(neighbour, reader));
            let Some(since) = self.world.stalled(neighbour, reader) else {
                continue;
            };
            if !self.world.mesh(neighbour).contains(&reader) {
                let after = self.world.now().since(since);
                self.rid.entry(neighbour).or_insert(after);
            }
        }
    }

    /// How long the last neighbour had the slow reader in its mesh.
    fn slowest(&self, cast: &Cast) -> Duration {
        let reader = cast.honest[cast.honest.len() - 1];
        let neighbours = self.world.neighbours(reader).into_iter();
        // All that was sent to it was taken: nothing waits, and nothing says that it does not read.
        let neighbours =
            neighbours.filter(|(neighbour, _)| self.world.stalled(*neighbour, reader).is_some());
        let times = neighbours.map(|(neighbour, _)| match self.rid.get(&neighbour) {
            Some(after) => *after,
            None => Duration::MAX,
        });
        // Where nobody could know nothing was measured.
        times.max().unwrap_or(Duration::MAX)
    }

    fn shortest(&self, cast: &Cast) -> Histogram {
        let mut shortest = Histogram::default();
        let publishers = self.schedule.publishing.publishers as usize;
        for publisher in cast.honest.iter().take(publishers) {
            let paths = shortest_paths(&self.world, *publisher);
            for (node, length) in (0..).map(NodeId).zip(paths) {
                if let Some(length) = length.filter(|_| node != *publisher) {
                    shortest.record(length);
                }
            }
        }
        shortest
    }
}
