//! A world, its publishers, and what goes wrong.

mod cast;
mod outcome;
mod run;

use std::time::Duration;

use super::machine::Settings;
use super::model::NetworkModel;

pub use outcome::Outcome;

/// What is simulated. The default is the row without attack of the gossip targets.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Nodes, without Sybils.
    pub nodes: u32,
    /// Others that each of them dials.
    pub dials: usize,
    /// The network.
    pub model: NetworkModel,
    /// How all machines work.
    pub settings: Settings,
    /// Who says what.
    pub publishing: Publishing,
    /// Time before the first message.
    pub quiet: Duration,
    /// Time after it that is not measured.
    pub warm_up: Duration,
    /// Time that is.
    pub measured: Duration,
    /// What goes wrong.
    pub disturbance: Disturbance,
}

/// Messages, at times that do not depend on each other (a Poisson process), each of a publisher drawn
/// anew.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Publishing {
    /// Honest nodes that publish.
    pub publishers: u32,
    /// Messages a second, of all of them together.
    pub per_second: f64,
    /// Bytes of a message.
    pub bytes: usize,
}

/// What goes wrong. What does so at a moment does after a third of the measured time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Disturbance {
    /// Nothing.
    None,
    /// A share of the nodes forwards and answers nothing, from the start.
    Silent(f64),
    /// A share of the nodes stops at once.
    Crash(f64),
    /// A share of the nodes stops and comes back, each at a time of its own.
    Restarts {
        /// Of all nodes.
        share: f64,
        /// For how long each is away.
        down: Duration,
    },
    /// A share of the nodes is nearer to everybody than others, and exchanges messages over links of its
    /// own; then they turn.
    Turncoats {
        /// Of all nodes.
        share: f64,
        /// Into what.
        turn: Turn,
    },
    /// More attackers than nodes.
    Sybils(Sybils),
    /// One node reads nothing any more.
    SlowReader,
}

/// What those do who earned trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// They drop everything.
    Mute,
    /// They announce everything and send nothing.
    Bait,
}

/// Attackers that connect to honest nodes and never to each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sybils {
    /// What they do.
    pub attack: SybilAttack,
    /// Their links to a node that they attack, for each link that it has to an honest one.
    pub ratio: u32,
    /// Links of each.
    pub links: u32,
}

/// The attacks of `gossipsub-hardening` (Protocol Labs, 2020).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SybilAttack {
    /// They connect to everybody at a moment, graft themselves, and drop everything.
    EclipseNet,
    /// They do so to the publishers alone.
    EclipsePublishers,
    /// They do so to one node alone, a publisher.
    EclipseOne,
    /// They connect at a moment, and forward all but the messages of one publisher.
    CensorOne,
    /// They connect at a moment, and forward every second message.
    Degrade,
    /// They connect when everybody does, graft themselves, and drop everything.
    ColdBoot,
    /// They connect when everybody does, are honest until a moment, and then drop everything.
    CovertFlash,
    /// They connect ten seconds before the honest nodes find each other, graft themselves, and drop
    /// everything.
    Dawn,
}

impl SybilAttack {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::EclipseNet,
        Self::EclipsePublishers,
        Self::EclipseOne,
        Self::CensorOne,
        Self::Degrade,
        Self::ColdBoot,
        Self::CovertFlash,
        Self::Dawn,
    ];
}

/// Parts of a run. What is published in each is reported apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Not measured.
    WarmUp,
    /// Until something happens; all of the measured time if nothing does at a moment.
    Before,
    /// The two seconds after it.
    Shock,
    /// The eight seconds after these.
    Recovery,
    /// The rest.
    After,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [
        Self::WarmUp,
        Self::Before,
        Self::Shock,
        Self::Recovery,
        Self::After,
    ];
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            nodes: 1_000,
            dials: 10,
            model: NetworkModel::default(),
            settings: Settings::default(),
            publishing: Publishing {
                publishers: 100,
                per_second: 120.0,
                bytes: 2_048,
            },
            quiet: Duration::from_secs(2),
            warm_up: Duration::from_secs(30),
            measured: Duration::from_secs(180),
            disturbance: Disturbance::None,
        }
    }
}

impl Scenario {
    /// When, from the start, the measurement begins.
    #[must_use]
    pub fn measured_from(&self) -> Duration {
        self.quiet + self.warm_up
    }

    /// When what happens at a moment does.
    #[must_use]
    pub fn turn(&self) -> Duration {
        self.measured_from() + self.measured / 3
    }

    /// When the measurement ends.
    #[must_use]
    pub fn measured_until(&self) -> Duration {
        self.measured_from() + self.measured
    }

    /// When the attack or the accident begins; none if there is no such moment.
    #[must_use]
    pub fn begins(&self) -> Option<Duration> {
        match self.disturbance {
            Disturbance::None | Disturbance::Silent(_) | Disturbance::Restarts { .. } => None,
            Disturbance::Sybils(Sybils { attack, .. }) => match attack {
                SybilAttack::ColdBoot => Some(Duration::ZERO),
                SybilAttack::Dawn => Some(cast::DAWN),
                _ => Some(self.turn()),
            },
            _ => Some(self.turn()),
        }
    }

    /// Heartbeats that end between the begin of an attack and the first message.
    fn unspoken(&self, begins: Duration) -> u32 {
        let silence = self.quiet.saturating_sub(begins).as_micros();
        let heartbeats = silence / self.settings.gossip.heartbeat_interval.as_micros().max(1);
        u32::try_from(heartbeats).unwrap_or(u32::MAX)
    }
}
