//! Whom the messages of a node go to at once, and who hears of them at heartbeats.

use std::time::Duration;

use super::rig::{Rig, topic};
use super::scripted::{
    SETTLES, come, connect, members, node_with, pass_heartbeat, stranger, think, told,
};
use crate::gossip::GossipConfig;
use crate::gossip::machine::Event;
use crate::wire::message::gossip as wire;

/// In which a message is sealed and sent.
const A_MOMENT: Duration = Duration::from_millis(50);

const MICRO: Duration = Duration::from_micros(1);

/// From this length on a message is large where links are chosen by source.
const LARGE: usize = 12 << 10;

fn configs() -> [GossipConfig; 2] {
    [GossipConfig::plain(), GossipConfig::default()]
}

/// Whom a message of so many bytes goes to.
fn receivers(rig: &mut Rig, bytes: usize) -> Vec<usize> {
    let since = rig.now;
    rig.publish(0, &vec![rig.published.len() as u8; bytes]);
    rig.run_for(A_MOMENT);
    told(rig, wire::MESSAGE, since)
}

/// Who hears at the next heartbeat of what all neighbours were just sent.
fn listeners(rig: &mut Rig) -> Vec<usize> {
    pass_heartbeat(rig);
    rig.publish(0, b"said");
    rig.run_for(A_MOMENT);
    let since = rig.now;
    rig.run_for(rig.nodes[0].config.heartbeat_interval);
    told(rig, wire::IHAVE, since)
}

/// The first ones of those outside the mesh, and the others.
fn outside(rig: &Rig, count: usize) -> (Vec<usize>, Vec<usize>) {
    let (mesh, all) = (members(rig), rig.silent.iter().copied());
    let mut outside: Vec<_> = all.filter(|one| !mesh.contains(one)).collect();
    let others = outside.split_off(count);
    (outside, others)
}

#[test]
fn an_own_message_goes_to_all_neighbours_of_its_topic_if_it_is_flooded_and_else_to_the_mesh() {
    for mut config in configs() {
        for is_flooded in [true, false] {
            config.flood_publish = is_flooded;
            let mut rig = node_with(&config, 20);
            connect(&mut rig, 21, true);
            let mesh = members(&rig);
            assert_eq!(mesh.len(), config.mesh_n);
            let expected = if is_flooded { (1..=20).collect() } else { mesh };
            assert_eq!(receivers(&mut rig, 100), expected);
        }
    }
}

#[test]
fn a_message_of_twelve_kibibytes_is_flooded_only_where_the_mesh_alone_decides() {
    let [plain, by_source] = configs();
    for (config, bytes, is_flooded) in [
        (&by_source, LARGE - 1, true),
        (&by_source, LARGE, false),
        (&plain, LARGE, true),
    ] {
        let mut rig = node_with(config, 20);
        let expected = if is_flooded { 20 } else { config.mesh_n };
        assert_eq!(receivers(&mut rig, bytes).len(), expected, "{bytes}");
    }
}

#[test]
fn who_is_below_the_publish_threshold_is_not_sent_what_is_flooded() {
    for config in configs() {
        let mut rig = node_with(&config, config.mesh_n + 4);
        let threshold = rig.nodes[0].score.thresholds().publish;
        let (reached, others) = outside(&rig, 2);
        think(&mut rig, reached.clone(), threshold);
        think(&mut rig, others, threshold - 0.5);
        let mut expected = [members(&rig), reached].concat();
        expected.sort_unstable();
        assert_eq!(receivers(&mut rig, 100), expected);
    }
}

/// A quarter of them, of which a plain mesh rounds down, and the other one up.
#[test]
fn of_those_outside_the_mesh_a_quarter_hears_at_a_heartbeat_and_never_fewer_than_some() {
    let [plain, by_source] = configs();
    let expected = [
        (&plain, [(3, 3), (6, 6), (27, 6), (28, 7), (40, 10)]),
        (&by_source, [(1, 1), (4, 1), (5, 2), (8, 2), (9, 3)]),
    ];
    for (config, cases) in expected {
        for (outside, heard) in cases {
            let mut rig = node_with(config, config.mesh_n + outside);
            let mesh = members(&rig);
            assert_eq!(mesh.len(), config.mesh_n);
            let mut listeners = listeners(&mut rig);
            assert_eq!(listeners.len(), heard, "{outside} are outside");
            listeners.dedup();
            assert_eq!(listeners.len(), heard, "each once");
            assert!(listeners.iter().all(|one| !mesh.contains(one)));
        }
    }
}

/// As many as hear in any case: were one of the others counted, one of them would not.
fn with_six(mut config: GossipConfig) -> GossipConfig {
    config.gossip_lazy = 6;
    config
}

#[test]
fn who_is_below_the_gossip_threshold_hears_of_nothing_and_takes_nobodys_turn() {
    for config in configs().map(with_six) {
        let mut rig = node_with(&config, config.mesh_n + 18);
        let thresholds = *rig.nodes[0].score.thresholds();
        let (heard, mut others) = outside(&rig, 6);
        let graylisted = others.split_off(6);
        think(&mut rig, heard.clone(), thresholds.gossip);
        think(&mut rig, others, thresholds.gossip - 0.5);
        think(&mut rig, graylisted, thresholds.graylist - 0.5);
        assert_eq!(listeners(&mut rig), heard);
    }
}

#[test]
fn who_reads_nothing_takes_nobodys_turn() {
    for config in configs().map(with_six) {
        let mut rig = node_with(&config, config.mesh_n + 18);
        let (heard, others) = outside(&rig, 6);
        rig.stuck = others.clone();
        // The first one is under way, and the second one waits.
        receivers(&mut rig, 100);
        receivers(&mut rig, 100);
        rig.run_for(config.queue.slow_reader + SETTLES);
        let is_slow = |(_, event): &&(usize, Event)| matches!(event, Event::SlowReader(_));
        let slow = rig.happened.iter().filter(is_slow).count();
        assert_eq!(slow, others.len());
        assert_eq!(listeners(&mut rig), heard);
    }
}

/// It is told when there is room.
#[test]
fn who_has_no_room_for_what_waits_takes_nobodys_turn() {
    for mut config in configs().map(with_six) {
        config.queue.max_bytes = 16 << 10;
        let mut rig = node_with(&config, config.mesh_n + 18);
        let (heard, others) = outside(&rig, 6);
        rig.paused = others;
        // One is under way, one waits, and one finds no place.
        for _ in 0..3 {
            receivers(&mut rig, 10_000);
        }
        assert_eq!(listeners(&mut rig), heard);
        assert!(
            !rig.happened
                .iter()
                .any(|(_, event)| matches!(event, Event::SlowReader(_)))
        );
    }
}

#[test]
fn a_fanout_has_as_many_members_as_a_mesh_and_ends_a_minute_after_the_last_message() {
    for mut config in configs() {
        config.flood_publish = false;
        let mut rig = stranger(&config);
        for other in 1..=20 {
            come(&mut rig, other, false);
        }
        let fanout = receivers(&mut rig, 100);
        assert_eq!(fanout.len(), config.mesh_n);
        rig.run_for(config.fanout_ttl - SETTLES);
        let last = rig.now;
        assert_eq!(receivers(&mut rig, 101), fanout, "the same");
        let size = |rig: &Rig| {
            let topic = rig.nodes[0].topics.get(&topic());
            topic.map_or(0, |topic| topic.fanout.len())
        };
        rig.run_for((last + config.fanout_ttl).since(rig.now) - MICRO);
        assert_eq!(size(&rig), config.mesh_n);
        rig.run_for(config.heartbeat_interval);
        assert_eq!(size(&rig), 0);
    }
}
