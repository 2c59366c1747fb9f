//! Requests on an open connection, echoed: one at a time, and many at once.

use std::time::{Duration, Instant};

use bytes::Bytes;
use cretoai_network::identity::PeerId;
use cretoai_network::node::P2PNode;
use tokio::task::JoinSet;

use super::ends::{Connections, Nodes, PROTOCOL, runtime};
use super::rounds::{Comparison, Sample, sample};
use super::{Failure, Options, Report};

/// Requests in flight: half of what one peer may have in hand at an acceptor.
const AT_ONCE: usize = 32;

/// Smallest ratio to plain quinn for small requests, many at once.
const LEAST: Option<f64> = Some(0.90);

struct Row {
    name: &'static str,
    size: usize,
    at_once: usize,
    least: Option<f64>,
}

const fn row(name: &'static str, size: usize, at_once: usize, least: Option<f64>) -> Row {
    Row {
        name,
        size,
        at_once,
        least,
    }
}

const ROWS: [Row; 6] = [
    row("round_trip_64B", 64, 1, None),
    row("requests_64B", 64, AT_ONCE, LEAST),
    row("round_trip_1KiB", 1024, 1, None),
    row("requests_1KiB", 1024, AT_ONCE, LEAST),
    row("round_trip_64KiB", 64 * 1024, 1, None),
    row("requests_64KiB", 64 * 1024, AT_ONCE, None),
];

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), Failure> {
    let rows: Vec<Row> = ROWS
        .into_iter()
        .filter(|row| options.wants(row.name))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    runtime()?.block_on(async {
        let nodes = Nodes::on_loopback().await?;
        nodes
            .acceptor
            .handle(PROTOCOL, |_, body| async { Ok(body) })?;
        let connections = Connections::on_loopback().await?;
        tokio::spawn(echo(connections.acceptor.clone()));
        let ours = NodeAsker(nodes.dialler.clone(), nodes.acceptor.peer_id());
        let raw = RawAsker(connections.dialler.clone());
        for row in rows {
            let work = Work {
                body: Bytes::from(vec![7; row.size]),
                at_once: row.at_once,
                span: options.span(),
            };
            let comparison = Comparison::measure(
                options.pairs(),
                async || work.sample(&ours).await,
                async || work.sample(&raw).await,
            )
            .await?;
            report.ratio(row.name, "/s", &comparison, row.least);
        }
        Ok(())
    })
}

struct Work {
    body: Bytes,
    at_once: usize,
    span: Duration,
}

impl Work {
    async fn sample<A: Asker>(&self, asker: &A) -> Result<Sample, Failure> {
        sample(async || {
            let end = Instant::now() + self.span;
            let mut running = JoinSet::new();
            for _ in 0..self.at_once {
                running.spawn(until(asker.clone(), self.body.clone(), end));
            }
            let mut done = 0.0;
            while let Some(outcome) = running.join_next().await {
                done += outcome??;
            }
            Ok(done)
        })
        .await
    }
}

async fn until<A: Asker>(asker: A, body: Bytes, end: Instant) -> Result<f64, Failure> {
    let mut done = 0.0;
    while Instant::now() < end {
        if asker.ask(body.clone()).await? != body.len() {
            return Err("an answer has the wrong length".into());
        }
        done += 1.0;
    }
    Ok(done)
}

/// A side that can ask.
trait Asker: Clone + Send + 'static {
    /// Asks and returns the length of the answer.
    fn ask(&self, body: Bytes) -> impl Future<Output = Result<usize, Failure>> + Send;
}

#[derive(Clone)]
struct NodeAsker(P2PNode, PeerId);

impl Asker for NodeAsker {
    async fn ask(&self, body: Bytes) -> Result<usize, Failure> {
        Ok(self.0.request(self.1, PROTOCOL, body).await?.len())
    }
}

#[derive(Clone)]
struct RawAsker(quinn::Connection);

/// Largest body that either end of plain quinn reads: that of the stack.
const MAX_BODY: usize = 1 << 20;

impl Asker for RawAsker {
    async fn ask(&self, body: Bytes) -> Result<usize, Failure> {
        let (mut send, mut receive) = self.0.open_bi().await?;
        send.write_all(&body).await?;
        send.finish()?;
        Ok(receive.read_to_end(MAX_BODY).await?.len())
    }
}

/// One task a stream, as any server has.
async fn echo(connection: quinn::Connection) {
    while let Ok((mut send, mut receive)) = connection.accept_bi().await {
        tokio::spawn(async move {
            let body = receive.read_to_end(MAX_BODY).await?;
            send.write_all(&body).await?;
            send.finish()?;
            Ok::<_, Failure>(())
        });
    }
}
