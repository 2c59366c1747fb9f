//! One-way messages of 256 bytes: every one delivered, in order.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use cretoai_network::node::{Message, Messages};

use super::ends::{Connections, Nodes, PROTOCOL, runtime};
use super::report::Better;
use super::rounds::{Comparison, Sample, sample};
use super::{Failure, Options, Report};

/// Bytes of a message: a vote of a consensus with its hashes.
pub(crate) const MESSAGE: usize = 256;

/// Messages a second that must go through.
const LEAST: f64 = 100_000.0;

/// Messages that a reader takes at once.
pub(crate) const BATCH: usize = 256;

/// Output that the plain sender collects before it writes, as much as the stack does.
const WRITE_BUFFER: usize = 64 * 1024;

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), Failure> {
    if !options.wants("one_way") {
        return Ok(());
    }
    let number = if options.quick { 20_000 } else { 60_000 };
    runtime()?.block_on(async {
        let nodes = Nodes::on_loopback().await?;
        let mut messages = nodes.acceptor.messages(PROTOCOL)?;
        let mut misplaced = 0;
        let connections = Connections::on_loopback().await?;
        let comparison = Comparison::measure(
            options.pairs(),
            async || over_nodes(&nodes, &mut messages, number, &mut misplaced).await,
            async || over_quinn(&connections, number).await,
        )
        .await?;
        report.ratio("one_way_256B", "/s", &comparison, None);
        let rate = comparison.ours(|sample| sample.value).median;
        report.value("one_way_256B_rate", "/s", rate, Some((Better::More, LEAST)));
        report.value(
            "one_way_256B_misplaced",
            "",
            misplaced as f64,
            Some((Better::Less, 0.0)),
        );
        Ok(())
    })
}

/// The message with this number: the number, then filler.
pub(crate) fn message(number: u64) -> Bytes {
    let mut message = BytesMut::with_capacity(MESSAGE);
    message.put_u64(number);
    message.put_bytes(0x5a, MESSAGE - size_of::<u64>());
    message.freeze()
}

/// Whether a payload is the message with this number.
pub(crate) fn is_message(payload: &[u8], number: u64) -> bool {
    payload.len() == MESSAGE && payload.first_chunk() == Some(&number.to_be_bytes())
}

async fn over_nodes(
    nodes: &Nodes,
    messages: &mut Messages,
    number: u64,
    misplaced: &mut u64,
) -> Result<Sample, Failure> {
    let peer = nodes.acceptor.peer_id();
    let send = async {
        for next in 0..number {
            nodes.dialler.send(peer, PROTOCOL, message(next)).await?;
        }
        Ok(())
    };
    let receive = async {
        let mut received = 0;
        let mut batch: Vec<Message> = Vec::with_capacity(BATCH);
        while received < number {
            if messages.next_many(&mut batch, BATCH).await == 0 {
                return Err("the node stopped".into());
            }
            for message in batch.drain(..) {
                *misplaced += u64::from(!is_message(&message.payload, received));
                received += 1;
            }
        }
        Ok::<_, Failure>(())
    };
    sample(async || {
        tokio::try_join!(send, receive)?;
        Ok(number as f64)
    })
    .await
}

/// The least that carries messages over plain quinn: one stream, a length before each message,
/// buffered writing, and a reader that cuts them out of the pieces that arrive.
async fn over_quinn(connections: &Connections, number: u64) -> Result<Sample, Failure> {
    let send = async {
        let mut stream = connections.dialler.open_uni().await?;
        let mut buffer = BytesMut::new();
        for next in 0..number {
            buffer.put_u16(MESSAGE as u16);
            buffer.put_slice(&message(next));
            if buffer.len() >= WRITE_BUFFER {
                stream.write_chunk(buffer.split().freeze()).await?;
            }
        }
        stream.write_chunk(buffer.freeze()).await?;
        stream.finish()?;
        Ok(())
    };
    let receive = async {
        let mut stream = connections.acceptor.accept_uni().await?;
        let mut received = 0;
        let mut partial = BytesMut::new();
        while let Some(chunk) = stream.read_chunk(WRITE_BUFFER, true).await? {
            partial.extend_from_slice(&chunk.bytes);
            while partial.len() >= size_of::<u16>() + MESSAGE {
                let length = usize::from(partial.get_u16());
                let payload = partial.split_to(length).freeze();
                if !is_message(&payload, received) {
                    return Err("plain quinn misplaced a message".into());
                }
                received += 1;
            }
        }
        if received == number {
            Ok::<_, Failure>(())
        } else {
            Err("plain quinn lost messages".into())
        }
    };
    sample(async || {
        tokio::try_join!(send, receive)?;
        Ok(number as f64)
    })
    .await
}
