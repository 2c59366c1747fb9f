//! What gossip can be told, and the constants of its algorithms.

#[cfg(test)]
mod tests;
mod validation;

use std::time::Duration;

use thiserror::Error;

use self::validation::LEAST_NAMED;
use super::replay::KEPT;
use crate::wire::message::gossip::MAX_LARGE;

/// Settings of the gossip machine. The defaults are the shipped policy.
///
/// The names are GossipSub's; where a default differs from its specification, the reason is beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct GossipConfig {
    /// Neighbours of a mesh that are aimed at: D; default 8.
    pub mesh_n: usize,
    /// Below it, neighbours are grafted: D_low; default 6.
    pub mesh_n_low: usize,
    /// Above it, neighbours are pruned: D_high; default 12.
    pub mesh_n_high: usize,
    /// Neighbours with the best scores that stay when a mesh is pruned: D_score; default 4.
    pub mesh_n_score: usize,
    /// Neighbours of a mesh that this node dialled, at least: D_out; default 2.
    pub mesh_outbound_min: usize,
    /// Neighbours outside a mesh that hear of messages at a heartbeat, at least: D_lazy; default 6
    /// in a plain mesh. With links by source one is enough: the announcements between heartbeats do
    /// the rest.
    pub gossip_lazy: usize,
    /// Share of the neighbours outside a mesh that hear of messages at a heartbeat; default 0.25. With links
    /// by source they take turns.
    pub gossip_factor: f64,
    /// Time between two heartbeats; default 0.7 s, Ethereum's.
    pub heartbeat_interval: Duration,
    /// Time from the first neighbour, or the first subscription, to a heartbeat; default 100 ms: a mesh
    /// stands within a second.
    pub heartbeat_initial_delay: Duration,
    /// Heartbeats for which a message is kept for those who ask, no longer than [`seen_ttl`](Self::seen_ttl);
    /// default 6. Where the mesh alone decides and they end within a second, no member is found to be silent.
    pub history_length: usize,
    /// Heartbeats whose messages are announced; default 3.
    pub history_gossip: usize,
    /// How long the neighbours are remembered to whom the messages of a topic go that this node
    /// publishes in and does not subscribe to; default 60 s.
    pub fanout_ttl: Duration,
    /// How long a message is known as seen; default 150 s, and not less: as long as its timestamp is accepted. Of
    /// many, the last 131 072 of all topics at least; sealed ones are told by their counters beyond that.
    pub seen_ttl: Duration,
    /// Time in which a pruned neighbour does not come back; default 60 s.
    pub prune_backoff: Duration,
    /// The same for a neighbour that unsubscribed; default 10 s.
    pub unsubscribe_backoff: Duration,
    /// Time between two looks for better neighbours than those in a mesh; default 60 s.
    pub opportunistic_graft_interval: Duration,
    /// Neighbours that are grafted then; default 2.
    pub opportunistic_graft_peers: usize,
    /// Times that one message is sent to one neighbour that asks for it; default 3.
    pub gossip_retransmission: u32,
    /// Announcements that are heard of one neighbour between two heartbeats; default 10 in a plain mesh.
    /// With links by source every message is announced at once: then it is the next one that counts.
    pub max_ihave_messages: usize,
    /// Ids that are heard of one neighbour between two heartbeats; default 10 000: two heartbeats of the
    /// neighbour, which tells [5 000](QueueConfig::max_announced), may fall into one of this node.
    pub max_ihave_length: usize,
    /// Time in which a neighbour sends what it announced; default 3 s.
    pub iwant_followup_time: Duration,
    /// Messages of this size and above are refused by IDONTWANT as soon as they are there; default
    /// 1 024 bytes: a smaller one is hardly longer than the refusal.
    pub idontwant_threshold: usize,
    /// Whether own messages, but large ones, go to all neighbours of their topic at once; default yes: no choice of
    /// neighbours hides them.
    pub flood_publish: bool,
    /// Neighbours that a pruned one is told of; default 16.
    pub prune_peers: usize,
    /// How messages spread beyond the mesh.
    pub spreading: Spreading,
    /// Seals that this node makes.
    pub sealing: SealingConfig,
    /// Seals that this node verifies.
    pub admission: AdmissionConfig,
    /// What waits for a neighbour.
    pub queue: QueueConfig,
    /// How much is heard of one publisher, and of one neighbour.
    pub rates: RateConfig,
    /// Bytes of messages above 16 KiB that are under way, or held for others; default 64 MiB: two of the
    /// longest. One that finds no room is not carried.
    pub large_memory: usize,
}

/// How messages spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spreading {
    /// Through the mesh, as GossipSub v1.1: the control arm of measurements, and how unsigned topics
    /// are always dealt with.
    Mesh,
    /// Over links chosen by source, with the mesh as cold state.
    BySource(BySourceConfig),
}

/// Which links bring whose messages. The figures are those of the simulation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BySourceConfig {
    /// Links that send a publisher's messages at once; default 2.
    pub eager: usize,
    /// The same for messages of [`large`](Self::large) and above; default 1.
    pub eager_large: usize,
    /// Bytes from which a message is large; default 12 KiB.
    pub large: usize,
    /// Links that announce at once and are drawn by lot, whatever they achieve: default 3, so that no
    /// performance earns them.
    pub lazy_random: usize,
    /// How many of these are links that this node dialled, as far as there are any: default 2, so that nobody
    /// who dials in has all of them, with however many identities.
    pub lazy_outbound: usize,
    /// Links that announce at once, the best after the eager ones; default 2.
    pub lazy_best: usize,
    /// Publishers for whom one link may be eager, as a multiple of its fair share; default 2.
    pub share_cap: f64,
    /// Lateness that counts at most; default 60 ms.
    pub lateness_cap: Duration,
    /// Time that an announced message is waited for; default 20 ms. In a network that loses one packet in
    /// twenty less makes nodes ask for what is on its way.
    pub pull_delay: Duration,
    /// The same where at least one in ten of those who bring messages has said nothing for 120 ms and five of its
    /// usual pauses; default 10 ms, and no more than where nobody is silent. More delays what they would have
    /// brought.
    pub pull_delay_silent: Duration,
    /// The same for large messages, in any case; default 20 ms.
    pub pull_delay_large: Duration,
    /// Time in which an asked neighbour sends what it announced before it is bad; default 1 s.
    pub promise: Duration,
    /// Time for which a bad link is asked last and sends nothing at once; doubles up to 32 times;
    /// default 60 s.
    pub hold_down: Duration,
    /// Time for which all links announce when too many messages had to be asked for; default 3 s.
    pub panic: Duration,
    /// Publishers and topics for which links are chosen; default 4 096.
    pub max_classes: usize,
}

/// How fast a node seals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealingConfig {
    /// Seals at once; default 16.
    pub burst: u32,
    /// Seals a second after that; default 50: a message waits 20 ms at most.
    pub per_second: u32,
    /// Messages that wait for a seal; default 8 192.
    pub max_waiting: usize,
}

/// How many seals a node verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdmissionConfig {
    /// Seals of one publisher at once; default 64.
    pub publisher_burst: u32,
    /// A second after that; default 100, what an honest one makes at most: twice what one makes that fills no list.
    pub publisher_per_second: u32,
    /// All seals a second; default 2 500: a fifth of a core with the fast backend.
    pub total_per_second: u32,
    /// How long a seal waits for its turn; default 1 s.
    pub patience: Duration,
}

/// What waits for one neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueConfig {
    /// Bytes; default 1 MiB.
    pub max_bytes: usize,
    /// Bytes a second of what a neighbour asked for by IWANT, with the keys and seals that go before it; default 32 MiB,
    /// and twice as much at once: all that is held. What it asks for beyond that waits.
    pub answered_bytes: u32,
    /// How long a message of somebody else waits; default 1 s: later it is announced.
    pub max_age_forwarded: Duration,
    /// How long a message of this node waits; default 5 s.
    pub max_age_own: Duration,
    /// A neighbour that reads nothing for this long is said to stall at the next heartbeat; default 1.2 s, so that it is
    /// seen within two seconds. Less than [`slow_reader`](Self::slow_reader).
    pub stalled_reader: Duration,
    /// A neighbour that reads nothing for this long leaves all meshes; default 3 s.
    pub slow_reader: Duration,
    /// Bytes that are handed to the edge together; default 64 KiB.
    pub batch: usize,
    /// Ids that the neighbour is told of between two heartbeats; default 5 000. Others wait for the next
    /// one: it would not hear them.
    pub max_announced: usize,
}

/// How much is heard a second; twice as much at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateConfig {
    /// Messages of one publisher on one topic, or of one neighbour on an unsigned one; default 200 000: twice what the
    /// fastest publisher says. Others are ignored.
    pub messages: u32,
    /// KiB of them, each message rounded up; default 262 144: what two lines of a gigabit bring.
    pub kibibytes: u32,
    /// Bytes of one neighbour's keys and seals, and a KiB for each subscription and the end of one; default 32 MiB, and
    /// not less: 2 500 seals a second that list 200 000 messages are 18 MB, and 25 MB with a key for
    /// each. Who names more is let go: later frames refer to each.
    pub named_bytes: u32,
    /// Bytes of one neighbour's frames that are no messages, keys, seals or subscriptions; default 4 MiB: ten times
    /// what it may announce. Other frames are not heard.
    pub control_bytes: u32,
}

/// Why a configuration does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// It must be D_out < D_low ≤ D ≤ D_high, D_out ≤ D / 2 and D_score ≤ D.
    #[error("mesh sizes must obey outbound < low <= n <= high, outbound <= n/2, score <= n")]
    MeshSizes,
    /// It must be 0 < announced ≤ kept, and what is kept must not outlast what is known as seen.
    #[error("history_gossip must be 1 to history_length, which must end within seen_ttl")]
    History,
    /// What is forgotten before its timestamp is too old comes again.
    #[error("seen_ttl must be at least {} s", KEPT.as_secs())]
    Forgetful,
    /// A time that must pass is zero, or longer than an hour.
    #[error("{0} must be between 1 ms and 1 h")]
    Duration(&'static str),
    /// What is handed over together would leave no room for control.
    #[error("queue.max_bytes must be at least four times queue.batch")]
    Queue,
    /// An honest neighbour would be let go.
    #[error("rates.named_bytes must be at least {LEAST_NAMED}")]
    Named,
    /// A number that must be at least one is zero.
    #[error("{0} must not be 0")]
    Zero(&'static str),
    /// Of the links that are drawn by lot more are to be dialled ones than are drawn.
    #[error("by_source.lazy_outbound must not be above by_source.lazy_random")]
    Announcers,
    /// What some have fallen silent about would be waited for longer than what is only late.
    #[error("by_source.pull_delay_silent is above pull_delay")]
    PullDelays,
    /// Who stalls would be a slow reader before that is told.
    #[error("queue.stalled_reader must be below queue.slow_reader")]
    Stalls,
    /// A factor is out of its bounds.
    #[error("{0} is out of its bounds")]
    Factor(&'static str),
}

impl GossipConfig {
    /// Plain GossipSub v1.1: the control arm.
    #[must_use]
    pub fn plain() -> Self {
        Self {
            gossip_lazy: 6,
            max_ihave_messages: 10,
            spreading: Spreading::Mesh,
            ..Self::default()
        }
    }
}

impl Default for GossipConfig {
    fn default() -> Self {
        Self {
            mesh_n: 8,
            mesh_n_low: 6,
            mesh_n_high: 12,
            mesh_n_score: 4,
            mesh_outbound_min: 2,
            gossip_lazy: 1,
            gossip_factor: 0.25,
            heartbeat_interval: Duration::from_millis(700),
            heartbeat_initial_delay: Duration::from_millis(100),
            history_length: 6,
            history_gossip: 3,
            fanout_ttl: Duration::from_secs(60),
            seen_ttl: Duration::from_secs(150),
            prune_backoff: Duration::from_secs(60),
            unsubscribe_backoff: Duration::from_secs(10),
            opportunistic_graft_interval: Duration::from_secs(60),
            opportunistic_graft_peers: 2,
            gossip_retransmission: 3,
            max_ihave_messages: 10_000,
            max_ihave_length: 10_000,
            iwant_followup_time: Duration::from_secs(3),
            idontwant_threshold: 1_024,
            flood_publish: true,
            prune_peers: 16,
            spreading: Spreading::BySource(BySourceConfig::default()),
            sealing: SealingConfig::default(),
            admission: AdmissionConfig::default(),
            queue: QueueConfig::default(),
            rates: RateConfig::default(),
            large_memory: 2 * MAX_LARGE,
        }
    }
}

impl Default for BySourceConfig {
    fn default() -> Self {
        Self {
            eager: 2,
            eager_large: 1,
            large: 12 * 1_024,
            lazy_random: 3,
            lazy_outbound: 2,
            lazy_best: 2,
            share_cap: 2.0,
            lateness_cap: Duration::from_millis(60),
            pull_delay: Duration::from_millis(20),
            pull_delay_silent: Duration::from_millis(10),
            pull_delay_large: Duration::from_millis(20),
            promise: Duration::from_secs(1),
            hold_down: Duration::from_secs(60),
            panic: Duration::from_secs(3),
            max_classes: 4_096,
        }
    }
}

impl Default for SealingConfig {
    fn default() -> Self {
        Self {
            burst: 16,
            per_second: 50,
            max_waiting: 8_192,
        }
    }
}

impl Default for AdmissionConfig {
    fn default() -> Self {
        Self {
            publisher_burst: 64,
            publisher_per_second: 100,
            total_per_second: 2_500,
            patience: Duration::from_secs(1),
        }
    }
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            max_bytes: 1 << 20,
            max_age_forwarded: Duration::from_secs(1),
            max_age_own: Duration::from_secs(5),
            answered_bytes: 32 << 20,
            stalled_reader: Duration::from_millis(1_200),
            slow_reader: Duration::from_secs(3),
            batch: 64 << 10,
            max_announced: 5_000,
        }
    }
}

impl Default for RateConfig {
    fn default() -> Self {
        Self {
            messages: 200_000,
            kibibytes: 262_144,
            named_bytes: LEAST_NAMED,
            control_bytes: 4 << 20,
        }
    }
}
