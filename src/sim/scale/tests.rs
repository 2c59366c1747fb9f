//! Whole networks of a few dozen nodes: what an operation promises, and what attackers can do.

mod attacks;

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::discovery::store::StoreConfig;
use crate::discovery::testing::{mutable, peers};
use crate::discovery::{
    Command, DiscoveryConfig, Event as Happened, Input, Key, OperationId, Outcome, record,
};
use crate::identity::PeerId;
use crate::policy::UnixMillis;
use crate::wire::message::discovery::{Contact, Record, kind};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const CREATED: UnixMillis = UnixMillis(1_735_689_600_000);

/// A world that stands: every node has joined.
fn network(seed: u64, size: usize, config: &DiscoveryConfig) -> World {
    let mut world = World::new(seed, NetworkModel::default());
    for _ in 0..size {
        join(&mut world, config);
    }
    world.run_for(20 * SECOND);
    world
}

/// Adds a node that enters the network through two of the others.
fn join(world: &mut World, config: &DiscoveryConfig) -> NodeId {
    let others = world.alive();
    let node = world.add(config, StoreConfig::default());
    let seeds = [0, 1].iter().filter_map(|one| {
        let count = others.len() as u64;
        let drawn = rand_core::Rng::next_u64(world.rng());
        let index = usize::try_from((drawn % count.max(1) + one) % count.max(1)).unwrap();
        others.get(index).map(|other| world.contact(*other))
    });
    let seeds = seeds.collect::<Vec<_>>();
    world.start(node, Command::Bootstrap { seeds });
    world.run_for(2 * SECOND);
    node
}

fn run(world: &mut World, node: NodeId, command: Command) -> Outcome {
    let operation = world.start(node, command);
    let done = world.run_until_done(node, operation, MINUTE);
    done.expect("every operation ends").1
}

fn get(world: &mut World, node: NodeId, kind: u16, key: Key) -> Option<Record> {
    let is_hardened = false;
    let command = Command::Get {
        kind,
        key,
        is_hardened,
    };
    match run(world, node, command) {
        Outcome::Record(record) => record,
        other => panic!("{other:?}"),
    }
}

fn put(world: &mut World, node: NodeId, record: Record) -> usize {
    match run(world, node, Command::Put(record)) {
        Outcome::Stored { replicas } => replicas,
        other => panic!("{other:?}"),
    }
}

fn providers(world: &mut World, node: NodeId, key: Key, only_live: bool) -> BTreeSet<PeerId> {
    let command = Command::Providers {
        key,
        limit: 20,
        only_live,
    };
    match run(world, node, command) {
        Outcome::Providers(found) => peers(&found).into_iter().collect(),
        other => panic!("{other:?}"),
    }
}

fn immutable(value: &'static str) -> (Key, Record) {
    record::immutable(Bytes::from_static(value.as_bytes())).unwrap()
}

fn holders(world: &World, kind: u16, key: &Key) -> Vec<NodeId> {
    let holds = |node: &NodeId| world.machine(*node).is_some_and(|one| one.holds(kind, key));
    world.alive().into_iter().filter(holds).collect()
}

fn set(contacts: &[Contact]) -> BTreeSet<PeerId> {
    peers(contacts).into_iter().collect()
}

// Operations.

#[test]
fn discovery_a_record_is_found_by_all_and_held_by_the_nearest() {
    let mut world = network(1, 60, &DiscoveryConfig::default());
    let all = world.alive();
    let (key, record) = immutable("value");
    assert!(put(&mut world, all[3], record.clone()) >= 10);
    world.run_for(5 * SECOND);
    let nearest = world.nearest(&key, 20);
    for peer in nearest {
        let node = world.find(&peer).unwrap();
        assert!(
            world.machine(node).unwrap().holds(kind::IMMUTABLE, &key),
            "{node:?}"
        );
    }
    for node in all {
        assert_eq!(
            get(&mut world, node, kind::IMMUTABLE, key),
            Some(record.clone()),
            "{node:?}"
        );
    }
}

#[test]
fn discovery_the_closest_nodes_are_found_exactly() {
    let mut world = network(2, 100, &DiscoveryConfig::default());
    for node in world.alive().into_iter().step_by(9) {
        let key = Key::random(world.rng());
        let Outcome::Closest(found) = run(&mut world, node, Command::Closest(key)) else {
            panic!()
        };
        let local = world.contact(node).peer;
        let mut expected = world.nearest(&key, 21);
        expected.retain(|peer| *peer != local);
        expected.truncate(20);
        assert_eq!(peers(&found), expected, "{node:?}");
    }
}

#[test]
fn discovery_an_update_supersedes_everywhere_and_cannot_be_rolled_back() {
    let mut world = network(3, 50, &DiscoveryConfig::default());
    let all = world.alive();
    let (key, old) = mutable("salt", 1, CREATED, "old");
    let (_, new) = mutable("salt", 2, CREATED, "new");
    put(&mut world, all[0], old.clone());
    world.run_for(5 * SECOND);
    assert_eq!(
        get(&mut world, all[9], kind::MUTABLE, key),
        Some(old.clone())
    );
    put(&mut world, all[0], new.clone());
    world.run_for(5 * SECOND);
    for node in &all {
        assert_eq!(
            get(&mut world, *node, kind::MUTABLE, key),
            Some(new.clone()),
            "{node:?}"
        );
    }
    // Somebody has kept the old version.
    let command = Command::Put(old.clone());
    assert!(matches!(
        run(&mut world, all[0], command),
        Outcome::Rejected(_)
    ));
    let without = all.len() - holders(&world, kind::MUTABLE, &key).len();
    let replicas = put(&mut world, all[1], old);
    assert!(
        replicas <= without,
        "{replicas} of {without}: whoever holds the new one does not take it"
    );
    world.run_for(5 * SECOND);
    for node in &all {
        assert_eq!(
            get(&mut world, *node, kind::MUTABLE, key),
            Some(new.clone()),
            "{node:?}"
        );
    }
}

#[test]
fn discovery_a_newcomer_takes_over_what_it_should_hold() {
    let config = DiscoveryConfig::default();
    let mut world = network(4, 40, &config);
    let publisher = world.alive()[0];
    let (key, record) = immutable("handed over");
    put(&mut world, publisher, record);
    world.run_for(5 * SECOND);
    let mut near = 0;
    for _ in 0..12 {
        let newcomer = join(&mut world, &config);
        world.run_for(5 * SECOND);
        let peer = world.contact(newcomer).peer;
        if world.nearest(&key, 20).contains(&peer) {
            near += 1;
            assert!(
                world
                    .machine(newcomer)
                    .unwrap()
                    .holds(kind::IMMUTABLE, &key)
            );
        }
    }
    assert!(
        near >= 2,
        "{near} newcomers near the key: another seed is needed"
    );
}

/// Every holder dies, one after the other, and so does the publisher.
fn outlives_its_holders(repair: Duration) -> bool {
    let config = DiscoveryConfig {
        repair,
        ..DiscoveryConfig::default()
    };
    let mut world = network(5, 70, &config);
    let (key, record) = immutable("kept alive");
    let publisher = world.alive()[0];
    put(&mut world, publisher, record);
    world.run_for(5 * SECOND);
    for node in holders(&world, kind::IMMUTABLE, &key) {
        world.kill(node);
        world.run_for(20 * SECOND);
    }
    world.kill(publisher);
    let reader = world.alive()[0];
    get(&mut world, reader, kind::IMMUTABLE, key).is_some()
}

#[test]
fn discovery_repair_keeps_a_record_alive_while_its_holders_die_slowly() {
    assert!(outlives_its_holders(2 * MINUTE));
    assert!(
        !outlives_its_holders(600 * MINUTE),
        "without repair it is lost"
    );
}

#[test]
fn discovery_a_sweep_stores_records_at_every_node_of_their_region() {
    let config = DiscoveryConfig {
        republish: 5 * MINUTE,
        ..DiscoveryConfig::default()
    };
    let mut world = network(6, 60, &config);
    // A node that publishes before it knows anybody.
    let contact = world.contact(world.alive()[0]);
    let publisher = world.add(&config, StoreConfig::default());
    let values = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let records: Vec<_> = values.iter().map(|value| immutable(value)).collect();
    for (_, record) in &records {
        assert_eq!(put(&mut world, publisher, record.clone()), 0);
    }
    run(
        &mut world,
        publisher,
        Command::Bootstrap {
            seeds: vec![contact],
        },
    );
    world.run_for(MINUTE);
    let before = holders(&world, kind::IMMUTABLE, &records[0].0);
    assert_eq!(before, [publisher]);
    world.take_happened();
    world.take_traffic();
    world.run_for(6 * MINUTE);
    let stores = world.take_traffic().stores;
    for (key, _) in &records {
        for peer in world.nearest(key, 20) {
            let node = world.find(&peer).unwrap();
            assert!(
                world.machine(node).unwrap().holds(kind::IMMUTABLE, key),
                "{node:?}"
            );
        }
    }
    let replicated = world.take_happened();
    let is_complete = |event: &Happened| matches!(event, Happened::Replicated { replicas, .. } if *replicas >= 20);
    let complete = replicated
        .iter()
        .filter(|(_, node, event)| *node == publisher && is_complete(event));
    assert_eq!(complete.count(), records.len());
    assert!(
        stores <= 60 + 2,
        "{stores} stores for 8 records: they share them"
    );
}

/// Three of four nodes are dead, and nobody knows: those that take no records are replaced by the next
/// nearest.
#[test]
fn discovery_a_sweep_finds_others_where_holders_are_gone() {
    let config = DiscoveryConfig::default();
    let mut world = network(17, 160, &config);
    let publisher = world.alive()[7];
    for (number, node) in world.alive().into_iter().enumerate() {
        if number % 4 != 3 {
            world.kill(node);
        }
    }
    let values = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let records = values.iter().map(|value| immutable(value).1).collect();
    let Outcome::Published { complete, .. } = run(&mut world, publisher, Command::PutMany(records))
    else {
        panic!("they are published");
    };
    // One round of others leaves most of them incomplete: three of four of those are gone, too.
    assert_eq!(complete, values.len());
}

/// Who holds an old version learns so, and bothers nobody else.
#[test]
fn discovery_a_sweep_of_an_old_version_does_not_go_on_to_nodes_outside_its_region() {
    let mut world = network(18, 160, &DiscoveryConfig::default());
    let [publisher, other] = [7, 60].map(|place| world.alive()[place]);
    let [(_, old), (key, new)] = [1, 2].map(|version| mutable("salt", version, CREATED, "value"));
    assert!(put(&mut world, publisher, new) >= 10, "handed back early");
    world.run_for(10 * SECOND);
    let before = holders(&world, kind::MUTABLE, &key);
    world.take_traffic();
    run(&mut world, other, Command::PutMany(vec![old]));
    let stores = world.take_traffic().stores;
    assert!(
        stores <= 2 * before.len() as u64,
        "{stores} to {}",
        before.len()
    );
    assert_eq!(holders(&world, kind::MUTABLE, &key), before);
}

#[test]
fn discovery_records_put_one_by_one_are_stored_again_together() {
    let config = DiscoveryConfig {
        republish: 10 * MINUTE,
        ..DiscoveryConfig::default()
    };
    let mut world = network(16, 60, &config);
    let publisher = world.alive()[7];
    let values = ["a", "b", "c", "d", "e", "f", "g", "h"];
    world.watch(Some(publisher));
    world.take_traffic();
    for value in values {
        put(&mut world, publisher, immutable(value).1);
        world.run_for(10 * SECOND);
    }
    let one_by_one = world.take_traffic().stores;
    world.run_for(10 * MINUTE);
    let together = world.take_traffic().stores;
    assert!(one_by_one >= 8 * 20, "{one_by_one}");
    assert!(together <= 62, "{together} stores: one for each node");
}

#[test]
fn discovery_providers_are_found_and_take_themselves_back() {
    let mut world = network(7, 50, &DiscoveryConfig::default());
    let all = world.alive();
    let key = Key::of_role("relay");
    let expected: BTreeSet<_> = all[10..13]
        .iter()
        .map(|one| world.contact(*one).peer)
        .collect();
    for node in &all[10..13] {
        let record = record::provider(key, 3_600 * SECOND).unwrap();
        assert!(put(&mut world, *node, record) >= 10);
    }
    world.run_for(5 * SECOND);
    for only_live in [false, true] {
        assert_eq!(providers(&mut world, all[30], key, only_live), expected);
    }
    world.kill(all[10]);
    let dead = world.contact(all[10]).peer;
    let live: BTreeSet<_> = expected
        .iter()
        .filter(|one| **one != dead)
        .copied()
        .collect();
    assert_eq!(
        providers(&mut world, all[31], key, false),
        expected,
        "a claim"
    );
    assert_eq!(
        providers(&mut world, all[32], key, true),
        live,
        "those that answer"
    );
    let back = record::provider(key, Duration::ZERO).unwrap();
    put(&mut world, all[11], back);
    world.run_for(5 * SECOND);
    let left = providers(&mut world, all[33], key, true);
    assert_eq!(left, BTreeSet::from([world.contact(all[12]).peer]));
}

#[test]
fn discovery_a_cancelled_command_leaves_nothing_behind() {
    let mut world = network(8, 40, &DiscoveryConfig::default());
    let node = world.alive()[5];
    let (key, record) = immutable("cancelled");
    let commands = [
        Command::Put(record),
        Command::Closest(key),
        Command::Get {
            kind: 1,
            key,
            is_hardened: true,
        },
        Command::Providers {
            key,
            limit: 5,
            only_live: true,
        },
    ];
    for command in commands {
        for delay in [1, 45, 100, 170, 400] {
            // What the node does of its own accord is not what is looked at.
            while world.machine(node).unwrap().pending() != (0, 0, 0) {
                world.run_for(SECOND);
            }
            let operation = world.start(node, command.clone());
            world.run_for(Duration::from_millis(delay));
            world.tell(node, Input::Cancel(operation));
            world.run_for(Duration::from_millis(0));
            let pending = world.machine(node).unwrap().pending();
            assert_eq!(pending, (0, 0, 0), "{command:?} after {delay} ms");
        }
        world.run_for(2 * SECOND);
    }
}

/// All that can be seen of a run.
fn trace(seed: u64) -> String {
    let model = NetworkModel {
        loss: 0.05,
        ..NetworkModel::default()
    };
    let mut world = World::new(seed, model);
    for _ in 0..30 {
        join(&mut world, &DiscoveryConfig::default());
    }
    let all = world.alive();
    let (key, record) = mutable("same", 1, CREATED, "run");
    let put = world.start(all[2], Command::Put(record));
    let first = world.run_until_done(all[2], put, MINUTE);
    world.kill(all[7]);
    let found = get(&mut world, all[9], kind::MUTABLE, key);
    world.run_for(12 * MINUTE);
    let tables: Vec<Vec<_>> = all
        .iter()
        .map(|one| world.machine(*one).unwrap().table().collect())
        .collect();
    let (traffic, happened) = (world.take_traffic(), world.take_happened());
    format!(
        "{first:?} {found:?} {tables:?} {traffic:?} {happened:?} {:?}",
        world.now()
    )
}

#[test]
fn discovery_the_same_seed_gives_the_same_run() {
    let (one, same, other) = (trace(9), trace(9), trace(10));
    assert!(one == same, "two runs of one seed differ");
    assert!(one != other);
}
