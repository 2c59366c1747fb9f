//! How frames get from one machine to another.

use std::time::Duration;

use bytes::Bytes;

use super::World;
use crate::gossip::{Input, Link};
use crate::policy::Micros;
use crate::sim::gossip::events::Event;
use crate::sim::gossip::frames::{is_proof, next_frame};
use crate::sim::gossip::line::{Carried, Dial, LineId, Parcel};
use crate::sim::gossip::uplink::Leaving;
use crate::sim::gossip::{Authentication, NodeId, Role};
use crate::wire::codec::keep;

/// Frames of a batch arrive together if they fit a packet.
const PACKET_BYTES: usize = 1_200;

/// A part of a batch, and the bytes that the uplink has to send for it.
struct Piece {
    frames: Bytes,
    charged: usize,
}

impl World {
    /// Puts a batch of frames on a node's uplink.
    pub(super) fn send(&mut self, from: NodeId, link: Link, frames: Bytes) {
        let Some(line) = self.line_of(from, link) else {
            return;
        };
        let Some(dial) = self.lines[line.index()].open else {
            return;
        };
        if frames.is_empty() {
            self.answers.push(Input::Writable(link));
            return;
        }
        if !self.is_taken(line, frames.len()) {
            return;
        }
        if self.is_counted(from) {
            self.traffic.send(frames.len());
        }
        let latency = self.lines[line.index()].latency;
        let late = self.model.draw_lateness(latency, &mut self.packets);
        match self.model.uplink {
            None => {
                self.depart(line, dial, self.now, late, frames);
                self.answers.push(Input::Writable(link));
            }
            Some(rate) => self.queue(from, (line, dial), rate, late, frames),
        }
    }

    /// Whether the receiver makes room for so many bytes. One that does not read does so only once.
    fn is_taken(&mut self, line: LineId, bytes: usize) -> bool {
        let to = self.lines[line.index()].to;
        if self.nodes[to.index()].role != Role::Deaf {
            return true;
        }
        let (now, window) = (self.now, self.model.unread);
        let line = &mut self.lines[line.index()];
        line.unread += bytes as u64;
        if line.unread <= window {
            return true;
        }
        line.stalled.get_or_insert(now);
        false
    }

    /// Lets a batch leave behind what waits there already, packet by packet.
    fn queue(
        &mut self,
        from: NodeId,
        (line, dial): (LineId, Dial),
        rate: u64,
        late: Duration,
        frames: Bytes,
    ) {
        let mut left = self.now;
        for piece in self.pieces(frames) {
            let uplink = &mut self.nodes[from.index()].uplink;
            left = uplink.take(self.now, piece.charged, rate);
            // What is lost at the front of a batch holds up all of it: a line keeps its order.
            self.depart(line, dial, left, late, piece.frames);
        }
        let leaving = Leaving {
            at: left,
            line,
            dial,
        };
        if self.nodes[from.index()].uplink.note(leaving) {
            self.events.plan(left, from, Event::Written(from));
        }
    }

    /// Cuts a batch behind the first frame that ends beyond a packet, and so on: a frame arrives when
    /// its own last byte does, not when that of the batch does.
    fn pieces(&self, batch: Bytes) -> Vec<Piece> {
        let is_free = self.model.authentication == Authentication::Free;
        let (mut pieces, mut rest) = (Vec::new(), batch.clone());
        let (mut begin, mut charged) = (0, 0);
        while let Ok(Some(frame)) = next_frame(&mut rest) {
            if !is_free || !is_proof(frame.kind) {
                charged += frame.bytes;
            }
            let end = batch.len() - rest.len();
            if end - begin >= PACKET_BYTES || rest.is_empty() {
                let frames = batch.slice(begin..end);
                pieces.push(Piece { frames, charged });
                (begin, charged) = (end, 0);
            }
        }
        if begin < batch.len() {
            // No frames: the receiver is to see that.
            let frames = batch.slice(begin..);
            let charged = frames.len();
            pieces.push(Piece { frames, charged });
        }
        pieces
    }

    fn depart(&mut self, line: LineId, dial: Dial, left: Micros, late: Duration, frames: Bytes) {
        let latency = self.lines[line.index()].latency;
        let transit = self.model.draw_transit(latency, &mut self.packets);
        let parcel = Parcel {
            at: left + transit + late,
            left,
            dial,
            carried: Carried::Frames(frames),
        };
        if let Some(at) = self.lines[line.index()].push(parcel) {
            self.plan_arrival(at, line);
        }
    }

    pub(super) fn plan_arrival(&mut self, at: Micros, line: LineId) {
        let to = self.lines[line.index()].to;
        self.events.plan(at, to, Event::Arrival(line));
    }

    /// The first that waits at a node's uplink has left.
    pub(super) fn written(&mut self, id: NodeId) {
        let Some(leaving) = self.nodes[id.index()].uplink.pop(self.now) else {
            return;
        };
        if let Some(next) = self.nodes[id.index()].uplink.next() {
            self.events.plan(next, id, Event::Written(id));
        }
        let is_open = self.lines[leaving.line.index()].open == Some(leaving.dial);
        if is_open {
            let link = self.lines[leaving.line.back().index()].link;
            self.tell(id, Input::Writable(link));
        }
    }

    /// The first that is under way on a line arrives, and what arrives with it.
    pub(super) fn arrive(&mut self, line: LineId) {
        if !self.lines[line.index()].is_due(self.now) {
            return;
        }
        while let Some(parcel) = self.lines[line.index()].pop(self.now) {
            self.take_in(line, parcel);
        }
        if let Some(at) = self.lines[line.index()].plan() {
            self.plan_arrival(at, line);
        }
    }

    fn take_in(&mut self, line: LineId, parcel: Parcel) {
        let (to, back) = (self.lines[line.index()].to, line.back());
        if !self.is_alive(to) {
            return;
        }
        let is_open = self.lines[back.index()].open == Some(parcel.dial);
        match parcel.carried {
            Carried::Opened => {
                self.lose(back);
                self.open(back, parcel.dial);
            }
            Carried::Closed if is_open => self.lose(back),
            Carried::Frames(frames) if is_open => self.read(line, frames),
            Carried::Closed | Carried::Frames(_) => {}
        }
    }

    /// Hands a machine the frames of a batch.
    fn read(&mut self, line: LineId, mut batch: Bytes) {
        let (to, link) = (self.lines[line.index()].to, self.lines[line.index()].link);
        let whole = batch.len();
        if self.nodes[to.index()].role == Role::Deaf {
            return;
        }
        let mut inputs = Vec::new();
        let end = loop {
            match next_frame(&mut batch) {
                Ok(Some(frame)) => {
                    if self.is_counted(to) {
                        self.traffic.receive(&frame);
                    }
                    // A machine may hold on to it: what it is a slice of would stay, too.
                    let (kind, body) = (frame.kind, keep(frame.body, whole));
                    inputs.push(Input::Frame { link, kind, body });
                }
                end => break end,
            }
        };
        self.tell_all(to, inputs);
        // A fault in the frames before may have closed the connection.
        let is_open = self.lines[line.back().index()].open.is_some();
        if end.is_err() && is_open {
            self.accuse(to, link, None);
            let lost = std::mem::take(&mut self.answers);
            self.tell_all(to, lost);
        }
    }
}
