//! Which settings work together.

use std::time::Duration;

use super::{BySourceConfig, ConfigError, GossipConfig, KEPT, Spreading};

/// Bytes that a neighbour may name a second, at least: nearly twice what an honest one does.
pub(super) const LEAST_NAMED: u32 = 32 << 20;

impl GossipConfig {
    /// Looks at all settings together.
    ///
    /// # Errors
    /// The first [`ConfigError`].
    pub fn validate(&self) -> Result<(), ConfigError> {
        let is_ordered = self.mesh_outbound_min < self.mesh_n_low
            && self.mesh_n_low <= self.mesh_n
            && self.mesh_n <= self.mesh_n_high;
        if !is_ordered
            || self.mesh_outbound_min > self.mesh_n / 2
            || self.mesh_n_score > self.mesh_n
        {
            return Err(ConfigError::MeshSizes);
        }
        check_times(&self.times())?;
        if self.seen_ttl < KEPT {
            return Err(ConfigError::Forgetful);
        }
        let heartbeats = u32::try_from(self.history_length).ok();
        let held = heartbeats.and_then(|count| self.heartbeat_interval.checked_mul(count));
        if self.history_gossip == 0
            || self.history_gossip > self.history_length
            || held.is_none_or(|held| held > self.seen_ttl)
        {
            return Err(ConfigError::History);
        }
        if !(0.0..=1.0).contains(&self.gossip_factor) {
            return Err(ConfigError::Factor("gossip_factor"));
        }
        check_counts(&self.counts())?;
        if self.queue.max_bytes / 4 < self.queue.batch {
            return Err(ConfigError::Queue);
        }
        if self.queue.stalled_reader >= self.queue.slow_reader {
            return Err(ConfigError::Stalls);
        }
        if self.rates.named_bytes < LEAST_NAMED {
            return Err(ConfigError::Named);
        }
        match &self.spreading {
            Spreading::Mesh => Ok(()),
            Spreading::BySource(by_source) => by_source.validate(),
        }
    }

    const fn times(&self) -> [(&'static str, Duration); 13] {
        [
            ("heartbeat_interval", self.heartbeat_interval),
            ("heartbeat_initial_delay", self.heartbeat_initial_delay),
            ("fanout_ttl", self.fanout_ttl),
            ("seen_ttl", self.seen_ttl),
            ("prune_backoff", self.prune_backoff),
            ("unsubscribe_backoff", self.unsubscribe_backoff),
            (
                "opportunistic_graft_interval",
                self.opportunistic_graft_interval,
            ),
            ("iwant_followup_time", self.iwant_followup_time),
            ("admission.patience", self.admission.patience),
            ("queue.max_age_forwarded", self.queue.max_age_forwarded),
            ("queue.max_age_own", self.queue.max_age_own),
            ("queue.stalled_reader", self.queue.stalled_reader),
            ("queue.slow_reader", self.queue.slow_reader),
        ]
    }

    const fn counts(&self) -> [(&'static str, usize); 16] {
        [
            ("mesh_n_low", self.mesh_n_low),
            ("max_ihave_messages", self.max_ihave_messages),
            ("max_ihave_length", self.max_ihave_length),
            ("sealing.burst", self.sealing.burst as usize),
            ("sealing.per_second", self.sealing.per_second as usize),
            ("sealing.max_waiting", self.sealing.max_waiting),
            (
                "admission.publisher_burst",
                self.admission.publisher_burst as usize,
            ),
            (
                "admission.publisher_per_second",
                self.admission.publisher_per_second as usize,
            ),
            (
                "admission.total_per_second",
                self.admission.total_per_second as usize,
            ),
            ("queue.max_bytes", self.queue.max_bytes),
            ("queue.batch", self.queue.batch),
            ("queue.max_announced", self.queue.max_announced),
            ("rates.messages", self.rates.messages as usize),
            ("rates.kibibytes", self.rates.kibibytes as usize),
            ("queue.answered_bytes", self.queue.answered_bytes as usize),
            ("rates.control_bytes", self.rates.control_bytes as usize),
        ]
    }
}

impl BySourceConfig {
    fn validate(&self) -> Result<(), ConfigError> {
        check_times(&[
            ("by_source.lateness_cap", self.lateness_cap),
            ("by_source.pull_delay", self.pull_delay),
            ("by_source.pull_delay_silent", self.pull_delay_silent),
            ("by_source.pull_delay_large", self.pull_delay_large),
            ("by_source.promise", self.promise),
            ("by_source.hold_down", self.hold_down),
            ("by_source.panic", self.panic),
        ])?;
        check_counts(&[
            ("by_source.eager", self.eager),
            ("by_source.eager_large", self.eager_large),
            ("by_source.max_classes", self.max_classes),
        ])?;
        if self.lazy_outbound > self.lazy_random {
            return Err(ConfigError::Announcers);
        }
        if self.pull_delay_silent > self.pull_delay {
            return Err(ConfigError::PullDelays);
        }
        // With less than its fair share no link could be chosen for some publishers.
        if (1.0..=f64::from(u16::MAX)).contains(&self.share_cap) {
            Ok(())
        } else {
            Err(ConfigError::Factor("by_source.share_cap"))
        }
    }
}

/// Between a millisecond and an hour.
fn check_times(times: &[(&'static str, Duration)]) -> Result<(), ConfigError> {
    let bounds = Duration::from_millis(1)..=Duration::from_secs(3_600);
    match times.iter().find(|(_, time)| !bounds.contains(time)) {
        Some((name, _)) => Err(ConfigError::Duration(name)),
        None => Ok(()),
    }
}

fn check_counts(counts: &[(&'static str, usize)]) -> Result<(), ConfigError> {
    match counts.iter().find(|(_, count)| *count == 0) {
        Some((name, _)) => Err(ConfigError::Zero(name)),
        None => Ok(()),
    }
}
