//! How long a ping takes when nothing else goes on.

use std::time::Duration;

use super::super::DemoError;
use super::super::control::{Command, Reply};
use super::super::row::{Row, Target, Unit};
use super::{Stage, statistics};

/// For the pings of one node: 1 000 of 50 ms are 50 s.
const PATIENCE: Duration = Duration::from_secs(60);

/// Each node in turn pings the next one.
pub(crate) async fn measure(stage: &mut Stage<'_>) -> Result<Row, DemoError> {
    let nodes = stage.fleet.len();
    stage.progress.begin("pinging", nodes as u64);
    let count = stage
        .sizes
        .pings
        .div_ceil(u32::try_from(nodes).unwrap_or(u32::MAX));
    let peers: Vec<_> = stage
        .fleet
        .members()
        .iter()
        .map(|one| one.peer.clone())
        .collect();
    let next_peers = peers.iter().cycle().skip(1);
    let mut samples = Vec::new();
    for (number, (member, peer)) in (1..).zip(stage.fleet.members().iter_mut().zip(next_peers)) {
        let peer = peer.clone();
        member.child.tell(&Command::Ping { peer, count }).await?;
        let Reply::Ping { micros } = member.child.reply(PATIENCE, stage.progress).await? else {
            return Err(member.child.other_reply());
        };
        samples.extend(micros);
        stage.progress.set(number);
    }
    Ok(Row {
        name: "round_trip_p99_ms",
        value: statistics::p99_ms(samples),
        unit: Unit::Milliseconds,
        target: Target::AtMost(50),
    })
}
