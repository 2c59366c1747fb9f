//! A reader that stops: the sender waits, memory stays bounded, nothing is lost.

use std::time::Duration;

use cretoai_network::node::Message;
use tokio::time::{sleep, timeout};

use super::ends::{Nodes, PROTOCOL, runtime};
use super::messages::{BATCH, is_message, message};
use super::process::live_bytes;
use super::report::Better;
use super::{Failure, Options, Report};

/// A sender that could queue no message for so long is stopped by back-pressure. Much less than
/// the 10 s after which the node gives up on a slow reader.
const STALLED: Duration = Duration::from_millis(500);

/// Most that both ends together may hold for a reader that stopped: the receiver's stream window
/// of 2.5 MB, as much again sent and kept by the sender, and the queues of both ends. Small frames
/// cost several times their payload in quinn's buffers, hence four times that sum.
const MOST: f64 = 24.0 * 1024.0 * 1024.0;

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), Failure> {
    if !options.wants("slow_reader") {
        return Ok(());
    }
    runtime()?.block_on(async {
        let nodes = Nodes::on_loopback().await?;
        let mut messages = nodes.acceptor.messages(PROTOCOL)?;
        let peer = nodes.acceptor.peer_id();
        let before = live_bytes();
        let mut sent = 0;
        while let Ok(outcome) =
            timeout(STALLED, nodes.dialler.send(peer, PROTOCOL, message(sent))).await
        {
            outcome?;
            sent += 1;
        }
        sleep(STALLED).await;
        let held = live_bytes().saturating_sub(before) as f64;
        report.value("slow_reader_messages_waiting", "", sent as f64, None);
        report.value(
            "slow_reader_memory",
            "bytes",
            held,
            Some((Better::Less, MOST)),
        );
        let mut received = 0;
        let mut misplaced = 0_u32;
        let mut batch: Vec<Message> = Vec::new();
        while received < sent
            && timeout(STALLED * 4, messages.next_many(&mut batch, BATCH)).await? > 0
        {
            for message in batch.drain(..) {
                misplaced += u32::from(!is_message(&message.payload, received));
                received += 1;
            }
        }
        let lost = (sent - received) as f64 + f64::from(misplaced);
        report.value("slow_reader_lost", "", lost, Some((Better::Less, 0.0)));
        Ok(())
    })
}
