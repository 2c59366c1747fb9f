//! A machine of gossip by itself: what it wants done is done at once, with real signatures, and no network is
//! in the way.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cretoai_network::crypto::{AwsLc, Provider, SigningSeed, VerifyingKey};
use cretoai_network::gossip::{
    Gossip, GossipConfig, Input, Link, Output, PublicationId, ScoreConfig, Setup, TopicHash,
    TopicOptions,
};
use cretoai_network::identity::Keypair;
use cretoai_network::policy::{IpGroup, Micros, Now, UnixMillis};
use cretoai_network::wire::codec::{List, encode};
use cretoai_network::wire::message::gossip::{self as wire, Subscribe};

/// 2025-01-01T00:00:00Z.
const WALL_CLOCK_START: u64 = 1_735_689_600_000;

const NETWORK: [u8; 32] = [0; 32];

/// A machine, its key, and the clock that it is told.
pub(crate) struct Machine {
    gossip: Gossip,
    keypair: Keypair,
    provider: Arc<dyn Provider>,
    elapsed: Duration,
    publications: u64,
    /// Messages that its program got.
    pub(crate) delivered: u64,
    /// Signatures that were made, and verified.
    pub(crate) signed: u64,
    pub(crate) verified: u64,
    /// What it had sent to its first neighbour since it was last taken.
    pub(crate) sent: Vec<Bytes>,
    /// Bytes that it had sent to all of them since they met.
    pub(crate) sent_bytes: usize,
}

impl Machine {
    /// One that subscribed to [`topic`] and has so many neighbours that did, too.
    pub(crate) fn new(seed: u8, neighbours: u64) -> Self {
        let provider: Arc<dyn Provider> = Arc::new(AwsLc);
        let seed_of_key = SigningSeed::from_bytes(&[seed; 32]);
        let keypair = Keypair::from_seed(provider.clone(), seed_of_key).unwrap();
        let config = GossipConfig::default();
        let gossip = Gossip::new(Setup {
            network: NETWORK,
            key: VerifyingKey::ml_dsa_87(keypair.public_key().as_bytes()),
            epoch: WALL_CLOCK_START,
            score: ScoreConfig::matching(&config),
            config,
            seed: [seed; 32],
        });
        let mut machine = Self {
            gossip,
            keypair,
            provider,
            elapsed: Duration::ZERO,
            publications: 0,
            delivered: 0,
            signed: 0,
            verified: 0,
            sent: Vec::new(),
            sent_bytes: 0,
        };
        let options = TopicOptions::default();
        machine.tell(Input::Subscribe {
            topic: topic(),
            options,
        });
        for link in (0..neighbours).map(Link) {
            machine.meet(link);
        }
        machine.pass(Duration::from_secs(2));
        machine.sent.clear();
        machine.sent_bytes = 0;
        machine
    }

    fn meet(&mut self, link: Link) {
        // Each in a network of its own: many in one are not taken into a mesh.
        let [.., last] = link.0.to_be_bytes();
        let group = IpGroup::of([93, 184, last, 34].into());
        self.tell(Input::Connected {
            link,
            group,
            is_outbound: true,
        });
        let topics = List::truncated([*topic().as_bytes()]);
        let body = encode(&Subscribe { topics });
        let kind = wire::SUBSCRIBE;
        self.tell(Input::Frame { link, kind, body });
    }

    /// Time passes, with a look at the clock every ten milliseconds.
    pub(crate) fn pass(&mut self, span: Duration) {
        let end = self.elapsed + span;
        while self.elapsed < end {
            self.elapsed += Duration::from_millis(10);
            self.tell(Input::Timer);
        }
    }

    /// It publishes these, and time passes until all of them are sealed.
    pub(crate) fn publish(&mut self, messages: &[Bytes]) {
        let inputs = messages.iter().map(|data| {
            self.publications += 1;
            Input::Publish {
                id: PublicationId(self.publications),
                topic: topic(),
                data: data.clone(),
            }
        });
        let inputs: Vec<_> = inputs.collect();
        self.tell_all(inputs);
        self.pass(Duration::from_millis(20));
    }

    /// It is told something now, and what it wants is done.
    pub(crate) fn tell(&mut self, input: Input) {
        self.tell_all(vec![input]);
    }

    /// The same with what comes at once.
    pub(crate) fn tell_all(&mut self, mut inputs: Vec<Input>) {
        while !inputs.is_empty() {
            self.gossip.handle_all(self.now(), inputs);
            inputs = Vec::new();
            while let Some(output) = self.gossip.poll_output() {
                inputs.extend(self.answer(output));
            }
        }
    }

    fn answer(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Send { link, frames } => {
                self.sent_bytes += frames.len();
                if link == Link(0) {
                    self.sent.push(frames);
                }
                Some(Input::Writable(link))
            }
            Output::Sign { id, body } => {
                self.signed += 1;
                let seal = body.sign(&NETWORK, &**self.keypair.signer()).unwrap();
                let signature = Some(seal.signature().clone());
                Some(Input::Signed { id, signature })
            }
            Output::Verify { id, seal } => {
                self.verified += 1;
                let verdict = seal.seal().verify(&*self.provider, &NETWORK, seal.key());
                let is_valid = verdict.is_ok();
                Some(Input::Verified { id, is_valid })
            }
            Output::Deliver(_) => {
                self.delivered += 1;
                None
            }
            Output::Fault { link, fault } => panic!("a fault of {link:?}: {fault:?}"),
            _ => None,
        }
    }

    fn now(&self) -> Now {
        let elapsed = u64::try_from(self.elapsed.as_micros()).unwrap();
        Now {
            mono: Micros(elapsed),
            wall: UnixMillis(WALL_CLOCK_START + elapsed / 1_000),
        }
    }
}

/// The topic of all benches.
pub(crate) fn topic() -> TopicHash {
    TopicHash::of("bench")
}

/// So many different messages of so many bytes.
pub(crate) fn messages(round: u64, count: u64, bytes: usize) -> Vec<Bytes> {
    let message = |number: u64| {
        let mut data = vec![0xa7; bytes];
        let name = (round << 32 | number).to_be_bytes();
        data[..name.len()].copy_from_slice(&name);
        Bytes::from(data)
    };
    (0..count).map(message).collect()
}
