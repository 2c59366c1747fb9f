//! What becomes of messages that find no place in a neighbour's queue.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::rig::{Rig, topic};
use crate::gossip::machine::neighbour::Subscriptions;
use crate::gossip::machine::outbox::{Outbox, Priority};
use crate::gossip::machine::parcel::{Content, Parcel};
use crate::gossip::machine::{Input, Link};
use crate::gossip::{GossipConfig, QueueConfig};
use crate::policy::Micros;
use crate::wire::codec::decode;
use crate::wire::frame::FrameDecoder;
use crate::wire::message::gossip as wire;

const SECOND: Duration = Duration::from_secs(1);

fn id(number: usize) -> [u8; 32] {
    *blake3::hash(&number.to_le_bytes()).as_bytes()
}

/// What overflows between two members of a mesh comes by no other way.
#[test]
fn what_found_no_place_is_announced_when_there_is_room() {
    let mut rig = Rig::all_connected(2, &GossipConfig::default());
    rig.run_for(SECOND);
    // More than a mebibyte, while nothing is read.
    rig.paused.push(1);
    let texts = (0..100_u32).map(|number| {
        let mut text = vec![0; 16_000];
        text[..4].copy_from_slice(&number.to_le_bytes());
        text
    });
    let texts: Vec<_> = texts.collect();
    for text in &texts {
        rig.publish(0, text);
    }
    rig.run_for(Duration::from_millis(500));
    rig.paused.clear();
    rig.tell(0, Input::Writable(Link(1)));
    rig.run_for(3 * SECOND);
    for (number, text) in texts.iter().enumerate() {
        assert_eq!(rig.receivers(text), [1], "{number}");
    }
}

/// Neither what this node says nor what it promised waits behind what it passes on.
#[test]
fn own_and_asked_messages_take_the_place_of_those_of_others() {
    let (config, size) = (QueueConfig::default(), 16_000);
    let parcel = |number| {
        Arc::new(Parcel {
            id: id(number),
            topic: topic(),
            proof: None,
            content: Content::Whole(Bytes::from(vec![0; size])),
        })
    };
    let mut outbox = Outbox::new();
    let mut number = 0;
    while outbox.push(parcel(number), Micros(0), Priority::Forwarded, &config) {
        number += 1;
    }
    for more in 0..number {
        let priority = if more % 2 == 0 {
            Priority::Own
        } else {
            Priority::Asked
        };
        assert!(
            outbox.push(parcel(1_000 + more), Micros(0), priority, &config),
            "{more}"
        );
        assert!(outbox.bytes() <= config.max_bytes);
    }
    // Nothing of others is left to make room.
    assert!(!outbox.push(parcel(5_000), Micros(0), Priority::Own, &config));
}

/// A promise is kept whatever the neighbour is known to have by now.
#[test]
fn what_was_asked_for_is_sent_and_what_is_needless_is_not() {
    let config = QueueConfig::default();
    let parcel = |number| {
        Arc::new(Parcel {
            id: id(number),
            topic: topic(),
            proof: None,
            content: Content::Whole(Bytes::from_static(b"said")),
        })
    };
    let mut theirs = Subscriptions::default();
    theirs.add(topic());
    for (priority, is_sent) in [
        (Priority::Asked, true),
        (Priority::Own, false),
        (Priority::Forwarded, false),
    ] {
        let mut outbox = Outbox::new();
        assert!(outbox.push(parcel(1), Micros(0), priority, &config));
        let taken = outbox.take(Micros(1), &theirs, &config, |_| true);
        assert_eq!(taken.is_some(), is_sent, "{priority:?}");
    }
}

#[test]
fn as_many_messages_that_found_no_place_are_remembered_as_may_be() {
    let config = QueueConfig::default();
    let mut outbox = Outbox::new();
    for number in 0..5_000 {
        outbox.miss(topic(), id(number));
    }
    let mut theirs = Subscriptions::default();
    theirs.add(topic());
    let mut announced = Vec::new();
    while let Some(mut frames) = outbox.take(Micros(1), &theirs, &config, |_| false) {
        outbox.writable();
        let mut decoder = FrameDecoder::new();
        while let Some(frame) = decoder.decode(&mut frames, wire::RECEIVER_READS).unwrap() {
            let ihave: wire::IHave = decode(&frame.body).unwrap();
            announced.extend(ihave.ids.into_vec());
        }
    }
    let kept: Vec<_> = (5_000 - 4_096..5_000).map(id).collect();
    assert_eq!(announced, kept);
}
