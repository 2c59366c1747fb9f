//! P3: what a member of a mesh brings, against what it owes.

use std::time::Duration;

use super::config::{Deliveries, MeshDeliveries};
use super::decay::Decay;

/// What became of a message that a link was asked to bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expectation {
    /// The link brought it within the window.
    Kept,
    /// It did not.
    Broken,
}

/// The counters of one neighbour on one topic. All are zero for who never was a member.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Tally {
    /// Messages brought in time: of all, or of those expected.
    brought: f64,
    /// Messages expected.
    expected: f64,
    /// The topic's traffic before this membership, decayed as that is.
    earlier: f64,
}

impl Tally {
    /// A membership begins.
    pub(super) fn join(&mut self, rule: &Deliveries, traffic: f64) {
        if let Deliveries::Absolute { .. } = rule {
            *self = Self {
                earlier: traffic,
                ..Self::default()
            };
        }
    }

    /// A member brought a message; counts where deliveries count absolutely.
    pub(super) fn bring(&mut self, config: &MeshDeliveries) {
        if let Deliveries::Absolute { .. } = config.rule {
            self.brought = (self.brought + 1.0).min(config.cap);
        }
    }

    /// A message that a member was asked for was brought or not; counts where they are expected.
    ///
    /// At the cap both counters shrink together: the share stays.
    pub(super) fn expect(&mut self, config: &MeshDeliveries, outcome: Expectation) {
        let Deliveries::Expected { .. } = config.rule else {
            return;
        };
        self.expected += 1.0;
        if outcome == Expectation::Kept {
            self.brought += 1.0;
        }
        if self.expected > config.cap {
            self.brought *= config.cap / self.expected;
            self.expected = config.cap;
        }
    }

    /// What a member owes after this time in the mesh: messages, or a part of the share from 0 to 1.
    pub(super) fn deficit(&self, config: &MeshDeliveries, age: Duration, traffic: f64) -> f64 {
        let (is_judged, deficit) = match config.rule {
            Deliveries::Absolute {
                threshold,
                traffic: least,
                activation,
            } => {
                let said = traffic - self.earlier;
                (age > activation && said >= least, threshold - self.brought)
            }
            Deliveries::Expected { share, evidence } => {
                let kept = self.brought / self.expected;
                (self.expected >= evidence, 1.0 - kept / share)
            }
        };
        if is_judged { deficit.max(0.0) } else { 0.0 }
    }

    /// A membership ends, with this deficit. Whoever was judged begins anew; whoever left too early
    /// for that is judged when it comes back, or short memberships would never be.
    pub(super) fn leave(&mut self, deficit: f64) {
        if deficit > 0.0 {
            *self = Self::default();
        }
    }

    /// The neighbour goes: only what speaks against it stays.
    pub(super) fn strip(&mut self, rule: &Deliveries) {
        let is_short = match rule {
            Deliveries::Absolute { .. } => false,
            Deliveries::Expected { share, .. } => self.brought < share * self.expected,
        };
        if !is_short {
            *self = Self::default();
        }
    }

    /// Expected messages decay down to the evidence and no further, and the brought ones in the same
    /// proportion.
    pub(super) fn decay(&mut self, config: &MeshDeliveries, decay: &Decay) {
        match config.rule {
            Deliveries::Absolute { .. } => {
                decay.apply(&mut self.brought, config.decay);
                decay.apply(&mut self.earlier, config.decay);
            }
            Deliveries::Expected { evidence, .. } if self.expected > evidence => {
                let left = (self.expected * decay.left(config.decay)).max(evidence);
                self.brought = decay.floored(self.brought * left / self.expected);
                self.expected = left;
            }
            Deliveries::Expected { .. } => {}
        }
    }
}
