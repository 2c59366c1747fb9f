//! What the machine's work costs in processor time.

use std::time::Instant;

use bytes::Bytes;
use cretoai_network::discovery::record::immutable;
use cretoai_network::discovery::table::RoutingTable;
use cretoai_network::discovery::{
    Asker, Density, DiscoveryConfig, Input, Kademlia, Key, Output, ReplyFrame, RequestId, Scope,
};
use cretoai_network::identity::PeerId;
use cretoai_network::policy::{IpGroup, Micros, Now, UnixMillis};
use cretoai_network::wire::codec::{List, decode, encode};
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
    handing_off(&towns.of(1_000), report);
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

/// Hands a machine its `number`-th request, `step` microseconds after the one before; the answer, if it gives one.
fn ask(
    machine: &mut Kademlia,
    (number, step): (u32, u64),
    asker: u64,
    (kind, body): (u8, Bytes),
) -> Option<ReplyFrame> {
    let mut peer = [0; 32];
    peer[..8].copy_from_slice(&asker.to_be_bytes());
    let input = Input::Request {
        id: RequestId(number.into()),
        asker: Asker {
            peer: PeerId::from_bytes(peer),
            is_confirmed: true,
            group: IpGroup::Local,
            scope: Scope::Public,
        },
        kind,
        body,
    };
    let now = Now {
        mono: Micros((1 << 50) + u64::from(number) * step),
        wall: UnixMillis(1_735_689_600_000),
    };
    machine.handle(now, input);
    let outputs: Vec<_> = std::iter::from_fn(|| machine.poll_output()).collect();
    outputs.into_iter().find_map(|output| match output {
        Output::Reply { reply, .. } => reply.ok(),
        _ => None,
    })
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
    // A hundred microseconds between two: more than one peer, and less than all, are given.
    let mut ask = |number: u32, asker: u64| {
        let target = *Key::of_value(&number.to_be_bytes()).as_bytes();
        let body = encode(&wire::FindNode { target, want: 40 });
        let answer = ask(&mut machine, (number, 200), asker, (wire::FIND_NODE, body));
        answered += u32::from(answer.is_some());
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

/// A page of a hand-off of which the asker gets nothing: all that a page may look at is looked at.
fn handing_off(town: &Town, report: &mut Report) {
    /// Records that a page looks at.
    const PAGE: u32 = 1_024;
    let Some(machine) = town.world.machine(town.nodes[0]) else {
        return;
    };
    let mut machine = machine.clone();
    let own = Key::from(town.world.contact(town.nodes[0]).peer);
    let near = (0_u32..).filter_map(|number| {
        let (key, record) = immutable(number.to_be_bytes().to_vec().into()).ok()?;
        (key.common_prefix(&own) > 2).then_some(record)
    });
    let records: Vec<_> = near.take(PAGE as usize + 1).collect();
    let second = 1_000_000;
    for (number, part) in (0_u32..).zip(records.chunks(16)) {
        let records = List::truncated(part.iter().cloned());
        let body = encode(&wire::Store { records });
        let asker = u64::from(number) << 8;
        ask(&mut machine, (number, second), asker, (wire::STORE, body)).expect("there is time");
    }
    // The other end of all keys.
    let mut far = *own.as_bytes();
    far.iter_mut().for_each(|byte| *byte = !*byte);
    let asker = u64::from_be_bytes([
        far[0], far[1], far[2], far[3], far[4], far[5], far[6], far[7],
    ]);
    let rounds = 200;
    let body = || encode(&wire::HandOff { after: None });
    let mut pages = Vec::new();
    let start = Instant::now();
    for number in 1_000..1_000 + rounds {
        let question = (wire::HAND_OFF, body());
        pages.extend(ask(&mut machine, (number, second), asker, question));
    }
    let each = start.elapsed().as_secs_f64() * 1e6 / f64::from(rounds);
    let row = "machine: a page of a hand-off, of 1 024 records none";
    report.row(row, each, "us", Target::None);
    for page in pages {
        let page: wire::HandedOff = decode(&page.body).expect("an answer");
        let looked_at_all = page.records.is_empty() && page.next.is_some();
        assert!(
            looked_at_all,
            "it goes on behind the 1 024th, and gives none"
        );
    }
}
