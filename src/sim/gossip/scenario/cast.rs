//! Who is who in a scenario, and who knows whom.

use std::time::Duration;

use super::{Disturbance, Scenario, SybilAttack, Sybils, Turn};
use crate::gossip::Setup;
use crate::identity::PeerId;
use crate::policy::Micros;
use crate::sim::gossip::topology::{connect_randomly, connect_soon};
use crate::sim::gossip::{
    Bait, Build, Choice, Choosy, Grafter, Machine, Mute, NodeId, Role, World, dice,
};

/// When honest nodes find each other who were there for the Sybils before.
pub(super) const DAWN: Duration = Duration::from_secs(10);

/// How near turncoats are to everybody, as a part of the usual latency.
const NEARNESS: f64 = 0.5;

/// Latency between turncoats.
const BACKBONE: Duration = Duration::from_millis(2);

/// Others of them that each turncoat dials.
const BACKBONE_DIALS: usize = 4;

/// The start of a run.
const START: Micros = Micros(0);

/// The nodes of a scenario.
pub(in crate::sim::gossip) struct Cast {
    /// Without attackers. The first of them publish.
    pub(super) honest: Vec<NodeId>,
}

impl Scenario {
    /// Adds all nodes, and plans their connections.
    pub(in crate::sim::gossip) fn gather(&self, world: &mut World, build: Build<'_>) -> Cast {
        gather(self, world, build)
    }
}

impl Scenario {
    /// The publisher that the attackers censor.
    pub(super) fn censored(&self, cast: &Cast) -> Option<NodeId> {
        match self.disturbance {
            Disturbance::Sybils(Sybils {
                attack: SybilAttack::CensorOne,
                ..
            }) => cast.honest.first().copied(),
            _ => None,
        }
    }
}

fn gather(scenario: &Scenario, world: &mut World, build: Build<'_>) -> Cast {
    let attackers = match scenario.disturbance {
        Disturbance::Silent(share) | Disturbance::Turncoats { share, .. } => {
            part(scenario.nodes, share)
        }
        _ => 0,
    };
    let mut all = Vec::new();
    for number in 0..scenario.nodes {
        let is_honest = number < scenario.nodes - attackers;
        all.push(if is_honest {
            world.add(Role::Honest, &scenario.settings, build)
        } else {
            let turned = |setup| insider(scenario, build(setup));
            world.add(Role::Attacker, &scenario.settings, &turned)
        });
    }
    let honest = all[..all.len() - attackers as usize].to_vec();
    connect(scenario, world, &all, honest.len());
    if let Disturbance::Sybils(sybils) = scenario.disturbance {
        beset(scenario, world, sybils, &honest, build);
    }
    Cast { honest }
}

/// One of the nodes that is an attacker.
fn insider(scenario: &Scenario, inner: Box<dyn Machine>) -> Box<dyn Machine> {
    let turn = START + scenario.turn();
    match scenario.disturbance {
        Disturbance::Silent(_) => Box::new(Mute::new(inner, START)),
        Disturbance::Turncoats {
            turn: Turn::Mute, ..
        } => Box::new(Mute::new(inner, turn)),
        Disturbance::Turncoats {
            turn: Turn::Bait, ..
        } => Box::new(Bait::new(inner, turn)),
        _ => inner,
    }
}

fn connect(scenario: &Scenario, world: &mut World, all: &[NodeId], honest: usize) {
    let is_dawn = matches!(
        scenario.disturbance,
        Disturbance::Sybils(Sybils {
            attack: SybilAttack::Dawn,
            ..
        })
    );
    let from = START + if is_dawn { DAWN } else { Duration::ZERO };
    if !matches!(scenario.disturbance, Disturbance::Turncoats { .. }) {
        connect_randomly(world, all, scenario.dials, from, |_, _| 1.0);
        return;
    }
    let is_turncoat = |node: NodeId| node.index() >= honest;
    let factor = |one, other| {
        if is_turncoat(one) || is_turncoat(other) {
            NEARNESS
        } else {
            1.0
        }
    };
    connect_randomly(world, all, scenario.dials, from, factor);
    let turncoats = &all[honest..];
    for dialler in turncoats {
        let others = u32::try_from(turncoats.len()).unwrap_or(u32::MAX);
        for place in dice::some_of(world.places(), others, BACKBONE_DIALS) {
            let listener = turncoats[place as usize];
            if listener != *dialler {
                world.connect_at(from, *dialler, listener, BACKBONE);
            }
        }
    }
}

/// Adds the Sybils of an attack, and plans their connections.
fn beset(
    scenario: &Scenario,
    world: &mut World,
    sybils: Sybils,
    honest: &[NodeId],
    build: Build<'_>,
) {
    let publishers = honest.len().min(scenario.publishing.publishers as usize);
    let (targets, from) = match sybils.attack {
        SybilAttack::EclipsePublishers => (&honest[..publishers], scenario.turn()),
        SybilAttack::EclipseOne => (&honest[..1], scenario.turn()),
        SybilAttack::EclipseNet | SybilAttack::CensorOne | SybilAttack::Degrade => {
            (honest, scenario.turn())
        }
        SybilAttack::ColdBoot | SybilAttack::CovertFlash | SybilAttack::Dawn => {
            (honest, Duration::ZERO)
        }
    };
    let links = (sybils.links as usize).min(targets.len());
    let wanted = targets.len() * 2 * scenario.dials * sybils.ratio as usize;
    let censored = world.identity(honest[0]).peer;
    for _ in 0..wanted.div_ceil(links.max(1)) {
        let build = |setup: Setup| sybil(scenario, sybils.attack, censored, setup, build);
        let sybil = world.add(Role::Attacker, &scenario.settings, &build);
        let all = u32::try_from(targets.len()).unwrap_or(u32::MAX);
        for place in dice::some_of(world.places(), all, links) {
            connect_soon(world, sybil, targets[place as usize], START + from, 1.0);
        }
    }
}

fn sybil(
    scenario: &Scenario,
    attack: SybilAttack,
    censored: PeerId,
    setup: Setup,
    build: Build<'_>,
) -> Box<dyn Machine> {
    let seed = setup.seed;
    match attack {
        SybilAttack::EclipseNet
        | SybilAttack::EclipsePublishers
        | SybilAttack::EclipseOne
        | SybilAttack::ColdBoot
        | SybilAttack::Dawn => Box::new(Grafter::new(seed)),
        SybilAttack::CensorOne => Box::new(Choosy::new(build(setup), Choice::Of(censored), seed)),
        SybilAttack::Degrade => Box::new(Choosy::new(build(setup), Choice::Share(0.5), seed)),
        SybilAttack::CovertFlash => Box::new(Mute::new(build(setup), START + scenario.turn())),
    }
}

/// So many of `all`.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a u32 is one"
)]
pub(super) fn part(all: u32, share: f64) -> u32 {
    (f64::from(all) * share.clamp(0.0, 1.0)).round() as u32
}
