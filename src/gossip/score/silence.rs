//! How long a member of a mesh may bring nothing.

use std::time::Duration;

use super::config::{Deliveries, ScoreConfig, TopicScore};

/// When a member that falls silent is out of a mesh at the latest, whatever it did before and does on
/// other topics.
///
/// Let `m = |w3| P3(nothing) - w1 cap1`, positive in a valid set. The score on the topic is negative
/// when first deliveries and what is left of the old ones in P3 both fall below `m / 2`:
///
/// * `w2 cap2 d2^n <= m / 2`;
/// * absolute, with `x = cap3 d3^n` of the deliveries left: `threshold^2 - (threshold - x)^2 <=
///   2 threshold x`, so `x <= m / (4 |w3| threshold)`;
/// * expected, with a ratio `r` left: `1 - (1 - r / share)^2 <= 2 r / share`, so
///   `r <= m share / (4 |w3|)`. For who is asked `q` times an interval, steadily, and brings nothing,
///   an interval leaves the share `d3` of the ratio, or `evidence / (evidence + q)` where that is
///   more: where fewer are asked for than make up the evidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Silence {
    /// Decay intervals at a steady rate, behind the activation.
    pub intervals: f64,
    /// Messages that it was asked for and did not bring on a topic too quiet for that, if the intervals
    /// have passed; zero when deliveries are counted absolutely, where such a topic judges nobody.
    pub messages: f64,
}

impl TopicScore {
    /// The bound for a member of this topic's mesh; of use for a valid set only.
    #[must_use]
    pub fn silence(&self) -> Silence {
        let deliveries = &self.mesh_deliveries;
        let weight = -deliveries.weight;
        let presence = self.time_in_mesh.weight * self.time_in_mesh.cap;
        let margin = weight * deliveries.rule.penalty_of_silence() - presence;

        let first = &self.first_deliveries;
        let forgotten = halvings(2.0 * first.weight * first.cap / margin, first.decay);
        match deliveries.rule {
            Deliveries::Absolute { threshold, .. } => {
                let excess = 4.0 * weight * threshold * deliveries.cap / margin;
                Silence {
                    intervals: forgotten.max(halvings(excess, deliveries.decay)),
                    messages: 0.0,
                }
            }
            Deliveries::Expected { share, evidence } => {
                let excess = 4.0 * weight / (margin * share);
                let decay = deliveries.decay;
                let quiet = (evidence * (1.0 - decay) / decay).max(1.0);
                Silence {
                    intervals: forgotten.max(halvings(excess, decay)),
                    messages: evidence + quiet * halvings(excess, evidence / (evidence + quiet)),
                }
            }
        }
    }
}

impl ScoreConfig {
    /// The longest silence of all topics.
    #[must_use]
    pub fn longest_silence(&self) -> Duration {
        let silences = self.topic_scores().map(|topic| topic.silence().intervals);
        let longest = silences.fold(0.0, f64::max);
        let seconds = longest.ceil() * self.decay_interval.as_secs_f64();
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

/// Steps after which `excess` times something is down to it, when each leaves the share `decay`.
fn halvings(excess: f64, decay: f64) -> f64 {
    (excess.max(1.0).ln() / -decay.ln()).max(0.0)
}
