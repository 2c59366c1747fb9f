use std::time::Duration;

use super::{Fault, ReputationConfig};
use crate::policy::Micros;

/// Sub-scores a peer may have: the eight protocols of the network and eight applications. Further
/// protocols share the last one, so that no number of protocols dilutes a score.
pub const MAX_SUB_SCORES: usize = 16;

/// A score never falls below this, whatever a peer does: a ban must have an end.
const FLOOR: f64 = -100.0;

/// What the swarm does with a peer after a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing further.
    Keep,
    /// Close the connection; the peer may come back.
    Close,
    /// Close it and accept no other for this long.
    Ban(Duration),
}

/// The reputation of one peer: one score a protocol, the worst of them counts.
///
/// Good behaviour earns nothing, so it cannot pay for faults elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Reputation {
    sub_scores: Vec<SubScore>,
}

#[derive(Debug, Clone, Copy)]
struct SubScore {
    protocol: u32,
    points: f64,
    at: Micros,
}

impl Reputation {
    /// Takes a fault into the score of `protocol`.
    pub(super) fn record(
        &mut self,
        now: Micros,
        protocol: u32,
        fault: Fault,
        config: &ReputationConfig,
    ) -> Verdict {
        self.forget_recovered(now, config.half_life);
        let sub_score = self.sub_score(now, protocol);
        let points = sub_score.decayed(now, config.half_life) - f64::from(fault.weight(config).0);
        sub_score.points = points.max(FLOOR);
        sub_score.at = sub_score.at.max(now);
        self.verdict(now, config)
    }

    /// The total: the worst sub-score, in whole points from 0 down to −100.
    #[must_use]
    pub fn score(&self, now: Micros, half_life: Duration) -> i32 {
        self.sub_scores
            .iter()
            .map(|sub| sub.rounded(now, half_life))
            .min()
            .unwrap_or(0)
    }

    /// The score of one protocol; protocols beyond [`MAX_SUB_SCORES`] share theirs with the last one.
    #[must_use]
    pub fn sub_score_of(&self, now: Micros, protocol: u32, half_life: Duration) -> i32 {
        let found = self.sub_scores.iter().find(|sub| sub.protocol == protocol);
        let shared = self.sub_scores.get(MAX_SUB_SCORES - 1);
        found
            .or(shared)
            .map_or(0, |sub| sub.rounded(now, half_life))
    }

    /// Whether every sub-score is back at 0, so that nothing is left to remember.
    #[must_use]
    pub fn is_clean(&self, now: Micros, half_life: Duration) -> bool {
        self.score(now, half_life) == 0
    }

    fn verdict(&self, now: Micros, config: &ReputationConfig) -> Verdict {
        let lost = self.score(now, config.half_life).unsigned_abs();
        if lost >= u32::from(config.ban_at) {
            Verdict::Ban(config.ban)
        } else if lost >= u32::from(config.close_at) {
            Verdict::Close
        } else {
            Verdict::Keep
        }
    }

    fn forget_recovered(&mut self, now: Micros, half_life: Duration) {
        self.sub_scores
            .retain(|sub| sub.rounded(now, half_life) < 0);
    }

    fn sub_score(&mut self, now: Micros, protocol: u32) -> &mut SubScore {
        let known = self
            .sub_scores
            .iter()
            .position(|sub| sub.protocol == protocol);
        let index = known.unwrap_or_else(|| {
            if self.sub_scores.len() < MAX_SUB_SCORES {
                self.sub_scores.push(SubScore {
                    protocol,
                    points: 0.0,
                    at: now,
                });
            }
            self.sub_scores.len() - 1
        });
        &mut self.sub_scores[index]
    }
}

impl SubScore {
    fn decayed(&self, now: Micros, half_life: Duration) -> f64 {
        let half_lives = now.since(self.at).as_secs_f64() / half_life.as_secs_f64();
        self.points * (-half_lives).exp2()
    }

    /// Whole points, rounded to the nearest: faults a few milliseconds apart add up to what the
    /// table of weights says.
    #[allow(clippy::cast_possible_truncation)]
    fn rounded(&self, now: Micros, half_life: Duration) -> i32 {
        self.decayed(now, half_life).round() as i32
    }
}
