//! Who is told of a topic is whoever subscribed to it and reads.

use std::time::Duration;

use proptest::prelude::*;

use super::rig::{Rig, topic};
use crate::gossip::GossipConfig;
use crate::gossip::machine::{Input, Link, TopicOptions};
use crate::wire::codec::List;
use crate::wire::message::gossip as wire;

/// Neighbours of the one node.
const NEIGHBOURS: usize = 5;

#[derive(Debug, Clone, Copy)]
enum Step {
    Come(usize),
    Go(usize),
    Subscribe(usize),
    Unsubscribe(usize),
    /// It reads nothing from now on.
    Stall(usize),
    Read(usize),
    /// Something is said, and time passes in which who reads nothing is found out.
    Pass,
}

fn step() -> impl Strategy<Value = Step> {
    let other = 1..=NEIGHBOURS;
    prop_oneof![
        2 => other.clone().prop_map(Step::Come),
        1 => other.clone().prop_map(Step::Go),
        3 => other.clone().prop_map(Step::Subscribe),
        1 => other.clone().prop_map(Step::Unsubscribe),
        2 => other.clone().prop_map(Step::Stall),
        1 => other.prop_map(Step::Read),
        2 => Just(Step::Pass),
    ]
}

/// A node, and what its neighbours have told it on their present connections.
struct Crowd {
    rig: Rig,
    /// Subscriptions of each so far, none while it is away.
    subscriptions: [Option<u64>; NEIGHBOURS + 1],
    said: u64,
    /// How often somebody was found to read too slowly.
    slow: usize,
}

impl Crowd {
    fn new() -> Self {
        let mut rig = Rig::new(1, &GossipConfig::default());
        rig.subscribe(0, TopicOptions::default());
        Self {
            rig,
            subscriptions: [None; NEIGHBOURS + 1],
            said: 0,
            slow: 0,
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Come(other) => {
                let address = ([93, 184, other as u8, 1], 9_000).into();
                self.rig.place(0, other, address);
                self.subscriptions[other] = Some(0);
            }
            Step::Go(other) => {
                self.rig.tell(0, Input::Disconnected(Link(other as u64)));
                self.subscriptions[other] = None;
            }
            Step::Subscribe(other) => {
                if let Some(count) = &mut self.subscriptions[other] {
                    *count += 1;
                    let topics = List::truncated([*topic().as_bytes()]);
                    let frame = wire::Subscribe { topics };
                    self.rig.forge(other, 0, wire::SUBSCRIBE, &frame);
                }
            }
            Step::Unsubscribe(other) => {
                if let Some(count) = self.subscriptions[other].filter(|count| *count > 0) {
                    let topics = List::truncated([count - 1]);
                    let frame = wire::Topics { topics };
                    self.rig.forge(other, 0, wire::UNSUBSCRIBE, &frame);
                }
            }
            Step::Stall(other) => self.rig.stuck.push(other),
            Step::Read(other) => {
                self.rig.stuck.retain(|one| *one != other);
                self.rig.tell(0, Input::Writable(Link(other as u64)));
            }
            Step::Pass => {
                self.said += 1;
                self.rig.publish(0, &self.said.to_le_bytes());
                self.rig.run_for(Duration::from_secs(2));
                self.said += 1;
                self.rig.publish(0, &self.said.to_le_bytes());
                self.rig.run_for(Duration::from_secs(6));
            }
        }
        let neighbours = self.rig.nodes[0].neighbours.values();
        self.slow += neighbours.filter(|one| one.is_slow()).count();
    }

    /// As the machine finds it, and as its neighbours say.
    fn audience(&self) -> (Vec<Link>, Vec<Link>) {
        let node = &self.rig.nodes[0];
        let neighbours = node.neighbours.iter();
        let heard = neighbours.filter(|(_, one)| one.theirs.contains(&topic()) && !one.is_slow());
        let found = node.subscribers(&topic()).to_vec();
        (found, heard.map(|(link, _)| *link).collect())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn who_subscribed_and_reads_is_told(steps in prop::collection::vec(step(), 1..60)) {
        let mut crowd = Crowd::new();
        for step in steps {
            crowd.take(step);
            let (found, heard) = crowd.audience();
            prop_assert_eq!(found, heard, "after {:?}", step);
        }
    }
}

#[test]
fn who_reads_again_is_told_again() {
    let mut crowd = Crowd::new();
    for step in [
        Step::Come(1),
        Step::Subscribe(1),
        Step::Stall(1),
        Step::Pass,
    ] {
        crowd.take(step);
    }
    assert!(crowd.slow > 0, "it was found out");
    assert_eq!(crowd.audience(), (vec![], vec![]));
    crowd.take(Step::Read(1));
    assert_eq!(crowd.audience(), (vec![Link(1)], vec![Link(1)]));
}
