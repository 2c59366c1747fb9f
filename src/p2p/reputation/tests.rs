use std::time::Duration;

use super::*;
use crate::identity::PeerId;
use crate::policy::Micros;
use crate::wire::Violation;

const START: Micros = Micros(1_000_000);
const PROTOCOL: u32 = 0x40;
const MALFORMED: Fault = Fault::Wire(Violation::TrailingBytes);

fn peer(number: u16) -> PeerId {
    let mut bytes = [0; 32];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    PeerId::from_bytes(bytes)
}

fn confirmed(number: u16, path: PathKind) -> Standing {
    Standing::Confirmed {
        peer: peer(number),
        path,
    }
}

fn evidence(number: u16, protocol: u32) -> ConfirmedEvidence {
    confirmed(number, PathKind::Direct)
        .evidence(protocol)
        .unwrap()
}

fn ledger() -> ReputationLedger {
    ReputationLedger::new(ReputationConfig::default())
}

fn after(seconds: u64) -> Micros {
    START + Duration::from_secs(seconds)
}

#[test]
fn a_stream_fault_costs_ten_points() {
    let mut ledger = ledger();
    assert_eq!(ledger.score(START, &peer(1)), 0);
    assert_eq!(
        ledger.record(START, evidence(1, PROTOCOL), MALFORMED),
        Verdict::Keep
    );
    assert_eq!(ledger.score(START, &peer(1)), -10);
}

#[test]
fn the_connection_closes_at_the_fifth_stream_fault_and_not_at_the_fourth() {
    let mut ledger = ledger();
    for _ in 0..4 {
        assert_eq!(
            ledger.record(START, evidence(1, PROTOCOL), MALFORMED),
            Verdict::Keep
        );
    }
    assert_eq!(
        ledger.record(START, evidence(1, PROTOCOL), MALFORMED),
        Verdict::Close
    );
    assert_eq!(ledger.score(START, &peer(1)), -50);
}

#[test]
fn the_peer_is_banned_at_the_tenth_stream_fault_and_closed_before() {
    let mut ledger = ledger();
    let verdicts: Vec<_> = (0..11)
        .map(|_| ledger.record(START, evidence(1, PROTOCOL), MALFORMED))
        .collect();
    assert!(
        verdicts[4..9]
            .iter()
            .all(|verdict| *verdict == Verdict::Close)
    );
    assert_eq!(verdicts[9], Verdict::Ban(Duration::from_secs(600)));
    assert_eq!(verdicts[10], Verdict::Ban(Duration::from_secs(600)));
    assert_eq!(ledger.score(START, &peer(1)), -100, "the floor");
}

#[test]
fn faults_a_second_apart_still_close_at_the_fifth() {
    let mut ledger = ledger();
    let last = (0..5u64)
        .map(|second| ledger.record(after(second), evidence(1, PROTOCOL), MALFORMED))
        .last();
    assert_eq!(last, Some(Verdict::Close));
}

#[test]
fn a_score_recovers_by_half_in_ten_minutes() {
    let mut ledger = ledger();
    for _ in 0..4 {
        ledger.record(START, evidence(1, PROTOCOL), MALFORMED);
    }
    let scores = [0, 600, 1_200, 1_800].map(|seconds| ledger.score(after(seconds), &peer(1)));
    assert_eq!(scores, [-40, -20, -10, -5]);
    assert_eq!(ledger.score(after(86_400), &peer(1)), 0);
}

#[test]
fn a_clock_that_goes_back_forgives_nothing_and_does_not_panic() {
    let mut ledger = ledger();
    ledger.record(after(100), evidence(1, PROTOCOL), MALFORMED);
    ledger.record(START, evidence(1, PROTOCOL), MALFORMED);
    assert_eq!(ledger.score(START, &peer(1)), -20);
}

#[test]
fn sub_scores_do_not_add_up_and_the_worst_counts() {
    let mut ledger = ledger();
    for _ in 0..3 {
        ledger.record(START, evidence(1, 1), MALFORMED);
    }
    ledger.record(START, evidence(1, 2), MALFORMED);
    assert_eq!(ledger.score(START, &peer(1)), -30);
    assert_eq!(ledger.sub_score(START, &peer(1), 2), -10);
    assert_eq!(ledger.sub_score(START, &peer(1), 3), 0);
}

#[test]
fn protocols_beyond_the_bound_share_one_sub_score() {
    let limit = u32::try_from(MAX_SUB_SCORES).unwrap();
    let mut ledger = ledger();
    for protocol in 0..limit - 1 {
        ledger.record(START, evidence(1, protocol), MALFORMED);
    }
    ledger.record(START, evidence(1, limit - 1), MALFORMED);
    assert_eq!(
        ledger.score(START, &peer(1)),
        -10,
        "n protocols: one sub-score each"
    );
    ledger.record(START, evidence(1, limit), MALFORMED);
    assert_eq!(
        ledger.score(START, &peer(1)),
        -20,
        "n + 1: shared with the last"
    );
    assert_eq!(ledger.sub_score(START, &peer(1), limit), -20);
    assert_eq!(
        ledger.sub_score(START, &peer(1), 0),
        -10,
        "the others are untouched"
    );
}

#[test]
fn a_stolen_early_flight_gives_no_evidence_against_its_victim() {
    assert_eq!(Standing::Provisional(peer(1)).evidence(PROTOCOL), None);
}

#[test]
fn a_circuit_gives_no_evidence_against_anybody() {
    assert_eq!(Standing::Anonymous.evidence(PROTOCOL), None);
}

#[test]
fn what_a_relay_may_have_lost_is_not_the_peers_fault() {
    let relayed = confirmed(1, PathKind::Relayed).evidence(PROTOCOL).unwrap();
    let mut ledger = ledger();
    for fault in [Fault::Unfinished, Fault::Wire(Violation::Deadline)] {
        assert_eq!(ledger.record(START, relayed, fault), Verdict::Keep);
        assert_eq!(ledger.score(START, &peer(1)), 0, "{fault}");
    }
}

#[test]
fn bytes_that_a_peer_sent_through_a_relay_are_its_own() {
    let relayed = confirmed(1, PathKind::Relayed).evidence(PROTOCOL).unwrap();
    let mut ledger = ledger();
    ledger.record(START, relayed, MALFORMED);
    assert_eq!(ledger.score(START, &peer(1)), -10);
}

#[test]
fn absence_on_a_direct_path_is_a_fault() {
    let mut ledger = ledger();
    for fault in [Fault::Unfinished, Fault::Wire(Violation::Deadline)] {
        ledger.record(START, evidence(1, PROTOCOL), fault);
    }
    assert_eq!(ledger.score(START, &peer(1)), -20);
}

#[test]
fn a_fault_is_charged_to_the_peer_of_its_connection_and_to_no_other() {
    let mut ledger = ledger();
    ledger.record(START, evidence(1, PROTOCOL), MALFORMED);
    assert_eq!(ledger.score(START, &peer(2)), 0);
}

/// A new fault must be judged here: may a third peer's word, a failed dial, 0-RTT, a relay's loss or
/// bytes that were not read be the reason for it? The match has no wildcard on purpose.
#[test]
fn no_fault_stands_for_a_failed_dial_a_third_peers_claim_or_a_slow_reader() {
    let faults = [
        MALFORMED,
        Fault::Unfinished,
        Fault::RepeatedUnknown,
        Fault::Protocol {
            number: 1,
            severity: Severity::Light,
        },
    ];
    for fault in faults {
        let about_the_peers_own_stream = match fault {
            Fault::Wire(_)
            | Fault::Unfinished
            | Fault::RepeatedUnknown
            | Fault::Protocol { .. } => true,
        };
        assert!(about_the_peers_own_stream);
        assert!(fault.weight(&ReputationConfig::default()).0 > 0, "{fault}");
    }
}

#[test]
fn severities_cost_a_tenth_one_and_a_closed_connection() {
    let config = ReputationConfig::default();
    let cost = |severity| {
        Fault::Protocol {
            number: 7,
            severity,
        }
        .weight(&config)
        .0
    };
    assert_eq!(
        [Severity::Light, Severity::Stream, Severity::Grave].map(cost),
        [1, 10, 50]
    );
}

#[test]
fn routing_is_vetoed_from_the_closing_threshold_on() {
    let mut ledger = ledger();
    for _ in 0..4 {
        ledger.record(START, evidence(1, PROTOCOL), MALFORMED);
    }
    assert!(ledger.may_route(START, &peer(1)));
    ledger.record(START, evidence(1, PROTOCOL), MALFORMED);
    assert!(!ledger.may_route(START, &peer(1)));
}

#[test]
fn a_crowd_of_minor_offenders_cannot_wash_a_major_one_clean() {
    let mut ledger = ledger();
    let limit = u16::try_from(MAX_RATED_PEERS).unwrap();
    for _ in 0..9 {
        ledger.record(START, evidence(0, PROTOCOL), MALFORMED);
    }
    for number in 1..limit {
        ledger.record(START, evidence(number, PROTOCOL), MALFORMED);
    }
    assert_eq!(ledger.len(), MAX_RATED_PEERS);
    ledger.record(START, evidence(limit, PROTOCOL), MALFORMED);
    assert_eq!(ledger.len(), MAX_RATED_PEERS);
    assert_eq!(ledger.score(START, &peer(0)), -90);
    assert_eq!(
        ledger.score(START, &peer(1)),
        0,
        "the smallest of the best made room"
    );
    assert_eq!(ledger.score(START, &peer(limit)), -10);
}

#[test]
fn the_recovered_make_room_first() {
    let mut ledger = ledger();
    let limit = u16::try_from(MAX_RATED_PEERS).unwrap();
    for number in 0..limit {
        ledger.record(START, evidence(number, PROTOCOL), MALFORMED);
    }
    ledger.record(after(86_400), evidence(limit, PROTOCOL), MALFORMED);
    assert_eq!(ledger.len(), 1);
}

#[test]
fn an_unknown_protocol_is_no_fault_the_first_time_on_a_connection() {
    let mut leniency = Leniency::new();
    let unknown = Novelty::Protocol(0x99);
    assert_eq!(leniency.judge(START, unknown), None);
    assert_eq!(
        leniency.judge(after(2), unknown),
        Some(Fault::RepeatedUnknown)
    );
    assert_eq!(
        Leniency::new().judge(START, unknown),
        None,
        "another connection"
    );
}

#[test]
fn streams_opened_before_the_refusal_arrived_are_forgiven_too() {
    let mut leniency = Leniency::new();
    let unknown = Novelty::Protocol(0x99);
    let last = START + REFUSAL_ON_ITS_WAY;
    for now in [START, START, Micros(last.0 - 1), last] {
        assert_eq!(leniency.judge(now, unknown), None);
    }
    let late = Micros(last.0 + 1);
    assert_eq!(leniency.judge(late, unknown), Some(Fault::RepeatedUnknown));
    for number in 1..MAX_FORGIVEN as u64 {
        assert_eq!(leniency.judge(late, Novelty::Protocol(number)), None);
    }
    let last = Novelty::Protocol(1);
    assert_eq!(leniency.judge(late, last), None, "one of eight, again");
}

#[test]
fn an_unknown_version_and_record_kind_are_forgiven_apart() {
    let mut leniency = Leniency::new();
    let version = Novelty::Version {
        protocol: 1,
        version: 2,
    };
    let kind = Novelty::RecordKind {
        protocol: 4,
        kind: 9,
    };
    for novelty in [Novelty::Protocol(0x99), version, kind] {
        assert_eq!(leniency.judge(START, novelty), None);
    }
    assert_eq!(
        leniency.judge(after(2), version),
        Some(Fault::RepeatedUnknown)
    );
}

#[test]
fn guessing_protocol_numbers_ends_with_the_ninth() {
    let mut leniency = Leniency::new();
    let limit = u64::try_from(MAX_FORGIVEN).unwrap();
    assert!((0..limit).all(|number| leniency.judge(START, Novelty::Protocol(number)).is_none()));
    assert_eq!(
        leniency.judge(START, Novelty::Protocol(limit)),
        Some(Fault::RepeatedUnknown)
    );
}

#[test]
fn the_defaults_are_valid() {
    assert_eq!(ReputationConfig::default().validate(), Ok(()));
}

#[test]
fn each_bound_of_the_configuration_holds() {
    fn field_of(change: impl FnOnce(&mut ReputationConfig)) -> Option<&'static str> {
        let mut config = ReputationConfig::default();
        change(&mut config);
        config.validate().err().map(|error| error.field)
    }
    let ms = Duration::from_millis;
    assert_eq!(
        field_of(|c| c.half_life = ms(999)),
        Some("reputation.half_life_ms")
    );
    assert_eq!(field_of(|c| c.half_life = ms(1_000)), None);
    assert_eq!(field_of(|c| c.half_life = ms(86_400_000)), None);
    assert_eq!(
        field_of(|c| c.half_life = ms(86_400_001)),
        Some("reputation.half_life_ms")
    );
    assert_eq!(
        field_of(|c| c.stream_fault = 0),
        Some("reputation.stream_fault")
    );
    assert_eq!(field_of(|c| c.stream_fault = 1), None);
    assert_eq!(field_of(|c| c.stream_fault = 100), None);
    assert_eq!(
        field_of(|c| c.stream_fault = 101),
        Some("reputation.stream_fault")
    );
    assert_eq!(field_of(|c| c.close_at = 0), Some("reputation.close_at"));
    assert_eq!(field_of(|c| c.close_at = 1), None);
    assert_eq!(field_of(|c| c.close_at = 99), None);
    assert_eq!(field_of(|c| c.close_at = 100), Some("reputation.close_at"));
    assert_eq!(
        field_of(|c| (c.close_at, c.ban_at) = (1, 1)),
        Some("reputation.ban_at")
    );
    assert_eq!(field_of(|c| (c.close_at, c.ban_at) = (1, 2)), None);
    assert_eq!(field_of(|c| c.ban_at = 101), Some("reputation.ban_at"));
    assert_eq!(field_of(|c| c.ban = ms(999)), Some("reputation.ban_ms"));
    assert_eq!(field_of(|c| c.ban = ms(1_000)), None);
    assert_eq!(field_of(|c| c.ban = ms(604_800_000)), None);
    assert_eq!(
        field_of(|c| c.ban = ms(604_800_001)),
        Some("reputation.ban_ms")
    );
}
