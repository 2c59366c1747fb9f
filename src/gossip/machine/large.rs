//! Messages that are longer than a frame: their headers are messages, their chunks are exchanged.

use std::sync::Arc;

use bytes::Bytes;

use super::parcel::{Content, Parcel, Proof};
use super::store::State;
use super::{AskId, ChunkAnswer, Event, Fault, Gossip, Link, Message, Output, TopicHash, Verdict};
use crate::gossip::large::{Arrival, News, NotBegun, Origin, Outline};
use crate::gossip::seals;
use crate::wire::codec::decode;
use crate::wire::message::gossip::{self as wire, Have, MessageId};

impl Gossip {
    pub(super) fn on_large(&mut self, link: Link, body: &Bytes) -> Result<(), Fault> {
        let frame: wire::Large = self.decode_sealed(link, body)?;
        let Some(neighbour) = self.neighbours.get(&link) else {
            return Ok(());
        };
        let seal = neighbour.received.seal(frame.seal)?.clone();
        let topic = TopicHash::from_bytes(*seal.body().topic());
        let index = frame.index;
        let leaf = self.leaf(link, &seal, index)?;
        let check = |gossip: &mut Self, frame| {
            let checked = seals::check_large(&gossip.network, &seal, frame);
            if checked.is_err() {
                gossip.score.invalid(link, topic);
            }
            checked
        };
        if self.counts(link, &leaf.0) {
            check(self, frame.clone())?;
        }
        if !self.is_wanted(link, &leaf.0, &topic)? {
            return Ok(());
        }
        let (listed, outline) = check(self, frame)?;
        let proof = Some(Proof { listed, index });
        let content = Content::Outline(Arc::new(outline));
        let parcel = Parcel {
            id: leaf.0,
            topic,
            proof,
            content,
        };
        self.arrived(link, parcel.shared());
        Ok(())
    }

    pub(super) fn on_have(&mut self, link: Link, body: &Bytes) -> Result<(), Fault> {
        let frame: Have = decode(body)?;
        let now = self.now.mono;
        let Some(transfer) = self.transfers.get_mut(&frame.message) else {
            if !self.store.is_known(&frame.message) {
                let said = (&*frame.has, &*frame.offers);
                self.transfers.hear_early(now, link, frame.message, said);
            }
            return Ok(());
        };
        let heard = transfer.hear(link, &frame.has, &frame.offers);
        heard.map_err(|_| Fault::FalseChunks)
    }

    /// Takes part in spreading a message of somebody else.
    ///
    /// # Errors
    /// [`NotBegun`] if it is not carried.
    pub(super) fn carry(
        &mut self,
        parcel: &Parcel,
        outline: &Arc<Outline>,
    ) -> Result<(), NotBegun> {
        // Only a sealed message has a header.
        let origin = origin(parcel).ok_or(NotBegun::Distrusted)?;
        let (now, id) = (self.now.mono, parcel.id);
        let begun = self.transfers.fetch(now, id, origin, outline).map(|_| ());
        self.drop_given_up();
        match begun {
            Ok(()) => {}
            Err(NotBegun::Known) => return Ok(()),
            Err(refused) => return Err(refused),
        }
        for link in self.subscribers(&parcel.topic).to_vec() {
            self.ask_what_is_there(link, id);
        }
        Ok(())
    }

    /// Whether a message may be carried, if it is a long one.
    pub(super) fn has_room_for(&self, parcel: &Parcel) -> bool {
        let (Content::Outline(outline), Some(origin)) = (&parcel.content, origin(parcel)) else {
            return true;
        };
        let (now, bytes) = (self.now.mono, outline.length() as usize);
        self.transfers.has_room(now, parcel.id, origin, bytes) != Err(NotBegun::Full)
    }

    /// What made room for others is not carried any more.
    fn drop_given_up(&mut self) {
        for id in self.transfers.take_given_up() {
            self.store.set(&id, State::Dropped);
        }
    }

    /// A neighbour that is new on a topic, or is back, may have what is not here yet.
    pub(super) fn ask_for_the_rest(&mut self, link: Link, topic: &TopicHash) {
        let missing: Vec<_> = self.transfers.missing(topic).collect();
        for id in missing {
            self.ask_what_is_there(link, id);
        }
    }

    /// Tells a neighbour that nothing of a message is here, unless it does not read.
    fn ask_what_is_there(&mut self, link: Link, message: MessageId) {
        if !self.transfers.is_deaf(link) {
            self.tell_chunks(link, message, &News::default());
        }
    }

    /// Begins to spread a message of this node; `false` if there is no room.
    pub(super) fn seed(&mut self, parcel: &Parcel, outline: &Arc<Outline>, data: &Bytes) -> bool {
        let Some(origin) = origin(parcel) else {
            return false;
        };
        let links = self.subscribers(&parcel.topic).to_vec();
        let (now, id) = (self.now.mono, parcel.id);
        let begun = self.transfers.publish(now, id, origin, outline, data);
        let is_begun = begun.is_ok();
        if let Ok(transfer) = begun {
            links.into_iter().for_each(|link| transfer.meet(link));
        }
        self.drop_given_up();
        is_begun
    }

    /// A neighbour gave a chunk that it was asked for, or did not.
    pub(super) fn chunk(&mut self, link: Link, id: &MessageId, index: u16, answer: ChunkAnswer) {
        let now = self.now.mono;
        if !matches!(answer, ChunkAnswer::RanOut) {
            self.spoke(link);
        } else if self.neighbours.contains_key(&link) {
            self.transfers.ran_out(link);
        }
        let after = self.transfers.answered(now, id, link, index);
        let Some(transfer) = self.transfers.get_mut(id) else {
            return;
        };
        let data = match answer {
            ChunkAnswer::Given(data) => data,
            ChunkAnswer::Refused => return transfer.disappoint(link, index),
            ChunkAnswer::RanOut => return,
        };
        let arrival = transfer.arrive(now, index, data);
        match arrival {
            Arrival::New | Arrival::Last(_) => {
                if let Some(after) = after {
                    self.transfers.gave_chunk(link, after);
                    self.transfers.responded(after);
                }
            }
            Arrival::Needless => {
                if let Some(after) = after {
                    self.transfers.gave_chunk(link, after);
                }
            }
            Arrival::Forged => {
                transfer.disappoint(link, index);
                if let Some(origin) = self.transfers.origin(id) {
                    self.score.invalid(link, origin.topic);
                }
                self.fault(link, Fault::ForgedChunk);
            }
        }
        if let Arrival::Last(data) = arrival {
            self.completed(link, id, data);
        }
    }

    /// A neighbour asks for a chunk.
    pub(super) fn chunk_asked(&mut self, ask: AskId, link: Link, id: &MessageId, index: u16) {
        let now = self.now.mono;
        let is_heard = !self.is_graylisted(link);
        let chunk = is_heard.then(|| self.transfers.give(now, id, link, index));
        let chunk = chunk.flatten();
        self.outputs.push_back(Output::GiveChunk { ask, chunk });
    }

    /// All of a message is here; a neighbour gave the last chunk.
    fn completed(&mut self, link: Link, id: &MessageId, data: Bytes) {
        let Some(Origin { topic, source }) = self.transfers.origin(id) else {
            return;
        };
        let (id, source) = (*id, Some(source));
        let message = Message {
            id,
            topic,
            source,
            data,
        };
        let topic = self.topics.get(&topic);
        match topic.and_then(|topic| topic.subscription) {
            Some(options) if options.is_judged => {
                if let Some(transfer) = self.transfers.get_mut(&id) {
                    transfer.judge(message);
                    self.judge_whole(link, id);
                }
            }
            Some(_) => self.outputs.push_back(Output::Deliver(message)),
            None => {}
        }
    }

    /// The program judged a message all of which is here. Its chunks were passed on before, as its header
    /// was accepted: if it is rejected, that is the publisher's doing.
    pub(super) fn judged_whole(&mut self, id: &MessageId, verdict: Verdict) {
        let transfer = self.transfers.get_mut(id);
        let Some(message) = transfer.and_then(|transfer| transfer.judged()) else {
            return;
        };
        if verdict == Verdict::Accept {
            return self.outputs.push_back(Output::Deliver(message));
        }
        self.store.set(id, State::Dropped);
        let origin = self.transfers.drop(id);
        if let (Verdict::Reject, Some(origin)) = (verdict, origin) {
            let publisher = origin.source.publisher;
            self.transfers.distrust(self.now.mono, publisher);
            self.emit(Event::Distrusted(publisher));
        }
    }

    /// Asks for chunks, and tells who has which.
    pub(super) fn exchange_chunks(&mut self) {
        let (asks, news) = self.transfers.poll(self.now.mono, &mut self.rng);
        for (link, message, index) in asks {
            self.outputs.push_back(Output::AskChunk {
                link,
                message,
                index,
            });
        }
        for (link, id, news) in news {
            self.tell_chunks(link, id, &news);
        }
    }

    /// A neighbour took what it was sent. If it was told nothing of chunks because it did not, it is now.
    pub(super) fn inform(&mut self, link: Link) {
        let neighbour = self.neighbours.get(&link);
        let hears = neighbour.filter(|one| !one.is_slow() && one.outbox.takes_news());
        let Some(topics) = hears.map(|one| one.theirs.topics().collect::<Vec<_>>()) else {
            return;
        };
        if self.transfers.hears(link) {
            for topic in topics {
                self.ask_for_the_rest(link, &topic);
            }
        }
    }

    fn tell_chunks(&mut self, link: Link, message: MessageId, news: &News) {
        let Some(neighbour) = self.touch(link) else {
            return;
        };
        for frame in news.frames(message) {
            neighbour.outbox.control(wire::HAVE, &frame);
        }
        if !neighbour.outbox.takes_news() {
            self.transfers.deafened(link);
        }
    }
}

fn origin(parcel: &Parcel) -> Option<Origin> {
    let (topic, source) = (parcel.topic, parcel.source()?);
    Some(Origin { topic, source })
}
