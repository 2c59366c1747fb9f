//! What came of a run.

use std::time::Duration;

use super::Stage;
use crate::policy::Micros;
use crate::sim::gossip::{Accusation, Histogram, NodeId, Reach, Traffic};

/// What came of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Whom the messages of each stage reached, but for those of the censored publisher.
    pub stages: Vec<Reach>,
    /// Whom the messages of the censored publisher reached; empty if there is none.
    pub censored: Vec<Reach>,
    /// What went over the network in the measured time.
    pub traffic: Traffic,
    /// The measured time.
    pub measured: Duration,
    /// Honest nodes that ran when it ended.
    pub honest: u32,
    /// Nodes that published.
    pub publishers: u32,
    /// Shortest paths from the publishers to all others, over links of honest nodes.
    pub shortest: Histogram,
    /// The share that attackers have of the places in honest meshes, at the end of each heartbeat after
    /// the attack began.
    pub taken: Vec<f64>,
    /// How many of these heartbeats ended before anything was said.
    pub unspoken: usize,
    /// How long after nothing more was taken for the neighbour that does not read, the last of its
    /// neighbours had it out of its mesh; the longest time there is if one never had. Those for whom all was taken
    /// do not count: they cannot know. Where that is so for all it is the longest time, too.
    pub slow_reader: Option<Duration>,
    /// The most bytes that waited for it at one neighbour.
    pub waited: usize,
    /// The lowest score that an honest node had with another, looked at once a second from the first message on;
    /// 0 if there was none below.
    pub lowest_score: f64,
    /// Inputs that machines were handed, in all of the run.
    pub handled: u64,
    /// Accusations of honest nodes by honest nodes: faults of the machine.
    pub accused: u64,
    /// The first accusations, whoever they are of.
    pub accusations: Vec<Accusation>,
    /// Some of the messages that missed a node: who published when, and who missed it.
    pub missing: Vec<(NodeId, Micros, NodeId)>,
}

impl Outcome {
    /// Whom the messages of a stage reached.
    #[must_use]
    pub fn stage(&self, stage: Stage) -> Reach {
        let mut reach = self.stages[stage as usize].clone();
        if let Some(censored) = self.censored.get(stage as usize) {
            reach.merge(censored);
        }
        reach
    }

    /// Whom the messages of the measured time reached.
    #[must_use]
    pub fn whole(&self) -> Reach {
        self.after(Stage::Before)
    }

    /// The same from a stage on.
    #[must_use]
    pub fn after(&self, first: Stage) -> Reach {
        let mut whole = Reach::default();
        for stage in &Stage::ALL[first as usize..] {
            whole.merge(&self.stage(*stage));
        }
        whole
    }

    /// Copies of messages for each that was delivered.
    #[must_use]
    pub fn copies(&self) -> f64 {
        self.each(self.traffic.copies())
    }

    /// Control bytes for each message that was delivered.
    #[must_use]
    pub fn control(&self) -> f64 {
        self.each(self.traffic.control_bytes())
    }

    /// Control bytes as a part of what all copies of the messages say.
    #[must_use]
    pub fn control_share(&self) -> f64 {
        self.of_payload(self.traffic.control_bytes())
    }

    /// Bytes of keys, seals and references to them for each message that was delivered.
    #[must_use]
    pub fn authentication(&self) -> f64 {
        self.each(self.traffic.proof_bytes() + self.traffic.reference_bytes)
    }

    /// The same as a part of what all copies of the messages say.
    #[must_use]
    pub fn authentication_share(&self) -> f64 {
        self.of_payload(self.traffic.proof_bytes() + self.traffic.reference_bytes)
    }

    /// Copies of seals for each that was verified.
    #[must_use]
    pub fn seal_copies(&self) -> f64 {
        let seals = self.traffic.frames(crate::wire::message::gossip::SEAL);
        ratio(seals, self.traffic.seals_verified)
    }

    /// Bytes of packet headers for each message that was delivered.
    #[must_use]
    pub fn headers(&self) -> f64 {
        self.each(self.traffic.header_bytes())
    }

    /// Bytes that a node sent for each message that was delivered, without headers.
    #[must_use]
    pub fn sent(&self) -> f64 {
        self.each(self.traffic.sent_bytes)
    }

    /// Seals that one publisher made a second.
    #[must_use]
    pub fn seals_a_second(&self) -> f64 {
        self.traffic.seals_made as f64
            / f64::from(self.publishers.max(1))
            / self.measured.as_secs_f64()
    }

    /// The part of a core that a node spent verifying.
    #[must_use]
    pub fn verifying_share(&self) -> f64 {
        self.traffic.verifying.as_secs_f64()
            / f64::from(self.honest.max(1))
            / self.measured.as_secs_f64()
    }

    /// The first heartbeat after which attackers have less than this share of the meshes, and keep
    /// less; none if that never comes.
    #[must_use]
    pub fn heartbeats_until_below(&self, share: f64) -> Option<usize> {
        let last = self.taken.iter().rposition(|taken| *taken >= share);
        let first = last.map_or(0, |last| last + 1);
        (first < self.taken.len()).then_some(first + 1)
    }

    /// The same, counted from the first message on where the attack began before: while nothing is said nobody is
    /// told from anybody else.
    #[must_use]
    pub fn spoken_until_below(&self, share: f64) -> Option<usize> {
        let heartbeats = self.heartbeats_until_below(share)?;
        Some(heartbeats.saturating_sub(self.unspoken).max(1))
    }

    fn each(&self, count: u64) -> f64 {
        ratio(count, self.traffic.deliveries)
    }

    fn of_payload(&self, bytes: u64) -> f64 {
        ratio(bytes, self.traffic.payload_bytes)
    }
}

#[allow(clippy::cast_precision_loss, reason = "fewer than 2^52")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
