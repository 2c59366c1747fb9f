//! Who is taken into a mesh, and who leaves one that is too large.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use super::rig::Rig;
use super::scripted::{SETTLES, come, graft, members, node_with, think, told};
use crate::gossip::GossipConfig;
use crate::gossip::machine::{Input, Link};
use crate::policy::Micros;
use crate::wire::message::gossip as wire;

const MICRO: Duration = Duration::from_micros(1);

fn configs() -> [GossipConfig; 2] {
    [GossipConfig::plain(), GossipConfig::default()]
}

/// A full mesh, and so many neighbours outside it; and the score below which its median is mediocre.
fn full_mesh(config: &GossipConfig, outside: usize) -> (Rig, f64) {
    let mut rig = node_with(config, config.mesh_n);
    for other in 0..outside {
        come(&mut rig, config.mesh_n + 1 + other, false);
    }
    rig.run_for(SETTLES);
    assert_eq!(members(&rig), (1..=config.mesh_n).collect::<Vec<_>>());
    let mediocre = rig.nodes[0].score.thresholds().opportunistic_graft;
    (rig, mediocre)
}

#[test]
fn a_mediocre_mesh_takes_in_two_better_neighbours_a_minute_and_no_others() {
    for config in configs() {
        let (every, beat) = (
            config.opportunistic_graft_interval,
            config.heartbeat_interval,
        );
        let (mut rig, threshold) = full_mesh(&config, 5);
        let n = config.mesh_n;
        think(&mut rig, 1..=n + 2, threshold - 0.5);
        let better = n + 3..=n + 5;
        think(&mut rig, better.clone(), threshold + 1.0);
        let newcomers = |rig: &Rig| {
            let mesh = members(rig);
            assert!(mesh.iter().all(|one| *one <= n || better.contains(one)));
            mesh.len() - n
        };
        // It was never compared, as if it had been at the very beginning.
        let first = Micros(0) + every;
        rig.run_for(first.since(rig.now) - MICRO);
        assert_eq!(newcomers(&rig), 0);
        rig.run_for(beat);
        assert_eq!(newcomers(&rig), config.opportunistic_graft_peers);
        rig.run_for(every - beat);
        assert_eq!(newcomers(&rig), config.opportunistic_graft_peers);
        rig.run_for(beat * 2);
        assert_eq!(newcomers(&rig), 3);
    }
}

#[test]
fn a_mesh_is_mediocre_when_its_median_is_whatever_its_worst_members_are() {
    for config in configs() {
        let half = config.mesh_n / 2;
        for (worse, taken_in) in [(half, 0), (half + 1, config.opportunistic_graft_peers)] {
            let (mut rig, threshold) = full_mesh(&config, 5);
            think(&mut rig, 1..=worse, 0.0);
            think(&mut rig, worse + 1..=config.mesh_n, threshold);
            let outside = config.mesh_n + 1..=config.mesh_n + 5;
            think(&mut rig, outside, threshold + 1.0);
            rig.run_for(config.opportunistic_graft_interval);
            let found = members(&rig).len();
            assert_eq!(found, config.mesh_n + taken_in, "{worse} are worse");
        }
    }
}

/// Those dialled have the lowest scores here, and there are two.
#[test]
fn a_mesh_that_is_too_large_keeps_its_best_members_and_two_that_were_dialled() {
    for (config, seed) in configs().into_iter().zip([0, 100]) {
        for seed in seed..seed + 10 {
            println!("seed {seed}");
            let high = config.mesh_n_high;
            let mut rig = node_with(&config, 0);
            rig.nodes[0].rng = ChaCha8Rng::seed_from_u64(seed);
            for other in 1..high {
                come(&mut rig, other, false);
                graft(&mut rig, other);
            }
            come(&mut rig, high, true);
            graft(&mut rig, high);
            let best: Vec<_> = (1..=config.mesh_n_score).collect();
            think(&mut rig, best.clone(), 100.0);
            think(&mut rig, config.mesh_n_score + 1..high, 50.0);
            rig.run_for(SETTLES);
            assert_eq!(members(&rig).len(), high, "as large as it may be");
            come(&mut rig, high + 1, true);
            graft(&mut rig, high + 1);
            assert_eq!(members(&rig).len(), high + 1);
            let since = rig.now;
            rig.run_for(SETTLES);
            let mesh = members(&rig);
            assert_eq!(mesh.len(), config.mesh_n);
            let dialled = [high, high + 1];
            let stay = best.iter().chain(&dialled);
            assert!(stay.clone().all(|one| mesh.contains(one)), "{mesh:?}");
            let pruned = told(&rig, wire::PRUNE, since);
            assert_eq!(pruned.len(), high + 1 - config.mesh_n);
            assert!(pruned.iter().all(|one| !mesh.contains(one)));
        }
    }
}

#[test]
fn a_mesh_that_is_large_enough_takes_in_dialled_neighbours_until_it_has_two() {
    for config in configs() {
        let (n, least) = (config.mesh_n, config.mesh_outbound_min);
        for dialled in 0..=least {
            let mut rig = node_with(&config, 0);
            for other in 1..=n {
                come(&mut rig, other, other <= dialled);
            }
            rig.run_for(SETTLES);
            assert_eq!(members(&rig).len(), n);
            come(&mut rig, n + 1, false);
            for other in n + 2..=n + 4 {
                come(&mut rig, other, true);
            }
            rig.run_for(SETTLES);
            let mesh = members(&rig);
            assert_eq!(mesh.len(), n + least - dialled, "{dialled} were there");
            assert!(!mesh.contains(&(n + 1)), "it dialled in");
        }
    }
}

#[test]
fn a_mesh_is_filled_up_when_it_is_too_small_and_not_before() {
    for config in configs() {
        let low = config.mesh_n_low;
        let mut rig = node_with(&config, low);
        for other in low + 1..=low + 5 {
            come(&mut rig, other, false);
        }
        rig.run_for(SETTLES);
        assert_eq!(members(&rig).len(), low);
        rig.tell(0, Input::Disconnected(Link(1)));
        rig.run_for(SETTLES);
        assert_eq!(members(&rig).len(), config.mesh_n);
    }
}
