//! Requests and answers on their way.

use bytes::Bytes;

use super::super::events::What;
use super::{NodeId, World};
use crate::discovery::{Asker, CallFailure, CallId, Input, Refuse, ReplyFrame, RequestId, Scope};
use crate::policy::IpGroup;
use crate::wire::codec::{List, decode};
use crate::wire::message::discovery::{self as wire, Contact};

/// A request on its way, as its answer finds back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    from: NodeId,
    call: CallId,
}

impl World {
    pub(super) fn call(
        &mut self,
        from: NodeId,
        call: CallId,
        contact: &Contact,
        frame: (u8, Bytes),
    ) {
        let (kind, body) = frame;
        self.count(from, kind, body.len());
        let Some(to) = self.find(&contact.peer) else {
            return;
        };
        let rtt = self.model.rtt(self.seed, from, to);
        let mut at = self.now;
        if !self.model.all_warm && !self.use_link(from, to) {
            if self.is_counted(from) {
                self.traffic.handshakes += 1;
                self.traffic.bytes += self.model.handshake_bytes;
            }
            at = at + rtt + self.model.handshake_lateness(&mut self.rng);
            if self.is_alive(to) {
                self.events.plan(at, from, What::Connected(to));
            }
        }
        if !self.is_alive(to) {
            return;
        }
        let id = RequestId(self.next_request);
        self.next_request += 1;
        self.asked.insert((to, id), Asked { from, call });
        let asker = Asker {
            peer: self.contact(from).peer,
            is_confirmed: true,
            group: group_of(&self.contact(from)),
            scope: Scope::Public,
        };
        let input = Input::Request {
            id,
            asker,
            kind,
            body,
        };
        let arrival = at + rtt / 2 + self.model.lateness(rtt, &mut self.rng);
        self.events.plan(arrival, to, What::Input(input));
    }

    pub(super) fn reply(&mut self, from: NodeId, id: RequestId, reply: Result<ReplyFrame, Refuse>) {
        let Some(asked) = self.asked.remove(&(from, id)) else {
            return;
        };
        let rtt = self.model.rtt(self.seed, from, asked.from);
        let at = self.now + rtt / 2 + self.model.lateness(rtt, &mut self.rng);
        if self.model.all_warm
            && let Ok(frame) = &reply
        {
            self.know(at, asked.from, &contacts_in(frame));
        }
        let is_counted = self.is_counted(asked.from);
        let call = asked.call;
        let input = match reply {
            Ok(ReplyFrame { kind, body }) => {
                if is_counted {
                    self.traffic.bytes += body.len() as u64;
                }
                Input::Answer {
                    call,
                    scope: Scope::Public,
                    kind,
                    body,
                }
            }
            Err(refuse) => {
                self.traffic.busy += u64::from(refuse == Refuse::Busy && is_counted);
                let why = match refuse {
                    Refuse::Unsupported => CallFailure::Unsupported,
                    Refuse::Busy | Refuse::Early | Refuse::Violation(_) => CallFailure::Busy,
                };
                Input::Failed { call, why }
            }
        };
        self.events.plan(at, asked.from, What::Input(input));
    }

    fn is_counted(&self, node: NodeId) -> bool {
        self.watched.is_none_or(|watched| watched == node)
    }

    fn count(&mut self, from: NodeId, kind: u8, bytes: usize) {
        if !self.is_counted(from) {
            return;
        }
        match kind {
            wire::STORE => self.traffic.stores += 1,
            wire::HAND_OFF => self.traffic.hand_offs += 1,
            _ => self.traffic.questions += 1,
        }
        self.traffic.bytes += bytes as u64;
    }

    pub(super) fn sybil(&mut self, node: NodeId, input: Input) {
        let Input::Request { id, kind, body, .. } = input else {
            return;
        };
        let group = self.node(node).and_then(|one| one.group(&self.groups));
        let answer = group.and_then(|group| group.answer(kind, &body));
        self.reply(node, id, answer.ok_or(Refuse::Unsupported));
    }
}

/// The nodes that an answer names.
fn contacts_in(frame: &ReplyFrame) -> Vec<Contact> {
    match frame.kind {
        wire::NODES => decode::<wire::Nodes>(&frame.body).map(|nodes| nodes.contacts),
        wire::VALUE => decode::<wire::Value>(&frame.body).map(|value| value.contacts),
        wire::PROVIDERS => decode::<wire::Providers>(&frame.body).map(|one| one.contacts),
        _ => Ok(List::new()),
    }
    .map(List::into_vec)
    .unwrap_or_default()
}

fn group_of(contact: &Contact) -> IpGroup {
    let socket = contact
        .addresses
        .first()
        .and_then(crate::wire::Address::socket_addr);
    socket.map_or(IpGroup::Local, |socket| IpGroup::of(socket.ip()))
}
