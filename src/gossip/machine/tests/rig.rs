//! Machines in one room: links with a latency, signatures that cost nothing, and a clock.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use crate::crypto::{
    SIGNATURE_BYTES, Seal, SealBody, Signature, VERIFYING_KEY_BYTES, VerifyingKey,
};
use crate::gossip::machine::{
    AskId, ChunkAnswer, Event, Fault, Gossip, Input, Link, Message, Output, PublicationId,
    Published, Setup, TopicOptions, Verdict,
};
use crate::gossip::score::ScoreConfig;
use crate::gossip::{CHUNK_DEADLINE, GossipConfig, NotPublished, TopicHash};
use crate::identity::PeerId;
use crate::policy::{IpGroup, Micros, Now, UnixMillis};
use crate::wire::Address;
use crate::wire::codec::SharedList;
use crate::wire::frame::{Frame, FrameDecoder};
use crate::wire::message::discovery::Contact;
use crate::wire::message::gossip::{IHAVE, MESSAGE, MessageId, RECEIVER_READS, UNSIGNED};

pub(super) const NETWORK: [u8; 32] = [7; 32];

/// Time that a frame takes.
pub(super) const LATENCY: Duration = Duration::from_millis(25);

/// The wall clock when the room opens.
pub(super) const WALL: u64 = 1_760_000_000_000;

/// Something that was sent.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) at: Micros,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) frame: Frame,
}

pub(super) struct Rig {
    pub(super) now: Micros,
    pub(super) nodes: Vec<Gossip>,
    /// Nodes whose frames go nowhere, and who get none.
    pub(super) silent: Vec<usize>,
    /// Nodes that pass nothing on and announce nothing.
    pub(super) mute: Vec<usize>,
    /// Nodes that send each unsigned message back to whoever sends it to them.
    pub(super) echoing: Vec<usize>,
    /// Nodes that read nothing.
    pub(super) stuck: Vec<usize>,
    events: BTreeMap<(Micros, u64), (usize, Input)>,
    next: u64,
    publications: u64,
    pub(super) sent: Vec<Sent>,
    pub(super) delivered: Vec<(Micros, usize, Message)>,
    pub(super) published: Vec<(PublicationId, Result<Published, NotPublished>)>,
    pub(super) faults: Vec<(usize, Link, Fault)>,
    /// Neighbours that nodes let go.
    pub(super) ended: Vec<(usize, Link)>,
    pub(super) happened: Vec<(usize, Event)>,
    /// Whether verdicts on seals are kept back, and those that are.
    pub(super) hold_verdicts: bool,
    verdicts: Vec<(usize, Input)>,
    /// Who was recommended to whom.
    pub(super) recommended: Vec<(usize, Contact)>,
    pub(super) verdict: Verdict,
    /// The verdict on headers of long messages.
    pub(super) header_verdict: Verdict,
    pub(super) chunks: Chunks,
    /// Nodes that take one batch of frames and no second one.
    pub(super) paused: Vec<usize>,
    /// Bytes a second that the links of some nodes carry, each; the others are fast.
    pub(super) lines: BTreeMap<usize, u64>,
    /// Time that a judgement takes, and how many were asked for.
    pub(super) judging_takes: Duration,
    pub(super) judged: usize,
}

/// How chunks travel: one after the other out of each node.
#[derive(Default)]
pub(super) struct Chunks {
    /// Bytes a second of each node's uplink; none: they take no time.
    pub(super) uplink: Option<u64>,
    /// Nodes that give no chunk and do not even refuse, and those that give something else.
    pub(super) misers: Vec<usize>,
    pub(super) forgers: Vec<usize>,
    busy: BTreeMap<usize, Micros>,
    asked: BTreeMap<AskId, Asked>,
    next: u64,
    /// Chunks given by each node.
    pub(super) given: BTreeMap<usize, usize>,
}

struct Asked {
    at: Micros,
    asker: usize,
    giver: usize,
    message: MessageId,
    index: u16,
}

pub(super) fn topic() -> TopicHash {
    TopicHash::of("vertices")
}

pub(super) fn key(node: usize) -> VerifyingKey {
    let mut bytes = [0; VERIFYING_KEY_BYTES];
    bytes[..8].copy_from_slice(&(node as u64).to_le_bytes());
    VerifyingKey::ml_dsa_87(&bytes)
}

/// A signature as good as a real one here: nobody but this function makes it.
pub(super) fn sign(body: &SealBody) -> Signature {
    let mut bytes = Box::new([0; SIGNATURE_BYTES]);
    let hash = blake3::hash(body.input(&NETWORK).as_bytes());
    bytes[..32].copy_from_slice(hash.as_bytes());
    bytes.into()
}

fn is_valid(seal: &Seal) -> bool {
    sign(seal.body()) == *seal.signature()
}

impl Rig {
    pub(super) fn new(count: usize, config: &GossipConfig) -> Self {
        let mut rig = Self {
            now: Micros(1_000_000),
            nodes: Vec::new(),
            silent: Vec::new(),
            mute: Vec::new(),
            echoing: Vec::new(),
            stuck: Vec::new(),
            events: BTreeMap::new(),
            next: 0,
            publications: 0,
            sent: Vec::new(),
            delivered: Vec::new(),
            published: Vec::new(),
            faults: Vec::new(),
            ended: Vec::new(),
            happened: Vec::new(),
            hold_verdicts: false,
            verdicts: Vec::new(),
            recommended: Vec::new(),
            verdict: Verdict::Accept,
            header_verdict: Verdict::Accept,
            chunks: Chunks::default(),
            paused: Vec::new(),
            lines: BTreeMap::new(),
            judging_takes: Duration::from_micros(100),
            judged: 0,
        };
        for node in 0..count {
            let mut seed = [0; 32];
            seed[..8].copy_from_slice(&(node as u64).to_le_bytes());
            rig.nodes.push(Gossip::new(Setup {
                network: NETWORK,
                key: key(node),
                epoch: WALL,
                config: config.clone(),
                score: ScoreConfig::matching(config),
                seed,
            }));
        }
        rig
    }

    /// All of them subscribe, and are connected with each other.
    pub(super) fn all_connected(count: usize, config: &GossipConfig) -> Self {
        let mut rig = Self::new(count, config);
        for node in 0..count {
            rig.subscribe(node, TopicOptions::default());
            for other in 0..node {
                rig.connect(node, other);
            }
        }
        rig
    }

    pub(super) fn subscribe(&mut self, node: usize, options: TopicOptions) {
        let topic = topic();
        self.tell(node, Input::Subscribe { topic, options });
    }

    pub(super) fn connect(&mut self, dialler: usize, acceptor: usize) {
        for (node, other, is_outbound) in [(dialler, acceptor, true), (acceptor, dialler, false)] {
            let link = Link(other as u64);
            let group = IpGroup::Local;
            self.tell(
                node,
                Input::Connected {
                    link,
                    group,
                    is_outbound,
                },
            );
        }
    }

    /// A neighbour that has no machine here and dialled a node, and where it is.
    pub(super) fn place(&mut self, node: usize, other: usize, address: SocketAddr) {
        let (link, group) = (Link(other as u64), IpGroup::of(address.ip()));
        let is_outbound = false;
        self.silent.push(other);
        self.tell(
            node,
            Input::Connected {
                link,
                group,
                is_outbound,
            },
        );
        let contact = Contact {
            peer: PeerId::from_bytes([other as u8; 32]),
            addresses: SharedList::truncated([Address::from(address)]),
        };
        self.tell(node, Input::Reachable { link, contact });
    }

    pub(super) fn disconnect(&mut self, one: usize, other: usize) {
        self.tell(one, Input::Disconnected(Link(other as u64)));
        self.tell(other, Input::Disconnected(Link(one as u64)));
    }

    pub(super) fn publish(&mut self, node: usize, text: &[u8]) -> PublicationId {
        let id = PublicationId(self.publications);
        self.publications += 1;
        let (topic, data) = (topic(), Bytes::copy_from_slice(text));
        self.tell(node, Input::Publish { id, topic, data });
        id
    }

    /// A frame by hand, as if `from` had sent it.
    pub(super) fn forge<T: crate::wire::codec::WireType>(
        &mut self,
        from: usize,
        to: usize,
        kind: u8,
        body: &T,
    ) {
        let body = crate::wire::codec::encode(body);
        let link = Link(from as u64);
        self.tell(to, Input::Frame { link, kind, body });
    }

    pub(super) fn tell(&mut self, node: usize, input: Input) {
        let (at, next) = (self.now, self.next);
        self.next += 1;
        self.events.insert((at, next), (node, input));
        self.run_until(at);
    }

    pub(super) fn run_for(&mut self, span: Duration) {
        self.run_until(self.now + span);
    }

    fn run_until(&mut self, end: Micros) {
        loop {
            let event = self.events.first_key_value().map(|((at, _), _)| *at);
            let timers = (0..self.nodes.len()).filter_map(|node| {
                let at = self.nodes[node].poll_timeout()?;
                Some((at.max(self.now), node))
            });
            let timer = timers.min();
            let at = event.into_iter().chain(timer.map(|(at, _)| at)).min();
            let Some(at) = at.filter(|at| *at <= end) else {
                break;
            };
            self.now = at;
            if event == Some(at) {
                if let Some((_, (node, input))) = self.events.pop_first() {
                    self.handle(node, input);
                }
            } else if let Some((_, node)) = timer {
                self.handle(node, Input::Timer);
            }
        }
        self.now = end;
    }

    pub(super) fn time(&self) -> Now {
        Now {
            mono: self.now,
            wall: UnixMillis(WALL + self.now.0 / 1_000),
        }
    }

    fn handle(&mut self, node: usize, input: Input) {
        let time = self.time();
        self.nodes[node].handle(time, input);
        while let Some(output) = self.nodes[node].poll_output() {
            self.output(node, output);
        }
    }

    fn plan(&mut self, after: Duration, node: usize, input: Input) {
        self.events
            .insert((self.now + after, self.next), (node, input));
        self.next += 1;
    }

    fn output(&mut self, node: usize, output: Output) {
        let soon = Duration::from_micros(100);
        match output {
            Output::Send { link, frames } => self.transmit(node, link, frames),
            Output::Sign { id, body } => {
                let signature = Some(sign(&body));
                self.plan(soon, node, Input::Signed { id, signature });
            }
            Output::Verify { id, seal, .. } => {
                let is_valid = is_valid(seal.seal());
                let verdict = Input::Verified { id, is_valid };
                if self.hold_verdicts {
                    self.verdicts.push((node, verdict));
                } else {
                    self.plan(soon, node, verdict);
                }
            }
            Output::Judge(message) => {
                let (id, verdict) = (message.id, self.verdict);
                self.judged += 1;
                self.plan(self.judging_takes, node, Input::Judged { id, verdict });
            }
            Output::JudgeHeader(header) => {
                let (id, verdict) = (header.id, self.header_verdict);
                self.plan(soon, node, Input::Judged { id, verdict });
            }
            Output::AskChunk {
                link,
                message,
                index,
            } => self.ask_chunk(node, link, message, index),
            Output::GiveChunk { ask, chunk } => self.give_chunk(ask, chunk),
            Output::Deliver(message) => self.delivered.push((self.now, node, message)),
            Output::Published {
                publication,
                outcome,
            } => self.published.push((publication, outcome)),
            Output::End(link) => self.ended.push((node, link)),
            Output::Fault { link, fault } => self.faults.push((node, link, fault)),
            Output::Event(event) => self.happened.push((node, event)),
            Output::Dial { contact, .. } => self.recommended.push((node, contact)),
        }
    }

    fn transmit(&mut self, from: usize, link: Link, mut frames: Bytes) {
        let to = usize::try_from(link.0).unwrap();
        if self.stuck.contains(&to) {
            return;
        }
        let micros = |line: &u64| frames.len() as u64 * 1_000_000 / line;
        let takes = Duration::from_micros(self.lines.get(&from).map_or(50, micros));
        if !self.paused.contains(&to) {
            self.plan(takes, from, Input::Writable(link));
        }
        let mut decoder = FrameDecoder::new();
        while let Some(frame) = decoder.decode(&mut frames, RECEIVER_READS).unwrap() {
            let at = self.now;
            let (kind, body) = (frame.kind, frame.body.clone());
            self.sent.push(Sent {
                at,
                from,
                to,
                frame,
            });
            let is_muted = self.mute.contains(&from) && matches!(kind, MESSAGE | UNSIGNED | IHAVE);
            if is_muted || self.silent.contains(&from) || self.silent.contains(&to) {
                continue;
            }
            if kind == UNSIGNED && self.echoing.contains(&to) {
                let (link, body) = (Link(to as u64), body.clone());
                let echo = Input::Frame { link, kind, body };
                self.plan(LATENCY * 2 + takes, from, echo);
            }
            let link = Link(from as u64);
            self.plan(LATENCY + takes, to, Input::Frame { link, kind, body });
        }
    }

    pub(super) fn ask_chunk(&mut self, from: usize, link: Link, message: MessageId, index: u16) {
        let to = usize::try_from(link.0).unwrap();
        let ask = AskId(self.chunks.next);
        self.chunks.next += 1;
        let asked = Asked {
            at: self.now,
            asker: from,
            giver: to,
            message,
            index,
        };
        self.chunks.asked.insert(ask, asked);
        let link = Link(from as u64);
        let question = Input::ChunkAsked {
            ask,
            link,
            message,
            index,
        };
        self.plan(LATENCY, to, question);
    }

    fn give_chunk(&mut self, ask: AskId, chunk: Option<Bytes>) {
        let asked = self.chunks.asked.remove(&ask).unwrap();
        let giver = asked.giver;
        let mut data = chunk;
        if self.chunks.forgers.contains(&giver) {
            data = data.map(|chunk| vec![0; chunk.len()].into());
        }
        let mut after = LATENCY;
        if let (Some(chunk), Some(rate)) = (&data, self.chunks.uplink) {
            let busy = self.chunks.busy.entry(giver).or_default();
            let takes = Duration::from_micros(chunk.len() as u64 * 1_000_000 / rate);
            let begins = (*busy).max(self.now);
            after += (begins + takes).since(self.now);
            // Who asked takes no more after its deadline.
            *busy = (begins + takes).min(begins.max(asked.at + CHUNK_DEADLINE));
        }
        let left = (asked.at + CHUNK_DEADLINE).since(self.now);
        let is_miser = self.chunks.misers.contains(&giver);
        let answer = if is_miser || after > left {
            after = left;
            ChunkAnswer::RanOut
        } else {
            *self.chunks.given.entry(giver).or_default() += usize::from(data.is_some());
            data.map_or(ChunkAnswer::Refused, ChunkAnswer::Given)
        };
        let answer = Input::Chunk {
            link: Link(giver as u64),
            message: asked.message,
            index: asked.index,
            answer,
        };
        self.plan(after, asked.asker, answer);
    }

    /// The verdicts that were kept back come now, and others as they are asked for.
    pub(super) fn release_verdicts(&mut self) {
        self.hold_verdicts = false;
        for (node, verdict) in std::mem::take(&mut self.verdicts) {
            self.tell(node, verdict);
        }
    }

    /// Who got what was said last.
    pub(super) fn receivers(&self, text: &[u8]) -> Vec<usize> {
        let delivered = self.delivered.iter();
        let mut nodes: Vec<_> = delivered
            .filter(|(_, _, message)| message.data == text)
            .map(|(_, node, _)| *node)
            .collect();
        nodes.sort_unstable();
        nodes
    }

    /// Frames of a kind that were sent since a moment.
    pub(super) fn count(&self, kind: u8, since: Micros) -> usize {
        let sent = self.sent.iter();
        sent.filter(|one| one.at >= since && one.frame.kind == kind)
            .count()
    }
}
