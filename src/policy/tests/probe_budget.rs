use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::policy::{MAX_PROBED, Micros, PROBE_BURST, PROBE_EVERY, ProbeBudget};

const START: Micros = Micros(1_000_000);

fn public(port: u16) -> SocketAddr {
    SocketAddr::from(([8, 8, 8, 8], port))
}

fn private(port: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], port))
}

/// How many tokens an address has.
fn taken(budget: &mut ProbeBudget, now: Micros, address: SocketAddr) -> u32 {
    (0..100)
        .take_while(|_| budget.try_take(now, address))
        .map(|_| 1)
        .sum()
}

#[test]
fn a_host_is_dialled_a_burst_and_no_more() {
    let mut budget = ProbeBudget::new();
    for _ in 0..PROBE_BURST - 1 {
        assert!(budget.try_take(START, public(1)));
    }
    assert!(budget.try_take(START, public(1)), "the last of the burst");
    assert!(!budget.try_take(START, public(1)), "one too many");
}

#[test]
fn tokens_come_back_one_by_one() {
    let mut budget = ProbeBudget::new();
    assert_eq!(taken(&mut budget, START, public(1)), PROBE_BURST);
    let almost = START + (PROBE_EVERY - Duration::from_micros(1));
    assert!(!budget.try_take(almost, public(1)));
    assert!(budget.try_take(START + PROBE_EVERY, public(1)));
    assert!(!budget.try_take(START + PROBE_EVERY, public(1)));
    let later = START + PROBE_EVERY * 1_000;
    assert_eq!(taken(&mut budget, later, public(1)), PROBE_BURST);
}

#[test]
fn the_ports_of_a_public_host_share_and_those_of_a_private_one_do_not() {
    let mut budget = ProbeBudget::new();
    let dials = (1..=100).filter(|port| budget.try_take(START, public(*port)));
    assert_eq!(dials.count(), PROBE_BURST as usize);
    let dials = (1..=100).filter(|port| budget.try_take(START, private(*port)));
    assert_eq!(dials.count(), 100);
    let mapped: SocketAddr = "[::ffff:8.8.8.8]:9".parse().unwrap();
    assert!(
        !budget.try_take(START, mapped),
        "the same host in other words"
    );
}

#[test]
fn a_dial_that_succeeds_costs_nothing() {
    let mut budget = ProbeBudget::new();
    for _ in 0..10 * PROBE_BURST {
        assert!(budget.try_take(START, public(1)));
        budget.give_back(public(1));
    }
    assert_eq!(taken(&mut budget, START, public(1)), PROBE_BURST);
    for _ in 0..2 {
        budget.give_back(public(1));
    }
    assert_eq!(taken(&mut budget, START, public(1)), 2);
}

#[test]
fn more_given_back_than_taken_is_no_larger_burst() {
    let mut budget = ProbeBudget::new();
    assert!(budget.try_take(START, public(1)));
    for _ in 0..3 {
        budget.give_back(public(1));
    }
    assert_eq!(taken(&mut budget, START, public(1)), PROBE_BURST);
}

#[test]
fn memory_is_bounded_and_who_spent_most_is_forgotten_last() {
    let host = |number: usize| {
        let number = u32::try_from(number).unwrap();
        SocketAddr::from((Ipv4Addr::from(0x0808_0808 + number), 1))
    };
    let mut budget = ProbeBudget::new();
    assert_eq!(taken(&mut budget, START, host(0)), PROBE_BURST);
    for number in 1..MAX_PROBED {
        assert!(budget.try_take(START, host(number)));
        assert_eq!(budget.len(), number + 1);
    }
    for number in MAX_PROBED..2 * MAX_PROBED {
        assert!(budget.try_take(START, host(number)));
        assert_eq!(budget.len(), MAX_PROBED);
    }
    assert!(!budget.try_take(START, host(0)));
    assert!(budget.try_take(START + PROBE_EVERY * PROBE_BURST, host(1)));
    assert_eq!(budget.len(), 1, "full budgets are forgotten");
}
