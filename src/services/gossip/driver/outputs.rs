//! What the machine wants done.

use std::sync::Arc;

use super::super::{GossipEvent, blame};
use super::{Driver, Work};
use crate::crypto::{Provider, SealBody};
use crate::gossip::{CheckId, Event, Fault, Input, Link, Output, SharedSeal, SigningId};
use crate::p2p::{Budget, Swarm};
use crate::services::discovery::scope_of_path;
use crate::wire::message::discovery::Contact;
use crate::wire::message::gossip::PROTOCOL;

impl Driver {
    pub(super) fn output(&mut self, output: Output) {
        match output {
            Output::Send { link, frames } => self.links.send(link, frames),
            Output::Sign { id, body } => self.sign(id, body),
            Output::Verify { id, seal } => self.verify(id, seal),
            Output::Judge(message) => self.judge(message),
            Output::JudgeHeader(header) => self.judge_header(header),
            Output::AskChunk {
                link,
                message,
                index,
            } => self.ask_chunk(link, message, index),
            Output::GiveChunk { ask, chunk } => self.give_chunk(ask, chunk),
            Output::Deliver(message) => self.deliver(&message),
            Output::Published {
                publication,
                outcome,
            } => {
                if let Some(done) = self.publications.remove(&publication) {
                    // Who published may be gone.
                    _ = done.send(outcome);
                }
            }
            Output::Dial { link, contact } => self.dial(link, contact),
            Output::End(link) => self.ending.extend(self.links.peer(link)),
            Output::Fault { link, fault } => self.blame(link, fault),
            Output::Event(event) => self.tell(event),
        }
    }

    /// Signs a seal: at once where nobody waits for the driver, for a task of its own is two more that have to be
    /// woken before a lone message leaves.
    fn sign(&mut self, id: SigningId, body: SealBody) {
        let Some(swarm) = self.parts.swarm.upgrade() else {
            return;
        };
        let (keypair, network) = (swarm.keypair().clone(), self.parts.network);
        let sign = move || {
            let signature = keypair.sign(body.input(&network).as_bytes()).ok();
            Input::Signed { id, signature }
        };
        if self.signed.is_none() && self.is_idle() {
            self.signed = Some(sign());
        } else {
            self.work.spawn(async move { Work::Made(sign()) });
        }
    }

    fn verify(&mut self, id: CheckId, seal: SharedSeal) {
        let Some(provider) = self.provider() else {
            return;
        };
        let network = self.parts.network;
        self.work.spawn(async move {
            let verified = seal.seal().verify(&*provider, &network, seal.key());
            let is_valid = verified.is_ok();
            Work::Made(Input::Verified { id, is_valid })
        });
    }

    fn provider(&self) -> Option<Arc<dyn Provider>> {
        let swarm: Swarm = self.parts.swarm.upgrade()?;
        Some(swarm.keypair().provider().clone())
    }

    fn blame(&mut self, link: Link, fault: Fault) {
        let (swarm, peer) = (self.parts.swarm.upgrade(), self.links.peer(link));
        if let (Some(swarm), Some(peer)) = (swarm, peer) {
            if !fault.is_forgiven() {
                self.links.stop_reading(&peer, blame::code(fault));
                self.ending.push(peer);
            }
            let fault = blame::fault(fault);
            match (self.carriers.get(&peer), self.links.evidence(&peer)) {
                (Some(carrier), _) => carrier.report_fault(PROTOCOL, fault),
                (None, Some(evidence)) => swarm.book_fault(evidence, fault),
                (None, None) => swarm.report_fault(&peer, PROTOCOL, fault),
            }
        }
    }

    /// Dials somebody whom a neighbour recommends, at addresses for which there is a budget: the addresses
    /// may be a victim's.
    fn dial(&mut self, link: Link, mut contact: Contact) {
        let teller = self.links.peer(link);
        let connection = teller.and_then(|peer| self.parts.caller.connection(&peer));
        let Some(connection) = connection else {
            return;
        };
        // Addresses that are none of the teller's business are passed over.
        scope_of_path(&connection.path()).hide_others(&mut contact);
        let (caller, peer) = (self.parts.caller.clone(), contact.peer);
        let Some(swarm) = self.parts.swarm.upgrade() else {
            return;
        };
        let place = self.recommended.clone().try_acquire_owned();
        let (Ok(place), false) = (place, caller.is_connected(&peer)) else {
            return;
        };
        let affordable = swarm.affordable(Budget::Told, &peer, &contact.addresses);
        let swarm = swarm.downgrade();
        if !affordable.addresses.is_empty() {
            self.work.spawn(async move {
                // A recommendation that leads nowhere is nobody's fault.
                let outcome = caller.dial(Some(peer), &affordable.addresses).await;
                if let Some(swarm) = swarm.upgrade() {
                    swarm.settle(&affordable, &peer, &outcome);
                }
                drop(place);
                Work::Over
            });
        }
    }

    fn tell(&self, event: Event) {
        let named = |link| self.links.peer(link);
        let told = match event {
            Event::Grafted(link, topic) => {
                named(link).map(|peer| GossipEvent::Grafted(peer, topic))
            }
            Event::Pruned(link, topic) => named(link).map(|peer| GossipEvent::Pruned(peer, topic)),
            Event::Stalls(link) => named(link).map(GossipEvent::Stalls),
            Event::SlowReader(link) => named(link).map(GossipEvent::SlowReader),
            Event::Distrusted(publisher) => Some(GossipEvent::Distrusted(publisher)),
            Event::Equivocation { publisher, seals } => {
                Some(GossipEvent::Equivocation { publisher, seals })
            }
        };
        if let Some(told) = told {
            // Without readers the event is nobody's.
            _ = self.parts.events.send(told);
        }
    }
}
