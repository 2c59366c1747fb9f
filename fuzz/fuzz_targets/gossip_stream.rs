//! A machine keeps its bounds whatever two neighbours, the program and the clock do to it, and what it
//! sends is what a receiver takes.
#![no_main]

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use cretoai_network::crypto::{SIGNATURE_BYTES, Signature, VERIFYING_KEY_BYTES, VerifyingKey};
use cretoai_network::gossip::{
    AskId, CheckId, ChunkAnswer, Gossip, GossipConfig, Input, Link, Output, PublicationId,
    ScoreConfig, Setup, SigningId, TopicOptions, Verdict,
};
use cretoai_network::policy::{IpGroup, Micros, Now, UnixMillis};
use cretoai_network::wire::FrameDecoder;
use cretoai_network::wire::codec::{List, WireType, encode};
use cretoai_network::wire::message::gossip::{
    ChunkRange, HAVE, Have, KEY, LARGE, MAX_DATA, MESSAGE, MessageId, RECEIVER_READS, SEAL,
    SUBSCRIBE, Subscribe, UNSIGNED, Unsigned,
};
use cretoai_network_fuzz::script::Script;
use cretoai_network_fuzz::sealed::{
    Content, NETWORK, Ordinals, chunk, content, key_of, sealed, sealed_short, topic,
};
use libfuzzer_sys::fuzz_target;

const WALL: u64 = 1_760_000_000_000;

/// The longest message and a little more, so that a script fills it.
const MEMORY: usize = 33 << 20;

/// Chunks of a message that one neighbour is asked for at once, if there are few.
const MAX_ASKED: usize = 64;

/// Outputs of one input: each neighbour is sent one batch and asked for a few chunks.
const MAX_OUTPUTS: usize = 1_000;

struct Room<'a> {
    script: Script<'a>,
    machine: Gossip,
    now: Micros,
    /// Neighbours that are there, with how many keys and seals each has sent.
    links: BTreeMap<Link, Ordinals>,
    /// What is said in short messages.
    short: BTreeMap<MessageId, Bytes>,
    messages: Vec<(MessageId, Content)>,
    asked: Vec<(Link, MessageId, u16)>,
    judging: Vec<MessageId>,
    checks: Vec<CheckId>,
    signing: Vec<SigningId>,
    publications: BTreeMap<PublicationId, Content>,
    unwritten: Vec<Link>,
    /// The chunk that a neighbour asked for last.
    wanted: Option<(MessageId, u16)>,
    /// Whether the topic is one on which nobody signs.
    is_unsigned: bool,
    /// Numbers of what was published, asked and sealed.
    next: u64,
}

impl<'a> Room<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let mut script = Script::new(bytes);
        let mode = script.number();
        let (is_plain, is_unsigned) = (mode & 1 != 0, mode & 2 != 0);
        let config = GossipConfig {
            large_memory: MEMORY,
            ..if is_plain {
                GossipConfig::plain()
            } else {
                GossipConfig::default()
            }
        };
        let machine = Gossip::new(Setup {
            network: NETWORK,
            key: VerifyingKey::ml_dsa_87(&[0xee; VERIFYING_KEY_BYTES]),
            epoch: WALL,
            score: ScoreConfig::matching(&config),
            config,
            seed: [3; 32],
        });
        Self {
            script,
            machine,
            now: Micros(1_000_000),
            links: BTreeMap::new(),
            short: BTreeMap::new(),
            messages: Vec::new(),
            asked: Vec::new(),
            judging: Vec::new(),
            checks: Vec::new(),
            signing: Vec::new(),
            publications: BTreeMap::new(),
            unwritten: Vec::new(),
            wanted: None,
            is_unsigned,
            next: 0,
        }
    }

    fn run(&mut self) {
        self.subscribe(true);
        for link in [Link(0), Link(1)] {
            self.connect(link);
        }
        while let Some(step) = self.script.step() {
            self.step(step);
        }
        // Longer than anything is waited for.
        self.wait(Duration::from_secs(31));
    }

    fn step(&mut self, step: u8) {
        match step % 16 {
            0 => self.reconnect(),
            1 => self.raw_frame(),
            2 => self.header(),
            3 => self.short_messages(),
            4 | 5 => self.have(),
            6 | 7 => self.answer(),
            8 => self.ask(),
            9 => self.judged(),
            10 => self.verified(),
            11 => self.publish(),
            12 => self.written(),
            13 => {
                let steps = self.script.number() as u64;
                self.wait(Duration::from_millis(steps * steps / 16));
            }
            14 => match self.script.number() % 8 {
                0 => self.input(Input::Unsubscribe(topic())),
                1 => self.input(Input::Veto(Link(0))),
                number @ 2..4 => self.subscribe(number == 2),
                _ => self.unsigned(),
            },
            _ => self.signed(),
        }
    }

    fn subscribe(&mut self, is_judged: bool) {
        let (topic, is_unsigned) = (topic(), self.is_unsigned);
        let options = TopicOptions {
            is_unsigned,
            is_judged,
        };
        self.input(Input::Subscribe { topic, options });
    }

    fn connect(&mut self, link: Link) {
        self.links.insert(link, (0, 0));
        let (group, is_outbound) = (IpGroup::Local, true);
        self.input(Input::Connected {
            link,
            group,
            is_outbound,
        });
        let topics = List::truncated([*topic().as_bytes()]);
        self.frame(link, SUBSCRIBE, &Subscribe { topics });
    }

    fn reconnect(&mut self) {
        let link = self.link();
        if self.links.remove(&link).is_some() {
            self.asked.retain(|(asked, ..)| *asked != link);
            self.unwritten.retain(|other| *other != link);
            return self.input(Input::Disconnected(link));
        }
        self.connect(link);
    }

    fn link(&mut self) -> Link {
        Link(self.script.number() as u64 % 2)
    }

    fn raw_frame(&mut self) {
        let link = self.link();
        let (kind, count) = (self.script.number() as u8, self.script.number());
        let body = Bytes::copy_from_slice(self.script.bytes(count));
        self.input(Input::Frame { link, kind, body });
    }

    fn unsigned(&mut self) {
        let (link, count) = (self.link(), self.script.number());
        let data = Bytes::copy_from_slice(self.script.bytes(count));
        let data = data.try_into().unwrap();
        self.frame(link, UNSIGNED, &Unsigned { topic: 0, data });
    }

    fn frame<T: WireType>(&mut self, link: Link, kind: u8, frame: &T) {
        let body = encode(frame);
        self.input(Input::Frame { link, kind, body });
    }

    /// A header that is new, or one that this neighbour repeats.
    fn header(&mut self) {
        let link = self.link();
        let (publisher, said) = (
            self.script.number() as u8 % 3,
            content(self.script.number()),
        );
        let Some(named) = self.name_key_and_seal(link) else {
            return;
        };
        let wall = WALL + self.now.0 / 1_000;
        let (id, seal, large) = sealed(publisher, self.next, wall, said, named);
        self.next += 1;
        self.messages.push((id, said.clone()));
        self.frame(link, KEY, &key_of(publisher));
        self.frame(link, SEAL, &seal);
        self.frame(link, LARGE, &large);
    }

    /// A seal of up to four short messages, now and then one that nobody can have made, and some of the messages, each
    /// now and then under another's place.
    fn short_messages(&mut self) {
        let link = self.link();
        let (publisher, count) = (self.script.number() as u8 % 3, self.script.number() % 5);
        let Some(named) = self.name_key_and_seal(link) else {
            return;
        };
        let texts = (0..count).map(|_| {
            let length = self.script.number();
            Bytes::copy_from_slice(self.script.bytes(length))
        });
        let texts: Vec<_> = texts.collect();
        let (first, wall) = (self.next, WALL + self.now.0 / 1_000);
        self.next += count as u64;
        let (mut seal, messages) = sealed_short(publisher, first, wall, &texts, named);
        match self.script.number() % 16 {
            0 => seal.leaves = List::new(),
            1 => seal.leaves = List::truncated([[5; 32]; 2]),
            2 => seal.topic = [5; 32],
            3 => seal.first = u64::MAX,
            4 => seal.key += 1,
            _ => {}
        }
        self.frame(link, KEY, &key_of(publisher));
        self.frame(link, SEAL, &seal);
        for (id, mut message) in messages {
            let choice = self.script.number() % 8;
            self.short.insert(id, message.data.as_bytes().clone());
            if choice == 0 {
                message.index += 1;
            }
            if choice != 1 {
                self.frame(link, MESSAGE, &message);
            }
        }
    }

    /// Under which ordinals a neighbour names the next key and the next seal, if it is there.
    fn name_key_and_seal(&mut self, link: Link) -> Option<Ordinals> {
        let ordinals = self.links.get_mut(&link)?;
        let named = *ordinals;
        *ordinals = (named.0 + 1, named.1 + 1);
        Some(named)
    }

    fn have(&mut self) {
        let (link, message) = (self.link(), self.script.pick(&self.messages));
        let has = self.ranges();
        let offers = self.ranges();
        let message = message.map_or([0; 32], |(id, _)| id);
        let have = Have {
            message,
            has,
            offers,
        };
        self.frame(link, HAVE, &have);
    }

    fn ranges<const MAX: usize>(&mut self) -> List<ChunkRange, MAX> {
        let count = self.script.number() % 4;
        let ranges = (0..count).map(|_| ChunkRange {
            first: self.script.number() as u16,
            count: self.script.number() as u16,
        });
        List::truncated(ranges.collect::<Vec<_>>())
    }

    /// A neighbour that was asked gives a chunk, something else, or nothing.
    fn answer(&mut self) {
        let Some((link, message, index)) = self.script.take(&mut self.asked) else {
            return;
        };
        let given = |data: Option<Bytes>| data.map_or(ChunkAnswer::Refused, ChunkAnswer::Given);
        let answer = match self.script.number() % 8 {
            0 => ChunkAnswer::Refused,
            1 => given(Some(Bytes::from_static(b"something else"))),
            7 => ChunkAnswer::RanOut,
            _ => given(self.said(&message).and_then(|said| chunk(said, index))),
        };
        self.input(Input::Chunk {
            link,
            message,
            index,
            answer,
        });
    }

    fn said(&self, message: &MessageId) -> Option<&Content> {
        let mut of = self.messages.iter();
        of.find(|(id, _)| id == message).map(|(_, said)| said)
    }

    fn ask(&mut self) {
        let (ask, link) = (AskId(self.next), self.link());
        self.next += 1;
        let message = self.script.pick(&self.messages);
        let message = message.map_or([0; 32], |(id, _)| id);
        let index = self.script.number() as u16;
        self.wanted = Some((message, index));
        self.input(Input::ChunkAsked {
            ask,
            link,
            message,
            index,
        });
    }

    fn judged(&mut self) {
        if let Some(id) = self.script.take(&mut self.judging) {
            let verdict = match self.script.number() % 8 {
                0 => Verdict::Reject,
                1 => Verdict::Ignore,
                _ => Verdict::Accept,
            };
            self.input(Input::Judged { id, verdict });
        }
    }

    fn verified(&mut self) {
        if let Some(id) = self.script.take(&mut self.checks) {
            let is_valid = self.script.number() % 8 != 0;
            self.input(Input::Verified { id, is_valid });
        }
    }

    fn signed(&mut self) {
        if let Some(id) = self.script.take(&mut self.signing) {
            let signature = Signature::from(Box::new([0; SIGNATURE_BYTES]));
            let signature = (self.script.number() % 8 != 0).then_some(signature);
            self.input(Input::Signed { id, signature });
        }
    }

    fn publish(&mut self) {
        let (id, topic) = (PublicationId(self.next), topic());
        self.next += 1;
        let said = content(self.script.number());
        let data = said.data.clone();
        let data = data.unwrap_or_else(|| Bytes::from_static(&[0; MAX_DATA]));
        self.publications.insert(id, said.clone());
        self.input(Input::Publish { id, topic, data });
    }

    fn written(&mut self) {
        if let Some(link) = self.script.take(&mut self.unwritten) {
            self.input(Input::Writable(link));
        }
    }

    /// Time passes, and no timer is due twice at once.
    fn wait(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(due) = self.machine.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.input(Input::Timer);
            let next = self.machine.poll_timeout();
            assert!(next.is_none_or(|next| next > self.now));
        }
        self.now = end;
        self.input(Input::Timer);
    }

    fn input(&mut self, input: Input) {
        let wall = UnixMillis(WALL + self.now.0 / 1_000);
        let mono = self.now;
        self.machine.handle(Now { mono, wall }, input);
        let mut outputs = 0;
        while let Some(output) = self.machine.poll_output() {
            outputs += 1;
            self.output(output);
        }
        assert!(outputs <= MAX_OUTPUTS);
        assert!(self.machine.large_bytes() <= MEMORY);
    }

    fn output(&mut self, output: Output) {
        match output {
            Output::Send { link, frames } => {
                read(frames);
                assert!(!self.unwritten.contains(&link));
                self.unwritten.push(link);
            }
            Output::Sign { id, .. } => self.signing.push(id),
            Output::Published {
                publication,
                outcome,
            } => {
                let said = self.publications.remove(&publication).unwrap();
                if let Ok(published) = outcome {
                    self.messages.push((published.id, said));
                }
            }
            Output::Verify { id, .. } => self.checks.push(id),
            Output::Judge(message) => self.judging.push(message.id),
            Output::JudgeHeader(header) => self.judging.push(header.id),
            Output::AskChunk {
                link,
                message,
                index,
            } => {
                self.asked.push((link, message, index));
                let same = self.asked.iter();
                let same = same.filter(|(other, of, _)| (*other, *of) == (link, message));
                assert!(same.count() <= MAX_ASKED);
            }
            Output::GiveChunk { chunk: given, .. } => {
                let (message, index) = self.wanted.take().unwrap();
                if given.is_some() {
                    assert_eq!(
                        given,
                        self.said(&message).and_then(|said| chunk(said, index))
                    );
                }
            }
            Output::Deliver(message) => {
                let said = self.said(&message.id).and_then(|said| said.data.as_ref());
                if let Some(said) = said.or_else(|| self.short.get(&message.id)) {
                    assert_eq!(*said, message.data);
                }
            }
            _ => {}
        }
    }
}

/// What a receiver makes of frames: there is nothing wrong with them.
fn read(mut frames: Bytes) {
    let mut decoder = FrameDecoder::new();
    while decoder
        .decode(&mut frames, RECEIVER_READS)
        .unwrap()
        .is_some()
    {}
    decoder.finish().unwrap();
}

fuzz_target!(|data: &[u8]| Room::new(data).run());
