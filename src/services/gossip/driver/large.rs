//! Long messages.

use bytes::Bytes;

use super::super::chunks::{self, Asked};
use super::super::validation::in_time;
use super::{Driver, Work};
use crate::gossip::{AskId, ChunkAnswer, Header, Input, Link, Verdict};
use crate::wire::message::gossip::MessageId;

impl Driver {
    /// Asks a neighbour for a chunk.
    pub(super) fn ask_chunk(&mut self, link: Link, message: MessageId, index: u16) {
        let peer = self.links.peer(link);
        let caller = self.parts.caller.clone();
        self.work.spawn(async move {
            let answer = match peer {
                Some(peer) => chunks::fetch(&caller, peer, message, index).await,
                None => ChunkAnswer::Refused,
            };
            Work::Made(Input::Chunk {
                link,
                message,
                index,
                answer,
            })
        });
    }

    /// A neighbour asks for one; a peer with which no gossip is under way is offered none.
    pub(super) fn chunk_asked(&mut self, asked: Asked) {
        let Some(link) = self.links.session(&asked.peer).map(|session| session.link) else {
            // Who asked may be gone.
            _ = asked.reply.send(None);
            return;
        };
        let ask = AskId(self.next_ask);
        self.next_ask += 1;
        self.asks.insert(ask, asked.reply);
        self.feed(Input::ChunkAsked {
            ask,
            link,
            message: asked.message,
            index: asked.index,
        });
    }

    pub(super) fn give_chunk(&mut self, ask: AskId, chunk: Option<Bytes>) {
        if let Some(reply) = self.asks.remove(&ask) {
            // Who asked may be gone.
            _ = reply.send(chunk);
        }
    }

    /// Has a header judged, as a message is.
    pub(super) fn judge_header(&mut self, header: Header) {
        let validator = self.topics.validator(&header.topic);
        let id = header.id;
        let task = self.work.spawn(async move {
            let verdict = match validator {
                Some(validator) => in_time(validator.admit(&header)).await,
                // Nobody wants the topic any more.
                None => Verdict::Ignore,
            };
            Work::Made(Input::Judged { id, verdict })
        });
        self.topics.judge(task.id(), id);
    }
}
