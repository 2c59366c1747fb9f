//! Attackers around a key: ground to it, or spread over its region.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cretoai_network::discovery::{Command, DiscoveryConfig, Event, K, Key, share_of};
use cretoai_network::sim::scale::NodeId;
use cretoai_network::wire::message::discovery::Record;
use rand_chacha::rand_core::Rng;

use super::options::Options;
use super::report::{Report, Target};
use super::statistics::percent;
use super::town::{Lookup, PATIENCE, Town, Towns, below};

/// As the row says.
const HONEST: u32 = 1_000;

/// Bits that ground ids share with their key.
const GROUND_BITS: u32 = 20;

/// Getters of each key.
const GETTERS: usize = 20;

/// When the attackers join.
#[derive(Clone, Copy, PartialEq)]
enum When {
    /// After the network stands.
    Late,
    /// At random moments while it grows.
    Mixed,
    /// From the thirtieth node on.
    Early,
}

/// Where they stand.
#[derive(Clone, Copy, PartialEq)]
enum Where {
    Ground,
    /// Spread over the ball that should hold 20 honest nodes.
    Spread,
}

#[derive(Clone, Copy)]
struct Attack {
    when: When,
    place: Where,
    /// Attackers for each key.
    ids: usize,
    /// Keys attacked in one network.
    keys: usize,
    seed: u64,
    /// Without the density quota and the walk through the region: the control arm.
    is_plain: bool,
}

#[derive(Default)]
struct Tally {
    keys: usize,
    keys_with_failures: usize,
    gets: usize,
    failed: usize,
    /// The same of hardened gets.
    hardened: usize,
    hardened_failed: usize,
    /// Attacked lookups that raised the alarm.
    alarms: usize,
    attacked: usize,
    /// Lookups for other keys, those of them that are suspicious, and those among whose nearest nodes attackers
    /// stand; the alarms of these, and of the rest.
    honest: usize,
    suspicious: usize,
    beside_a_crowd: usize,
    alarms_beside: usize,
    false_alarms: usize,
}

pub(crate) fn run(options: &Options, towns: &mut Towns, report: &mut Report) {
    let full = options.wants("sybil-full");
    for ids in [64, 20, 256] {
        let few = options.wants("sybil") || options.wants(&format!("sybil-{ids}"));
        let all = full || options.wants(&format!("sybil-full-{ids}"));
        for when in [When::Late, When::Mixed, When::Early] {
            // Hours of a core in all: each row has a word of its own.
            let is_full = all || options.wants(&format!("sybil-full-{ids}-{}", when.name()));
            if is_full || few {
                let keys = if is_full { 300 } else { 20 };
                ground(towns, report, keys, ids, when);
            }
        }
    }
    if full || options.wants("sybil") {
        control(towns, report);
    }
    if full || options.wants("sybil") || options.wants("calm") {
        calm(towns, report);
    }
    if options.wants("spread") {
        for when in [When::Late, When::Mixed, When::Early] {
            spread(towns, report, if full { 60 } else { 20 }, when);
        }
    }
}

fn ground(towns: &mut Towns, report: &mut Report, keys: usize, ids: usize, when: When) {
    let tally = repeat(towns, keys, |seed| Attack {
        when,
        place: Where::Ground,
        ids,
        // Attackers in one network: at most as many as two thirds of the honest nodes, or a few more.
        keys: if ids > 64 { 5 } else { 10 },
        seed,
        is_plain: false,
    });
    let name = |what: &str| {
        format!(
            "{ids} ids ground to 20 bits, joined {}: {what}",
            when.name()
        )
    };
    let none = Target::AtMost(0.0);
    let failing = tally.keys_with_failures as f64;
    report.row(&name("keys with a failed get"), failing, "keys", none);
    report.row(&name("keys"), tally.keys as f64, "keys", Target::None);
    // The rule of three: no failure among n says at most 3/n at 95 % confidence.
    report.row(
        &name("at most, 95 %"),
        300.0 / tally.keys as f64,
        "%",
        Target::None,
    );
    report.row(&name("gets"), tally.gets as f64, "", Target::None);
    let raised = percent(tally.alarms, tally.attacked);
    let raises = if ids >= 64 {
        Target::AtLeast(99.0)
    } else {
        Target::None
    };
    report.row(&name("attacked lookups with an alarm"), raised, "%", raises);
    // A key that nobody attacks may still have attackers near it, those of another: that alarm is true.
    let beside = percent(tally.alarms_beside, tally.beside_a_crowd);
    let row = name("lookups beside a crowd with an alarm");
    report.row(&row, beside, "%", Target::None);
    let wrong = percent(tally.false_alarms, tally.honest - tally.beside_a_crowd);
    let row = name("lookups far from all crowds with an alarm");
    report.row(&row, wrong, "%", Target::AtMost(0.5));
    let suspicious = percent(tally.suspicious, tally.honest);
    report.row(
        &name("lookups for other keys suspicious"),
        suspicious,
        "%",
        Target::None,
    );
}

fn spread(towns: &mut Towns, report: &mut Report, keys: usize, when: When) {
    let tally = repeat(towns, keys, |seed| Attack {
        when,
        place: Where::Spread,
        ids: 64,
        keys: 1,
        seed,
        is_plain: false,
    });
    let name = |what: &str| {
        format!(
            "64 ids spread over the region, joined {}: {what}",
            when.name()
        )
    };
    let found = 100.0 - percent(tally.failed, tally.gets);
    report.row(&name("gets that succeed"), found, "%", Target::None);
    let hardened = 100.0 - percent(tally.hardened_failed, tally.hardened);
    let row = name("hardened gets that succeed");
    report.row(&row, hardened, "%", Target::None);
    let failing = tally.keys_with_failures as f64;
    report.row(
        &name("keys with a failed get"),
        failing,
        "keys",
        Target::None,
    );
    report.row(&name("keys"), tally.keys as f64, "keys", Target::None);
    let raised = percent(tally.alarms, tally.attacked);
    report.row(
        &name("attacked lookups with an alarm"),
        raised,
        "%",
        Target::None,
    );
}

/// Lookups in a network without attackers: whoever raises the alarm there is wrong.
fn calm(towns: &mut Towns, report: &mut Report) {
    let mut tally = Tally::default();
    for seed in 0..25 {
        let mut town = towns.of(HONEST);
        town.world.reseed(seed);
        honest_lookups(&mut town, &[], &mut tally);
    }
    let name = |what: &str| format!("{HONEST} honest nodes, no attack: {what}");
    let wrong = percent(tally.false_alarms, tally.honest);
    report.row(
        &name("lookups with an alarm"),
        wrong,
        "%",
        Target::AtMost(0.5),
    );
    let suspicious = percent(tally.suspicious, tally.honest);
    report.row(&name("lookups suspicious"), suspicious, "%", Target::None);
    report.row(&name("lookups"), tally.honest as f64, "", Target::None);
}

/// The same attack against plain Kademlia: if it did not fail, the rows above would prove nothing.
fn control(towns: &mut Towns, report: &mut Report) {
    let tally = repeat(towns, 10, |seed| Attack {
        when: When::Late,
        place: Where::Ground,
        ids: 64,
        keys: 10,
        seed,
        is_plain: true,
    });
    let found = 100.0 - percent(tally.failed, tally.gets);
    let name = "64 ids ground to 20 bits, late, plain Kademlia: gets that succeed";
    report.row(name, found, "%", Target::AtMost(50.0));
}

fn repeat(towns: &mut Towns, keys: usize, attack: impl Fn(u64) -> Attack) -> Tally {
    let mut tally = Tally::default();
    let mut seed = 100;
    while tally.keys < keys {
        carry_out(towns, attack(seed), &mut tally);
        seed += 1;
    }
    tally
}

/// A network with attackers, in which each attacked record is stored and looked for.
fn carry_out(towns: &mut Towns, attack: Attack, tally: &mut Tally) {
    let (mut town, records) = match attack.when {
        When::Late if !attack.is_plain => invaded(towns, attack),
        _ => grown(attack),
    };
    town.world
        .run_for(town.config.refresh + Duration::from_secs(90));
    town.world.take_happened();
    let attacked: Vec<_> = records.iter().map(|(key, _)| *key).collect();
    honest_lookups(&mut town, &attacked, tally);
    for (key, record) in records {
        let from = town.random_node().expect("somebody runs");
        let operation = town.world.start(from, Command::Put(record));
        town.world.run_until_done(from, operation, PATIENCE);
        town.world.run_for(Duration::from_secs(10));
        attacked_gets(&mut town, key, attack.place, tally);
    }
}

/// A network that stood before the attackers came.
fn invaded(towns: &mut Towns, attack: Attack) -> (Town, Vec<(Key, Record)>) {
    let mut town = towns.of(HONEST);
    town.world.reseed(attack.seed);
    let records: Vec<_> = (0..attack.keys).map(|_| town.record()).collect();
    for number in 0..attack.ids * records.len() {
        let group = number % records.len();
        let place = place(&mut town, attack.place, &records[group].0);
        let sybil = town.world.add_sybil(group, place);
        announce(&mut town, sybil);
    }
    (town, records)
}

/// A network in which honest nodes and attackers join side by side. Attackers make themselves known to
/// every newcomer, and to all once more at the end.
fn grown(attack: Attack) -> (Town, Vec<(Key, Record)>) {
    let config = DiscoveryConfig {
        density_quota: !attack.is_plain,
        region: !attack.is_plain,
        ..DiscoveryConfig::default()
    };
    let mut town = Town::new(attack.seed, config);
    let records: Vec<_> = (0..attack.keys).map(|_| town.record()).collect();
    let mut joins: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for sybil in 0..attack.ids * records.len() {
        let after = match attack.when {
            When::Late => HONEST as usize,
            When::Mixed => below(&mut town.world, HONEST as usize) + 1,
            When::Early => 30,
        };
        joins.entry(after).or_default().push(sybil);
    }
    let mut sybils = Vec::new();
    for honest in 1..=HONEST as usize {
        let newcomer = town.join();
        town.world.run_for(Duration::from_millis(100));
        town.settle();
        meet_nearest_first(&mut town, newcomer, &mut sybils);
        for number in joins.remove(&honest).unwrap_or_default() {
            let group = number % records.len();
            let place = place(&mut town, attack.place, &records[group].0);
            let sybil = town.world.add_sybil(group, place);
            announce(&mut town, sybil);
            sybils.push(sybil);
        }
    }
    for sybil in sybils {
        announce(&mut town, sybil);
    }
    (town, records)
}

fn place(town: &mut Town, place: Where, key: &Key) -> Key {
    match place {
        Where::Ground => key.random_with_prefix(GROUND_BITS, town.world.rng()),
        Where::Spread => loop {
            // Evenly within the ball in which twenty honest nodes are expected.
            let ball = share_of(f64::from(HONEST)) / 1.5;
            let bits = u32::try_from((-ball.log2()).floor() as i64).unwrap_or(0);
            let drawn = key.random_with_prefix(bits, town.world.rng());
            if key.distance(&drawn).fraction() <= ball {
                break drawn;
            }
        },
    }
}

/// Attackers connect with a newcomer one after the other, those that it needs most first.
fn meet_nearest_first(town: &mut Town, newcomer: NodeId, sybils: &mut [NodeId]) {
    let place = Key::from(town.world.contact(newcomer).peer);
    let world = &town.world;
    sybils.sort_by_cached_key(|sybil| place.distance(&world.contact(*sybil).peer.into()));
    for sybil in sybils {
        town.world.introduce(*sybil, newcomer);
    }
}

/// An attacker connects with every honest node, as soon as each has time for it.
fn announce(town: &mut Town, sybil: NodeId) {
    for node in town.nodes.clone() {
        town.world.introduce(sybil, node);
    }
}

fn attacked_gets(town: &mut Town, key: Key, place: Where, tally: &mut Tally) {
    let failed = failed_gets(town, key, Town::get);
    tally.keys += 1;
    tally.gets += GETTERS;
    tally.failed += failed;
    tally.keys_with_failures += usize::from(failed > 0);
    if place == Where::Spread {
        tally.hardened += GETTERS;
        tally.hardened_failed += failed_gets(town, key, Town::get_hardened);
    }
    // A get that finds its record ends its lookup; one for the surroundings shows what stands there.
    town.world.take_happened();
    for from in town.some_nodes(GETTERS) {
        let operation = town.world.start(from, Command::Closest(key));
        town.world.run_until_done(from, operation, PATIENCE);
        tally.attacked += 1;
    }
    let happened = town.world.take_happened().into_iter();
    let raised = happened.filter(|(_, _, event)| is_alarm(event, Some(&key)));
    let raised: BTreeSet<_> = raised.map(|(_, node, _)| node).collect();
    tally.alarms += raised.len();
}

/// Gets by nodes that do not hold the record; how many do not find it.
fn failed_gets(town: &mut Town, key: Key, get: fn(&mut Town, NodeId, Key) -> Lookup) -> usize {
    let origins = town.some_without(GETTERS, &key);
    assert_eq!(origins.len(), GETTERS, "too small a town");
    let gets: Vec<_> = origins
        .into_iter()
        .map(|from| get(town, from, key))
        .collect();
    town.world.run_for(Duration::from_secs(30));
    gets.iter().filter(|one| !town.was_found(one).0).count()
}

/// Lookups for keys that nobody attacks.
fn honest_lookups(town: &mut Town, attacked: &[Key], tally: &mut Tally) {
    let origins = town.some_nodes(200);
    let mut keys = BTreeMap::new();
    for from in origins {
        let lookup = town.look(from);
        keys.insert(lookup.key, is_beside(town, attacked, &lookup.key));
        let wait = 50 + town.world.rng().next_u64() % 50;
        town.world.run_for(Duration::from_millis(wait));
    }
    town.world.run_for(Duration::from_secs(15));
    for (_, _, event) in town.world.take_happened() {
        match event {
            Event::Looked(looked) => {
                if let Some(is_beside) = keys.get(&looked.target) {
                    tally.honest += 1;
                    tally.suspicious += usize::from(looked.is_suspicious);
                    tally.beside_a_crowd += usize::from(*is_beside);
                }
            }
            Event::Alarm { target, .. } => match keys.get(&target) {
                Some(true) => tally.alarms_beside += 1,
                Some(false) => tally.false_alarms += 1,
                None => {}
            },
            _ => {}
        }
    }
}

/// Whether an attacked key, and with it its attackers, is nearer than the last of the k honest nodes nearest to a key.
fn is_beside(town: &Town, attacked: &[Key], key: &Key) -> bool {
    let nearest = town.world.nearest(key, K);
    let reach = nearest.last().map(|peer| key.distance(&(*peer).into()));
    attacked.iter().any(|one| Some(key.distance(one)) <= reach)
}

fn is_alarm(event: &Event, key: Option<&Key>) -> bool {
    matches!(event, Event::Alarm { target, .. } if key.is_none_or(|key| key == target))
}

impl When {
    const fn name(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Mixed => "mixed",
            Self::Early => "early",
        }
    }
}
