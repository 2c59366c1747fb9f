//! The same seed gives the same run, also in another process.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use cretoai_network::crypto::RustCrypto;
use cretoai_network::node::{P2PConfig, P2PNode};
use cretoai_network::sim::{LinkProfile, Net};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tokio::time::sleep;

use crate::support::nodes::{address, config, in_virtual_time, ip, keypair_of, net_with, peer};

/// Where the child writes its log; its presence makes a process the child.
const LOG_FILE: &str = "CRETO_TEST_EVENT_LOG";

/// The full name of the test that the child runs.
const TEST: &str = "determinism::twenty_nodes_with_loss_repeat_byte_for_byte_in_another_process";

const SEED: u64 = 2026;
const NODES: u16 = 20;
const STEPS: u32 = 8_000;
const EVENTS: usize = 10_000;

const ECHO: u32 = 0x40;
const NOTES: u32 = 0x41;

/// Lines of all nodes, in the order in which they were written.
type Log = Arc<Mutex<String>>;

fn note(log: &Log, line: std::fmt::Arguments<'_>) {
    writeln!(log.lock().unwrap(), "{line}").unwrap();
}

/// A node that was started, and the network it lives in.
struct World {
    net: Net,
    log: Log,
    nodes: Vec<P2PNode>,
    rng: ChaCha8Rng,
}

impl World {
    fn new() -> Self {
        let net = net_with(
            SEED,
            LinkProfile {
                jitter: Duration::from_millis(3),
                loss: 0.02,
                reorder: 0.01,
                ..LinkProfile::with_latency(Duration::from_millis(20))
            },
        );
        let log = Log::default();
        let nodes = (0..NODES).map(|node| start(&net, &log, node)).collect();
        let rng = ChaCha8Rng::seed_from_u64(SEED);
        Self {
            net,
            log,
            nodes,
            rng,
        }
    }

    fn draw(&mut self, below: u16) -> u16 {
        u16::try_from(self.rng.next_u64() % u64::from(below)).unwrap()
    }

    /// One thing that happens to the network.
    fn step(&mut self) {
        let (from, to) = (self.draw(NODES), self.draw(NODES));
        let node = self.nodes[usize::from(from)].clone();
        let log = self.log.clone();
        let size = usize::from(self.draw(3_000));
        match self.draw(100) {
            0..40 => drop(tokio::spawn(dial(node, log, from, to))),
            40..55 => {
                node.disconnect(&peer(to));
            }
            55..75 => drop(tokio::spawn(ask(node, log, (from, to), size))),
            75..90 => drop(tokio::spawn(tell(node, to, size))),
            90..97 => drop(tokio::spawn(ping(node, log, from, to))),
            97 => self.net.partition(&[ip(from)], &[ip(to)]),
            98 => self.net.heal(),
            _ => self.restart(from),
        }
    }

    fn restart(&mut self, node: u16) {
        self.net.kill(ip(node));
        note(
            &self.log,
            format_args!("{} {node} killed", self.net.now().0),
        );
        self.nodes[usize::from(node)] = start(&self.net, &self.log, node);
    }
}

/// Starts a node that answers, listens, and writes down every event.
///
/// Its cryptography draws from the host's entropy. With that of the operating system the ciphertexts
/// differ, and one thing depends on them: a first packet of a connection that is forgotten, decrypted
/// with the wrong key, has valid reserved bits one time in four and is then refused with an event.
fn start(net: &Net, log: &Log, number: u16) -> P2PNode {
    let quick = P2PConfig {
        idle_timeout: Duration::from_secs(5),
        keep_alive: Duration::from_secs(1),
        stream_deadline: Duration::from_secs(5),
        ..config()
    };
    let environment = net.host(ip(number));
    let provider = Arc::new(RustCrypto::with_entropy(environment.entropy.clone()));
    let node = P2PNode::builder(keypair_of(number, provider))
        .config(quick)
        .environment(environment)
        .spawn()
        .unwrap();
    node.handle(ECHO, |_, body| async move { Ok(body) })
        .unwrap();
    let mut messages = node.messages(NOTES).unwrap();
    let (clock, lines) = (net.clone(), log.clone());
    tokio::spawn(async move {
        while let Some(message) = messages.next().await {
            let (at, from, size) = (clock.now().0, message.from, message.payload.len());
            note(
                &lines,
                format_args!("{at} {number} message peer={from} bytes={size}"),
            );
        }
    });
    let (mut events, lines) = (node.events(), log.clone());
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            note(&lines, format_args!("event {number} {}", event.unwrap()));
        }
    });
    node
}

async fn dial(node: P2PNode, log: Log, from: u16, to: u16) {
    let dialled = node.dial(&address(to)).await;
    note(&log, format_args!("{from} dialled {to}: {dialled:?}"));
}

async fn ask(node: P2PNode, log: Log, (from, to): (u16, u16), size: usize) {
    let reply = node
        .request(peer(to), ECHO, Bytes::from(vec![1; size]))
        .await;
    let bytes = reply.map(|body| body.len());
    note(&log, format_args!("{from} asked {to}: {bytes:?}"));
}

async fn tell(node: P2PNode, to: u16, size: usize) {
    // The peer may be gone: then there is an event that says so.
    let _ = node.send(peer(to), NOTES, Bytes::from(vec![2; size])).await;
}

async fn ping(node: P2PNode, log: Log, from: u16, to: u16) {
    let rtt = node.ping(peer(to)).await;
    note(&log, format_args!("{from} pinged {to}: {rtt:?}"));
}

/// The log of the whole run.
fn run() -> String {
    in_virtual_time(async {
        let mut world = World::new();
        for _ in 0..STEPS {
            world.step();
            sleep(Duration::from_millis(7)).await;
        }
        sleep(Duration::from_secs(20)).await;
        std::mem::take(&mut *world.log.lock().unwrap())
    })
}

/// Runs this very test in a process of its own, as the child.
fn start_in_another_process(log: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", TEST])
        .env(LOG_FILE, log)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn finish(mut child: Child) -> bool {
    child.wait().unwrap().success()
}

#[test]
fn twenty_nodes_with_loss_repeat_byte_for_byte_in_another_process() {
    if let Some(file) = std::env::var_os(LOG_FILE) {
        std::fs::write(file, run()).unwrap();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let files = [
        directory.path().join("first"),
        directory.path().join("second"),
    ];
    let children = files.each_ref().map(|file| start_in_another_process(file));
    let [first, second] = children.map(finish);
    assert!(first && second, "a child failed");
    let [first, second] = files.map(|file| std::fs::read_to_string(file).unwrap());
    let mut pairs = first.lines().zip(second.lines()).enumerate();
    if let Some((line, (one, two))) = pairs.find(|(_, (one, two))| one != two) {
        panic!("line {line}:\n{one}\n{two}");
    }
    assert!(first == second, "one log is longer");
    let events = first.lines().filter(|line| line.starts_with("event "));
    let events = events.count();
    assert!(events >= EVENTS, "only {events} events");
    println!("{events} events, {} bytes", first.len());
}
