//! Sets that are refused.

use super::*;

fn error(change: impl FnOnce(&mut ScoreConfig)) -> Option<ScoreConfigError> {
    let mut config = ScoreConfig::default();
    change(&mut config);
    config.validate().err()
}

fn topic_error(change: impl FnOnce(&mut TopicScore)) -> Option<ScoreConfigError> {
    let mut score = TopicScore::default();
    change(&mut score);
    let by_default = error(|config| config.default_topic = score);
    let by_name = error(|config| {
        config.topics.insert(topic(3), score);
    });
    let unsigned = error(|config| config.unsigned_topic = score);
    assert_eq!((by_default, by_default), (by_name, unsigned));
    by_default
}

fn rule_error(rule: Deliveries) -> Option<ScoreConfigError> {
    topic_error(|topic| topic.mesh_deliveries.rule = rule)
}

#[test]
fn the_shipped_sets_are_valid() {
    for (name, config) in sets() {
        assert_eq!(config.validate(), Ok(()), "{name}");
        println!("{name}: {:?} at most", config.longest_silence());
        assert!(config.longest_silence() <= Duration::from_secs(70));
    }
}

/// The defaults of rust-libp2p's gossipsub, as far as they can be said here.
#[test]
fn the_defaults_of_rust_libp2p_are_refused_because_silence_pays() {
    let mut score = TopicScore::plain();
    score.time_in_mesh.quantum = Duration::from_millis(1);
    score.time_in_mesh.cap = 3_600.0;
    score.first_deliveries.cap = 2_000.0;
    score.mesh_deliveries.weight = -1.0;
    let refused = ScoreConfig {
        default_topic: score,
        ..ScoreConfig::plain()
    };
    assert_eq!(refused.validate(), Err(ScoreConfigError::SilencePays));
}

/// The block topic of the well-known set: P1 earns 10, and P3 costs the square of a threshold below 1.
#[test]
fn attack_cve_2022_47547_the_weights_of_ethereum_are_refused() {
    let mut score = TopicScore::plain();
    score.time_in_mesh.quantum = Duration::from_secs(12);
    score.time_in_mesh.weight = 10.0 / 300.0;
    score.time_in_mesh.cap = 300.0;
    score.mesh_deliveries.weight = -0.5;
    score.mesh_deliveries.decay = 0.01_f64.powf(1.0 / 160.0);
    score.mesh_deliveries.rule = Deliveries::Absolute {
        threshold: 0.685,
        traffic: 10.0,
        activation: Duration::from_secs(384),
    };
    score.invalid.weight = -215.0;
    let mut refused = ScoreConfig::plain();
    refused.topics.insert(topic(0), score);
    assert_eq!(refused.validate(), Err(ScoreConfigError::SilencePays));
    // And its quiet topics, on which P3 is off.
    refused.topics.insert(topic(0), {
        score.mesh_deliveries.weight = 0.0;
        score
    });
    let error = ScoreConfigError::Range("mesh_deliveries.weight");
    assert_eq!(refused.validate(), Err(error));
}

#[test]
fn silence_that_pays_just_as_much_is_refused() {
    let cost = |weight: f64| topic_error(|topic| topic.mesh_deliveries.weight = weight);
    assert_eq!(cost(-1.0), Some(ScoreConfigError::SilencePays));
    assert_eq!(cost(-0.999), Some(ScoreConfigError::SilencePays));
    assert_eq!(cost(-1.001), None);
}

#[test]
fn silence_that_takes_hours_is_refused() {
    let slow = |decay: f64| topic_error(|topic| topic.mesh_deliveries.decay = decay);
    assert_eq!(slow(0.999), None);
    assert_eq!(slow(0.999_9), Some(ScoreConfigError::SilenceLasts));
}

#[test]
fn a_record_that_hides_invalid_messages_is_refused() {
    let shielded = Some(ScoreConfigError::Shielded("invalid"));
    assert_eq!(topic_error(|topic| topic.invalid.weight = -1.0), shielded);
    assert_eq!(topic_error(|topic| topic.invalid.weight = -2.0), None);
    assert_eq!(error(|config| config.topic_cap = 20_000.0), shielded);
}

#[test]
fn a_record_that_hides_misbehaviour_is_refused() {
    let shielded = Some(ScoreConfigError::Shielded("behaviour"));
    assert_eq!(error(|config| config.behaviour.threshold = 16.0), shielded);
    assert_eq!(error(|config| config.behaviour.threshold = 9.0), None);
    assert_eq!(error(|config| config.topic_cap = 1_040.0), shielded);
    assert_eq!(error(|config| config.topic_cap = 1_039.0), None);
}

#[test]
fn a_set_in_which_silence_silences_is_refused() {
    let cap = |cap: f64| error(|config| config.deficit_cap = cap);
    assert_eq!(cap(99.9), None);
    assert_eq!(cap(100.0), Some(ScoreConfigError::DeficitIsSilenced));
    assert_eq!(cap(0.0), Some(ScoreConfigError::Range("deficit_cap")));
}

#[test]
fn slowness_that_silences_is_refused() {
    let cap = |cap: f64| error(|config| config.slow.cap = cap);
    assert_eq!(cap(209.0), None);
    assert_eq!(cap(210.0), Some(ScoreConfigError::SlowIsSilenced));
}

#[test]
fn thresholds_are_ordered() {
    let thresholds = |change: fn(&mut Thresholds)| error(|config| change(&mut config.thresholds));
    let refused = Some(ScoreConfigError::Thresholds);
    assert_eq!(thresholds(|one| one.gossip = 0.0), refused);
    assert_eq!(thresholds(|one| one.gossip = -200.0), None);
    assert_eq!(thresholds(|one| one.gossip = -200.1), refused);
    assert_eq!(thresholds(|one| one.publish = -400.0), None);
    assert_eq!(thresholds(|one| one.publish = -400.1), refused);
    assert_eq!(thresholds(|one| one.accept_px = 0.0), None);
    assert_eq!(thresholds(|one| one.accept_px = -0.1), refused);
    assert_eq!(thresholds(|one| one.opportunistic_graft = -0.1), refused);
    assert_eq!(
        thresholds(|one| one.opportunistic_graft = f64::NAN),
        refused
    );
    assert_eq!(thresholds(|one| one.graylist = f64::NEG_INFINITY), refused);
}

#[test]
fn what_nobody_can_bring_is_refused() {
    let absolute = |threshold, traffic| {
        let mut counting = counting().default_topic;
        counting.mesh_deliveries.rule = Deliveries::Absolute {
            threshold,
            traffic,
            activation: Duration::ZERO,
        };
        topic_error(|topic| *topic = counting)
    };
    assert_eq!(absolute(100.0, 200.0), None);
    assert_eq!(absolute(100.0, 199.0), Some(ScoreConfigError::Unreachable));
    assert_eq!(absolute(101.0, 300.0), Some(ScoreConfigError::Unreachable));
    let cap = |cap: f64| topic_error(|topic| topic.mesh_deliveries.cap = cap);
    assert_eq!(cap(32.0), None);
    assert_eq!(cap(31.0), Some(ScoreConfigError::Unreachable));
}

#[test]
fn shares_and_evidence_have_limits() {
    let expected = |share, evidence| rule_error(Deliveries::Expected { share, evidence });
    let share = Some(ScoreConfigError::Range("mesh_deliveries.share"));
    let evidence = Some(ScoreConfigError::Range("mesh_deliveries.evidence"));
    assert_eq!(expected(0.9, 8.0), None);
    assert_eq!(expected(0.91, 8.0), share);
    assert_eq!(expected(0.0, 8.0), share);
    assert_eq!(expected(f64::NAN, 8.0), share);
    assert_eq!(expected(0.6, 7.9), evidence);
    assert_eq!(expected(0.6, 1_024.0), None);
    assert_eq!(expected(0.6, 1_024.1), evidence);
}

#[test]
fn weights_have_their_sign() {
    use ScoreConfigError::Range;
    let weight = |change: fn(&mut TopicScore)| topic_error(change);
    assert_eq!(weight(|one| one.weight = 0.0), Some(Range("topic.weight")));
    let presence = Some(Range("time_in_mesh.weight"));
    assert_eq!(weight(|one| one.time_in_mesh.weight = -0.1), presence);
    let first = Some(Range("first_deliveries.weight"));
    assert_eq!(weight(|one| one.first_deliveries.weight = -0.1), first);
    let mesh = Some(Range("mesh_deliveries.weight"));
    assert_eq!(weight(|one| one.mesh_deliveries.weight = 0.1), mesh);
    let failure = Some(Range("mesh_failure.weight"));
    assert_eq!(weight(|one| one.mesh_failure.weight = 0.0), failure);
    let invalid = Some(Range("invalid.weight"));
    assert_eq!(weight(|one| one.invalid.weight = 0.0), invalid);
    assert_eq!(weight(|one| one.invalid.weight = -1e6), None);
    assert_eq!(weight(|one| one.invalid.weight = -1.1e6), invalid);
    assert_eq!(weight(|one| one.invalid.weight = f64::NAN), invalid);
    let cap = Some(Range("topic_cap"));
    assert_eq!(error(|config| config.topic_cap = 0.0), cap);
    assert_eq!(error(|config| config.topic_cap = f64::INFINITY), cap);
    let colocation = Some(Range("colocation.weight"));
    assert_eq!(error(|config| config.colocation.weight = 0.1), colocation);
    assert_eq!(error(|config| config.colocation.weight = 0.0), None);
    let behaviour = Some(Range("behaviour.weight"));
    assert_eq!(error(|config| config.behaviour.weight = 0.0), behaviour);
    let slow = Some(Range("slow.weight"));
    assert_eq!(error(|config| config.slow.weight = 0.1), slow);
    let application = Some(Range("application_weight"));
    assert_eq!(
        error(|config| config.application_weight = -1.0),
        application
    );
    let threshold = Some(Range("colocation.threshold"));
    assert_eq!(error(|config| config.colocation.threshold = 0), threshold);
    let zero = Some(Range("decay_to_zero"));
    assert_eq!(error(|config| config.decay_to_zero = 1.0), zero);
}

#[test]
fn decays_are_shares() {
    use ScoreConfigError::Decay;
    for value in [0.0, 1.0, -0.5, f64::NAN] {
        let of = |change: fn(&mut ScoreConfig, f64)| error(|config| change(config, value));
        let behaviour = Some(Decay("behaviour.decay"));
        assert_eq!(of(|c, v| c.behaviour.decay = v), behaviour);
        assert_eq!(of(|c, v| c.slow.decay = v), Some(Decay("slow.decay")));
        let of = |change: fn(&mut TopicScore, f64)| topic_error(|topic| change(topic, value));
        let first = Some(Decay("first_deliveries.decay"));
        assert_eq!(of(|t, v| t.first_deliveries.decay = v), first);
        let mesh = Some(Decay("mesh_deliveries.decay"));
        assert_eq!(of(|t, v| t.mesh_deliveries.decay = v), mesh);
        let failure = Some(Decay("mesh_failure.decay"));
        assert_eq!(of(|t, v| t.mesh_failure.decay = v), failure);
        assert_eq!(of(|t, v| t.invalid.decay = v), Some(Decay("invalid.decay")));
    }
}

#[test]
fn durations_have_limits() {
    use ScoreConfigError::Duration as Refused;
    let interval = |millis| error(|config| config.decay_interval = Duration::from_millis(millis));
    assert_eq!(interval(99), Some(Refused("decay_interval")));
    assert_eq!(interval(100), None);
    assert_eq!(interval(3_600_001), Some(Refused("decay_interval")));
    let retain = |seconds| error(|config| config.retain = Duration::from_secs(seconds));
    assert_eq!(retain(59), Some(Refused("retain")));
    assert_eq!(retain(60), None);
    assert_eq!(retain(86_400), None);
    assert_eq!(retain(86_401), Some(Refused("retain")));
    let window = |millis| {
        let window = Duration::from_millis(millis);
        topic_error(|topic| topic.mesh_deliveries.window = window)
    };
    assert_eq!(window(0), Some(Refused("mesh_deliveries.window")));
    assert_eq!(window(60_000), None);
    assert_eq!(window(60_001), Some(Refused("mesh_deliveries.window")));
    let quantum = topic_error(|topic| topic.time_in_mesh.quantum = Duration::ZERO);
    assert_eq!(quantum, Some(Refused("time_in_mesh.quantum")));
    let activation = rule_error(Deliveries::Absolute {
        threshold: 20.0,
        traffic: 200.0,
        activation: Duration::from_secs(3_601),
    });
    assert_eq!(activation, Some(Refused("mesh_deliveries.activation")));
}

#[test]
fn topics_of_their_own_are_bounded() {
    for (count, refused) in [
        (MAX_TOPICS, None),
        (MAX_TOPICS + 1, Some(ScoreConfigError::TooManyTopics)),
    ] {
        let named = (0..count as u64).map(|number| (topic(number), TopicScore::default()));
        assert_eq!(error(|config| config.topics = named.collect()), refused);
    }
}
