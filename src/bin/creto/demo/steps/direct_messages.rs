//! How many one-way messages a second go from one process to another.

use std::time::Duration;

use super::super::DemoError;
use super::super::control::{Command, Reply};
use super::super::row::{Row, Target, Unit};
use super::{Stage, statistics};

/// For all messages: at an eighth of the target rate they take 80 s.
const PATIENCE: Duration = Duration::from_secs(90);

/// The first node sends to the second, which checks the number in each message and counts. The
/// clock runs until the sender was told that all were counted.
pub(crate) async fn measure(stage: &mut Stage<'_>) -> Result<Row, DemoError> {
    let sent = stage.sizes.messages;
    stage.progress.begin("sending messages", sent);
    let [first, second, ..] = stage.fleet.members() else {
        return Err(DemoError::Ended { node: 1 });
    };
    let command = Command::Flood {
        peer: second.peer.clone(),
        messages: sent,
    };
    first.child.tell(&command).await?;
    let reply = first.child.reply(PATIENCE, stage.progress).await?;
    let Reply::Flood { micros, delivered } = reply else {
        return Err(first.child.other_reply());
    };
    if delivered != sent {
        return Err(DemoError::NotDelivered { sent, delivered });
    }
    Ok(Row {
        name: "direct_msgs_per_s",
        value: statistics::per_second(delivered, micros),
        unit: Unit::MessagesPerSecond,
        target: Target::AtLeast(100_000),
    })
}
