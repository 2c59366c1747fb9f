use super::*;

#[test]
fn a_seal_within_its_quota_goes_at_once() {
    let mut admission = admission();
    assert_eq!(admission.next(), None);
    assert_eq!(offer(&mut admission, START, 1, 2, 3), Offer::Waiting);
    assert_eq!(admission.next(), Some(START));
    let admitted = admission.poll(START).unwrap();
    let expected = Admitted {
        seal: seal_id(3),
        publisher: publisher(2),
        link: Link(1),
    };
    assert_eq!(admitted, expected);
    assert_eq!((admission.waiting(), admission.in_flight()), (0, 1));
    admission.finished(START, &seal_id(3), Validity::Valid);
    assert_eq!(admission.in_flight(), 0);
    assert_eq!(admission.poll(START), None);
    assert_eq!(admission.next(), None);
    check(&admission);
}

#[test]
fn a_seal_over_its_quota_waits_for_the_next_token() {
    let mut admission = admission();
    for seal in 0..65 {
        offer(&mut admission, START, seal, 0, seal);
    }
    assert_eq!(verify_all(&mut admission, START).len(), 64);
    assert_eq!(admission.next(), Some(after(10_000)));
    assert_eq!(admission.poll(after(9_999)), None);
    assert_eq!(verify_all(&mut admission, after(10_000)).len(), 1);
}

#[test]
fn a_seal_that_lost_patience_is_forgotten_and_may_come_again() {
    let config = AdmissionConfig {
        publisher_burst: 1,
        publisher_per_second: 0,
        ..AdmissionConfig::default()
    };
    let mut admission = Admission::new(config, START);
    offer(&mut admission, START, 1, 0, 1);
    assert_eq!(verify_all(&mut admission, START).len(), 1);
    offer(&mut admission, START, 1, 0, 2);
    // A second offer gives it no more time.
    offer(&mut admission, after(900_000), 2, 0, 2);
    assert_eq!(admission.expired(after(999_999)), None);
    assert_eq!(admission.next(), Some(after(1_000_000)));
    assert_eq!(admission.expired(after(1_000_000)), Some(seal_id(2)));
    assert_eq!(admission.expired(after(1_000_000)), None);
    assert_eq!(admission.waiting(), 0);
    check(&admission);
    offer(&mut admission, after(1_000_000), 1, 0, 2);
    assert_eq!(admission.waiting(), 1);
}

#[test]
fn a_seal_that_several_links_bring_is_verified_once() {
    let mut admission = admission();
    for link in 0..5 {
        assert_eq!(offer(&mut admission, START, link, 0, 1), Offer::Waiting);
        assert_eq!(offer(&mut admission, START, link, 0, 1), Offer::Waiting);
    }
    assert_eq!(admission.waiting(), 1);
    assert_eq!(drain(&mut admission, START).len(), 1);
    assert_eq!(offer(&mut admission, START, 7, 0, 1), Offer::Waiting);
    assert_eq!(admission.waiting(), 0, "it is being verified");
    check(&admission);
}

#[test]
fn what_only_a_lost_link_brought_is_forgotten_with_it() {
    let config = AdmissionConfig {
        publisher_burst: 0,
        ..AdmissionConfig::default()
    };
    let mut admission = Admission::new(config, START);
    offer(&mut admission, START, 1, 0, 1);
    offer(&mut admission, START, 1, 0, 2);
    offer(&mut admission, START, 2, 0, 2);
    assert_eq!(admission.forget_link(Link(1)), [seal_id(1)]);
    assert_eq!(admission.waiting(), 1);
    check(&admission);
    assert_eq!(admission.forget_link(Link(1)), []);
    assert_eq!(admission.forget_link(Link(2)), [seal_id(2)]);
    assert_eq!(admission.next(), None);
}

#[test]
fn a_verdict_that_comes_after_its_link_is_gone_does_no_harm() {
    let mut admission = admission();
    offer(&mut admission, START, 1, 0, 1);
    assert_eq!(drain(&mut admission, START).len(), 1);
    assert_eq!(admission.forget_link(Link(1)), []);
    assert_eq!(admission.in_flight(), 1);
    admission.finished(START, &seal_id(1), Validity::Valid);
    admission.finished(START, &seal_id(1), Validity::Valid);
    assert_eq!(admission.in_flight(), 0);
    check(&admission);
}

#[test]
fn links_take_turns() {
    let mut admission = admission();
    for seal in 0..12 {
        // The first link brings its four before the others begin.
        offer(&mut admission, START, seal / 4, seal, seal);
    }
    let order = drain(&mut admission, START);
    let order: Vec<_> = order.iter().map(|one| one.link.0).collect();
    assert_eq!(order, [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
}

#[test]
fn publishers_of_one_link_take_turns() {
    let mut admission = admission();
    for seal in 0..6 {
        offer(&mut admission, START, 1, seal / 2, seal);
    }
    let order = drain(&mut admission, START);
    let order: Vec<_> = order.iter().map(|one| one.publisher).collect();
    assert_eq!(order, [0, 1, 2, 0, 1, 2].map(publisher));
}

#[test]
fn the_total_is_kept() {
    let mut admission = admission();
    let mut verified = 0;
    for tick in 0..1_000u64 {
        let now = after(tick * 1_000);
        while admission.expired(now).is_some() {}
        for copy in 0..10 {
            let seal = tick * 10 + copy;
            offer(&mut admission, now, seal % 40, seal, seal);
        }
        verified += verify_all(&mut admission, now).len();
    }
    println!("{verified} seals in a second");
    assert!((2_740..=2_750).contains(&verified));
}
