//! Whether nodes that know one address find each other, and each other's records.

use std::time::Duration;

use super::super::DemoError;
use super::super::control::{Command, Reply};
use super::super::fleet::Fleet;
use super::super::progress::Progress;
use super::super::row::{Row, Target, Unit};
use super::statistics;

/// For one node's part of a step.
const PATIENCE: Duration = Duration::from_secs(60);

/// Records that each node stores.
const RECORDS: u32 = 5;

/// All rows; `fleet` is one of its own, whose nodes are not connected.
pub(crate) async fn measure(fleet: &mut Fleet, progress: &Progress) -> Result<[Row; 4], DemoError> {
    let bootstrap = enter(fleet, progress).await?;
    let (lookups, peers) = find(fleet, progress).await?;
    let records = records(fleet, progress).await?;
    Ok([bootstrap, lookups, peers, records])
}

/// Every node enters at once, through the first; the slowest one counts.
async fn enter(fleet: &mut Fleet, progress: &Progress) -> Result<Row, DemoError> {
    let others = fleet.len() - 1;
    progress.begin("entering the network", others as u64);
    let contacts = others.min(cretoai_network::discovery::K);
    let [first, rest @ ..] = fleet.members() else {
        return Err(DemoError::Ended { node: 0 });
    };
    let seeds = vec![first.address.clone()];
    for member in rest.iter_mut() {
        let seeds = seeds.clone();
        let command = Command::Enter { seeds, contacts };
        member.child.tell(&command).await?;
    }
    let mut slowest = 0;
    for (number, member) in (1..).zip(rest) {
        let Reply::Enter { micros } = member.child.reply(PATIENCE, progress).await? else {
            return Err(member.child.other_reply());
        };
        slowest = slowest.max(micros);
        progress.set(number);
    }
    Ok(Row {
        name: "bootstrap_s",
        value: statistics::seconds(slowest),
        unit: Unit::Seconds,
        target: Target::AtMost(5),
    })
}

/// Every node looks for every other.
async fn find(fleet: &mut Fleet, progress: &Progress) -> Result<(Row, Row), DemoError> {
    progress.begin("finding peers", fleet.len() as u64);
    let peers: Vec<_> = fleet.members().iter().map(|one| one.peer.clone()).collect();
    let (mut samples, mut wanted) = (Vec::new(), 0);
    for (number, member) in (1..).zip(fleet.members()) {
        let mut others = peers.clone();
        others.retain(|peer| *peer != member.peer);
        wanted += others.len();
        member.child.tell(&Command::Find { peers: others }).await?;
        let Reply::Find { micros } = member.child.reply(PATIENCE, progress).await? else {
            return Err(member.child.other_reply());
        };
        samples.extend(micros);
        progress.set(number);
    }
    let found = Row {
        name: "peers_found_pct",
        value: statistics::percent(samples.len(), wanted),
        unit: Unit::Percent,
        target: Target::AtLeast(100),
    };
    let lookups = Row {
        name: "lookup_p95_ms",
        value: statistics::p95_ms(samples),
        unit: Unit::Milliseconds,
        target: Target::AtMost(500),
    };
    Ok((lookups, found))
}

/// Every node stores some records; then every node looks for those of its neighbours.
async fn records(fleet: &mut Fleet, progress: &Progress) -> Result<Row, DemoError> {
    progress.begin("finding records", fleet.len() as u64);
    let mut keys = Vec::new();
    for member in fleet.members() {
        let records = RECORDS;
        member.child.tell(&Command::Put { records }).await?;
        let Reply::Put { keys: stored } = member.child.reply(PATIENCE, progress).await? else {
            return Err(member.child.other_reply());
        };
        keys.push(stored);
    }
    // The last ones get those of the first.
    keys.rotate_left(1);
    let (mut found, mut wanted) = (0, 0);
    for (number, (member, keys)) in (1..).zip(fleet.members().iter_mut().zip(keys)) {
        wanted += keys.len();
        member.child.tell(&Command::Get { keys }).await?;
        let Reply::Get { found: some } = member.child.reply(PATIENCE, progress).await? else {
            return Err(member.child.other_reply());
        };
        found += usize::try_from(some).unwrap_or(0);
        progress.set(number);
    }
    Ok(Row {
        name: "records_found_pct",
        value: statistics::percent(found, wanted),
        unit: Unit::Percent,
        target: Target::AtLeast(100),
    })
}
