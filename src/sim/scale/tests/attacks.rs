//! What attackers can do to a whole network.

use super::*;

/// What came of gets for a besieged key: of how many, how many succeeded, and who raised alarms.
struct Siege {
    succeeded: usize,
    alarms: usize,
    false_alarms: usize,
}

const GETS: usize = 8;

/// What the rows of the attacks rest on: nobody is left out because others came at the same moment.
#[test]
fn discovery_a_node_asks_everybody_who_introduces_itself() {
    let mut world = World::new(5, NetworkModel::default());
    let node = world.add(&DiscoveryConfig::default(), StoreConfig::default());
    // Fewer than the table has room for, and more than are asked at once.
    for _ in 0..24 {
        let place = Key::random(world.rng());
        let stranger = world.add_sybil(0, place);
        world.introduce(stranger, node);
    }
    world.watch(Some(node));
    world.run_for(10 * SECOND);
    // Who answered is not asked again: each of them was asked once.
    assert_eq!(world.take_traffic().questions, 24);
}

/// E17: 64 ids ground to share 20 bits with a key come late, make themselves known to everybody,
/// and answer with each other only.
fn siege(config: &DiscoveryConfig) -> Siege {
    let mut world = network(11, 200, config);
    let (key, record) = immutable("besieged");
    let honest = world.alive();
    for _ in 0..64 {
        let place = key.random_with_prefix(20, world.rng());
        let sybil = world.add_sybil(0, place);
        for node in &honest {
            world.introduce(sybil, *node);
        }
    }
    world.run_for(20 * SECOND);
    world.take_happened();
    put(&mut world, honest[0], record.clone());
    world.run_for(10 * SECOND);
    let mut succeeded = 0;
    for node in honest.iter().skip(1).step_by(24).take(GETS) {
        succeeded += usize::from(get(&mut world, *node, kind::IMMUTABLE, key).is_some());
        // The alarm is raised where the whole neighbourhood is looked at.
        run(&mut world, *node, Command::Closest(key));
        let elsewhere = Key::random(world.rng());
        run(&mut world, *node, Command::Closest(elsewhere));
    }
    let (mut alarmed, mut false_alarms) = (BTreeSet::new(), 0);
    for (_, node, event) in world.take_happened() {
        match event {
            // Twenty of 200 nodes are as near as 3 bits: there the crowd is seen, too.
            Happened::Alarm { target, .. } if target.common_prefix(&key) >= 2 => {
                alarmed.insert((node, target == key));
            }
            Happened::Alarm { .. } => false_alarms += 1,
            _ => {}
        }
    }
    Siege {
        succeeded,
        alarms: alarmed.iter().filter(|(_, is_key)| *is_key).count(),
        false_alarms,
    }
}

fn assert_that_the_quota_holds(region: bool) {
    let siege = siege(&DiscoveryConfig {
        region,
        ..DiscoveryConfig::default()
    });
    assert_eq!(siege.succeeded, GETS);
    assert!(siege.alarms >= GETS, "{} alarms of {GETS}", siege.alarms);
    assert_eq!(siege.false_alarms, 0);
}

#[test]
fn discovery_attack_ids_ground_to_a_key_take_no_get() {
    assert_that_the_quota_holds(true);
}

#[test]
fn discovery_attack_ids_ground_to_a_key_take_no_get_with_the_quota_alone() {
    assert_that_the_quota_holds(false);
}

/// The control arm: what the attack does to a network without the defence.
#[test]
fn discovery_without_the_density_quota_ground_ids_take_every_get() {
    let config = DiscoveryConfig {
        density_quota: false,
        region: false,
        ..DiscoveryConfig::default()
    };
    let siege = siege(&config);
    assert_eq!(siege.succeeded, 0);
    assert_eq!(siege.alarms, 0);
}

/// Ids that nobody ever generated cost a liar nothing: six nodes that everybody knows name 400 of them
/// around the key, in pairs, as many as the quota lets pass at each of its levels.
#[test]
fn discovery_attack_invented_ids_around_a_key_take_no_get() {
    let mut world = network(15, 200, &DiscoveryConfig::default());
    let honest = world.alive();
    let (key, record) = immutable("crowded out");
    put(&mut world, honest[0], record);
    world.run_for(10 * SECOND);
    for number in 0..406 {
        let bits = if number < 6 { 7 } else { 3 + number % 18 };
        let place = key.random_with_prefix(bits, world.rng());
        let liar = world.add_sybil(0, place);
        if number < 6 {
            for node in &honest {
                world.introduce(liar, *node);
            }
        } else {
            world.kill(liar);
        }
    }
    world.run_for(20 * SECOND);
    world.take_traffic();
    let mut asked = 0;
    for node in honest.iter().skip(1).step_by(24).take(GETS) {
        let found = get(&mut world, *node, kind::IMMUTABLE, key);
        assert!(found.is_some(), "{node:?}");
        let Outcome::Closest(found) = run(&mut world, *node, Command::Closest(key)) else {
            panic!("a lookup finds nodes");
        };
        let own = world.contact(*node).peer;
        let mut truth = world.nearest(&key, 21);
        truth.retain(|peer| *peer != own);
        let found = set(&found);
        let missed = truth.iter().take(20).filter(|one| !found.contains(*one));
        assert!(
            missed.count() <= 6,
            "the six liars stand there, too: {node:?}"
        );
        asked += 1;
    }
    let requests = world.take_traffic().questions / asked;
    assert!(requests < 400, "{requests} requests for a get and a lookup");
}

/// E18: liars name nodes that are not there.
#[test]
fn discovery_attack_nodes_that_were_never_reached_are_never_told() {
    let mut world = network(12, 60, &DiscoveryConfig::default());
    let honest = world.alive();
    let mut ghosts = BTreeSet::new();
    for number in 0..60 {
        let place = Key::random(world.rng());
        let sybil = world.add_sybil(0, place);
        if number % 3 == 0 {
            for node in &honest {
                world.introduce(sybil, *node);
            }
            world.run_for(SECOND);
        } else {
            world.kill(sybil);
            ghosts.insert(world.contact(sybil).peer);
        }
    }
    let mut known_liars = 0;
    for node in honest.iter().step_by(4) {
        let key = Key::random(world.rng());
        let Outcome::Closest(found) = run(&mut world, *node, Command::Closest(key)) else {
            panic!()
        };
        assert!(set(&found).is_disjoint(&ghosts), "a ghost is returned");
    }
    for node in &honest {
        let table: Vec<_> = world
            .machine(*node)
            .unwrap()
            .table()
            .map(|one| one.contact)
            .collect();
        assert!(set(&table).is_disjoint(&ghosts), "a ghost is kept");
        known_liars += table
            .iter()
            .filter(|one| world.find(&one.peer).unwrap().0 >= 60)
            .count();
    }
    assert!(known_liars > 100, "the liars were not asked: {known_liars}");
}

#[test]
fn discovery_operations_have_numbers_of_their_own() {
    let mut world = network(13, 3, &DiscoveryConfig::default());
    let node = world.alive()[0];
    let one = world.start(node, Command::Closest(Key::from_bytes([1; 32])));
    let other = world.start(node, Command::Closest(Key::from_bytes([2; 32])));
    assert!(one != other && one.0 < OperationId::FIRST_INTERNAL);
}

/// E17: 64 ids stand where 25 honest nodes are expected, below every bound of the quota, before those
/// join; they make themselves known to everybody who does.
#[test]
fn discovery_attack_ids_that_filled_a_region_before_it_grew_do_not_hide_its_honest_nodes() {
    let config = DiscoveryConfig::default();
    let mut world = network(17, 30, &config);
    let (key, record) = immutable("surrounded");
    // 64 in a sixteenth: 25 of 400 honest nodes live there.
    let sybils: Vec<_> = (0..64)
        .map(|_| {
            let place = key.random_with_prefix(4, world.rng());
            world.add_sybil(0, place)
        })
        .collect();
    for node in world.alive() {
        sybils.iter().for_each(|one| world.introduce(*one, node));
    }
    while world.alive().len() < 400 {
        let seeds = vec![world.contact(world.alive()[0])];
        let node = world.add(&config, StoreConfig::default());
        world.start(node, Command::Bootstrap { seeds });
        world.run_for(SECOND / 10);
        sybils.iter().for_each(|one| world.introduce(*one, node));
    }
    world.run_for(config.refresh + 90 * SECOND);
    let honest = world.alive();
    put(&mut world, honest[200], record);
    world.run_for(10 * SECOND);
    let mut getters = honest;
    getters.retain(|node| {
        let machine = world.machine(*node).unwrap();
        !machine.holds(kind::IMMUTABLE, &key)
    });
    let getters: Vec<_> = getters.into_iter().step_by(18).take(20).collect();
    let gets = getters.iter();
    let found = gets.filter(|node| get(&mut world, **node, kind::IMMUTABLE, key).is_some());
    assert!(found.count() >= 16, "of {}", getters.len());
}

/// A network in which a record has two versions, and attackers around its key who all give `lie`.
fn liars(ids: usize, bits: u32, lie: Record) -> (World, Key, Record) {
    let mut world = network(19, 200, &DiscoveryConfig::default());
    let (key, newest) = mutable("salt", 2, CREATED, "newest");
    let honest = world.alive();
    for _ in 0..ids {
        let place = key.random_with_prefix(bits, world.rng());
        let sybil = world.add_sybil(0, place);
        honest.iter().for_each(|node| world.introduce(sybil, *node));
    }
    world.lie(0, lie);
    world.run_for(20 * SECOND);
    put(&mut world, honest[0], newest.clone());
    world.run_for(10 * SECOND);
    (world, key, newest)
}

fn versions(world: &mut World, key: Key, is_hardened: bool) -> Vec<Option<Record>> {
    let mut others = world.alive();
    others.retain(|node| {
        let machine = world.machine(*node);
        machine.is_some_and(|machine| !machine.holds(kind::MUTABLE, &key))
    });
    let askers = others.into_iter().step_by(16).take(GETS);
    let command = Command::Get {
        kind: kind::MUTABLE,
        key,
        is_hardened,
    };
    let outcome = |node| match run(world, node, command.clone()) {
        Outcome::Record(record) => record,
        other => panic!("{other:?}"),
    };
    askers.map(outcome).collect()
}

/// E17, active: they have a version that was signed once, and give it to everybody.
#[test]
fn discovery_attack_an_old_version_does_not_displace_the_newest() {
    let (key, old) = mutable("salt", 1, CREATED, "old");
    // Ground to the key, and, for those who ask everybody, among the honest nodes of its region.
    for (ids, bits, is_hardened) in [(64, 20, false), (64, 20, true), (20, 3, true)] {
        let (mut world, of, newest) = liars(ids, bits, old.clone());
        assert_eq!(of, key);
        let found = versions(&mut world, key, is_hardened);
        assert_eq!(found.len(), GETS);
        let wrong = found.iter().filter(|one| **one != Some(newest.clone()));
        assert_eq!(wrong.count(), 0, "{ids} ids, {bits} bits, {is_hardened}");
    }
}

/// E17, active: a version that nobody signed.
#[test]
fn discovery_attack_a_forged_version_is_not_taken() {
    let (_, mut forged) = mutable("salt", 9, CREATED, "forged");
    let mut body = forged.body.as_bytes().to_vec();
    let last = body.len() - 1;
    body[last] ^= 1;
    forged.body = Bytes::from(body).try_into().unwrap();
    let (mut world, key, newest) = liars(20, 3, forged);
    for is_hardened in [false, true] {
        let found = versions(&mut world, key, is_hardened);
        assert!(found.iter().all(|one| *one == Some(newest.clone())));
    }
}
