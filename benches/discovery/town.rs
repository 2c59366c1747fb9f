use std::time::Duration;

use cretoai_network::discovery::store::StoreConfig;
use cretoai_network::discovery::{Command, DiscoveryConfig, Key, Outcome};
use cretoai_network::sim::scale::{NetworkModel, NodeId, World};
use rand_chacha::rand_core::Rng;

pub(crate) struct Town {
    pub(crate) world: World,
    pub(crate) nodes: Vec<NodeId>,
}

impl Town {
    pub(crate) fn build(seed: u64, n: u32) -> Self {
        let mut config = DiscoveryConfig::default();
        let mut world = World::new(seed, NetworkModel::default());
        let mut nodes = Vec::new();
        for _ in 0..n {
            let node = world.add(&config, StoreConfig::default());
            let seeds = if nodes.is_empty() {
                vec![]
            } else {
                let i = (world.rng().next_u64() % nodes.len() as u64) as usize;
                vec![world.contact(nodes[i])]
            };
            world.start(node, Command::Bootstrap { seeds });
            world.run_for(Duration::from_millis(100));
            nodes.push(node);
        }
        world.run_for(Duration::from_secs(660));
        Self { world, nodes }
    }

    pub(crate) fn lookups(&mut self, count: usize) {
        let mut exact = 0;
        let mut closest = 0;
        let mut times = Vec::new();
        for i in 0..count {
            let from = self.nodes[i * 7919 % self.nodes.len()];
            let key = Key::random(self.world.rng());
            let start = self.world.now();
            let op = self.world.start(from, Command::Closest(key));
            let (at, outcome) = self
                .world
                .run_until_done(from, op, Duration::from_secs(30))
                .unwrap();
            let Outcome::Closest(found) = outcome else {
                panic!()
            };
            let me = self.world.contact(from).peer;
            let truth: Vec<_> = self
                .world
                .nearest(&key, 21)
                .into_iter()
                .filter(|p| *p != me)
                .take(20)
                .collect();
            let found: Vec<_> = found.into_iter().map(|c| c.peer).collect();
            exact += usize::from(found == truth);
            closest += usize::from(found.first() == truth.first());
            times.push(at.since(start).as_secs_f64() * 20.0);
        }
        times.sort_by(f64::total_cmp);
        eprintln!(
            "closest {closest} exact {exact} of {count}; RTT p50 {} p95 {} p99 {}",
            times[count / 2],
            times[count * 95 / 100],
            times[count * 99 / 100]
        );
    }
}
