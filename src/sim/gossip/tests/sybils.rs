//! Attacks 11 to 13 of the list, of the machine that ships: twenty Sybil links to each honest one, in a
//! small town. How many places they have in meshes, and what they do to a thousand nodes, is what the
//! bench of gossip prints.

use super::*;

/// Twenty-four nodes of which each has about eight neighbours, and more than three thousand links of
/// attackers.
fn besieged(attack: SybilAttack) -> Scenario {
    Scenario {
        nodes: 24,
        dials: 4,
        publishing: Publishing {
            publishers: 6,
            per_second: 10.0,
            bytes: 1_024,
        },
        warm_up: 14 * SECOND,
        measured: 24 * SECOND,
        disturbance: Disturbance::Sybils(Sybils {
            attack,
            ratio: 20,
            links: 24,
        }),
        ..Scenario::default()
    }
}

fn assert_holds(attack: SybilAttack, seed: u64) -> Outcome {
    println!("{attack:?}, seed {seed}");
    assert_withstood(&besieged(attack), seed)
}

/// Every honest node has every message, and of a hundred at least 99 within a second.
fn assert_withstood(scenario: &Scenario, seed: u64) -> Outcome {
    let outcome = scenario.run(seed, &shipped);
    let whole = outcome.whole();
    assert!(whole.published > 150 && whole.refused == 0);
    assert_eq!(whole.missing, 0, "{:?}", outcome.missing);
    let (p99, max) = (whole.latency.quantile(0.99), whole.latency.max());
    println!("p99 {p99:?}, max {max:?}");
    assert!(p99.unwrap() <= SECOND);
    assert_eq!(outcome.accused, 0, "{:?}", outcome.accusations);
    assert_nobody_is_distrusted(scenario, &outcome);
    outcome
}

#[test]
fn attack_11_an_eclipse_of_the_net_takes_no_message_from_anybody() {
    assert_holds(SybilAttack::EclipseNet, 21);
}

#[test]
fn attack_11_an_eclipse_of_the_publishers_keeps_nobody_from_being_heard() {
    assert_holds(SybilAttack::EclipsePublishers, 22);
}

#[test]
fn attack_11_an_eclipse_of_one_node_takes_no_message_from_it_and_none_of_its_own() {
    assert_holds(SybilAttack::EclipseOne, 38);
}

/// No score can see it: the attackers bring everything else.
#[test]
fn attack_12_a_publisher_that_is_censored_is_heard_as_soon_as_others() {
    let outcome = assert_holds(SybilAttack::CensorOne, 23);
    let p99 = |reach: &[Reach]| {
        let mut all = Reach::default();
        for stage in &reach[Stage::Shock as usize..] {
            all.merge(stage);
        }
        assert!(all.published > 10 && all.missing == 0);
        all.latency.quantile(0.99).unwrap()
    };
    let (censored, others) = (p99(&outcome.censored), p99(&outcome.stages));
    assert!(censored <= others * 2, "{censored:?}, others {others:?}");
}

/// Every message counts, the first ones too: nobody knows yet who brings anything.
fn assert_holds_from_the_first_message(attack: SybilAttack, seed: u64) {
    let scenario = Scenario {
        quiet: 14 * SECOND,
        warm_up: Duration::ZERO,
        measured: 18 * SECOND,
        ..besieged(attack)
    };
    println!("{attack:?}, seed {seed}, from the first message on");
    assert_withstood(&scenario, seed);
}

#[test]
fn attack_13_a_cold_boot_among_sybils_takes_no_message_from_anybody() {
    assert_holds(SybilAttack::ColdBoot, 24);
    assert_holds_from_the_first_message(SybilAttack::ColdBoot, 40);
}

#[test]
fn attack_13_sybils_that_were_there_before_dawn_take_no_message() {
    assert_holds(SybilAttack::Dawn, 25);
    assert_holds_from_the_first_message(SybilAttack::Dawn, 41);
}

#[test]
fn attack_13_sybils_that_earned_trust_and_fall_silent_at_once_take_no_message() {
    // Before all neighbours outside a mesh had their turn to hear of messages, two of these lost some. Before two links
    // that a node dialled announced at once, one message in a hundred took two seconds in the two after the moment;
    // since then it takes 0.2 to 0.3.
    for seed in [26, 28, 30] {
        let outcome = assert_holds(SybilAttack::CovertFlash, seed);
        let shock = &outcome.stages[Stage::Shock as usize];
        let p99 = shock.latency.quantile(0.99).unwrap();
        assert!(shock.published >= 10 && p99 <= SECOND / 2, "{p99:?}");
    }
}

#[test]
fn attack_13_sybils_that_drop_every_second_message_take_none() {
    assert_holds(SybilAttack::Degrade, 27);
}

/// The part of the places in meshes that attackers have at the tenth heartbeat from the begin of the attack, and
/// most of it at later ones. Much is said: who brings nothing is told by the messages that others bring.
fn assert_places_are_lost(attack: SybilAttack, seed: u64) {
    println!("{attack:?}, seed {seed}");
    let scenario = Scenario {
        nodes: 16,
        dials: 5,
        publishing: Publishing {
            publishers: 16,
            per_second: 80.0,
            bytes: 64,
        },
        warm_up: 3 * SECOND,
        measured: 8 * SECOND,
        ..besieged(attack)
    };
    let outcome = scenario.run(seed, &shipped);
    assert_eq!(outcome.accused, 0, "{:?}", outcome.accusations);
    assert_nobody_is_distrusted(&scenario, &outcome);
    let most = outcome.taken.iter().skip(9).copied().fold(0.0, f64::max);
    println!("{:.3?}", outcome.taken);
    assert!(outcome.taken.len() > 10 && most < 0.2, "{most}");
}

#[test]
fn attack_11_sybils_that_drop_everything_lose_their_places_within_ten_heartbeats() {
    assert_places_are_lost(SybilAttack::EclipseNet, 31);
}

#[test]
fn attack_11_sybils_around_the_publishers_lose_their_places_within_ten_heartbeats() {
    assert_places_are_lost(SybilAttack::EclipsePublishers, 35);
}

#[test]
fn attack_11_sybils_around_one_node_lose_their_places_within_ten_heartbeats() {
    assert_places_are_lost(SybilAttack::EclipseOne, 39);
}

#[test]
fn attack_12_sybils_that_censor_one_publisher_get_no_places() {
    assert_places_are_lost(SybilAttack::CensorOne, 36);
}

#[test]
fn attack_13_sybils_that_were_there_before_dawn_lose_their_places_within_ten_heartbeats() {
    assert_places_are_lost(SybilAttack::Dawn, 37);
}

#[test]
fn attack_13_after_a_cold_boot_sybils_lose_their_places_within_ten_heartbeats() {
    assert_places_are_lost(SybilAttack::ColdBoot, 32);
}

#[test]
fn attack_13_sybils_that_were_honest_before_lose_their_places_within_ten_heartbeats() {
    assert_places_are_lost(SybilAttack::CovertFlash, 33);
}

#[test]
fn attack_13_sybils_that_drop_every_second_message_get_no_places() {
    assert_places_are_lost(SybilAttack::Degrade, 34);
}
