//! The table against a list of all that happened.

use super::*;

/// What a node of a simple-minded table is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Simple {
    peer: PeerId,
    failures: u8,
}

/// Ids of a bucket that may share one bit more than all of it, two, and so on: where the tail of a Poisson
/// distribution around 20, halved as many times, falls below one in ten thousand, and at least three.
const MOST: [usize; 7] = [24, 15, 10, 7, 5, 4, 3];

/// Buckets and those that wait, as lists.
#[derive(Debug)]
struct Model {
    /// Within this share of all keys are the neighbours.
    near: f64,
    buckets: BTreeMap<u32, Vec<Simple>>,
    waiting: BTreeMap<u32, Vec<PeerId>>,
}

impl Model {
    fn is_near(&self, peer: PeerId) -> bool {
        let [here, there] = [*local().as_bytes(), *peer.as_bytes()].map(|key| {
            let (first, _) = key.split_first_chunk().unwrap();
            u64::from_be_bytes(*first)
        });
        ((here ^ there) as f64) < self.near * 2f64.powi(64)
    }

    fn far(&self, bits: u32) -> Vec<Key> {
        let members = self.buckets.get(&bits).into_iter().flatten();
        let far = members.filter(|one| !self.is_near(one.peer));
        far.map(|one| Key::from(one.peer)).collect()
    }

    /// Whether too many are in its part of a bucket already.
    fn is_uneven(&self, bits: u32, peer: PeerId) -> bool {
        let far = self.far(bits);
        let is_full = |more: u32| {
            let sharing = far.iter();
            let sharing = sharing.filter(|one| one.common_prefix(&peer.into()) > bits + more);
            sharing.count() >= MOST[MOST.len().min(more as usize) - 1]
        };
        !self.is_near(peer) && (1..=200).any(is_full)
    }

    fn has_place(&self, bits: u32, peer: PeerId) -> bool {
        let all = self.buckets.get(&bits).map_or(0, Vec::len);
        let far = self.far(bits).len();
        let (taken, most) = if self.is_near(peer) {
            (all - far, 108)
        } else {
            (far, 20)
        };
        all < 20 || taken < most
    }

    fn answered(&mut self, peer: PeerId) {
        let bits = local().common_prefix(&peer.into());
        let (is_uneven, has_place) = (self.is_uneven(bits, peer), self.has_place(bits, peer));
        let bucket = self.buckets.entry(bits).or_default();
        if let Some(known) = bucket.iter_mut().find(|one| one.peer == peer) {
            known.failures = 0;
        } else if has_place && !is_uneven {
            bucket.push(Simple { peer, failures: 0 });
        } else if !is_uneven {
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
        if bucket.len() == before {
            return;
        }
        let waiting = self.waiting.get(&bits).cloned().unwrap_or_default();
        let mut newest = waiting.into_iter().rev();
        let follows = newest.find(|one| self.has_place(bits, *one) && !self.is_uneven(bits, *one));
        if let Some(peer) = follows {
            let waiting = self.waiting.entry(bits).or_default();
            waiting.retain(|one| *one != peer);
            let bucket = self.buckets.entry(bits).or_default();
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
        let near = 80.0 / density.size().max(640.0);
        let far = keys.iter();
        let far = far.filter(|one| local().distance(one).fraction() >= near);
        assert!(far.count() <= 20);
        assert!(keys.len() <= 128);
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
        // Nobody is a neighbour; bucket 3 and below are; a part of bucket 6 and all below.
        let (size, near) = [(1e12, 0.0), (1.0, 0.125), (8_000.0, 0.01)][below(rng, 3)];
        let density = Density::unbounded(size);
        let mut table = table();
        let mut model = Model { near, buckets: BTreeMap::new(), waiting: BTreeMap::new() };
        for second in 0..800 {
            let number = below(rng, 600) as u64;
            let bits = [0, 1, 6][usize::try_from(number % 3).unwrap()];
            // Every other one crowds in some part of the bucket.
            let (part, bits_more) = (number % 4, u32::try_from(number % 7).unwrap());
            let node = Key::from(in_bucket(bits, if number.is_multiple_of(2) { part } else { number }));
            let node = at(&node.random_with_prefix(bits + 1 + bits_more, &mut self::rng(number)));
            let node = contact_of(node, number);
            match below(rng, 10) {
                0 => {
                    table.remove(&node.peer, &density);
                    model.removed(node.peer);
                }
                1..=3 => {
                    table.failed(&node.peer, &density);
                    model.failed(node.peer);
                }
                _ => {
                    table.answered(seconds(second), &node, None, &density);
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
        let density = [Density::of(200.0), Density::of(1_600.0), OPEN][below(rng, 3)].clone();
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
                0 => _ = table.remove(&node.peer, &density),
                1..=2 => _ = table.failed(&node.peer, &density),
                3 => table.moved(&node),
                4 if second % 20 == 0 => table.set_public(chance(rng, 50), &density),
                _ => {
                    table.answered(seconds(second), &node, None, &density);
                    answered.insert(node.peer);
                }
            }
            if second % 10 == 0 {
                let failed: Vec<_> = table.iter().map(|one| one.contact.peer).collect();
                for peer in failed.iter().take(below(rng, 3)) {
                    table.failed(peer, &density);
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
