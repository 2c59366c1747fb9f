//! Takes and does not give.

use bytes::{Bytes, BytesMut};

use crate::gossip::{Input, Link, Output, TopicHash};
use crate::policy::{Micros, Now};
use crate::sim::gossip::Machine;
use crate::sim::gossip::frames::next_frame;
use crate::wire::message::gossip as wire;

/// An honest machine until a moment; then it forwards and answers nothing. It stays subscribed and in
/// the meshes, and goes on asking to be sent messages.
#[derive(Debug)]
pub struct Mute {
    inner: Box<dyn Machine>,
    from: Micros,
    now: Micros,
}

impl Mute {
    /// Falls silent at `from`.
    #[must_use]
    pub fn new(inner: Box<dyn Machine>, from: Micros) -> Self {
        Self {
            inner,
            from,
            now: Micros(0),
        }
    }
}

impl Machine for Mute {
    fn handle(&mut self, now: Now, input: Input) {
        self.now = now.mono;
        self.inner.handle(now, input);
    }

    fn poll_output(&mut self) -> Option<Output> {
        let output = self.inner.poll_output()?;
        Some(match output {
            Output::Send { link, frames } if self.now >= self.from => Output::Send {
                link,
                frames: only(&frames, is_membership),
            },
            output => output,
        })
    }

    fn poll_timeout(&self) -> Option<Micros> {
        self.inner.poll_timeout()
    }

    fn mesh(&self, topic: &TopicHash) -> Vec<Link> {
        self.inner.mesh(topic)
    }
}

/// What keeps a peer in its neighbours' books.
const fn is_membership(kind: u8) -> bool {
    matches!(
        kind,
        wire::SUBSCRIBE | wire::UNSUBSCRIBE | wire::GRAFT | wire::PRUNE | wire::MODES
    )
}

/// Some of the frames of a batch. A batch of which nothing is left is written at once.
pub(super) fn only(batch: &Bytes, is_kept: fn(u8) -> bool) -> Bytes {
    let (mut rest, mut kept) = (batch.clone(), BytesMut::new());
    while let Ok(Some(frame)) = next_frame(&mut rest) {
        let end = batch.len() - rest.len();
        if is_kept(frame.kind) {
            kept.extend_from_slice(&batch[end - frame.bytes..end]);
        }
    }
    kept.freeze()
}
