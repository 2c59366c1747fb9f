use std::collections::VecDeque;
use std::time::Duration;

use super::connection::{Connection, ConnectionId, Direction, State};
use crate::identity::PeerId;
use crate::policy::Micros;

/// Longest wait for a sign of life from the older connection; one round trip and
/// [`PROBE_MARGIN`] if that is shorter. A peer that is farther away than this loses its older
/// connection without harm.
pub const PROBE_LIMIT: Duration = Duration::from_millis(250);

/// What a living peer may take beyond the round trip: its delayed acknowledgement, by default 25 ms
/// (RFC 9000 §18.2, `max_ack_delay`).
pub const PROBE_MARGIN: Duration = Duration::from_millis(25);

/// A connection that lost is closed at the latest after this: two seconds are enough for any request
/// with its retransmissions, and bound what a peer that keeps dialling can hold.
pub const DRAIN_LIMIT: Duration = Duration::from_secs(2);

/// A connection that lost is closed before [`DRAIN_LIMIT`] once it had no open stream for this long
/// and [`QUIET_ROUND_TRIPS`]: a stream that the other end opened just before it came to the same
/// verdict is still on its way.
pub const QUIET: Duration = Duration::from_millis(250);

/// Round trips added to [`QUIET`]: if the packet that opens that stream is lost, it is sent again
/// after at most three (RFC 9002 §6.2.1, with the variance that a first sample gives).
pub const QUIET_ROUND_TRIPS: u32 = 3;

/// The end that does not decide waits this long for the other to close, then closes itself when the
/// survivor shows that it lives (it is asked again after as long): the other end may have no memory
/// of the connection (it restarted, or is a second process with the same identity), or its word was
/// lost. A living one has spoken after [`PROBE_LIMIT`] + [`DRAIN_LIMIT`] and a few round
/// trips.
pub const FOLLOWER_PATIENCE: Duration = Duration::from_secs(5);

/// Confirmed connections with one peer: one per direction and its successor. A further one closes
/// the oldest that lost.
pub const MAX_CONNECTIONS_PER_PEER: usize = 4;

/// What happened to a connection with the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Its handshake is confirmed. Nothing is told about it before.
    Confirmed {
        /// The connection.
        connection: ConnectionId,
        /// Who dialled it.
        direction: Direction,
        /// Round-trip time as the handshake measured it.
        rtt: Duration,
    },
    /// A packet arrived on it. Those on the current connection need not be reported.
    Packet(ConnectionId),
    /// The number of streams open on it changed, both directions and both openers together.
    Streams {
        /// The connection.
        connection: ConnectionId,
        /// Streams open now.
        open: u32,
    },
    /// It is gone, whoever closed it.
    Closed(ConnectionId),
    /// The moment of [`Duplicates::poll_timeout`] came.
    Timer,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Send a ping on this connection and report the next packet on it.
    Probe(ConnectionId),
    /// New streams go to this connection from now on. The generation is 1 for the first connection
    /// with the peer and grows with every change.
    Surviving {
        /// The connection.
        connection: ConnectionId,
        /// Its generation.
        generation: u64,
    },
    /// Close this connection with the code `REDUNDANT`. It is forgotten already.
    Close(ConnectionId),
}

/// The connections with one peer, seen from one end.
///
/// At most one connection a direction: a newer one replaces an older one. Of the two directions the
/// one dialled by the smaller `PeerId` survives, unless it is the older one and no packet arrives on
/// it after the newer was confirmed; a packet that comes late, but before the close, still counts.
/// While the older one is being asked, new streams go to the newer
/// one, which is alive for certain. A connection that lost gets no new streams.
///
/// *Both ends must not close at once*, each what the other keeps: their packets cross, and their
/// probes may end differently. So one end decides: the dialler between its own connections, the
/// smaller `PeerId` between the directions. The other end moves its new streams by the same rule and
/// leaves the closing to the first for [`FOLLOWER_PATIENCE`], and then asks the survivor for a sign of life before it
/// closes anything for it; if the survivor is closed under it, it returns to what is left.
///
/// *Contract.* [`handle`](Self::handle) each input in the order in which it happened, with a time
/// that never goes back; then drain [`poll_output`](Self::poll_output); then call with
/// [`Input::Timer`] when [`poll_timeout`](Self::poll_timeout) is due. A dial that may have reached
/// the peer is never abandoned silently: it is confirmed and handed in here.
#[derive(Debug, Clone)]
pub struct Duplicates {
    local: PeerId,
    remote: PeerId,
    /// In the order of confirmation.
    connections: Vec<Connection>,
    current: Option<ConnectionId>,
    generation: u64,
    rank: u64,
    outputs: VecDeque<Output>,
}

impl Duplicates {
    /// No connection yet.
    #[must_use]
    pub fn new(local: PeerId, remote: PeerId) -> Self {
        Self {
            local,
            remote,
            connections: Vec::new(),
            current: None,
            generation: 0,
            rank: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Takes one input.
    pub fn handle(&mut self, now: Micros, input: Input) {
        self.rank = self.rank.saturating_add(1);
        match input {
            Input::Confirmed {
                connection,
                direction,
                rtt,
            } => {
                self.add(now, connection, direction, rtt);
            }
            Input::Packet(id) => {
                let rank = self.rank;
                self.update(id, |connection| connection.hear(rank));
            }
            Input::Streams { connection, open } => self.update(connection, |connection| {
                if connection.open_streams > 0 && open == 0 {
                    connection.quiet_since = now;
                }
                connection.open_streams = open;
            }),
            Input::Closed(id) => self.connections.retain(|connection| connection.id != id),
            Input::Timer => {}
        }
        self.judge(now);
        self.close_losers(now);
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call with [`Input::Timer`] at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        self.connections
            .iter()
            .filter_map(|connection| self.deadline(connection))
            .min()
    }

    /// Where new streams go, and its generation.
    #[must_use]
    pub fn current(&self) -> Option<(ConnectionId, u64)> {
        self.current.map(|connection| (connection, self.generation))
    }

    /// Whether a connection has lost for good, and this end is the one to close it.
    #[must_use]
    pub fn is_ours_to_close(&self, id: ConnectionId) -> bool {
        let found = self.connections.iter().find(|found| found.id == id);
        let lost = found.filter(|found| matches!(found.state, State::Loser { .. }));
        lost.is_some_and(|found| self.decides_about(found))
    }

    /// Confirmed connections that are not closed yet, losers included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.connections.len()
    }

    /// Whether there is no connection with the peer.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    fn add(&mut self, now: Micros, id: ConnectionId, direction: Direction, rtt: Duration) {
        if self
            .connections
            .iter()
            .any(|connection| connection.id == id)
        {
            return;
        }
        self.connections.push(Connection {
            id,
            direction,
            rtt,
            confirmed: self.rank,
            heard: self.rank,
            open_streams: 0,
            quiet_since: now,
            state: State::Candidate,
            asked: None,
        });
    }

    fn update(&mut self, id: ConnectionId, change: impl FnOnce(&mut Connection)) {
        if let Some(connection) = self.connections.iter_mut().find(|found| found.id == id) {
            change(connection);
        }
    }

    /// Finds the survivor and turns the others into losers.
    fn judge(&mut self, now: Micros) {
        self.replace_older(now);
        if self.connections.iter().all(Connection::is_out) {
            self.revive();
        }
        let favoured = self.candidate(self.favoured_direction());
        let other = self.candidate(self.favoured_direction().reverse());
        let survivor = match (favoured, other) {
            (Some(favoured), Some(other)) => self.compare(now, favoured, other),
            (only, None) | (None, only) => only.inspect(|index| {
                self.connections[*index].state = State::Candidate;
            }),
        };
        let id = survivor.map(|index| self.connections[index].id);
        if let Some(connection) = id
            && self.current != id
        {
            self.generation = self.generation.saturating_add(1);
            self.outputs.push_back(Output::Surviving {
                connection,
                generation: self.generation,
            });
        }
        self.current = id;
    }

    /// Of each direction only the newest stays a candidate.
    fn replace_older(&mut self, now: Micros) {
        for direction in [Direction::Outgoing, Direction::Incoming] {
            let newest = self.candidate(direction);
            let Some(newest) = newest else { continue };
            let older = self.connections.iter_mut().take(newest);
            older
                .filter(|found| found.direction == direction)
                .for_each(|found| found.lose(now));
        }
    }

    /// Nothing but losers are left, so the last word about them was wrong: the newest returns.
    fn revive(&mut self) {
        if let Some(newest) = self.connections.last_mut() {
            newest.state = State::Candidate;
        }
    }

    /// Decides between the directions, and returns where new streams go.
    fn compare(&mut self, now: Micros, favoured: usize, other: usize) -> Option<usize> {
        let other_confirmed = self.connections[other].confirmed;
        let connection = &mut self.connections[favoured];
        if connection.confirmed > other_confirmed || connection.heard > other_confirmed {
            connection.state = State::Candidate;
            self.connections[other].lose(now);
            return Some(favoured);
        }
        match connection.state {
            State::Probed { deadline } if deadline <= now => {
                connection.fall_silent(now);
            }
            State::Probed { .. } | State::Silent { .. } | State::Loser { .. } => {}
            State::Candidate => {
                let deadline = now + connection.rtt.saturating_add(PROBE_MARGIN).min(PROBE_LIMIT);
                connection.state = State::Probed { deadline };
                self.outputs.push_back(Output::Probe(connection.id));
            }
        }
        Some(other)
    }

    fn close_losers(&mut self, now: Micros) {
        self.ask_survivor(now);
        let mut due: Vec<ConnectionId> = self
            .connections
            .iter()
            .filter(|found| found.is_out() && self.is_due(now, found))
            .map(|found| found.id)
            .collect();
        let left = self.connections.len() - due.len();
        let excess = left.saturating_sub(MAX_CONNECTIONS_PER_PEER);
        let oldest = self
            .connections
            .iter()
            .filter(|found| found.is_out())
            .map(|found| found.id);
        let oldest = oldest
            .filter(|id| !due.contains(id))
            .take(excess)
            .collect::<Vec<_>>();
        due.extend(oldest);
        self.connections.retain(|found| !due.contains(&found.id));
        self.outputs.extend(due.into_iter().map(Output::Close));
    }

    /// The end that does not decide closes nothing before it knows that the other has what stays: the other may have
    /// closed just that, and its word was lost.
    fn ask_survivor(&mut self, now: Micros) {
        let is_late = |found: &&Connection| {
            let deadline = self.deadline(found);
            found.is_out() && !self.is_due(now, found) && deadline.is_some_and(|at| at <= now)
        };
        let late = self.connections.iter().filter(is_late);
        let late: Vec<_> = late.map(|found| found.id).collect();
        let asked = Some((now, self.rank));
        for id in &late {
            self.update(*id, |connection| connection.asked = asked);
        }
        if let Some(survivor) = self.current.filter(|_| !late.is_empty()) {
            self.outputs.push_back(Output::Probe(survivor));
        }
    }

    /// Whether this end closes a connection that is out now.
    fn is_due(&self, now: Micros, loser: &Connection) -> bool {
        if self.decides_about(loser) {
            return self.deadline(loser).is_some_and(|at| at <= now);
        }
        let survivor = self.survivor();
        let heard = survivor.zip(loser.asked);
        heard.is_some_and(|(survivor, (_, asked))| survivor.heard > asked)
    }

    /// When something happens to this connection without further input.
    fn deadline(&self, connection: &Connection) -> Option<Micros> {
        let since = match connection.state {
            State::Candidate => return None,
            State::Probed { deadline } => return Some(deadline),
            State::Silent { since } | State::Loser { since } => since,
        };
        if !self.decides_about(connection) {
            let asked = connection.asked.map(|(asked, _)| asked);
            return Some(asked.unwrap_or(since) + FOLLOWER_PATIENCE);
        }
        let limit = since + DRAIN_LIMIT;
        let repair = connection.rtt.saturating_mul(QUIET_ROUND_TRIPS);
        let quiet = since.max(connection.quiet_since) + QUIET.saturating_add(repair);
        Some(if connection.open_streams == 0 {
            limit.min(quiet)
        } else {
            limit
        })
    }

    /// Whether this end is the one to close a connection that lost against the current one.
    fn decides_about(&self, loser: &Connection) -> bool {
        match self.survivor() {
            Some(survivor) if survivor.direction == loser.direction => {
                loser.direction == Direction::Outgoing
            }
            _ => self.local < self.remote,
        }
    }

    /// The connection that new streams go to.
    fn survivor(&self) -> Option<&Connection> {
        let mut connections = self.connections.iter();
        connections.find(|found| Some(found.id) == self.current)
    }

    /// The direction of what the smaller `PeerId` dialled.
    fn favoured_direction(&self) -> Direction {
        if self.local < self.remote {
            Direction::Outgoing
        } else {
            Direction::Incoming
        }
    }

    /// The newest connection of a direction that has not lost.
    fn candidate(&self, direction: Direction) -> Option<usize> {
        let mut newest_first = self.connections.iter().enumerate().rev();
        let found = newest_first.find(|(_, found)| found.direction == direction && !found.is_out());
        found.map(|(index, _)| index)
    }
}
