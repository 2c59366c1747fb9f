//! What the machine wants done.

use std::net::SocketAddr;

use super::super::blame;
use super::super::call::Call;
use super::super::events::DiscoveryHappened;
use super::super::inbound;
use super::{Called, Driver};
use crate::discovery::{CallFailure, CallId, Event, Input, Output};
use crate::p2p::AddressSource;
use crate::wire::Address;
use crate::wire::message::discovery::{Contact, PROTOCOL};

/// Signatures that are verified at once: what a few cores do beside all else.
const CHECKS_AT_ONCE: usize = 4;

impl Driver {
    pub(super) fn output(&mut self, output: Output) {
        match output {
            Output::Call {
                call,
                contact,
                kind,
                body,
            } => self.call(call, &contact, (kind, body)),
            Output::Abandon(call) => {
                if let Some(task) = self.call_tasks.remove(&call) {
                    task.abort();
                }
            }
            Output::Reply { id, reply } => {
                if let Some(asker) = self.requests.remove(&id) {
                    // Who asked may be gone.
                    _ = asker.send(inbound::reply(reply));
                }
            }
            Output::Verify { check, signature } => {
                self.unchecked.push_back((check, signature));
                self.verify_next();
            }
            Output::Fault { peer, fault } => {
                if let Some(swarm) = self.parts.swarm.upgrade() {
                    swarm.report_fault(&peer, PROTOCOL, blame::fault(fault));
                }
            }
            Output::Done { operation, outcome } => {
                if let Some(done) = self.operations.remove(&operation) {
                    // Who waited may be gone.
                    _ = done.send(outcome);
                }
            }
            // So many that they would push all else out of the ring of events.
            Output::Event(Event::Looked(_)) => self.counted.lookups += 1,
            Output::Event(event) => self.tell(DiscoveryHappened::Machine(event)),
        }
    }

    fn call(&mut self, call: CallId, contact: &Contact, (kind, body): (u8, bytes::Bytes)) {
        let peer = contact.peer;
        let is_connected = self.parts.caller.is_connected(&peer);
        let (addresses, charged) = if is_connected {
            self.warm.touch(&peer);
            (Vec::new(), Vec::new())
        } else {
            self.may_dial(contact)
        };
        if addresses.is_empty() && !is_connected {
            self.counted.not_dialled += 1;
            let why = CallFailure::NotDialled;
            return self.later.push_back(Input::Failed { call, why });
        }
        self.counted.calls += 1;
        let caller = self.parts.caller.clone();
        let asked = Call {
            peer,
            addresses,
            kind,
            body,
        };
        let task = self.calls.spawn(async move {
            let answer = asked.run(&caller).await;
            Called {
                call,
                peer,
                charged,
                answer,
            }
        });
        self.call_tasks.insert(call, task);
    }

    /// The addresses of a contact for which there is a budget; they are charged, and remembered.
    fn may_dial(&mut self, contact: &Contact) -> (Vec<Address>, Vec<SocketAddr>) {
        let now = self.now();
        let Some(swarm) = self.parts.swarm.upgrade() else {
            return (Vec::new(), Vec::new());
        };
        let (mut addresses, mut sockets) = (Vec::new(), Vec::new());
        for address in contact.addresses.iter() {
            // Behind a relay nobody is dialled yet: it would cost the relay's host a probe that is never sent.
            let direct = address.relay().is_none().then(|| address.socket_addr());
            let Some(socket) = direct.flatten() else {
                continue;
            };
            if swarm.try_probe(socket) {
                addresses.push(address.clone());
                sockets.push(socket);
            }
        }
        swarm.with_book(|book, now| {
            for address in &addresses {
                // A book that is full of better peers, or has better addresses, does without.
                _ = book.add_address(now.mono, contact.peer, address, AddressSource::Told);
            }
        });
        if !addresses.is_empty() && !self.dialling.begin(now, contact.peer, &sockets) {
            swarm.not_probed(&sockets);
            addresses.clear();
        }
        (addresses, sockets)
    }

    /// Verifies what waits, a few at a time, each in a task of its own.
    pub(super) fn verify_next(&mut self) {
        while self.checks.len() < CHECKS_AT_ONCE
            && let Some((check, signature)) = self.unchecked.pop_front()
        {
            let Some(swarm) = self.parts.swarm.upgrade() else {
                return;
            };
            let provider = swarm.keypair().provider().clone();
            self.counted.signatures += 1;
            self.checks
                .spawn(async move { (check, signature.verify(&*provider)) });
        }
    }
}
