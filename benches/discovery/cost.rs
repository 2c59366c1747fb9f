//! What the machine's work costs in processor time.

use std::time::Instant;

use cretoai_network::discovery::table::RoutingTable;
use cretoai_network::discovery::{
    Asker, Density, DiscoveryConfig, Input, Key, Output, RequestId, Scope,
};
use cretoai_network::identity::PeerId;
use cretoai_network::policy::{IpGroup, Micros, Now, UnixMillis};
use cretoai_network::wire::codec::encode;
use cretoai_network::wire::message::discovery::{self as wire, Contact, MAX_CONTACTS};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::options::Options;
use super::report::{Report, Target};
use super::town::{Town, Towns};

/// Nodes that are offered to the table.
const OFFERED: u32 = 10_000;

pub(crate) fn run(options: &Options, towns: &mut Towns, report: &mut Report) {
    if !options.wants("cost") {
        return;
    }
    table(report);
    lookup(towns.of(1_000), report);
    serving(&towns.of(1_000), report);
}

/// A table to which ten thousand nodes were offered, and replies from it.
fn table(report: &mut Report) {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let mut town = Town::new(6, DiscoveryConfig::default());
    let contacts: Vec<Contact> = (0..OFFERED)
        .map(|_| {
            let node = town.world.add(
                &town.config,
                cretoai_network::discovery::store::StoreConfig::default(),
            );
            town.world.contact(node)
        })
        .collect();
    let density = Density::of(f64::from(OFFERED));
    let mut table = RoutingTable::new(Key::random(&mut rng));
    let start = Instant::now();
    for (at, contact) in (0..).zip(&contacts) {
        table.answered(Micros(at), contact, None, &density);
    }
    let each = |span: std::time::Duration, count: u32| span.as_secs_f64() * 1e6 / f64::from(count);
    let offering = each(start.elapsed(), OFFERED);
    report.row(
        "table: one node of 10 000 offered",
        offering,
        "us",
        Target::None,
    );
    report.row("table: nodes taken", table.len() as f64, "", Target::None);
    let asker = PeerId::from_bytes([1; 32]);
    let rounds = 20_000;
    let start = Instant::now();
    let mut told = 0;
    for _ in 0..rounds {
        let target = Key::random(&mut rng);
        told += table
            .reply(&target, MAX_CONTACTS, (&asker, Scope::Public), &density)
            .len();
    }
    report.row(
        "table: a reply of 40 nodes",
        each(start.elapsed(), rounds),
        "us",
        Target::None,
    );
    report.row(
        "table: nodes a reply",
        told as f64 / f64::from(rounds),
        "",
        Target::None,
    );
}

/// What a question costs that is answered, and one that is refused because its asker asks too much:
/// how much of a flood a node can turn away.
fn serving(town: &Town, report: &mut Report) {
    let node = town.nodes[0];
    let Some(machine) = town.world.machine(node) else {
        return;
    };
    let mut machine = machine.clone();
    let rounds = 20_000;
    let mut answered = 0;
    let mut ask = |number: u32, asker: u64| {
        let mut peer = [0; 32];
        peer[..8].copy_from_slice(&asker.to_be_bytes());
        let target = *Key::of_value(&number.to_be_bytes()).as_bytes();
        let want = 40;
        let input = Input::Request {
            id: RequestId(number.into()),
            asker: Asker {
                peer: PeerId::from_bytes(peer),
                is_confirmed: true,
                group: IpGroup::Local,
                scope: Scope::Public,
            },
            kind: wire::FIND_NODE,
            body: encode(&wire::FindNode { target, want }),
        };
        // A hundred microseconds between two: more than one peer, and less than all, are given.
        let now = Now {
            mono: Micros((1 << 50) + u64::from(number) * 200),
            wall: UnixMillis(1_735_689_600_000),
        };
        machine.handle(now, input);
        while let Some(output) = machine.poll_output() {
            answered += u32::from(matches!(output, Output::Reply { reply: Ok(_), .. }));
        }
    };
    let start = Instant::now();
    for number in 0..rounds {
        ask(number, u64::from(number / 100));
    }
    let serving = start.elapsed();
    let start = Instant::now();
    for number in rounds..2 * rounds {
        ask(number, u64::MAX);
    }
    let refusing = start.elapsed();
    let each = |span: std::time::Duration| span.as_secs_f64() * 1e6 / f64::from(rounds);
    report.row(
        "machine: a question answered",
        each(serving),
        "us",
        Target::None,
    );
    report.row(
        "machine: a question refused",
        each(refusing),
        "us",
        Target::None,
    );
    let share = f64::from(answered) / f64::from(rounds);
    report.note(&format!(
        "of {rounds} and {rounds} questions {share:.2} times {rounds} were answered"
    ));
}

/// Whole lookups: the machines of all nodes, their frames, and the simulator.
fn lookup(mut town: Town, report: &mut Report) {
    let origins = town.some_nodes(1_000);
    town.world.take_traffic();
    let start = Instant::now();
    for origin in origins {
        let lookup = town.look(origin);
        town.world
            .run_until_done(lookup.from, lookup.operation, super::town::PATIENCE);
    }
    let spent = start.elapsed();
    let traffic = town.world.take_traffic();
    let micros = spent.as_secs_f64() * 1e6;
    report.row(
        "lookup among 1 000: all nodes",
        micros / 1_000.0,
        "us",
        Target::None,
    );
    let each = micros / traffic.questions as f64;
    report.row(
        "lookup among 1 000: a request and its answer",
        each,
        "us",
        Target::None,
    );
}
