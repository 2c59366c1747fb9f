//! Tests of the machine, by theme.

mod bad_input;
mod bounds;
mod claims;
mod fuzz;
mod lookups;
mod repetitions;
mod serving;
mod table;

use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::crypto::RustCrypto;
use crate::discovery::Scope;
use crate::discovery::testing::{NETWORK, contact, key, peer};
use crate::policy::{IpGroup, UnixMillis};
use crate::wire::codec::{List, decode, encode};
use crate::wire::message::discovery::{
    self as wire, Contact, FindNode, Nodes, Store, StoreOutcome, Stored,
};

const RTT: Duration = Duration::from_millis(100);
const WALL: u64 = 1_800_000_000_000;

fn millis(count: u64) -> Micros {
    Micros(count * 1_000)
}

fn wall() -> UnixMillis {
    UnixMillis(WALL)
}

/// A machine, its clock, and what it said.
struct Rig {
    machine: Kademlia,
    now: Micros,
    next: u64,
    /// Everything since the start, with the time.
    log: Vec<(Micros, Output)>,
}

/// A request that waits.
#[derive(Debug, Clone)]
struct Called {
    call: CallId,
    contact: Contact,
    kind: u8,
    body: Bytes,
}

impl Rig {
    fn new() -> Self {
        Self::with(DiscoveryConfig::default())
    }

    fn with(config: DiscoveryConfig) -> Self {
        let machine = Kademlia::new(Setup {
            local: peer(0),
            network: NETWORK,
            config,
            store: StoreConfig::default(),
            seed: [7; 32],
        });
        let (now, next, log) = (millis(1_000), 0, Vec::new());
        Self {
            machine,
            now,
            next,
            log,
        }
    }

    /// Hands in an input; what comes out. Signatures are verified at once.
    fn feed(&mut self, input: Input) -> Vec<Output> {
        let now = Now {
            mono: self.now,
            wall: UnixMillis(WALL + self.now.0 / 1_000),
        };
        self.machine.handle(now, input);
        let mut outputs = Vec::new();
        while let Some(output) = self.machine.poll_output() {
            self.log.push((self.now, output.clone()));
            outputs.push(output);
        }
        let mut later = Vec::new();
        for output in &outputs {
            if let Output::Verify { check, signature } = output {
                let is_valid = signature.verify(&RustCrypto::new());
                let check = *check;
                later.extend(self.feed(Input::Verified { check, is_valid }));
            }
        }
        outputs.extend(later);
        outputs
    }

    /// Lets time pass; every timer is handed in when it is due.
    fn run_to(&mut self, end: Micros) -> Vec<Output> {
        let mut outputs = Vec::new();
        while let Some(at) = self.machine.poll_timeout().filter(|at| *at <= end) {
            assert!(
                at >= self.now || outputs.len() < 100_000,
                "a timer that is never done"
            );
            self.now = self.now.max(at);
            outputs.extend(self.feed(Input::Timer));
        }
        self.now = self.now.max(end);
        outputs
    }

    fn start(&mut self, command: Command) -> (OperationId, Vec<Output>) {
        let operation = OperationId(self.next);
        self.next += 1;
        (operation, self.feed(Input::Start { operation, command }))
    }

    fn answer(&mut self, call: CallId, kind: u8, body: Bytes) -> Vec<Output> {
        let scope = Scope::Public;
        self.feed(Input::Answer {
            call,
            scope,
            kind,
            body,
        })
    }

    fn names(&mut self, call: CallId, contacts: &[Contact]) -> Vec<Output> {
        self.answer(call, wire::NODES, nodes(contacts))
    }

    /// A peer connects, says who it is, and answers the probe: it is in the table then.
    fn meet(&mut self, contact: &Contact) {
        let peer = contact.peer;
        let outputs = self.introduce(contact, RTT, true);
        let probe = calls(&outputs)[0].call;
        self.now = self.now + RTT;
        self.names(probe, &[]);
        assert!(self.machine.table().any(|one| one.contact.peer == peer));
    }

    /// A peer is connected and says who it is.
    fn introduce(&mut self, contact: &Contact, rtt: Duration, is_server: bool) -> Vec<Output> {
        let peer = contact.peer;
        self.feed(Input::Connected { peer, rtt });
        let contact = contact.clone();
        self.feed(Input::Met { contact, is_server })
    }

    /// Nodes 1 to `count`.
    fn meet_many(&mut self, count: u64) {
        (1..=count).for_each(|number| self.meet(&contact(number)));
    }

    fn ask(&mut self, asker: Asker, kind: u8, body: Bytes) -> Vec<Output> {
        let id = RequestId(self.next);
        self.next += 1;
        self.feed(Input::Request {
            id,
            asker,
            kind,
            body,
        })
    }

    /// What a stranger is told of the surroundings of a key.
    fn told(&mut self, target: &Key) -> Vec<Contact> {
        let question = FindNode {
            target: *target.as_bytes(),
            want: 40,
        };
        let outputs = self.ask(asker(999_999), wire::FIND_NODE, encode(&question));
        let Ok(frame) = reply(&outputs) else {
            panic!("no answer")
        };
        let answer: Nodes = decode(&frame.body).unwrap();
        answer.contacts.into_vec()
    }

    /// A peer stores records; what becomes of each, and whether it is blamed.
    fn store(&mut self, from: u64, records: Vec<Record>) -> (Vec<StoreOutcome>, Vec<Fault>) {
        let records: List<Record, 64> = records.try_into().unwrap();
        let outputs = self.ask(asker(from), wire::STORE, encode(&Store { records }));
        let frame = reply(&outputs).unwrap();
        assert_eq!(frame.kind, wire::STORED);
        let stored: Stored = decode(&frame.body).unwrap();
        (stored.outcomes.into_vec(), faults(&outputs, from))
    }

    fn failures(&self, peer: &PeerId) -> Option<u8> {
        let entry = self.machine.table().find(|one| one.contact.peer == *peer);
        entry.map(|one| one.failures)
    }
}

fn nodes(contacts: &[Contact]) -> Bytes {
    let contacts = contacts.to_vec().try_into().unwrap();
    encode(&Nodes { contacts })
}

fn asker(number: u64) -> Asker {
    let [.., a, b, c] = (number + (1 << 16)).to_be_bytes();
    Asker {
        peer: peer(number),
        is_confirmed: true,
        group: IpGroup::V4([a, b, c]),
        scope: Scope::Public,
    }
}

fn calls(outputs: &[Output]) -> Vec<Called> {
    let call = |output: &Output| match output {
        Output::Call {
            call,
            contact,
            kind,
            body,
        } => Some(Called {
            call: *call,
            contact: contact.clone(),
            kind: *kind,
            body: body.clone(),
        }),
        _ => None,
    };
    outputs.iter().filter_map(call).collect()
}

fn called(outputs: &[Output], peer: PeerId) -> Option<CallId> {
    let calls = calls(outputs);
    calls
        .iter()
        .find(|one| one.contact.peer == peer)
        .map(|one| one.call)
}

fn reply(outputs: &[Output]) -> Result<ReplyFrame, Refuse> {
    let reply = |output: &Output| match output {
        Output::Reply { reply, .. } => Some(reply.clone()),
        _ => None,
    };
    let replies: Vec<_> = outputs.iter().filter_map(reply).collect();
    assert_eq!(replies.len(), 1, "one answer for each request");
    replies[0].clone()
}

/// What a peer is blamed for; nobody else may be.
fn faults(outputs: &[Output], number: u64) -> Vec<Fault> {
    let fault = |output: &Output| match output {
        Output::Fault { peer: who, fault } => {
            assert_eq!(*who, peer(number), "{fault:?} of somebody else");
            Some(*fault)
        }
        _ => None,
    };
    outputs.iter().filter_map(fault).collect()
}

fn outcome(outputs: &[Output]) -> Option<Outcome> {
    outputs.iter().find_map(|output| match output {
        Output::Done { outcome, .. } => Some(outcome.clone()),
        _ => None,
    })
}

fn record_of(outputs: &[Output]) -> Option<Option<Record>> {
    match outcome(outputs)? {
        Outcome::Record(record) => Some(record),
        other => panic!("{other:?}"),
    }
}

/// A key beside which `number` is nearest of all.
fn beside(number: u64) -> Key {
    key(number).with_flipped_bit(255)
}
