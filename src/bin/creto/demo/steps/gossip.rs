//! Whether what is published comes to all, how soon, and at which rate.

use std::time::Duration;

use super::super::DemoError;
use super::super::control::{Command, Reply};
use super::super::row::{Row, Target, Unit};
use super::{Stage, statistics};

/// For the topics: a mesh stands within a second.
const SUBSCRIBE_PATIENCE: Duration = Duration::from_secs(15);

/// For publishing: 600 messages take 3 s by their pace.
const SPREAD_PATIENCE: Duration = Duration::from_secs(60);

/// For what is still on its way.
const HEAR_PATIENCE: Duration = Duration::from_secs(10);

/// A node answers by then, whether it has heard everything or not.
const ANSWER_PATIENCE: Duration = Duration::from_secs(20);

/// For all messages of the flood: at an eighth of the target rate they take 64 s.
const FLOOD_PATIENCE: Duration = Duration::from_secs(90);

/// All nodes take part in the topics and see each other there.
pub(crate) async fn subscribe(stage: &mut Stage<'_>) -> Result<(), DemoError> {
    let nodes = stage.fleet.len();
    stage.progress.begin("subscribing", nodes as u64);
    let neighbours = nodes - 1;
    for member in stage.fleet.members() {
        let command = Command::Subscribe { neighbours };
        member.child.tell(&command).await?;
    }
    for (number, member) in (1..).zip(stage.fleet.members()) {
        let reply = member
            .child
            .reply(SUBSCRIBE_PATIENCE, stage.progress)
            .await?;
        let Reply::Subscribe { .. } = reply else {
            return Err(member.child.other_reply());
        };
        stage.progress.set(number);
    }
    Ok(())
}

/// How much of what all nodes publish comes to all others, and how soon.
pub(crate) async fn deliver(stage: &mut Stage<'_>) -> Result<[Row; 2], DemoError> {
    let published = spread(stage).await?;
    hear(stage, published).await
}

/// All nodes publish at once; how many messages that were.
async fn spread(stage: &mut Stage<'_>) -> Result<usize, DemoError> {
    let messages = stage.sizes.news;
    stage.progress.begin("publishing", stage.fleet.len() as u64);
    for member in stage.fleet.members() {
        member.child.tell(&Command::Spread { messages }).await?;
    }
    let mut all = 0;
    for (number, member) in (1..).zip(stage.fleet.members()) {
        let reply = member.child.reply(SPREAD_PATIENCE, stage.progress).await?;
        let Reply::Spread { published } = reply else {
            return Err(member.child.other_reply());
        };
        all += published;
        stage.progress.set(number);
    }
    Ok(all)
}

/// What came of them: each node gets those of all others.
async fn hear(stage: &mut Stage<'_>, published: usize) -> Result<[Row; 2], DemoError> {
    let nodes = stage.fleet.len();
    stage.progress.begin("hearing", nodes as u64);
    let others = nodes - 1;
    let command = Command::Hear {
        // All say equally much.
        messages: published / nodes * others,
        patience_ms: u64::try_from(HEAR_PATIENCE.as_millis()).unwrap_or(u64::MAX),
    };
    for member in stage.fleet.members() {
        member.child.tell(&command).await?;
    }
    let mut samples = Vec::new();
    for (number, member) in (1..).zip(stage.fleet.members()) {
        let Reply::Hear { micros } = member.child.reply(ANSWER_PATIENCE, stage.progress).await?
        else {
            return Err(member.child.other_reply());
        };
        samples.extend(micros);
        stage.progress.set(number);
    }
    let delivered = Row {
        name: "gossip_delivered_pct",
        value: statistics::percent(samples.len(), published * others),
        unit: Unit::Percent,
        target: Target::AtLeast(100),
    };
    let latency = Row {
        name: "gossip_p99_ms",
        value: statistics::p99_ms(samples),
        unit: Unit::Milliseconds,
        target: Target::AtMost(1_000),
    };
    Ok([delivered, latency])
}

/// All nodes flood one topic. The rate is that at which each of them gets the messages of the others, all
/// of them: the clock runs until the slowest publisher was told by the slowest reader.
pub(crate) async fn flood(stage: &mut Stage<'_>) -> Result<Row, DemoError> {
    let messages = stage.sizes.flood;
    let nodes = stage.fleet.len() as u64;
    stage.progress.begin("flooding a topic", nodes);
    for member in stage.fleet.members() {
        member.child.tell(&Command::FloodTopic { messages }).await?;
    }
    let mut slowest = 0;
    for (number, member) in (1..).zip(stage.fleet.members()) {
        let reply = member.child.reply(FLOOD_PATIENCE, stage.progress).await?;
        let Reply::FloodTopic { micros } = reply else {
            return Err(member.child.other_reply());
        };
        slowest = slowest.max(micros);
        stage.progress.set(number);
    }
    Ok(Row {
        name: "gossip_msgs_per_s",
        value: statistics::per_second(messages * (nodes - 1), slowest),
        unit: Unit::MessagesPerSecond,
        target: Target::AtLeast(10_000),
    })
}
