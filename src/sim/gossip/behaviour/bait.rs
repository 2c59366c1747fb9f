//! Announces everything and sends nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::{Bytes, BytesMut};

use super::mute::only;
use crate::gossip::{Input, Link, Output, TopicHash};
use crate::policy::{Micros, Now};
use crate::sim::gossip::Machine;
use crate::wire::codec::{List, decode, encode};
use crate::wire::frame::encode_frame;
use crate::wire::message::gossip::{self as wire, IHave, MessageId, TopicOrdinal};

/// The only subscription that a node of the simulation makes.
const TOPIC: TopicOrdinal = 0;

/// Ids that it remembers to have announced: those of half a minute at 120 messages a second.
const MOST_ANNOUNCED: usize = 4_096;

/// An honest machine until a moment; then it announces every id that it learns of, to everybody and at
/// once, and sends none of the messages.
#[derive(Debug)]
pub struct Bait {
    inner: Box<dyn Machine>,
    from: Micros,
    now: Micros,
    announced: BTreeSet<MessageId>,
    /// The same in the order in which they came.
    order: VecDeque<MessageId>,
    /// Neighbours, and whose the batches are that are not yet written, in order.
    links: BTreeMap<Link, VecDeque<Sender>>,
    /// Announcements to be sent: one a neighbour and id that an input brought.
    announcements: VecDeque<(Link, Bytes)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    /// The machine inside waits for it.
    Inner,
    /// Nobody does.
    Bait,
}

impl Bait {
    /// Turns at `from`.
    #[must_use]
    pub fn new(inner: Box<dyn Machine>, from: Micros) -> Self {
        Self {
            inner,
            from,
            now: Micros(0),
            announced: BTreeSet::new(),
            order: VecDeque::new(),
            links: BTreeMap::new(),
            announcements: VecDeque::new(),
        }
    }

    fn announce(&mut self, id: MessageId) {
        if self.now < self.from || !self.announced.insert(id) {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > MOST_ANNOUNCED
            && let Some(oldest) = self.order.pop_front()
        {
            self.announced.remove(&oldest);
        }
        let (topic, ids) = (TOPIC, List::truncated([id]));
        let mut frame = BytesMut::new();
        encode_frame(wire::IHAVE, &encode(&IHave { topic, ids }), &mut frame);
        let frame = frame.freeze();
        let announcements = self.links.keys().map(|link| (*link, frame.clone()));
        self.announcements.extend(announcements);
    }

    /// Whether an input is for the machine inside.
    fn look(&mut self, input: &Input) -> bool {
        match input {
            Input::Connected { link, .. } => {
                self.links.insert(*link, VecDeque::new());
            }
            Input::Disconnected(link) => {
                self.links.remove(link);
            }
            Input::Writable(link) => {
                let unwritten = self.links.get_mut(link);
                let sender = unwritten.and_then(VecDeque::pop_front);
                return sender != Some(Sender::Bait);
            }
            Input::Frame {
                kind: wire::IHAVE,
                body,
                ..
            } => {
                if let Ok(heard) = decode::<IHave>(body) {
                    heard.ids.iter().for_each(|id| self.announce(*id));
                }
            }
            _ => {}
        }
        true
    }

    fn note(&mut self, link: Link, sender: Sender) {
        if let Some(unwritten) = self.links.get_mut(&link) {
            unwritten.push_back(sender);
        }
    }
}

impl Machine for Bait {
    fn handle(&mut self, now: Now, input: Input) {
        self.now = now.mono;
        if self.look(&input) {
            self.inner.handle(now, input);
        }
    }

    fn poll_output(&mut self) -> Option<Output> {
        if let Some(output) = self.inner.poll_output() {
            return Some(match output {
                Output::Send { link, frames } => {
                    self.note(link, Sender::Inner);
                    let frames = if self.now >= self.from {
                        only(&frames, is_no_message)
                    } else {
                        frames
                    };
                    Output::Send { link, frames }
                }
                Output::Deliver(message) => {
                    self.announce(message.id);
                    Output::Deliver(message)
                }
                output => output,
            });
        }
        let (link, frames) = self.announcements.pop_front()?;
        self.note(link, Sender::Bait);
        Some(Output::Send { link, frames })
    }

    fn poll_timeout(&self) -> Option<Micros> {
        self.inner.poll_timeout()
    }

    fn mesh(&self, topic: &TopicHash) -> Vec<Link> {
        self.inner.mesh(topic)
    }
}

/// It announces by itself, and seals come with messages only.
const fn is_no_message(kind: u8) -> bool {
    !matches!(
        kind,
        wire::KEY | wire::SEAL | wire::MESSAGE | wire::UNSIGNED | wire::IHAVE
    )
}
