//! How many of one place the table takes.

use super::*;

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
        table.remove(&in_bucket(0, number), &density);
    }
    let crowded = table
        .iter()
        .filter(|one| Key::from(one.contact.peer).common_prefix(&crowd.into()) >= 20);
    assert_eq!(crowded.count(), 2);
}

/// The ids of an attacker who fills a region before anybody else, below the density quota everywhere.
fn spread_over(region: Key, bits: u32, count: u64) -> impl Iterator<Item = Contact> {
    let node = move |number| at(&region.random_with_prefix(bits, &mut rng(number)));
    (0..count).map(move |number| contact_of(node(number), number))
}

#[test]
fn attack_a_crowd_in_one_part_of_a_bucket_leaves_the_other_parts_open() {
    let density = Density::of(1_000.0);
    let mut table = table();
    let region = Key::from(in_bucket(0, 99));
    for (number, node) in spread_over(region, 6, 32).enumerate() {
        assert_eq!(table.wants(&node.peer, &density), number < 5);
        table.answered(seconds(0), &node, None, &density);
    }
    assert_eq!(table.len(), 5, "an even bucket has 0.6 there");
    for number in 0..200 {
        let node = contact_of(in_bucket(0, number), 1_000 + number);
        table.answered(seconds(1), &node, None, &density);
    }
    assert_eq!(table.len(), 20);
}

#[test]
fn attack_a_crowd_does_not_keep_a_neighbour_from_its_place() {
    // In a network of a thousand all of this bucket are neighbours, in one of a billion none is.
    for (size, places) in [(1_000.0, 51), (1e9, 20)] {
        let mut table = table();
        let region = local().with_flipped_bit(6);
        let density = Density::unbounded(size);
        for node in spread_over(region, 7, 50) {
            table.answered(seconds(0), &node, None, &density);
        }
        let honest = contact_of(in_bucket(6, 99), 99);
        assert_eq!(table.wants(&honest.peer, &density), places == 51);
        table.answered(seconds(1), &honest, None, &density);
        assert_eq!(table.len(), places, "{size}");
        assert_eq!(table.contains(&honest.peer), places == 51);
    }
}

#[test]
fn neighbours_have_an_end() {
    let density = Density::unbounded(1_000.0);
    let mut table = table();
    for node in spread_over(local().with_flipped_bit(6), 7, 107) {
        table.answered(seconds(0), &node, None, &density);
    }
    for (number, expected) in [(1_000, 108), (1_001, 108)] {
        let node = contact_of(in_bucket(6, number), number);
        table.answered(seconds(1), &node, None, &density);
        assert_eq!(table.len(), expected);
    }
}

/// A mixed bucket: the nearer half of it are neighbours.
#[test]
fn neighbours_and_the_others_of_a_bucket_take_no_place_from_each_other() {
    // 80 of 1 706 nodes: the neighbourhood ends in the middle of bucket 4.
    let density = Density::unbounded(1_706.0);
    let nearer = local().with_flipped_bit(4);
    let farther = nearer.with_flipped_bit(5);
    let mut table = table();
    let enter = |table: &mut RoutingTable, half: &Key, number: u64| {
        let node = at(&half.random_with_prefix(6, &mut rng(number)));
        table.answered(seconds(number), &contact_of(node, number), None, &density);
        node
    };
    let neighbours: Vec<_> = (0..40)
        .map(|number| enter(&mut table, &nearer, number))
        .collect();
    assert_eq!(table.len(), 40);
    let others: Vec<_> = (100..130)
        .map(|number| enter(&mut table, &farther, number))
        .collect();
    let far = others.iter().filter(|one| table.contains(one)).count();
    assert!(
        (15..=20).contains(&far),
        "{far}: half of the bucket takes what the whole would"
    );
    // A neighbour's place is no place for one of the others who wait.
    table.remove(&neighbours[0], &density);
    let after = others.iter().filter(|one| table.contains(one)).count();
    assert_eq!((table.len(), after), (39 + far, far));
}
