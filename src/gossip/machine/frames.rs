//! Frames of a neighbour.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::neighbour::{Named, Neighbour};
use super::parcel::Class;
use super::{Fault, Gossip, Link, TopicHash};
use crate::gossip::seals;
use crate::wire::Violation;
use crate::wire::codec::decode;
use crate::wire::message::gossip::{
    self as wire, IDontWant, IHave, IWant, MAX_TOPICS, Modes, Prune, Subscribe, TopicOrdinal,
    Topics,
};

impl Gossip {
    pub(super) fn frame(&mut self, link: Link, kind: u8, body: &Bytes) {
        self.spoke(link);
        let neighbour = self.neighbours.get(&link);
        if neighbour.is_none_or(|one| one.is_over)
            || self.is_unheard(link, kind)
            || self.is_over_rate(link, kind, body.len())
        {
            return;
        }
        let taken = match kind {
            wire::SUBSCRIBE => self.on_subscribe(link, body),
            wire::UNSUBSCRIBE => self.on_unsubscribe(link, body),
            wire::GRAFT => self.on_graft(link, body),
            wire::PRUNE => self.on_prune(link, body),
            wire::IHAVE => self.on_ihave(link, body),
            wire::IWANT => self.on_iwant(link, body),
            wire::IDONTWANT => self.on_idontwant(link, body),
            wire::MODES => self.on_modes(link, body),
            wire::WAKE => self.on_wake(link, body),
            wire::KEY => self.on_key(link, body),
            wire::SEAL => self.on_seal(link, body),
            wire::MESSAGE => self.on_message(link, body),
            wire::UNSIGNED => self.on_unsigned(link, body),
            wire::LARGE => self.on_large(link, body),
            wire::HAVE => self.on_have(link, body),
            _ => Err(Fault::Malformed(Violation::UnknownFrame { kind })),
        };
        if let Err(fault) = taken {
            self.fault(link, fault);
        }
    }

    /// Of a graylisted neighbour nothing counts but what later frames refer to.
    fn is_unheard(&self, link: Link, kind: u8) -> bool {
        let is_named = matches!(
            kind,
            wire::SUBSCRIBE | wire::UNSUBSCRIBE | wire::KEY | wire::SEAL
        );
        !is_named && self.is_graylisted(link)
    }

    fn on_subscribe(&mut self, link: Link, body: &Bytes) -> Result<(), Fault> {
        let frame: Subscribe = decode(body)?;
        if !self.names_topics(link, frame.topics.len()) {
            return Ok(());
        }
        for hash in &frame.topics {
            let topic = TopicHash::from_bytes(*hash);
            let Some(neighbour) = self.neighbours.get_mut(&link) else {
                return Ok(());
            };
            let is_new = neighbour.theirs.add(topic);
            if neighbour.theirs.len() > MAX_TOPICS {
                neighbour.theirs.remove(&topic);
                return Err(Fault::TooManySubscriptions);
            }
            if !neighbour.is_slow() {
                self.audience.join(topic, link);
                if is_new {
                    self.tell_unheard(link, &topic);
                }
            }
            let own = self.topics.get(&topic);
            if is_new && own.is_some_and(|one| one.is_subscribed()) {
                self.beats.soon(self.now.mono, &self.config);
                // Who comes back is asked at the next heartbeat, once however often it does.
                let neighbour = self.neighbours.get(&link);
                if neighbour.is_some_and(|one| !one.has_left(&topic)) {
                    self.ask_for_the_rest(link, &topic);
                }
            }
        }
        Ok(())
    }

    fn on_unsubscribe(&mut self, link: Link, body: &Bytes) -> Result<(), Fault> {
        let frame: Topics = decode(body)?;
        if !self.names_topics(link, frame.topics.len()) {
            return Ok(());
        }
        for ordinal in &frame.topics {
            if let Some(topic) = self.theirs(link, *ordinal)? {
                let is_ours = self.topics.contains_key(&topic);
                if let Some(neighbour) = self.neighbours.get_mut(&link) {
                    if neighbour.unsubscribed(&topic, is_ours) {
                        self.wishes.forget();
                    }
                    self.audience.leave(&topic, link);
                }
                self.lost_subscriber(link, &topic);
            }
        }
        Ok(())
    }

    fn on_graft(&mut self, link: Link, body: &Bytes) -> Result<(), Fault> {
        let frame: Topics = decode(body)?;
        // One that stands twice counts once: the second would be somebody who was just sent away.
        let ordinals: BTreeSet<_> = frame.topics.iter().copied().collect();
        for ordinal in ordinals {
            if let Some(topic) = self.ours(link, ordinal)? {
                self.grafted_by(link, topic);
            }
        }
        Ok(())
    }

    fn on_prune(&mut self, link: Link, body: &Bytes) -> Result<(), Fault> {
        let frame: Prune = decode(body)?;
        if let Some(topic) = self.ours(link, frame.topic)? {
            self.pruned_by(link, topic, frame);
        }
        Ok(())
    }

    fn on_ihave(&mut self, link: Link, body: &Bytes) -> Result<(), Fault> {
        let frame: IHave = decode(body)?;
        if let Some(topic) = self.ours(link, frame.topic)? {
            self.announced_by(link, topic, &frame.ids);
        }
        Ok(())
    }

    fn on_iwant(&mut self, link: Link, body: &Bytes) -> Result<(), Fault> {
        let frame: IWant = decode(body)?;
        self.wanted_by(link, &frame.ids);
        Ok(())
    }

    fn on_idontwant(&mut self, link: Link, body: &Bytes) -> Result<(), Fault> {
        let frame: IDontWant = decode(body)?;
        let heartbeat = self.beats.count();
        if let Some(neighbour) = self.neighbours.get_mut(&link) {
            for id in &frame.ids {
                neighbour.refuse(*id, heartbeat);
            }
        }
        Ok(())
    }

    fn on_modes(&mut self, link: Link, body: &Bytes) -> Result<(), Fault> {
        let frame: Modes = decode(body)?;
        let topic = self.ours(link, frame.topic)?;
        if let (Some(topic), Some(neighbour)) = (topic, self.neighbours.get_mut(&link)) {
            let sources = self.sources.as_ref();
            let is_known =
                |class: &Class| sources.is_some_and(|sources| sources.learned(class).is_some());
            for change in &frame.changes {
                let class = (topic, change.publisher);
                if neighbour.ask(class, change.mode, is_known) {
                    self.wishes.forget();
                } else {
                    self.wishes.changed(&class, link, neighbour.asked(&class));
                }
            }
        }
        Ok(())
    }

    fn on_wake(&mut self, link: Link, body: &Bytes) -> Result<(), Fault> {
        let frame: Topics = decode(body)?;
        for ordinal in &frame.topics {
            self.ours(link, *ordinal)?;
        }
        self.woken_by(link);
        Ok(())
    }

    fn on_key(&mut self, link: Link, body: &Bytes) -> Result<(), Fault> {
        if !self.names(link, body.len()) {
            return Ok(());
        }
        let frame: wire::Key = decode(body)?;
        let key = seals::check_key(&frame)?;
        let key = self.keys.share(key);
        self.received(link)?.add_key(key);
        Ok(())
    }

    fn on_seal(&mut self, link: Link, body: &Bytes) -> Result<(), Fault> {
        if !self.names(link, body.len()) {
            return Ok(());
        }
        let frame: wire::Seal = decode(body)?;
        let key = self.received(link)?.key(frame.key)?.clone();
        let seal = seals::check_seal(&self.network, frame, &key)?;
        let seal = self.seals.share(seal);
        self.received(link)?.add_seal(seal);
        Ok(())
    }

    fn received(&mut self, link: Link) -> Result<&mut seals::ReceivedReferences, Fault> {
        let neighbour = self.neighbours.get_mut(&link);
        let received = neighbour.map(|neighbour: &mut Neighbour| &mut neighbour.received);
        received.ok_or(Fault::UnknownOrdinal)
    }

    /// The topic of this node's subscription on its stream to the neighbour; none if it has ended.
    pub(super) fn ours(
        &self,
        link: Link,
        ordinal: TopicOrdinal,
    ) -> Result<Option<TopicHash>, Fault> {
        let neighbour = self.neighbours.get(&link);
        resolve(neighbour.map(|neighbour| neighbour.ours.named(ordinal)))
    }

    fn theirs(&self, link: Link, ordinal: TopicOrdinal) -> Result<Option<TopicHash>, Fault> {
        let neighbour = self.neighbours.get(&link);
        resolve(neighbour.map(|neighbour| neighbour.theirs.named(ordinal)))
    }
}

fn resolve(named: Option<Named>) -> Result<Option<TopicHash>, Fault> {
    match named {
        Some(Named::Topic(topic)) => Ok(Some(topic)),
        Some(Named::Ended) | None => Ok(None),
        Some(Named::Nothing) => Err(Fault::UnknownOrdinal),
    }
}
