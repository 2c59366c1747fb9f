use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::millis;
use crate::sim::link::Link;
use crate::sim::profile::LinkProfile;

const SEED: u64 = 0x5eed;

fn link(profile: LinkProfile) -> Link {
    seeded_link(SEED, profile)
}

fn seeded_link(seed: u64, profile: LinkProfile) -> Link {
    let host = |last| IpAddr::V4(Ipv4Addr::new(10, 0, 0, last));
    Link::new(seed, host(1), host(2), profile)
}

#[test]
fn latency_alone_is_exact() {
    let mut link = link(LinkProfile::with_latency(Duration::from_micros(12_345)));
    let due = link.carry(millis(7), 1200);
    assert_eq!(due, Some(Duration::from_micros(19_345)));
}

#[test]
fn jitter_stays_within_its_bounds_and_keeps_the_order() {
    let profile = LinkProfile {
        jitter: millis(10),
        ..LinkProfile::with_latency(millis(50))
    };
    let mut link = link(profile);
    let (mut last, mut least, mut most) = (Duration::ZERO, Duration::MAX, Duration::ZERO);
    // 100 ms apart, so that no datagram waits for the one before it.
    for sent in (0..10_000).map(|i| millis(100 * i)) {
        let due = link.carry(sent, 100).unwrap();
        assert!(due >= last);
        last = due;
        least = least.min(due - sent);
        most = most.max(due - sent);
    }
    assert!(
        least >= millis(40) && least < millis(41),
        "seed {SEED:#x}: least {least:?}"
    );
    assert!(
        most <= millis(60) && most > millis(59),
        "seed {SEED:#x}: most {most:?}"
    );
}

#[test]
fn jitter_alone_never_reorders_a_burst() {
    let profile = LinkProfile {
        jitter: millis(50),
        ..LinkProfile::with_latency(millis(20))
    };
    let mut link = link(profile);
    let due: Vec<_> = (0..1000)
        .map(|i| link.carry(millis(i), 100).unwrap())
        .collect();
    assert!(due.is_sorted());
}

#[test]
fn loss_rate_is_that_of_the_profile() {
    const DATAGRAMS: u32 = 100_000;
    for (seed, loss) in [(1, 0.01), (2, 0.05), (3, 0.5)] {
        let mut link = seeded_link(
            seed,
            LinkProfile {
                loss,
                ..LinkProfile::default()
            },
        );
        let lost = (0..DATAGRAMS)
            .filter(|_| link.carry(Duration::ZERO, 10).is_none())
            .count();
        // Five standard deviations of a binomial distribution.
        let expected = f64::from(DATAGRAMS) * loss;
        let margin = 5.0 * (expected * (1.0 - loss)).sqrt();
        let deviation = (lost as f64 - expected).abs();
        assert!(
            deviation <= margin,
            "seed {seed}: lost {lost}, expected {expected} ± {margin}"
        );
        assert_eq!(link.counters.lost.datagrams, lost as u64);
    }
}

#[test]
fn certain_loss_and_no_loss_are_exact() {
    let mut dead = link(LinkProfile {
        loss: 1.0,
        ..LinkProfile::default()
    });
    let mut clean = link(LinkProfile {
        loss: 0.0,
        ..LinkProfile::default()
    });
    for _ in 0..1000 {
        assert_eq!(dead.carry(Duration::ZERO, 10), None);
        assert!(clean.carry(Duration::ZERO, 10).is_some());
    }
}

#[test]
fn held_back_datagrams_are_overtaken() {
    const DATAGRAMS: usize = 10_000;
    let profile = LinkProfile {
        reorder: 0.1,
        ..LinkProfile::with_latency(millis(20))
    };
    let mut link = link(profile);
    let due: Vec<_> = (0..DATAGRAMS as u64)
        .map(|i| link.carry(millis(i), 10).unwrap())
        .collect();
    let late = due
        .iter()
        .enumerate()
        .filter(|(i, due)| **due > millis(*i as u64 + 20))
        .count();
    assert!(
        (800..1200).contains(&late),
        "seed {SEED:#x}: {late} of {DATAGRAMS} held back"
    );
    let overtaken = due.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!(overtaken > 500, "seed {SEED:#x}: {overtaken} overtaken");
    for (i, due) in due.iter().enumerate() {
        assert!(*due <= millis(i as u64 + 20 + 1 + 20));
    }
}

#[test]
fn rate_spaces_datagrams_by_their_size() {
    // 8 Mbit/s is one byte a microsecond.
    let profile = LinkProfile {
        rate_bits_per_s: Some(8_000_000),
        ..LinkProfile::with_latency(millis(10))
    };
    let mut link = link(profile);
    let due: Vec<_> = [1000, 500, 1200]
        .map(|bytes| link.carry(Duration::ZERO, bytes))
        .to_vec();
    let micros = |count: u64| Some(Duration::from_micros(10_000 + count));
    assert_eq!(due, [micros(1000), micros(1500), micros(2700)]);
}

#[test]
fn an_idle_link_does_not_save_up_capacity() {
    let profile = LinkProfile {
        rate_bits_per_s: Some(8_000_000),
        ..LinkProfile::with_latency(Duration::ZERO)
    };
    let mut link = link(profile);
    link.carry(Duration::ZERO, 1000);
    assert_eq!(link.carry(millis(500), 1000), Some(millis(501)));
}

#[test]
fn queue_drops_its_tail_at_the_limit() {
    let profile = |queue_bytes| LinkProfile {
        rate_bits_per_s: Some(8_000_000),
        queue_bytes,
        ..LinkProfile::default()
    };
    for (queue_bytes, fits) in [(2_999, false), (3_000, true), (3_001, true)] {
        let mut link = link(profile(queue_bytes));
        link.carry(Duration::ZERO, 1000);
        link.carry(Duration::ZERO, 1000);
        assert_eq!(
            link.carry(Duration::ZERO, 1000).is_some(),
            fits,
            "queue of {queue_bytes}"
        );
        assert_eq!(link.counters.overflowed.datagrams, u64::from(!fits));
    }
}

#[test]
fn queue_drains_at_the_rate_of_the_link() {
    let profile = LinkProfile {
        rate_bits_per_s: Some(8_000_000),
        queue_bytes: 1000,
        ..LinkProfile::default()
    };
    let mut link = link(profile);
    assert!(link.carry(Duration::ZERO, 1000).is_some());
    assert!(link.carry(Duration::from_micros(999), 1000).is_none());
    assert!(link.carry(Duration::from_micros(1000), 1000).is_some());
}

#[test]
fn mtu_passes_its_own_size_and_no_more() {
    let profile = LinkProfile {
        max_payload_bytes: 1300,
        ..LinkProfile::default()
    };
    let mut link = link(profile);
    assert!(link.carry(Duration::ZERO, 1299).is_some());
    assert!(link.carry(Duration::ZERO, 1300).is_some());
    assert!(link.carry(Duration::ZERO, 1301).is_none());
    assert_eq!(link.counters.oversized.bytes, 1301);
}
