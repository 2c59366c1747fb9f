//! Neighbours that bring what no honest one brings, ten times a second.

use std::time::Duration;

use super::attacks::{Forged, forged, ids, now_ms, pair};
use super::rig::Rig;
use crate::gossip::machine::{Fault, Input, Link, TopicOptions, Verdict};
use crate::policy::IpGroup;
use crate::wire::message::gossip as wire;

const SECOND: Duration = Duration::from_secs(1);

/// Between two messages.
const EVERY: Duration = Duration::from_millis(100);

/// The one that says what a test wants.
const LINK: Link = Link(1);

/// Messages that earn all that is to be earned, in a few seconds.
const GOOD_RECORD: u64 = 200;

/// The program rejects and accepts as it is told to.
fn judged_pair() -> Rig {
    let mut rig = pair();
    let options = TopicOptions {
        is_judged: true,
        ..TopicOptions::default()
    };
    rig.subscribe(0, options);
    rig
}

/// The message with this number on a stream, under a seal of its own.
fn message(rig: &Rig, number: u64, text: &'static [u8]) -> Forged {
    let mut one = forged(1, number, text, now_ms(rig));
    (one.seal.key, one.message.seal) = (number, number);
    one
}

/// Its connection ends, and it dials again.
fn come_back(rig: &mut Rig) {
    let (link, group, is_outbound) = (LINK, IpGroup::Local, false);
    let connected = Input::Connected {
        link,
        group,
        is_outbound,
    };
    rig.tell(0, Input::Disconnected(link));
    rig.tell(0, connected);
}

/// Neither what it sends counts nor what it announces.
fn assert_is_unheard(rig: &mut Rig, next: u64) {
    rig.verdict = Verdict::Accept;
    let faults = rig.faults.len();
    message(rig, next, b"fine").send(rig);
    assert!(rig.receivers(b"fine").is_empty());
    let ids = ids(0, 1);
    let id = ids[0];
    rig.forge(1, 0, wire::IHAVE, &wire::IHave { topic: 0, ids });
    assert!(rig.nodes[0].store.get(&id).is_none());
    assert_eq!(rig.faults.len(), faults, "nothing more is held against it");
}

/// The best record hides two of them and not three.
#[test]
fn attack_9_who_brings_what_is_rejected_is_graylisted_within_a_second_and_not_heard() {
    for good in [0, GOOD_RECORD] {
        let mut rig = judged_pair();
        for number in 0..good {
            message(&rig, number, b"good").send(&mut rig);
        }
        assert_eq!(rig.delivered.len() as u64, good);
        rig.verdict = Verdict::Reject;
        let (start, mut number) = (rig.now, good);
        while !rig.nodes[0].is_graylisted(LINK) {
            let next = rig.now + EVERY;
            message(&rig, number, b"bad").send(&mut rig);
            number += 1;
            rig.run_for(next.since(rig.now));
            assert!(rig.now.since(start) <= SECOND, "{number} of {good}");
        }
        assert_eq!(number - good, 3);
        let rejected = (0, LINK, Fault::Rejected);
        assert_eq!(rig.faults, [rejected; 3]);
        assert_is_unheard(&mut rig, number);
    }
}

/// It is let go for each, and comes back.
#[test]
fn attack_9_who_comes_back_with_what_does_not_decode_is_graylisted_within_a_second() {
    let mut rig = pair();
    let start = rig.now;
    for round in 0..3 {
        assert!(!rig.nodes[0].is_graylisted(LINK), "{round}");
        come_back(&mut rig);
        let said = message(&rig, 0, b"whole");
        rig.forge(1, 0, wire::KEY, &said.key);
        rig.forge(1, 0, wire::SEAL, &said.seal);
        // Its seal, and nothing behind it.
        let (kind, body) = (wire::MESSAGE, vec![0, 250].into());
        let link = LINK;
        rig.tell(0, Input::Frame { link, kind, body });
        assert_eq!(rig.faults.len(), round + 1);
        // Even before its score says so.
        rig.forge(1, 0, wire::MESSAGE, &said.message);
        rig.run_for(EVERY);
        assert!(rig.receivers(b"whole").is_empty());
    }
    assert!(rig.nodes[0].is_graylisted(LINK));
    assert!(rig.now.since(start) <= SECOND);
    come_back(&mut rig);
    assert_is_unheard(&mut rig, 0);
}
