use super::world::{Sender, World};
use super::*;

const HONEST: std::ops::Range<u64> = 0..10;

fn valid(publishers: impl IntoIterator<Item = u64>, links: &[u64], rate: f64) -> Sender {
    Sender {
        publishers: publishers.into_iter().collect(),
        links: links.to_vec(),
        rate,
        validity: Validity::Valid,
    }
}

/// Ten publishers at the fullest honest rate, each over three of nine links.
fn honest() -> Vec<Sender> {
    let links = |who| [1 + who % 9, 1 + (who + 3) % 9, 1 + (who + 5) % 9];
    HONEST.map(|who| valid([who], &links(who), 50.0)).collect()
}

fn all_honest_seals_are_verified_within(world: &World, limit: Duration) {
    let publishers: Vec<_> = HONEST.collect();
    let fate = world.fates_of(&publishers);
    println!("honest: {fate:?}");
    assert_eq!(fate.admitted, fate.offered);
    assert!(fate.longest_wait <= limit, "{:?}", fate.longest_wait);
}

#[test]
fn when_all_is_quiet_nobody_waits() {
    let senders: Vec<_> = (0..100)
        .map(|who| valid([who], &[who % 20, (who + 7) % 20], 1.2))
        .collect();
    let world = World::run(1, 20, &senders);
    let publishers: Vec<_> = (0..100).collect();
    let fate = world.fates_of(&publishers);
    assert!(fate.offered > 2_000);
    assert_eq!(fate.admitted, fate.offered);
    assert_eq!(fate.longest_wait, Duration::ZERO);
}

#[test]
fn identities_without_number_over_one_link_take_nothing_from_the_other_links() {
    for seed in 1..=3 {
        let mut senders = honest();
        // Signed properly, so that no verdict closes the link: the worst case.
        senders.push(valid(1_000..2_000, &[0], 10_000.0));
        let world = World::run(seed, 10, &senders);
        all_honest_seals_are_verified_within(&world, Duration::from_millis(20));
        let flood: Vec<_> = (1_000..2_000).collect();
        let flood = world.fates_of(&flood);
        println!("flood: {flood:?}");
        assert!(flood.admitted > 15_000, "what is left is given out");
        assert!(flood.admitted < 20_500 + 250 + 2_500);
    }
}

#[test]
fn garbage_of_many_identities_wastes_less_than_a_handshake_costs() {
    for seed in 1..=3 {
        let mut senders = honest();
        senders.push(Sender {
            validity: Validity::Invalid,
            ..valid(1_000..2_000, &[0], 50_000.0)
        });
        let world = World::run(seed, 2, &senders);
        all_honest_seals_are_verified_within(&world, Duration::from_millis(20));
        println!("{} verifications were wasted", world.wasted);
        assert!((1..=MAX_IN_FLIGHT_PER_LINK).contains(&world.wasted));
    }
}

#[test]
fn twenty_links_of_an_attacker_leave_one_honest_link_its_share() {
    let mut senders = vec![valid(HONEST, &[0], 80.0)];
    let per_link = |link| valid(link * 1_000..link * 1_000 + 500, &[link], 1_000.0);
    senders.extend((1..=20).map(per_link));
    let world = World::run(1, 5, &senders);
    all_honest_seals_are_verified_within(&world, Duration::from_millis(60));
}

#[test]
fn a_publisher_at_ten_times_its_rate_gets_its_quota_and_hurts_nobody() {
    for links in [&[0][..], &[0, 1, 2], &[1, 2, 3, 4, 5, 6, 7, 8, 9]] {
        let mut senders = honest();
        senders.push(valid([77], links, 1_000.0));
        let world = World::run(1, 10, &senders);
        all_honest_seals_are_verified_within(&world, Duration::from_millis(20));
        let loud = &world.fates[&77];
        println!("loud: {loud:?}");
        let quota = 64 + 100 * 11;
        assert!((quota - 120..=quota).contains(&loud.admitted));
        assert!(loud.longest_wait <= AdmissionConfig::default().patience);
    }
}

#[test]
fn forgeries_cost_their_victim_nothing() {
    let mut admission = admission();
    for round in 0..100 {
        let now = after(round);
        offer(&mut admission, now, round, 0, round);
        for admitted in drain(&mut admission, now) {
            admission.finished(now, &admitted.seal, Validity::Invalid);
        }
        admission.forget_link(Link(round));
    }
    for seal in 1_000..1_064 {
        offer(&mut admission, after(100), 500 + seal, 0, seal);
    }
    assert_eq!(verify_all(&mut admission, after(100)).len(), 64);
}

#[test]
fn a_victim_gets_through_beside_a_link_that_forges_in_its_name() {
    let mut admission = admission();
    // The burst is gone.
    for seal in 0..64 {
        offer(&mut admission, START, 9, 0, seal);
    }
    assert_eq!(verify_all(&mut admission, START).len(), 64);
    let mut own = 0;
    for tick in 0..1_000u64 {
        let now = after(tick * 1_000);
        while admission.expired(now).is_some() {}
        for copy in 0..5 {
            offer(&mut admission, now, 9, 0, 10_000 + tick * 5 + copy);
        }
        if tick % 20 == 0 {
            offer(&mut admission, now, 1, 0, 1_000 + tick);
        }
        let verified = verify_all(&mut admission, now);
        own += verified.iter().filter(|one| one.link == Link(1)).count();
    }
    println!("{own} of 50 seals of the victim were verified");
    assert!(own >= 49);
}

#[test]
fn a_loud_publisher_does_not_hold_up_the_others_on_its_link() {
    let mut admission = admission();
    for seal in 0..200 {
        offer(&mut admission, START, 1, 77, seal);
    }
    offer(&mut admission, START, 1, 5, 1_000);
    let verified = verify_all(&mut admission, START);
    let quiet = verified
        .iter()
        .position(|one| one.publisher == publisher(5));
    assert!(quiet.unwrap() <= 1);
    // The loud one has used up its burst; a newcomer is verified all the same.
    offer(&mut admission, START, 1, 6, 1_001);
    let verified = verify_all(&mut admission, START);
    assert_eq!(verified.len(), 1);
    assert_eq!(verified[0].publisher, publisher(6));
}

#[test]
fn a_slow_backend_is_not_flooded() {
    let mut admission = admission();
    for seal in 0..5_000 {
        offer(&mut admission, START, seal % 100, seal, seal);
    }
    let first = drain(&mut admission, START);
    assert_eq!(first.len(), 250, "the burst of all");
    let more = drain(&mut admission, after(500_000));
    assert_eq!(first.len() + more.len(), MAX_IN_FLIGHT);
    check(&admission);
    assert_eq!(admission.next(), Some(after(1_000_000)), "only expiry");
    admission.finished(after(500_000), &first[0].seal, Validity::Valid);
    assert_eq!(drain(&mut admission, after(500_000)).len(), 1);
}
