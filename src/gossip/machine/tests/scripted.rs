//! One machine, whose neighbours are no machines: they say what a test says.

use std::time::Duration;

use super::rig::{Rig, topic};
use crate::gossip::GossipConfig;
use crate::gossip::machine::{Input, Link, TopicOptions};
use crate::gossip::score::{ScoreBoard, ScoreConfig};
use crate::policy::{IpGroup, Micros};
use crate::wire::codec::List;
use crate::wire::message::gossip as wire;

/// In which a mesh stands, and what was said is everywhere.
pub(super) const SETTLES: Duration = Duration::from_secs(1);

/// Steps in which a heartbeat is waited for.
const STEP: Duration = Duration::from_millis(1);

/// A node without neighbours that does not subscribe. As long as nobody misbehaves, the score of a neighbour is what
/// the program thinks of it.
pub(super) fn stranger(config: &GossipConfig) -> Rig {
    let mut score = ScoreConfig::matching(config);
    score.application_weight = 1.0;
    for topic in [&mut score.default_topic, &mut score.unsigned_topic] {
        topic.time_in_mesh.weight = 0.0;
        topic.first_deliveries.weight = 0.0;
    }
    assert_eq!(score.validate(), Ok(()));
    let mut rig = Rig::new(1, config);
    rig.nodes[0].score = ScoreBoard::new(score);
    rig
}

/// The same, subscribed, with so many neighbours that dialled it.
pub(super) fn node_with(config: &GossipConfig, neighbours: usize) -> Rig {
    let mut rig = stranger(config);
    rig.subscribe(0, TopicOptions::default());
    for other in 1..=neighbours {
        come(&mut rig, other, false);
    }
    rig.run_for(SETTLES);
    rig
}

/// A neighbour is there, which the node dialled or not.
pub(super) fn connect(rig: &mut Rig, other: usize, is_outbound: bool) {
    rig.silent.push(other);
    let (link, group) = (Link(other as u64), IpGroup::Local);
    let connected = Input::Connected {
        link,
        group,
        is_outbound,
    };
    rig.tell(0, connected);
}

/// The same, and it subscribes.
pub(super) fn come(rig: &mut Rig, other: usize, is_outbound: bool) {
    connect(rig, other, is_outbound);
    let topics = List::truncated([*topic().as_bytes()]);
    rig.forge(other, 0, wire::SUBSCRIBE, &wire::Subscribe { topics });
}

pub(super) fn graft(rig: &mut Rig, other: usize) {
    let topics = List::truncated([0]);
    rig.forge(other, 0, wire::GRAFT, &wire::Topics { topics });
}

pub(super) fn think(rig: &mut Rig, of: impl IntoIterator<Item = usize>, value: f64) {
    for other in of {
        let link = Link(other as u64);
        rig.tell(0, Input::Opinion { link, value });
    }
}

/// How a neighbour wants what another node says.
pub(super) fn ask(rig: &mut Rig, from: usize, publisher: usize, mode: wire::Mode) {
    let publisher = super::rig::key(publisher).hash().into();
    let changes = List::truncated([wire::ModeChange { publisher, mode }]);
    rig.forge(from, 0, wire::MODES, &wire::Modes { topic: 0, changes });
}

/// The members of the node's mesh.
pub(super) fn members(rig: &Rig) -> Vec<usize> {
    let mesh = rig.nodes[0].mesh(&topic());
    mesh.map(|link| usize::try_from(link.0).unwrap()).collect()
}

/// Whom the node sent frames of a kind, in the order of neighbours.
pub(super) fn told(rig: &Rig, kind: u8, since: Micros) -> Vec<usize> {
    let sent = rig.sent.iter();
    let sent = sent.filter(|one| one.at >= since && one.frame.kind == kind);
    let mut told: Vec<_> = sent.map(|one| one.to).collect();
    told.sort_unstable();
    told
}

/// Time passes until just after a heartbeat of the node.
pub(super) fn pass_heartbeat(rig: &mut Rig) {
    let before = rig.nodes[0].beats.count();
    while rig.nodes[0].beats.count() == before {
        rig.run_for(STEP);
    }
}
