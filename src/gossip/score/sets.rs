//! The parameter sets that ship.

use std::collections::BTreeMap;
use std::time::Duration;

use super::config::{
    Behaviour, Colocation, Deliveries, FirstDeliveries, Invalid, MeshDeliveries, MeshFailure,
    ScoreConfig, SlowPeer, Thresholds, TimeInMesh, TopicScore,
};
use crate::gossip::{GossipConfig, Spreading};

/// For links by source.
///
/// All numbers hang on one: a neighbour earns at most 9 on a topic and 50 in all. A member that
/// brings nothing pays 80 on that topic, which takes it out of that mesh whatever it did before, and
/// is not below the gossip threshold of -100 for that alone, on however many topics.
impl Default for ScoreConfig {
    fn default() -> Self {
        Self {
            topics: BTreeMap::new(),
            default_topic: TopicScore::default(),
            unsigned_topic: TopicScore::unsigned(),
            // Good on six topics is as good as it gets: more would only be a store to sin from.
            topic_cap: 50.0,
            // As much as on one topic.
            deficit_cap: 80.0,
            // The program counts in points of the score.
            application_weight: 1.0,
            colocation: Colocation {
                // 12 honest links of a data centre lose 2, 20 lose 50 and keep gossip; 41 Sybils lose
                // 480 and are graylisted, whatever they earned.
                weight: -0.5,
                // As many as one group has in the routing table.
                threshold: 10,
            },
            behaviour: Behaviour {
                // Against the best record, eight faults in a row cost gossip (10 * 4^2 = 160 for 150)
                // and eleven all (10 * 7^2 = 490 for 450).
                weight: -10.0,
                // A graft that crosses a prune, an answer that a loss delays: it happens.
                threshold: 4.0,
                // Half in 34 s: eleven are below the threshold again after 50 s.
                decay: 0.98,
            },
            slow: SlowPeer {
                // More than 110 messages behind outweigh all that can be earned: out of every mesh.
                weight: -0.5,
                // A hiccup of a busy line.
                threshold: 10.0,
                // Half in 23 s, as the deliveries.
                decay: 0.97,
                // 70 points: not below the gossip threshold.
                cap: 150.0,
            },
            decay_interval: Duration::from_secs(1),
            decay_to_zero: 0.01,
            // Longer than any back-off, and as long as others remember.
            retain: Duration::from_secs(3_600),
            thresholds: Thresholds {
                gossip: -100.0,
                publish: -200.0,
                graylist: -400.0,
                // Membership earns 1 on a topic: who recommends others brought 50 messages first.
                accept_px: 5.0,
                // A mesh whose median member brought no dozen messages first of late.
                opportunistic_graft: 2.0,
            },
        }
    }
}

/// A topic for links by source.
impl Default for TopicScore {
    fn default() -> Self {
        Self {
            weight: 1.0,
            // One point for a minute, and no more for an hour: an order among newcomers.
            time_in_mesh: TimeInMesh {
                weight: 1.0 / 60.0,
                quantum: Duration::from_secs(1),
                cap: 60.0,
            },
            // Three first copies a second, half forgotten in 23 s, earn the most, 8 points: eager links
            // reach it on a busy topic, and a rush of own messages earns no more.
            first_deliveries: FirstDeliveries {
                weight: 0.08,
                decay: 0.97,
                cap: 100.0,
            },
            mesh_deliveries: MeshDeliveries {
                // Nine times what a member earns at most on the topic: who brings under 40 % of what
                // it is asked for is out in any case, for 80 (1 - 0.4 / 0.6)^2 is 9.
                weight: -80.0,
                // Half in 23 s. From a perfect record to under 40 % in 31 s of silence; a neighbour
                // that was away for 15 s stays.
                decay: 0.97,
                // 300 a second: beyond that the last 33 s become fewer.
                cap: 10_000.0,
                // What is late costs an eager link its place; only what never comes costs the mesh. A
                // loss is repaired by then, a pull as well.
                window: Duration::from_secs(1),
                rule: Deliveries::Expected {
                    // At 5 % loss, the chance that 13 of 32 are missing is 2 in a thousand million.
                    share: 0.6,
                    evidence: 32.0,
                },
            },
            mesh_failure: MeshFailure {
                // The same as the deficit that it keeps.
                weight: -80.0,
                // Forgotten after ten minutes: who forwards nothing is in the mesh for less than a
                // tenth of the time.
                decay: 0.992_35,
            },
            invalid: Invalid {
                // One costs this mesh whatever was brought, and others without a good record; three
                // graylist a neighbour with the best record: 468 for 459.
                weight: -52.0,
                // Half of the counter in 6 min: one keeps out of meshes for ten.
                decay: 0.998,
            },
        }
    }
}

impl TopicScore {
    /// A topic without signatures, beside those of the default set.
    #[must_use]
    pub fn unsigned() -> Self {
        Self {
            mesh_deliveries: MeshDeliveries {
                window: AUDITED_WINDOW,
                rule: AUDITED_MEMBERS,
                ..Self::default().mesh_deliveries
            },
            ..Self::default()
        }
    }
}

/// In which a member that is audited may bring a message where the mesh alone decides. It is not told of it for so
/// long, or an echo would be a delivery; who has nobody else to hear from waits for it. What a node brings that is
/// 200 ms away from all others is there by then, and what a link of 50 ms lost is repeated.
const AUDITED_WINDOW: Duration = Duration::from_millis(500);

/// What such members owe. Two that audit each other with one message, which happens to one in sixteen, withhold it
/// from each other and both fail: that 17 of 32 are missing so has a chance of 8e-13, and of 5e-9 where one in
/// twenty is lost as well.
const AUDITED_MEMBERS: Deliveries = Deliveries::Expected {
    share: 0.5,
    evidence: 32.0,
};

impl ScoreConfig {
    /// The set for the way in which messages spread.
    #[must_use]
    pub fn matching(config: &GossipConfig) -> Self {
        match config.spreading {
            Spreading::Mesh => Self::plain(),
            Spreading::BySource(_) => Self::default(),
        }
    }

    /// For plain v1.1: the defaults of rust-libp2p, changed where [`validate`](Self::validate) refuses
    /// them.
    ///
    /// As they stand there, a member earns 1 800 by being present for four seconds and loses 200 by
    /// bringing nothing; 2 000 first deliveries hide 46 invalid messages; and one prune for a deficit
    /// graylists.
    #[must_use]
    pub fn plain() -> Self {
        Self {
            topics: BTreeMap::new(),
            default_topic: TopicScore::plain(),
            unsigned_topic: TopicScore::plain(),
            // There 3 600, behind which a neighbour could do anything.
            topic_cap: 100.0,
            // As slowness.
            deficit_cap: 8.0,
            application_weight: 10.0,
            // By network, not by address.
            colocation: Colocation {
                weight: -5.0,
                threshold: 10,
            },
            // Forgotten within seconds, as there.
            behaviour: Behaviour {
                weight: -10.0,
                threshold: 0.0,
                decay: 0.2,
            },
            slow: SlowPeer {
                weight: -0.2,
                threshold: 0.0,
                decay: 0.2,
                // There without a limit: 8 points, for 10 would silence.
                cap: 40.0,
            },
            decay_interval: Duration::from_secs(1),
            // There 0.1: a failure would be forgotten while the back-off lasts.
            decay_to_zero: 0.01,
            retain: Duration::from_secs(3_600),
            thresholds: Thresholds {
                gossip: -10.0,
                publish: -50.0,
                graylist: -80.0,
                accept_px: 10.0,
                opportunistic_graft: 20.0,
            },
        }
    }
}

impl TopicScore {
    /// For plain v1.1.
    #[must_use]
    pub const fn plain() -> Self {
        Self {
            weight: 0.5,
            // There a quantum of 1 ms and a cap of 3 600, which nothing outweighs.
            time_in_mesh: TimeInMesh {
                weight: 1.0,
                quantum: Duration::from_secs(1),
                cap: 10.0,
            },
            first_deliveries: FirstDeliveries {
                weight: 1.0,
                // There 0.5, which sees one second.
                decay: 0.9,
                // There 2 000: with presence, 25 points suffice for the thresholds.
                cap: 40.0,
            },
            mesh_deliveries: MeshDeliveries {
                // There -1, and a count of messages, of which who is farther away than others brings none in
                // time. Silence costs eight times what can be earned on the topic, about as by source: who says
                // much itself and passes on less than 32 % of what it is audited with is out in any case.
                weight: -400.0,
                // There 0.5: two seconds without a message would cost everybody the mesh.
                decay: 0.95,
                cap: 1_000.0,
                window: AUDITED_WINDOW,
                rule: AUDITED_MEMBERS,
            },
            mesh_failure: MeshFailure {
                // The same as the deficit that it keeps.
                weight: -400.0,
                // There 0.5, forgotten before the back-off ends; here after nine minutes.
                decay: 0.991_5,
            },
            invalid: Invalid {
                // There -1 and 0.3: seven graylist a neighbour with the best record.
                weight: -10.0,
                decay: 0.9,
            },
        }
    }
}
