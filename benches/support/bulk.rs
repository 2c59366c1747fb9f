//! One stream as fast as it goes: on loopback, and over 63 ms round trip in virtual time.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cretoai_network::node::P2PNode;
use cretoai_network::p2p::{Handler, HandlerFuture, InboundRaw, Protocol, RawHandler, Shape};
use cretoai_network::sim::{self, LinkProfile, Net};
use cretoai_network::wire::{StreamHeader, Violation};
use tokio::sync::mpsc;

use super::ends::{Connections, Nodes, PROTOCOL, node, raw, runtime};
use super::rounds::{Comparison, Sample, sample};
use super::{Failure, Options, Report};

/// Smallest ratio to plain quinn.
const LEAST: f64 = 0.95;

/// What is written at once.
const PIECE: usize = 64 * 1024;

/// One way between the two hosts of the simulated network, rounded to whole milliseconds as the
/// simulator's timers are: 63 ms there and back.
const LATENCIES: [Duration; 2] = [Duration::from_millis(31), Duration::from_millis(32)];

const MEGABYTE: f64 = 1e6;

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), Failure> {
    if options.wants("bulk_loopback") {
        runtime()?.block_on(on_loopback(options, report))?;
    }
    if options.wants("bulk_63ms") {
        sim::runtime()?.block_on(over_63_ms(options, report))?;
    }
    Ok(())
}

async fn on_loopback(options: &Options, report: &mut Report) -> Result<(), Failure> {
    let pieces = if options.quick { 256 } else { 2048 };
    let mut ours = OurStreams::of(Nodes::on_loopback().await?)?;
    let connections = Connections::on_loopback().await?;
    let comparison = Comparison::measure(
        options.pairs(),
        async || ours.transfer(pieces).await,
        async || transfer(&connections, pieces).await,
    )
    .await?;
    report.ratio("bulk_loopback", "MB/s", &comparison, Some(LEAST));
    Ok(())
}

/// Pairs in virtual time. There is no noise in it, but a transfer that the receive window limits
/// falls into one of a few rhythms, 35 to 39 MB/s, by how the simulator's whole milliseconds meet
/// the sender's pacing; which one is chance on both sides.
const VIRTUAL_PAIRS: usize = 9;

/// Both sides in one virtual network, one after the other.
async fn over_63_ms(options: &Options, report: &mut Report) -> Result<(), Failure> {
    let pieces = if options.quick { 256 } else { 1024 };
    let net = Net::new(63);
    let host = |last| IpAddr::from(Ipv4Addr::new(192, 0, 2, last));
    for (from, to) in [(1, 2), (3, 4)] {
        let there = LinkProfile::with_latency(LATENCIES[0]);
        let back = LinkProfile::with_latency(LATENCIES[1]);
        net.set_link_one_way(host(from), host(to), there);
        net.set_link_one_way(host(to), host(from), back);
    }
    let end = |last| (net.host(host(last)), SocketAddr::new(host(last), 0));
    let ends = |first| (end(first), end(first + 1));
    let ((one, one_address), (other, other_address)) = ends(1);
    let nodes = Nodes::connected(node(one, one_address)?, node(other, other_address)?).await?;
    let mut ours = OurStreams::of(nodes)?;
    let ((one, one_address), (other, other_address)) = ends(3);
    let connections =
        Connections::connected(&raw(one, one_address)?, &raw(other, other_address)?).await?;
    let comparison = Comparison::measure(
        options.pairs().min(VIRTUAL_PAIRS),
        async || ours.transfer(pieces).await,
        async || transfer(&connections, pieces).await,
    )
    .await?;
    report.ratio("bulk_63ms_virtual", "MB/s", &comparison, Some(LEAST));
    Ok(())
}

/// A raw protocol between two nodes, whose acceptor hands each stream over.
struct OurStreams {
    nodes: Nodes,
    arrived: mpsc::UnboundedReceiver<InboundRaw>,
}

struct HandOver(mpsc::UnboundedSender<InboundRaw>);

impl RawHandler for HandOver {
    fn open(&self, stream: InboundRaw) -> HandlerFuture<Result<(), Violation>> {
        // The benchmark may be over.
        let _ = self.0.send(stream);
        Box::pin(async { Ok(()) })
    }
}

impl OurStreams {
    fn of(nodes: Nodes) -> Result<Self, Failure> {
        let (sender, arrived) = mpsc::unbounded_channel();
        register(&nodes.acceptor, sender)?;
        Ok(Self { nodes, arrived })
    }

    async fn transfer(&mut self, pieces: usize) -> Result<Sample, Failure> {
        let peer = self.nodes.acceptor.peer_id();
        let header = StreamHeader {
            protocol: PROTOCOL,
            version: 1,
        };
        let send = async {
            let (mut writer, _back) = self.nodes.dialler.swarm().open_raw(peer, header).await?;
            let piece = Bytes::from(vec![0x5a; PIECE]);
            for _ in 0..pieces {
                writer.write_raw(piece.clone()).await?;
            }
            writer.finish().await?.acknowledged().await?;
            Ok(())
        };
        let receive = async {
            let mut inbound = self.arrived.recv().await.ok_or("no stream arrived")?;
            let mut received = 0;
            while let Some(piece) = inbound.frames.read_raw(PIECE).await? {
                received += piece.len();
            }
            complete(received, pieces)
        };
        sample(async || {
            tokio::try_join!(send, receive)?;
            Ok((pieces * PIECE) as f64 / MEGABYTE)
        })
        .await
    }
}

fn register(node: &P2PNode, sender: mpsc::UnboundedSender<InboundRaw>) -> Result<(), Failure> {
    let protocol = Protocol {
        number: PROTOCOL,
        versions: &[1],
        shape: Shape::Raw,
        early_frames: &[],
        anonymous: false,
    };
    node.swarm()
        .register(protocol, Handler::Raw(Arc::new(HandOver(sender))))?;
    Ok(())
}

async fn transfer(connections: &Connections, pieces: usize) -> Result<Sample, Failure> {
    let send = async {
        let (mut stream, _back) = connections.dialler.open_bi().await?;
        let piece = Bytes::from(vec![0x5a; PIECE]);
        for _ in 0..pieces {
            stream.write_chunk(piece.clone()).await?;
        }
        stream.finish()?;
        stream.stopped().await?;
        Ok(())
    };
    let receive = async {
        let (_back, mut stream) = connections.acceptor.accept_bi().await?;
        let mut received = 0;
        while let Some(piece) = stream.read_chunk(PIECE, true).await? {
            received += piece.bytes.len();
        }
        complete(received, pieces)
    };
    sample(async || {
        tokio::try_join!(send, receive)?;
        Ok((pieces * PIECE) as f64 / MEGABYTE)
    })
    .await
}

fn complete(received: usize, pieces: usize) -> Result<(), Failure> {
    if received == pieces * PIECE {
        Ok(())
    } else {
        Err("a transfer is incomplete".into())
    }
}
