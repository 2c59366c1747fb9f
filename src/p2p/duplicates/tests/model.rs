//! Two ends and what lies between: packets take random times, overtake each other and get lost;
//! an end may restart and forget everything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::*;

/// What the network does to packets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weather {
    pub(super) least: Duration,
    pub(super) most: Duration,
    /// Of 100 probes, answers and closes, how many are lost. Handshakes are repeated by QUIC; a close is told again to
    /// whoever sends something.
    pub(super) lost_percent: u32,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Dial {
        end: usize,
    },
    ConfirmedAtAcceptor {
        connection: ConnectionId,
        dialler: usize,
    },
    ConfirmedAtDialler {
        connection: ConnectionId,
        dialler: usize,
    },
    Probe {
        to: usize,
        connection: ConnectionId,
    },
    Answer {
        to: usize,
        connection: ConnectionId,
    },
    Close {
        to: usize,
        connection: ConnectionId,
    },
    Restart {
        end: usize,
    },
    Request {
        end: usize,
    },
    RequestArrives {
        end: usize,
        connection: ConnectionId,
    },
    ReplyArrives {
        end: usize,
        connection: ConnectionId,
    },
    /// Only now has the server's half of the stream ended.
    ReplyAcknowledged {
        end: usize,
        connection: ConnectionId,
    },
    Timer {
        end: usize,
    },
}

#[derive(Debug)]
struct End {
    machine: Duplicates,
    /// Connections whose state this end holds, handshakes included.
    known: BTreeSet<ConnectionId>,
    open: BTreeMap<ConnectionId, u32>,
}

/// The world of one seed. End 0 has the smaller `PeerId`.
#[derive(Debug)]
pub(super) struct World {
    weather: Weather,
    rng: ChaCha8Rng,
    queue: BTreeMap<(Micros, u64), Event>,
    ends: [End; 2],
    next: u64,
    pub(super) opened_requests: u32,
    pub(super) answered_requests: u32,
}

impl End {
    fn new(index: usize) -> Self {
        let machine = if index == 0 {
            smaller_end()
        } else {
            larger_end()
        };
        Self {
            machine,
            known: BTreeSet::new(),
            open: BTreeMap::new(),
        }
    }
}

impl World {
    pub(super) fn new(seed: u64, weather: Weather) -> Self {
        Self {
            weather,
            rng: ChaCha8Rng::seed_from_u64(seed),
            queue: BTreeMap::new(),
            ends: [End::new(0), End::new(1)],
            next: 0,
            opened_requests: 0,
            answered_requests: 0,
        }
    }

    pub(super) fn dial(&mut self, at: Micros, end: usize) {
        self.plan(at, Event::Dial { end });
    }

    pub(super) fn restart(&mut self, at: Micros, end: usize) {
        self.plan(at, Event::Restart { end });
    }

    pub(super) fn request(&mut self, at: Micros, end: usize) {
        self.plan(at, Event::Request { end });
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.rng.next_u64() % limit
    }

    /// Runs until `end`, and returns what each end holds and uses then.
    pub(super) fn run(
        &mut self,
        end: Micros,
    ) -> [(BTreeSet<ConnectionId>, Option<ConnectionId>); 2] {
        while let Some((&(now, order), _)) = self.queue.first_key_value()
            && now <= end
        {
            let event = self.queue.remove(&(now, order)).unwrap();
            self.happen(now, event);
        }
        [0, 1].map(|index| {
            let current = self.ends[index]
                .machine
                .current()
                .map(|(connection, _)| connection);
            (self.ends[index].known.clone(), current)
        })
    }

    fn plan(&mut self, at: Micros, event: Event) {
        self.next += 1;
        self.queue.insert((at, self.next), event);
    }

    fn delay(&mut self) -> Duration {
        let span = self.weather.most - self.weather.least;
        let micros = u64::try_from(span.as_micros()).unwrap();
        self.weather.least + Duration::from_micros(self.below(micros + 1))
    }

    fn send(&mut self, now: Micros, event: Event) {
        let delay = self.delay();
        self.plan(now + delay, event);
    }

    fn send_lossy(&mut self, now: Micros, event: Event) {
        if self.below(100) >= u64::from(self.weather.lost_percent) {
            self.send(now, event);
        }
    }

    fn happen(&mut self, now: Micros, event: Event) {
        match event {
            Event::Dial { end } => self.begin_handshake(now, end),
            Event::ConfirmedAtAcceptor {
                connection,
                dialler,
            } => {
                self.ends[1 - dialler].known.insert(connection);
                self.send(
                    now,
                    Event::ConfirmedAtDialler {
                        connection,
                        dialler,
                    },
                );
                self.confirm(now, 1 - dialler, connection, Direction::Incoming);
            }
            Event::ConfirmedAtDialler {
                connection,
                dialler,
            } => {
                if self.ends[dialler].known.contains(&connection) {
                    self.confirm(now, dialler, connection, Direction::Outgoing);
                }
            }
            Event::Probe { to, connection } => self.answer_probe(now, to, connection),
            Event::Answer { to, connection } => self.input(now, to, Input::Packet(connection)),
            Event::Close { to, connection } => self.closed_by_peer(now, to, connection),
            Event::Restart { end } => self.ends[end] = End::new(end),
            Event::Request { end } => self.open_request(now, end),
            Event::RequestArrives { end, connection } => self.serve(now, end, connection),
            Event::ReplyArrives { end, connection } => self.finish(now, end, connection),
            Event::ReplyAcknowledged { end, connection } => {
                if self.ends[end].open.contains_key(&connection) {
                    self.count(now, end, connection, -1);
                }
            }
            Event::Timer { end } => {
                if self.ends[end]
                    .machine
                    .poll_timeout()
                    .is_some_and(|due| due <= now)
                {
                    self.input(now, end, Input::Timer);
                }
            }
        }
    }

    fn answer_probe(&mut self, now: Micros, end: usize, connection: ConnectionId) {
        if self.ends[end].known.contains(&connection) {
            self.send_lossy(
                now,
                Event::Answer {
                    to: 1 - end,
                    connection,
                },
            );
            self.input(now, end, Input::Packet(connection));
        } else {
            let to = 1 - end;
            self.send_lossy(now, Event::Close { to, connection });
        }
    }

    fn closed_by_peer(&mut self, now: Micros, end: usize, connection: ConnectionId) {
        if self.ends[end].known.contains(&connection) {
            self.forget(end, connection);
            self.input(now, end, Input::Closed(connection));
        }
    }

    /// One and a half round trips to the acceptor's confirmation, a half more to the dialler's.
    fn begin_handshake(&mut self, now: Micros, dialler: usize) {
        self.next += 1;
        let connection = ConnectionId(self.next);
        self.ends[dialler].known.insert(connection);
        let delay = self.delay() + self.delay() + self.delay();
        self.plan(
            now + delay,
            Event::ConfirmedAtAcceptor {
                connection,
                dialler,
            },
        );
    }

    fn confirm(&mut self, now: Micros, end: usize, connection: ConnectionId, direction: Direction) {
        let rtt = self.weather.least + self.weather.most;
        self.input(
            now,
            end,
            Input::Confirmed {
                connection,
                direction,
                rtt,
            },
        );
    }

    fn input(&mut self, now: Micros, end: usize, input: Input) {
        self.ends[end].machine.handle(now, input);
        while let Some(output) = self.ends[end].machine.poll_output() {
            match output {
                Output::Probe(connection) => {
                    self.send_lossy(
                        now,
                        Event::Probe {
                            to: 1 - end,
                            connection,
                        },
                    );
                }
                Output::Close(connection) => {
                    self.forget(end, connection);
                    self.send_lossy(
                        now,
                        Event::Close {
                            to: 1 - end,
                            connection,
                        },
                    );
                }
                Output::Surviving { .. } => {}
            }
        }
        if let Some(due) = self.ends[end].machine.poll_timeout() {
            self.plan(due.max(now), Event::Timer { end });
        }
    }

    fn forget(&mut self, end: usize, connection: ConnectionId) {
        self.ends[end].known.remove(&connection);
        self.ends[end].open.remove(&connection);
    }

    fn open_request(&mut self, now: Micros, end: usize) {
        if let Some((connection, _)) = self.ends[end].machine.current() {
            self.opened_requests += 1;
            self.count(now, end, connection, 1);
            self.send(
                now,
                Event::RequestArrives {
                    end: 1 - end,
                    connection,
                },
            );
        }
    }

    fn serve(&mut self, now: Micros, end: usize, connection: ConnectionId) {
        if self.ends[end].known.contains(&connection) {
            self.count(now, end, connection, 1);
            self.send(
                now,
                Event::ReplyArrives {
                    end: 1 - end,
                    connection,
                },
            );
        }
    }

    fn finish(&mut self, now: Micros, end: usize, connection: ConnectionId) {
        if self.ends[end].open.contains_key(&connection) {
            self.answered_requests += 1;
            self.count(now, end, connection, -1);
            self.send(
                now,
                Event::ReplyAcknowledged {
                    end: 1 - end,
                    connection,
                },
            );
        }
    }

    fn count(&mut self, now: Micros, end: usize, connection: ConnectionId, change: i32) {
        let counter = self.ends[end].open.entry(connection).or_default();
        *counter = counter.checked_add_signed(change).unwrap();
        let open = *counter;
        self.input(now, end, Input::Streams { connection, open });
    }
}
