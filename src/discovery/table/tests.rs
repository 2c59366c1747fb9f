//! The table against a list of all that happened, and its behaviour, rule by rule.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::discovery::testing::{
    at, below, chance, contact, contact_at, contact_of, distance, endpoint, key, peer, peers, rng,
};
use crate::policy::IpGroup;

const OPEN: Density = Density::unbounded(1.0);
const ASKER: PeerId = PeerId::from_bytes([1; 32]);

fn seconds(count: u64) -> Micros {
    Micros(count * 1_000_000)
}

fn local() -> Key {
    key(0)
}

fn table() -> RoutingTable {
    RoutingTable::new(local())
}

/// The `number`-th node of a bucket.
fn in_bucket(bits: u32, number: u64) -> PeerId {
    let rng = &mut rng(number << 8 | u64::from(bits));
    at(&local()
        .with_flipped_bit(bits)
        .random_with_prefix(bits + 1, rng))
}

fn enter(table: &mut RoutingTable, now: Micros, contact: &Contact) -> Entered {
    table.answered(now, contact, None, &OPEN)
}

/// A table whose bucket 0 is full; node `n` answered at second `n`.
fn with_full_bucket() -> RoutingTable {
    let mut table = table();
    for number in 0..20 {
        let node = contact_of(in_bucket(0, number), number);
        assert_eq!(enter(&mut table, seconds(number), &node), Entered::Added);
    }
    table
}

fn told(table: &RoutingTable, scope: Scope) -> Vec<Contact> {
    table.reply(&local(), 40, (&ASKER, scope), &OPEN)
}

// Models.

/// What a node of a simple-minded table is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Simple {
    peer: PeerId,
    failures: u8,
}

/// Buckets and those that wait, as lists.
#[derive(Debug, Default)]
struct Model {
    buckets: BTreeMap<u32, Vec<Simple>>,
    waiting: BTreeMap<u32, Vec<PeerId>>,
}

impl Model {
    fn answered(&mut self, peer: PeerId) {
        let bits = local().common_prefix(&peer.into());
        let bucket = self.buckets.entry(bits).or_default();
        if let Some(known) = bucket.iter_mut().find(|one| one.peer == peer) {
            known.failures = 0;
        } else if bucket.len() < 20 {
            bucket.push(Simple { peer, failures: 0 });
        } else {
            let waiting = self.waiting.entry(bits).or_default();
            waiting.retain(|one| *one != peer);
            waiting.push(peer);
            if waiting.len() > 10 {
                waiting.remove(0);
            }
        }
    }

    fn failed(&mut self, peer: PeerId) {
        let bits = local().common_prefix(&peer.into());
        let bucket = self.buckets.entry(bits).or_default();
        let Some(known) = bucket.iter_mut().find(|one| one.peer == peer) else {
            return;
        };
        known.failures += 1;
        if known.failures == 2 {
            self.removed(peer);
        }
    }

    fn removed(&mut self, peer: PeerId) {
        let bits = local().common_prefix(&peer.into());
        let waiting = self.waiting.entry(bits).or_default();
        waiting.retain(|one| *one != peer);
        let bucket = self.buckets.entry(bits).or_default();
        let before = bucket.len();
        bucket.retain(|one| one.peer != peer);
        if bucket.len() < before
            && let Some(peer) = waiting.pop()
        {
            bucket.push(Simple { peer, failures: 0 });
        }
    }

    fn all(&self) -> Vec<Simple> {
        let mut all: Vec<_> = self.buckets.values().flatten().cloned().collect();
        all.sort();
        all
    }
}

/// Every group of an entry's public addresses, once.
fn groups(contact: &Contact) -> BTreeSet<IpGroup> {
    let sockets = contact.addresses.iter().filter_map(|one| one.socket_addr());
    let groups = sockets.map(|one| IpGroup::of(one.ip()));
    groups.filter(|group| !group.is_local()).collect()
}

fn assert_limits(table: &RoutingTable, answered: &BTreeSet<PeerId>, density: &Density) {
    let entries: Vec<_> = table.iter().collect();
    assert_eq!(entries.len(), table.len());
    let (mut in_table, mut in_bucket) = (BTreeMap::new(), BTreeMap::new());
    let mut buckets: BTreeMap<u32, Vec<Key>> = BTreeMap::new();
    for entry in &entries {
        let peer = entry.contact.peer;
        assert!(answered.contains(&peer), "{peer:?} never answered");
        assert_eq!(entry.bucket, local().common_prefix(&peer.into()));
        buckets.entry(entry.bucket).or_default().push(peer.into());
        for group in groups(&entry.contact) {
            *in_table.entry(group).or_insert(0) += 1;
            *in_bucket.entry((entry.bucket, group)).or_insert(0) += 1;
        }
    }
    assert!(in_table.values().all(|count| *count <= 10), "{in_table:?}");
    assert!(in_bucket.values().all(|count| *count <= 2), "{in_bucket:?}");
    for (bits, keys) in buckets {
        assert!(keys.len() <= 20);
        for (one, level) in keys
            .iter()
            .flat_map(|one| (bits + 1..=32).map(move |l| (one, l)))
        {
            let sharing = keys
                .iter()
                .filter(|other| other.common_prefix(one) >= level);
            let most = density.most(level).map_or(usize::MAX, usize::from);
            assert!(
                sharing.count() <= most,
                "bucket {bits} is crowded at {level} bits"
            );
        }
    }
}

/// The reply by looking at every entry and every prefix.
fn model_reply(table: &RoutingTable, target: &Key, scope: Scope, density: &Density) -> Vec<PeerId> {
    let mut all: Vec<_> = table
        .iter()
        .filter(|one| one.failures == 0 && one.contact.peer != ASKER)
        .filter(|one| scope.sees_any(&one.contact))
        .map(|one| one.contact)
        .collect();
    all.sort_by_key(|one| distance(target, one));
    let mut passed: Vec<Key> = Vec::new();
    for one in all {
        let next = Key::from(one.peer);
        let is_full = (0..=256).any(|bits| {
            let sharing = passed
                .iter()
                .filter(|other| other.common_prefix(&next) >= bits);
            density
                .most(bits)
                .is_some_and(|most| sharing.count() >= usize::from(most))
        });
        if !is_full {
            passed.push(next);
        }
    }
    passed.iter().take(40).map(at).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_table_is_that_of_the_model(seed: u64) {
        let rng = &mut rng(seed);
        let (mut table, mut model) = (table(), Model::default());
        for second in 0..400 {
            let number = below(rng, 90) as u64;
            let bits = u32::try_from(number % 3).unwrap();
            let node = contact_of(in_bucket(bits, number), number);
            match below(rng, 10) {
                0 => {
                    table.remove(&node.peer);
                    model.removed(node.peer);
                }
                1..=3 => {
                    table.failed(&node.peer);
                    model.failed(node.peer);
                }
                _ => {
                    enter(&mut table, seconds(second), &node);
                    model.answered(node.peer);
                }
            }
            let mut entries: Vec<_> = table
                .iter()
                .map(|one| Simple { peer: one.contact.peer, failures: one.failures })
                .collect();
            entries.sort();
            prop_assert_eq!(entries, model.all());
        }
    }

    #[test]
    fn limits_hold_whatever_happens_and_replies_are_those_of_the_model(seed: u64) {
        let rng = &mut rng(seed);
        let density = if chance(rng, 50) { Density::of(200.0) } else { OPEN };
        let mut table = table();
        let mut answered = BTreeSet::new();
        for second in 0..300 {
            let bits = u32::try_from(below(rng, 8)).unwrap();
            // Every third crowds at one place.
            let node = if chance(rng, 33) {
                let crowd = local().with_flipped_bit(bits);
                at(&crowd.random_with_prefix(bits + 20, rng))
            } else {
                in_bucket(bits, below(rng, 30) as u64)
            };
            let group = below(rng, 40) as u64;
            let node = match below(rng, 4) {
                0 => contact_at(node, &["/ip4/10.0.0.1/udp/1"]),
                1 => contact_at(node, &[&endpoint(group, 1), &endpoint(group + 1, 2)]),
                _ => contact_of(node, group),
            };
            match below(rng, 12) {
                0 => _ = table.remove(&node.peer),
                1..=2 => _ = table.failed(&node.peer),
                3 => table.moved(&node),
                4 if second % 20 == 0 => table.set_public(chance(rng, 50)),
                _ => {
                    table.answered(seconds(second), &node, None, &density);
                    answered.insert(node.peer);
                }
            }
            if second % 10 == 0 {
                let failed: Vec<_> = table.iter().map(|one| one.contact.peer).collect();
                for peer in failed.iter().take(below(rng, 3)) {
                    table.failed(peer);
                }
            }
            if second % 15 == 14 {
                assert_limits(&table, &answered, &density);
            }
        }
        for scope in [Scope::Public, Scope::Local] {
            let target = local().random_with_prefix(u32::try_from(below(rng, 9)).unwrap(), rng);
            let reply = table.reply(&target, 40, (&ASKER, scope), &density);
            prop_assert_eq!(peers(&reply), model_reply(&table, &target, scope, &density));
            prop_assert!(reply.is_sorted_by_key(|one| distance(&target, one)));
            let shown = reply.iter().flat_map(|one| one.addresses.iter());
            prop_assert!(shown.into_iter().all(|one| scope.sees(one)));
            let count = below(rng, 50);
            let mut all: Vec<_> = table.iter().filter(|one| one.failures == 0).collect();
            all.sort_by_key(|one| distance(&target, &one.contact));
            let nearest: Vec<_> = all.iter().take(count).map(|one| one.contact.peer).collect();
            if table.iter().any(|one| one.failures == 0) {
                prop_assert_eq!(peers(&table.seeds(&target, count)), nearest);
            }
        }
    }
}

// Places and those that wait.

#[test]
fn a_bucket_takes_twenty() {
    let mut table = table();
    for (number, expected) in [(18, 19), (19, 20), (20, 20)] {
        for number in 0..=number {
            enter(
                &mut table,
                seconds(0),
                &contact_of(in_bucket(0, number), number),
            );
        }
        assert_eq!(table.len(), expected);
    }
}

#[test]
fn the_least_recently_seen_leaves_only_after_it_failed_twice_and_the_newest_that_waits_follows() {
    let mut table = with_full_bucket();
    let oldest = in_bucket(0, 0);
    for number in 20..40 {
        let newcomer = contact_of(in_bucket(0, number), number);
        let entered = enter(&mut table, seconds(100), &newcomer);
        let Entered::Waiting(Some(to_probe)) = entered else {
            panic!("{entered:?}");
        };
        assert_eq!(to_probe.peer, oldest, "the least recently seen is probed");
    }
    assert!(
        table.contains(&oldest),
        "twenty newcomers cost nobody a place"
    );
    assert!(table.failed(&oldest), "it is asked once more");
    assert!(table.contains(&oldest), "one failure is none");
    assert!(!table.failed(&oldest));
    assert!(!table.contains(&oldest));
    assert!(
        table.contains(&in_bucket(0, 39)),
        "the newest that waits follows"
    );
    assert_eq!(
        table.take_followed(),
        [in_bucket(0, 39)],
        "and that is told"
    );
    assert_eq!(table.len(), 20);
}

#[test]
fn a_probe_that_is_answered_keeps_the_place() {
    let mut table = with_full_bucket();
    let oldest = contact_of(in_bucket(0, 0), 0);
    table.failed(&oldest.peer);
    assert_eq!(enter(&mut table, seconds(200), &oldest), Entered::Known);
    table.failed(&oldest.peer);
    assert!(table.contains(&oldest.peer), "failures in a row count");
    let newcomer = contact_of(in_bucket(0, 20), 20);
    let entered = enter(&mut table, seconds(200), &newcomer);
    assert!(matches!(entered, Entered::Waiting(Some(one)) if one.peer == in_bucket(0, 1)));
}

#[test]
fn those_that_were_seen_within_a_minute_are_not_probed() {
    let mut table = with_full_bucket();
    let newcomer = contact_of(in_bucket(0, 20), 20);
    assert_eq!(
        enter(&mut table, seconds(60), &newcomer),
        Entered::Waiting(None)
    );
}

#[test]
fn ten_wait_for_a_bucket() {
    let mut table = with_full_bucket();
    for number in 20..32 {
        let newcomer = contact_of(in_bucket(0, number), number);
        assert_eq!(table.wants(&newcomer.peer), number < 30);
        enter(&mut table, seconds(20), &newcomer);
    }
    for number in 0..11 {
        table.remove(&in_bucket(0, number));
    }
    assert_eq!(table.len(), 19, "ten of eleven places were taken");
    assert!(
        !table.contains(&in_bucket(0, 21)),
        "the oldest that waited made room"
    );
    assert!(table.contains(&in_bucket(0, 22)));
}

#[test]
fn a_node_that_failed_once_is_not_told_but_stays() {
    let mut table = with_full_bucket();
    let node = in_bucket(0, 3);
    assert!(peers(&told(&table, Scope::Public)).contains(&node));
    table.failed(&node);
    assert!(table.contains(&node));
    assert!(!peers(&told(&table, Scope::Public)).contains(&node));
    assert!(!peers(&table.seeds(&node.into(), 20)).contains(&node));
    enter(&mut table, seconds(99), &contact_of(node, 3));
    assert!(peers(&told(&table, Scope::Public)).contains(&node));
}

#[test]
fn lookups_start_from_nodes_that_failed_if_there_are_no_others() {
    let mut table = table();
    enter(&mut table, seconds(0), &contact(1));
    table.failed(&peer(1));
    assert_eq!(peers(&table.seeds(&local(), 20)), [peer(1)]);
    assert!(told(&table, Scope::Public).is_empty());
}

// Groups.

#[test]
fn a_bucket_takes_two_of_an_ip_group() {
    let mut table = table();
    let mut enter = |number| enter(&mut table, seconds(0), &contact_of(in_bucket(0, number), 7));
    let refused = Entered::Refused(NoEntry::Group);
    assert_eq!(
        [enter(0), enter(1), enter(2)],
        [Entered::Added, Entered::Added, refused]
    );
}

#[test]
fn a_table_takes_ten_of_an_ip_group() {
    let mut table = table();
    let mut enter = |bits: u32, number| {
        enter(
            &mut table,
            seconds(0),
            &contact_of(in_bucket(bits, number), 7),
        )
    };
    for bits in 0..4 {
        assert_eq!(
            [enter(bits, 0), enter(bits, 1)],
            [Entered::Added, Entered::Added]
        );
    }
    assert_eq!(enter(4, 0), Entered::Added, "nine");
    assert_eq!(enter(5, 0), Entered::Added, "ten");
    assert_eq!(enter(6, 0), Entered::Refused(NoEntry::Group), "eleven");
}

#[test]
fn groups_are_networks_of_24_and_48_bits_and_a_place_that_is_left_is_free() {
    let mut table = table();
    let mut v6 = |number, ip: &str| {
        let node = contact_at(in_bucket(0, number), &[&format!("/ip6/{ip}/udp/1")]);
        enter(&mut table, seconds(0), &node)
    };
    assert_eq!(v6(0, "2606:4700:1:1::1"), Entered::Added);
    assert_eq!(v6(1, "2606:4700:1:2::1"), Entered::Added);
    assert_eq!(v6(2, "2606:4700:1:3::1"), Entered::Refused(NoEntry::Group));
    assert_eq!(v6(3, "2606:4700:2:1::1"), Entered::Added);
    table.remove(&in_bucket(0, 0));
    let node = contact_at(in_bucket(0, 2), &["/ip6/2606:4700:1:3::1/udp/1"]);
    assert_eq!(enter(&mut table, seconds(0), &node), Entered::Added);
}

#[test]
fn private_addresses_have_no_group_limit() {
    let mut table = table();
    for number in 0..20 {
        let node = contact_at(in_bucket(0, number), &["/ip4/127.0.0.1/udp/1"]);
        assert_eq!(enter(&mut table, seconds(0), &node), Entered::Added);
    }
}

#[test]
fn attack_moving_into_one_network_after_entry() {
    let mut table = table();
    for number in 0..20 {
        enter(
            &mut table,
            seconds(0),
            &contact_of(in_bucket(0, number), number),
        );
    }
    for number in 0..20 {
        table.moved(&contact_of(in_bucket(0, number), 77));
    }
    let there = table
        .iter()
        .filter(|one| one.contact == contact_of(one.contact.peer, 77));
    assert_eq!(
        there.count(),
        2,
        "as many as may be of one group in a bucket"
    );
}

// Density.

#[test]
fn attack_a_bucket_takes_no_crowd() {
    let density = Density::of(1_000.0);
    let mut table = table();
    let crowd = in_bucket(0, 0);
    let rng = &mut rng(1);
    for number in 0..64 {
        let node = at(&Key::from(crowd).random_with_prefix(20, rng));
        let entered = table.answered(seconds(0), &contact_of(node, number), None, &density);
        let expected = match number {
            0 | 1 => Entered::Added,
            _ => Entered::Refused(NoEntry::Density),
        };
        assert_eq!(entered, expected, "id {number}");
    }
    let mut open = RoutingTable::new(local());
    let near = |number: u64| contact_of(in_bucket(20, number), number);
    (0..20).for_each(|number| _ = open.answered(seconds(0), &near(number), None, &OPEN));
    assert_eq!(open.len(), 20, "without the quota they take the bucket");
}

#[test]
fn attack_a_crowd_does_not_enter_by_waiting() {
    let density = Density::of(1_000.0);
    let mut table = with_full_bucket();
    let rng = &mut rng(2);
    let crowd = in_bucket(0, 99);
    for number in 100..110 {
        let node = at(&Key::from(crowd).random_with_prefix(20, rng));
        table.answered(seconds(20), &contact_of(node, number), None, &density);
    }
    // The bucket dies; whoever waited follows.
    for number in 0..20 {
        table.remove(&in_bucket(0, number));
    }
    let crowded = table
        .iter()
        .filter(|one| Key::from(one.contact.peer).common_prefix(&crowd.into()) >= 20);
    assert_eq!(crowded.count(), 2);
}

// Scopes.

#[test]
fn private_nodes_are_kept_only_by_a_node_without_a_public_address() {
    let private = contact_at(peer(1), &["/ip4/192.168.1.7/udp/1"]);
    let both = contact_at(peer(2), &["/ip4/192.168.1.8/udp/1", &endpoint(1, 1)]);
    let mut table = table();
    assert_eq!(enter(&mut table, seconds(0), &private), Entered::Added);
    assert_eq!(enter(&mut table, seconds(0), &both), Entered::Added);
    table.set_public(true);
    assert!(!table.contains(&private.peer));
    assert!(table.contains(&both.peer));
    let entered = enter(&mut table, seconds(0), &private);
    assert_eq!(entered, Entered::Refused(NoEntry::NoAddress));
    let known: Vec<_> = table
        .iter()
        .flat_map(|one| one.contact.addresses.to_vec())
        .collect();
    assert!(
        known.iter().all(crate::wire::Address::is_globally_routable),
        "{}",
        known.len()
    );
}

#[test]
fn private_addresses_are_not_told_to_public_peers() {
    let mut table = table();
    let private = contact_at(peer(1), &["/ip4/192.168.1.7/udp/1"]);
    let both = contact_at(peer(2), &["/ip4/192.168.1.8/udp/1", &endpoint(1, 1)]);
    enter(&mut table, seconds(0), &private);
    enter(&mut table, seconds(0), &both);
    let shown = told(&table, Scope::Public);
    assert_eq!(shown, [contact_at(peer(2), &[&endpoint(1, 1)])]);
    assert_eq!(told(&table, Scope::Local).len(), 2);
}

#[test]
fn the_asker_and_the_node_itself_are_never_told() {
    let mut table = table();
    enter(&mut table, seconds(0), &contact_of(ASKER, 1));
    let itself = contact_of(at(&local()), 2);
    assert_eq!(
        enter(&mut table, seconds(0), &itself),
        Entered::Refused(NoEntry::Local)
    );
    assert!(told(&table, Scope::Public).is_empty());
}

#[test]
fn as_many_as_are_wanted_are_told() {
    let mut table = table();
    for number in 1..200 {
        enter(&mut table, seconds(0), &contact(number));
    }
    for count in [0, 1, 39, 40] {
        assert_eq!(
            table
                .reply(&local(), count, (&ASKER, Scope::Public), &OPEN)
                .len(),
            count
        );
    }
}

#[test]
fn a_bucket_that_no_lookup_went_through_is_refreshed_once() {
    let mut table = table();
    for bits in 0..4 {
        enter(
            &mut table,
            seconds(0),
            &contact_of(in_bucket(bits, 0), u64::from(bits)),
        );
    }
    let age = Duration::from_secs(600);
    let rng = &mut rng(3);
    table.looked_up(seconds(10), &in_bucket(1, 5).into());
    let targets = table.refresh(seconds(600), age, rng);
    let bits: Vec<_> = targets
        .iter()
        .map(|one| local().common_prefix(one))
        .collect();
    assert_eq!(
        bits,
        [0, 2],
        "not the one that was looked up, nor the nearest"
    );
    assert!(table.refresh(seconds(600), age, rng).is_empty());
}
