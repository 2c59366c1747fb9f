//! Messages, heartbeats and a machine that grafts and prunes by score.

use super::*;

const HEARTBEAT: Duration = Duration::from_millis(700);

/// Time after which a pruned neighbour may be grafted again.
const BACKOFF: Duration = Duration::from_secs(60);

/// Whoever brings what the neighbours under test do not bring first.
const OTHERS: Link = Link(1_000_000);

pub(super) struct World {
    pub(super) board: ScoreBoard,
    pub(super) now: Micros,
    rng: ChaCha8Rng,
    topics: Vec<Talk>,
    members: Vec<Member>,
}

/// A topic on which something is said.
struct Talk {
    topic: TopicHash,
    per_second: f64,
    due: f64,
}

/// A neighbour on a topic.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) link: Link,
    pub(super) topic: TopicHash,
    /// Share of the messages that it is asked for.
    pub(super) asked: f64,
    /// Share of these that it brings.
    pub(super) brings: f64,
    /// Share of these that nobody brought before.
    pub(super) first: f64,
    /// Since when it is out of the mesh, if it is.
    pub(super) pruned: Option<Micros>,
    pub(super) in_mesh: Duration,
    pub(super) missed: u64,
}

impl Member {
    pub(super) fn new(link: Link, topic: TopicHash, brings: f64) -> Self {
        Self {
            link,
            topic,
            asked: 1.0,
            brings,
            first: 0.2,
            pruned: None,
            in_mesh: Duration::ZERO,
            missed: 0,
        }
    }
}

impl World {
    pub(super) fn new(config: ScoreConfig, seed: u64) -> Self {
        let mut board = ScoreBoard::new(config);
        board.decay(Micros(0));
        board.connected(Micros(0), OTHERS, group(OTHERS));
        Self {
            board,
            now: Micros(0),
            rng: rng(seed),
            topics: Vec::new(),
            members: Vec::new(),
        }
    }

    pub(super) fn talk(&mut self, topic: TopicHash, per_second: f64) {
        let due = drawn(&mut self.rng);
        self.topics.push(Talk {
            topic,
            per_second,
            due,
        });
    }

    pub(super) fn join(&mut self, member: Member) -> usize {
        self.board
            .connected(self.now, member.link, group(member.link));
        self.board.grafted(self.now, member.link, member.topic);
        self.members.push(member);
        self.members.len() - 1
    }

    pub(super) fn member(&mut self, index: usize) -> &mut Member {
        &mut self.members[index]
    }

    /// Says what was due since the last heartbeat, then prunes and grafts by score.
    pub(super) fn heartbeat(&mut self) {
        for index in 0..self.topics.len() {
            let talk = &mut self.topics[index];
            talk.due += talk.per_second * HEARTBEAT.as_secs_f64();
            let topic = talk.topic;
            while self.topics[index].due >= 1.0 {
                self.topics[index].due -= 1.0;
                self.say(topic);
            }
        }
        self.now = self.now + HEARTBEAT;
        self.board.decay(self.now);
        for member in &mut self.members {
            let deserves = self.board.deserves_mesh(member.link, &member.topic);
            match member.pruned {
                None if !deserves => {
                    self.board.pruned(member.link, member.topic);
                    member.pruned = Some(self.now);
                }
                None => member.in_mesh += HEARTBEAT,
                Some(since) if deserves && self.now.since(since) >= BACKOFF => {
                    self.board.grafted(self.now, member.link, member.topic);
                    member.pruned = None;
                }
                Some(_) => {}
            }
        }
    }

    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.heartbeat();
        }
    }

    fn say(&mut self, topic: TopicHash) {
        let mut is_known = false;
        for member in self.members.iter_mut().filter(|one| one.topic == topic) {
            let is_asked = member.pruned.is_none() && drawn(&mut self.rng) < member.asked;
            if !is_asked {
                continue;
            }
            if drawn(&mut self.rng) >= member.brings {
                member.missed += 1;
                self.board.expected(member.link, topic, Expectation::Broken);
                continue;
            }
            if !is_known && drawn(&mut self.rng) < member.first {
                is_known = true;
                self.board.first_delivery(member.link, topic);
            } else {
                let seen = self.now;
                let came = seen + Duration::from_millis(9);
                self.board.duplicate(came, member.link, topic, seen);
            }
            self.board.expected(member.link, topic, Expectation::Kept);
        }
        if !is_known {
            self.board.first_delivery(OTHERS, topic);
        }
    }
}
