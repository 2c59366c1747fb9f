//! Bounds of settings.

use super::*;

fn refused(change: impl FnOnce(&mut GossipConfig)) -> Option<ConfigError> {
    let mut config = GossipConfig::default();
    change(&mut config);
    config.validate().err()
}

#[test]
fn the_shipped_settings_are_valid() {
    assert_eq!(GossipConfig::default().validate(), Ok(()));
    assert_eq!(GossipConfig::plain().validate(), Ok(()));
}

#[test]
fn mesh_sizes_are_looked_at_together() {
    let sizes = Some(ConfigError::MeshSizes);
    assert_eq!(refused(|config| config.mesh_n_low = 8), None);
    assert_eq!(refused(|config| config.mesh_n_low = 9), sizes);
    assert_eq!(refused(|config| config.mesh_n_high = 8), None);
    assert_eq!(refused(|config| config.mesh_n_high = 7), sizes);
    assert_eq!(refused(|config| config.mesh_outbound_min = 4), None);
    assert_eq!(refused(|config| config.mesh_outbound_min = 5), sizes);
    assert_eq!(refused(|config| config.mesh_n_score = 8), None);
    assert_eq!(refused(|config| config.mesh_n_score = 9), sizes);
}

#[test]
fn histories_times_shares_and_counts_have_bounds() {
    let history = Some(ConfigError::History);
    assert_eq!(refused(|config| config.history_gossip = 6), None);
    assert_eq!(refused(|config| config.history_gossip = 7), history);
    assert_eq!(refused(|config| config.history_gossip = 0), history);
    // 214 heartbeats of 0.7 s are 149.8 s.
    assert_eq!(refused(|config| config.history_length = 214), None);
    assert_eq!(refused(|config| config.history_length = 215), history);
    assert_eq!(
        refused(|config| config.history_length = usize::MAX),
        history
    );
    let forgetful = Some(ConfigError::Forgetful);
    assert_eq!(refused(|config| config.seen_ttl = KEPT), None);
    let less = KEPT - Duration::from_millis(1);
    assert_eq!(refused(|config| config.seen_ttl = less), forgetful);
    let factor = Some(ConfigError::Factor("gossip_factor"));
    assert_eq!(refused(|config| config.gossip_factor = 1.0), None);
    assert_eq!(refused(|config| config.gossip_factor = 1.1), factor);
    assert_eq!(refused(|config| config.gossip_factor = f64::NAN), factor);
    let by_source = |change: fn(&mut BySourceConfig)| {
        refused(|config| {
            if let Spreading::BySource(one) = &mut config.spreading {
                change(one);
            }
        })
    };
    let announcers = Some(ConfigError::Announcers);
    assert_eq!(by_source(|one| one.lazy_outbound = 3), None);
    assert_eq!(by_source(|one| one.lazy_outbound = 4), announcers);
    let delays = Some(ConfigError::PullDelays);
    assert_eq!(
        by_source(|one| one.pull_delay = one.pull_delay_silent),
        None
    );
    assert_eq!(by_source(|one| one.pull_delay_silent *= 3), delays);
    let share = Some(ConfigError::Factor("by_source.share_cap"));
    assert_eq!(by_source(|one| one.share_cap = 1.0), None);
    assert_eq!(by_source(|one| one.share_cap = 0.9), share);
    assert_eq!(by_source(|one| one.share_cap = f64::NAN), share);
    let promise = Some(ConfigError::Duration("by_source.promise"));
    assert_eq!(by_source(|one| one.promise = Duration::ZERO), promise);
    let eager = Some(ConfigError::Zero("by_source.eager"));
    assert_eq!(by_source(|one| one.eager = 0), eager);
    let hour = Duration::from_secs(3_600);
    let over = Some(ConfigError::Duration("seen_ttl"));
    assert_eq!(refused(|config| config.seen_ttl = hour), None);
    assert_eq!(refused(|config| config.seen_ttl = hour * 2), over);
    assert_eq!(refused(|config| config.seen_ttl = Duration::ZERO), over);
    assert_eq!(refused(|config| config.seen_ttl = Duration::MAX), over);
}

#[test]
fn what_must_not_be_zero_is_not_and_queues_and_names_have_least_bounds() {
    let zero = |name| Some(ConfigError::Zero(name));
    assert_eq!(
        refused(|config| config.sealing.burst = 0),
        zero("sealing.burst")
    );
    let none = zero("admission.total_per_second");
    assert_eq!(
        refused(|config| config.admission.total_per_second = 0),
        none
    );
    for change in [
        |config: &mut GossipConfig| config.rates.messages = 0,
        |config: &mut GossipConfig| config.rates.kibibytes = 0,
        |config: &mut GossipConfig| config.rates.control_bytes = 0,
        |config: &mut GossipConfig| config.queue.answered_bytes = 0,
    ] {
        assert!(matches!(refused(change), Some(ConfigError::Zero(_))));
    }
    assert_eq!(
        refused(|config| config.queue.batch = 0),
        zero("queue.batch")
    );
    let queue = Some(ConfigError::Queue);
    assert_eq!(refused(|config| config.queue.batch = 256 << 10), None);
    assert_eq!(refused(|config| config.queue.batch = 257 << 10), queue);
    let stalls = Some(ConfigError::Stalls);
    let slow = GossipConfig::default().queue.slow_reader;
    let less = slow - Duration::from_millis(1);
    assert_eq!(refused(|config| config.queue.stalled_reader = less), None);
    assert_eq!(refused(|config| config.queue.stalled_reader = slow), stalls);
    let named = Some(ConfigError::Named);
    let least = LEAST_NAMED;
    assert_eq!(refused(|config| config.rates.named_bytes = least), None);
    assert_eq!(
        refused(|config| config.rates.named_bytes = least - 1),
        named
    );
}
