//! The world: all nodes, the network between them, and the clock.

mod links;
mod passing;
mod seen;
mod transmit;

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::events::{Event, Events};
use super::ledger::{Delivery, Ledger};
use super::line::{Line, LineId};
use super::machine::{Build, Machine, Settings};
use super::model::NetworkModel;
use super::node::{Identity, Node, NodeId, Role};
use super::signatures::Signatures;
use super::traffic::Traffic;
use crate::crypto::SealBody;
use crate::gossip::Sharing;
use crate::gossip::{
    CheckId, ChunkAnswer, Event as Happened, Fault, Input, Link, Message, Output, Setup,
    SharedSeal, SigningId, TopicHash, TopicOptions, Verdict,
};
use crate::policy::{Micros, Now, UnixMillis};
use crate::wire::message::gossip::MessageId;

/// The wall clock when the world begins: 2025-01-01T00:00:00Z.
const WALL_CLOCK_START: u64 = 1_735_689_600_000;

/// Accusations that are kept: the first tell what is wrong.
const MOST_ACCUSATIONS: usize = 1_000;

/// A neighbour did what nobody may, as a node says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accusation {
    /// When.
    pub at: Micros,
    /// Who says so.
    pub by: NodeId,
    /// Of whom.
    pub of: NodeId,
    /// What it did; frames that are none if that is missing.
    pub fault: Option<Fault>,
}

/// Nodes and the network between them. See the module for what is simplified.
#[derive(Debug)]
pub struct World {
    model: NetworkModel,
    topic: TopicHash,
    now: Micros,
    events: Events,
    nodes: Vec<Node>,
    lines: Vec<Line>,
    /// The least latency of a line, if there are lines.
    nearest: Option<Duration>,
    /// Connections that were made so far.
    dials: u32,
    /// Draws who is where: what the machines do has no influence on it.
    places: ChaCha8Rng,
    /// Draws how long packets take.
    packets: ChaCha8Rng,
    signatures: Signatures,
    /// Machines that hold the same seals hold them once.
    _sharing: Sharing,
    ledger: Ledger,
    traffic: Traffic,
    /// What a machine is to be told at once about what it just did.
    answers: Vec<Input>,
    accusations: Vec<Accusation>,
    accused: u64,
    happened: Vec<(Micros, NodeId, Happened)>,
    handled: u64,
}

impl World {
    /// An empty world. All nodes are there for one topic.
    #[must_use]
    pub fn new(seed: u64, model: NetworkModel) -> Self {
        let mut places = ChaCha8Rng::seed_from_u64(seed);
        let packets = ChaCha8Rng::seed_from_u64(places.next_u64());
        Self {
            model,
            topic: TopicHash::of("simulated"),
            now: Micros(0),
            events: Events::default(),
            nodes: Vec::new(),
            lines: Vec::new(),
            nearest: None,
            dials: 0,
            places,
            packets,
            signatures: Signatures::default(),
            _sharing: Sharing::begin(),
            ledger: Ledger::default(),
            traffic: Traffic::default(),
            answers: Vec::new(),
            accusations: Vec::new(),
            accused: 0,
            happened: Vec::new(),
            handled: 0,
        }
    }

    /// Virtual time.
    #[must_use]
    pub const fn now(&self) -> Micros {
        self.now
    }

    /// The topic that all are there for.
    #[must_use]
    pub const fn topic(&self) -> TopicHash {
        self.topic
    }

    // Nodes.

    /// Adds a node that has no neighbours, and wants the topic.
    pub fn add(&mut self, role: Role, settings: &Settings, build: Build<'_>) -> NodeId {
        let number = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let identity = Identity::draw(number, &mut self.places);
        let machine = self.build(&identity, settings, build);
        let node = Node::new(machine, identity, role, self.now);
        self.nodes.push(node);
        self.subscribe(NodeId(number));
        NodeId(number)
    }

    fn build(
        &mut self,
        identity: &Identity,
        settings: &Settings,
        build: Build<'_>,
    ) -> Box<dyn Machine> {
        let mut seed = [0; 32];
        self.places.fill_bytes(&mut seed);
        build(Setup {
            network: [0; 32],
            key: identity.key.clone(),
            epoch: self.clock().wall.0,
            config: settings.gossip.clone(),
            score: settings.score.clone(),
            seed,
        })
    }

    fn subscribe(&mut self, node: NodeId) {
        let options = TopicOptions {
            is_unsigned: self.model.is_unsigned,
            is_judged: self.model.judging.is_some(),
        };
        let topic = self.topic;
        self.tell(node, Input::Subscribe { topic, options });
    }

    /// A node publishes something new of so many bytes, now.
    pub fn publish(&mut self, node: NodeId, bytes: usize) {
        if self.is_alive(node) {
            let number = self.ledger.publish(self.now, node, self.nodes.len(), bytes);
            self.say(node, number);
        }
    }

    /// The same at a moment to come, if the node does not stop before; several of one node in the order of their
    /// moments.
    pub(super) fn publish_at(&mut self, at: Micros, node: NodeId, bytes: usize) {
        if self.is_alive(node) {
            let number = self.ledger.publish(at, node, self.nodes.len(), bytes);
            self.nodes[node.index()].publishing.push_back((at, number));
            self.events.plan(at, node, Event::Published(node));
        }
    }

    fn clock(&self) -> Now {
        Now {
            mono: self.now,
            wall: UnixMillis(WALL_CLOCK_START + self.now.0 / 1_000),
        }
    }

    /// Hands a machine an input, and does what it wants done.
    pub fn tell(&mut self, id: NodeId, input: Input) {
        self.tell_all(id, vec![input]);
    }

    /// The same with inputs that come at once.
    pub(super) fn tell_all(&mut self, id: NodeId, inputs: Vec<Input>) {
        self.hand(id, inputs);
        self.plan_timer(id, self.now);
    }

    fn hand(&mut self, id: NodeId, mut inputs: Vec<Input>) {
        let now = self.clock();
        while !inputs.is_empty() {
            if !self.nodes[id.index()].is_alive {
                self.answers.clear();
                return;
            }
            self.handled += inputs.len() as u64;
            self.nodes[id.index()].machine.handle_all(now, inputs);
            while let Some(output) = self.nodes[id.index()].machine.poll_output() {
                self.output(id, output);
            }
            inputs = std::mem::take(&mut self.answers);
        }
    }

    fn plan_timer(&mut self, id: NodeId, earliest: Micros) {
        let node = &mut self.nodes[id.index()];
        let Some(at) = node.machine.poll_timeout().filter(|_| node.is_alive) else {
            return;
        };
        let at = at.max(earliest);
        if node.timer.is_none_or(|planned| at < planned) {
            node.timer = Some(at);
            self.events.plan(at, id, Event::Timer(id));
        }
    }

    fn timer(&mut self, id: NodeId) {
        let node = &mut self.nodes[id.index()];
        if node.timer != Some(self.now) {
            return;
        }
        node.timer = None;
        // What it waited for when this was planned may have come since.
        if node
            .machine
            .poll_timeout()
            .is_some_and(|due| due <= self.now)
        {
            self.hand(id, vec![Input::Timer]);
        }
        // A machine that asks for the past cannot stop time.
        self.plan_timer(id, Micros(self.now.0 + 1));
    }

    fn output(&mut self, node: NodeId, output: Output) {
        match output {
            Output::Send { link, frames } => self.send(node, link, frames),
            Output::Sign { id, body } => self.sign(node, id, body),
            Output::Verify { id, seal } => self.verify(node, id, &seal),
            Output::Judge(message) => self.judge(node, message.id),
            // Messages of this simulation fit into frames; what an attacker says of others leads nowhere.
            Output::JudgeHeader(header) => self.judge(node, header.id),
            Output::AskChunk {
                link,
                message,
                index,
            } => {
                let answer = ChunkAnswer::Refused;
                self.tell(
                    node,
                    Input::Chunk {
                        link,
                        message,
                        index,
                        answer,
                    },
                );
            }
            Output::GiveChunk { .. } => {}
            Output::Deliver(message) => self.deliver(node, &message),
            Output::Published {
                publication,
                outcome,
            } => {
                if outcome.is_err() {
                    self.ledger.refuse(publication.0);
                }
            }
            Output::Dial { .. } => self.traffic.dials += u64::from(self.is_counted(node)),
            Output::End(link) => self.accuse(node, link, None),
            Output::Fault { link, fault } => self.accuse(node, link, Some(fault)),
            Output::Event(event) => self.note(node, event),
        }
    }

    // Signatures.

    fn sign(&mut self, node: NodeId, id: SigningId, body: SealBody) {
        let is_own = body.publisher() == self.nodes[node.index()].identity.key.hash();
        let signature = Some(if is_own {
            self.signatures.sign(body)
        } else {
            Signatures::forge()
        });
        self.traffic.seals_made += u64::from(self.is_counted(node));
        self.work(node, self.model.signing(), Input::Signed { id, signature });
    }

    fn verify(&mut self, node: NodeId, id: CheckId, seal: &SharedSeal) {
        let is_valid = self.signatures.is_valid(seal.seal());
        if self.is_counted(node) {
            self.traffic.seals_verified += 1;
            self.traffic.seals_refused += u64::from(!is_valid);
            self.traffic.verifying += self.model.verifying();
        }
        self.work(
            node,
            self.model.verifying(),
            Input::Verified { id, is_valid },
        );
    }

    fn work(&mut self, id: NodeId, effort: Duration, answer: Input) {
        let processor = &mut self.nodes[id.index()].processor;
        if let Some(done) = processor.take(self.now, effort, answer) {
            self.events.plan(done, id, Event::Worked(id));
        }
    }

    fn worked(&mut self, id: NodeId) {
        let Some(answer) = self.nodes[id.index()].processor.pop(self.now) else {
            return;
        };
        if let Some(next) = self.nodes[id.index()].processor.next() {
            self.events.plan(next, id, Event::Worked(id));
        }
        self.tell(id, answer);
    }

    // The program.

    fn judge(&mut self, node: NodeId, message: MessageId) {
        let after = self.model.judging.unwrap_or_default();
        if after.is_zero() {
            self.answers.push(accepted(message));
            return;
        }
        let at = self.now + after;
        let judging = &mut self.nodes[node.index()].judging;
        judging.push_back((at, message));
        if judging.len() == 1 {
            self.events.plan(at, node, Event::Judged(node));
        }
    }

    fn judged(&mut self, id: NodeId) {
        let judging = &mut self.nodes[id.index()].judging;
        let is_due = judging.front().is_some_and(|(at, _)| *at <= self.now);
        let Some((_, message)) = judging.pop_front().filter(|_| is_due) else {
            return;
        };
        if let Some((at, _)) = judging.front() {
            self.events.plan(*at, id, Event::Judged(id));
        }
        self.tell(id, accepted(message));
    }

    fn deliver(&mut self, node: NodeId, message: &Message) {
        if !self.is_counted(node) {
            return;
        }
        match self.ledger.deliver(self.now, node, message, &self.nodes) {
            Delivery::First => self.traffic.deliveries += 1,
            Delivery::Repeated => self.traffic.repeated += 1,
            Delivery::Foreign => self.traffic.foreign += 1,
            Delivery::Own | Delivery::Relived => {}
        }
    }

    fn note(&mut self, node: NodeId, event: Happened) {
        let is_counted = u64::from(self.is_counted(node));
        match event {
            Happened::Grafted(..) => self.traffic.grafts += is_counted,
            Happened::Pruned(..) => self.traffic.prunes += is_counted,
            event => self.happened.push((self.now, node, event)),
        }
    }

    fn accuse(&mut self, by: NodeId, link: Link, fault: Option<Fault>) {
        let Some(line) = self.line_of(by, link) else {
            return;
        };
        let of = self.lines[line.index()].to;
        if self.is_counted(by) && self.nodes[of.index()].role == Role::Honest {
            self.accused += 1;
        }
        if self.accusations.len() < MOST_ACCUSATIONS {
            let at = self.now;
            self.accusations.push(Accusation { at, by, of, fault });
        }
        self.ban(line);
    }

    /// Whether a node is honest and runs.
    #[must_use]
    pub fn is_counted(&self, node: NodeId) -> bool {
        self.nodes[node.index()].is_counted()
    }

    fn line_of(&self, node: NodeId, link: Link) -> Option<LineId> {
        let place = usize::try_from(link.0).ok()?;
        self.nodes[node.index()].lines.get(place).copied()
    }

    /// Does what a machine would want done.
    #[cfg(test)]
    pub(super) fn emit(&mut self, node: NodeId, output: Output) {
        self.output(node, output);
        let answers = std::mem::take(&mut self.answers);
        self.tell_all(node, answers);
    }

    /// The network between the nodes; it may be changed during a run.
    pub const fn model(&mut self) -> &mut NetworkModel {
        &mut self.model
    }

    /// The world's chance for places and scenarios.
    pub(super) const fn places(&mut self) -> &mut ChaCha8Rng {
        &mut self.places
    }
}

fn accepted(id: MessageId) -> Input {
    let verdict = Verdict::Accept;
    Input::Judged { id, verdict }
}
