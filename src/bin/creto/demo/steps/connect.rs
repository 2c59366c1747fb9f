//! How long a dial takes on loopback.

use std::time::Duration;

use super::super::DemoError;
use super::super::control::{Command, Reply};
use super::super::row::{Row, Target, Unit};
use super::{Stage, statistics};

/// For all dials: 250 of 100 ms are 25 s.
const PATIENCE: Duration = Duration::from_secs(60);

/// Fresh identities, in the process of the first node, dial the others in turn: half of the samples
/// are first contacts, half are returns with a ticket.
pub(crate) async fn measure(stage: &mut Stage<'_>) -> Result<Row, DemoError> {
    let contacts = stage.sizes.contacts;
    stage.progress.begin("connecting", contacts.into());
    let [first, others @ ..] = stage.fleet.members() else {
        return Err(DemoError::Ended { node: 0 });
    };
    let addresses = others.iter().map(|other| other.address.clone()).collect();
    let command = Command::Contact {
        addresses,
        contacts,
    };
    first.child.tell(&command).await?;
    let Reply::Contact { micros } = first.child.reply(PATIENCE, stage.progress).await? else {
        return Err(first.child.other_reply());
    };
    Ok(Row {
        name: "connect_p99_ms",
        value: statistics::p99_ms(micros),
        unit: Unit::Milliseconds,
        target: Target::AtMost(100),
    })
}
