//! What a node says when nobody is there.

use std::time::Duration;

use super::rig::{Rig, topic};
use crate::gossip::machine::TopicOptions;
use crate::gossip::machine::unheard::MAX_UNHEARD;
use crate::gossip::{CHUNK_DEADLINE, GossipConfig};
use crate::wire::codec::List;
use crate::wire::message::gossip as wire;

/// Until a message is sealed and sent.
const A_MOMENT: Duration = Duration::from_millis(100);

/// Three that know nobody, and of which the first says something.
fn lonely(text: &[u8]) -> Rig {
    let mut rig = Rig::new(3, &GossipConfig::default());
    for node in 0..3 {
        rig.subscribe(node, TopicOptions::default());
    }
    rig.run_for(Duration::from_secs(1));
    rig.publish(0, text);
    rig.run_for(A_MOMENT);
    assert_eq!(
        rig.published.last().unwrap().1.as_ref().unwrap().neighbours,
        0
    );
    rig
}

/// One that drops it would not be enough.
#[test]
fn what_nobody_heard_goes_to_each_that_comes_while_it_is_held() {
    for text in [vec![1; 100], vec![2; 14_000]] {
        let mut rig = lonely(&text);
        rig.silent.push(1);
        rig.connect(1, 0);
        let topics = List::truncated([*topic().as_bytes()]);
        rig.forge(1, 0, wire::SUBSCRIBE, &wire::Subscribe { topics });
        rig.run_for(Duration::from_secs(1));
        rig.connect(2, 0);
        rig.run_for(Duration::from_secs(1));
        assert_eq!(rig.receivers(&text), [2]);
        rig.run_for(CHUNK_DEADLINE);
        assert_eq!(rig.nodes[0].unheard(), 0);
    }
}

#[test]
fn a_long_message_that_nobody_heard_is_fetched_by_who_comes() {
    let text = vec![3; 300_000];
    let mut rig = lonely(&text);
    rig.connect(1, 0);
    rig.run_for(Duration::from_secs(3));
    assert_eq!(rig.receivers(&text), [1]);
}

#[test]
fn what_nobody_heard_is_forgotten_when_it_is_not_held_any_more() {
    let config = GossipConfig::default();
    let text = b"too early";
    let mut rig = lonely(text);
    assert_eq!(rig.nodes[0].unheard(), 1);
    // In the midst of a heartbeat it was said, and one more may be under way.
    let held = config.heartbeat_interval * (config.history_length as u32 + 2);
    rig.run_for(held);
    assert_eq!(rig.nodes[0].unheard(), 0);
    rig.connect(1, 0);
    rig.run_for(Duration::from_secs(2));
    assert!(rig.receivers(text).is_empty());
}

#[test]
fn as_many_messages_wait_for_somebody_as_may() {
    let mut rig = lonely(b"the first one");
    for number in 0..MAX_UNHEARD as u64 {
        rig.publish(0, &number.to_le_bytes());
    }
    rig.run_for(A_MOMENT);
    assert_eq!(rig.nodes[0].unheard(), MAX_UNHEARD);
    rig.connect(1, 0);
    rig.run_for(Duration::from_secs(2));
    assert!(rig.receivers(b"the first one").is_empty());
    assert_eq!(rig.receivers(&0_u64.to_le_bytes()), [1]);
}
