//! Floods at line rate.

use super::*;
use rand_chacha::rand_core::Rng;

const HONEST_HOLDERS: u32 = 200;
const RECORDS_EACH: u32 = 5;
const PUTS: u32 = 300_000;

/// 200 holders with five records each are half of this: 1 000 entries of 2 KiB.
const CONFIG: StoreConfig = StoreConfig {
    budget_bytes: 4 << 20,
    peer_share: 8,
    group_share: 4,
};

fn honest(number: u32) -> (Holder, Checked) {
    let record = sized(key(number), 1, 512, START + HOUR);
    (holder(1_000 + number % HONEST_HOLDERS), record)
}

/// 300 000 records of eight peers, every second one with a key ground close to an honest one; the
/// honest holders store theirs in the middle of it. Says how many honest records are left.
fn flood(attackers: [Holder; 8], seed: u64) -> u32 {
    let mut rng = rng(seed);
    let mut store = RecordStore::new(CONFIG);
    let total = HONEST_HOLDERS * RECORDS_EACH;
    for round in 0..PUTS {
        let drawn = rng.next_u32();
        let target = if drawn.is_multiple_of(2) {
            key(drawn % total).random_with_prefix(40, &mut rng)
        } else {
            Key::random(&mut rng)
        };
        let length = 8 + (drawn >> 8) as usize % 1_000;
        let record = sized(target, 1, length, START + HOUR);
        let attacker = attackers[(drawn >> 4) as usize % 8];
        store.put(START, &attacker, &IMMUTABLE, &record);
        // Half of them come before the store is full, half long after.
        if round < total / 2 || (100_000..100_000 + total / 2).contains(&round) {
            let number = if round < total / 2 {
                round
            } else {
                round - 100_000 + total / 2
            };
            let (holder, record) = honest(number);
            store.put(START, &holder, &IMMUTABLE, &record);
        }
        assert!(store.bytes() <= CONFIG.budget_bytes);
    }
    let held = |number: &u32| store.get(IMMUTABLE.number, &key(*number), START).is_some();
    (0..total).filter(held).count() as u32
}

#[test]
fn attack_a_flood_from_eight_networks() {
    let attackers = std::array::from_fn(|number| holder(number as u32));
    let left = flood(attackers, 1);
    assert!(left >= 990, "{left} of 1 000 honest records are left");
}

#[test]
fn attack_a_flood_from_one_network() {
    let attackers = std::array::from_fn(|number| holder_in(number as u32, 1));
    let left = flood(attackers, 2);
    assert!(left >= 990, "{left} of 1 000 honest records are left");
}

#[test]
fn attack_a_flood_from_local_addresses() {
    let attackers = std::array::from_fn(|number| local(number as u32));
    let left = flood(attackers, 3);
    assert!(left >= 990, "{left} of 1 000 honest records are left");
}

#[test]
fn attack_tombstones_of_others_cannot_be_flushed() {
    let mut store = RecordStore::new(CONFIG);
    for number in 0..100 {
        let (holder, record) = honest(number);
        store.put(START, &holder, &MUTABLE, &record);
    }
    let mut now = START + HOUR;
    store.expire(now);
    assert_eq!(store.tombstones(), 100);
    // Eight peers bring signed records that end at once, two hundred thousand of them.
    for round in 0..200_000 {
        now = now + Duration::from_millis(1);
        let record = sized(key(1_000_000 + round), 1, 8, Micros(now.0 + 1));
        store.put(now, &holder(round % 8), &MUTABLE, &record);
        assert!(store.bytes() <= CONFIG.budget_bytes);
    }
    for number in 0..100 {
        let (holder, record) = honest(number);
        let again = Checked {
            expires: now + HOUR,
            ..record
        };
        let judgement = store.judge(now, &holder, &MUTABLE, &again);
        assert_eq!(judgement, Judgement::Superseded);
    }
}

#[test]
fn attack_bringing_the_records_of_others_first_makes_nobody_pay() {
    let mut store = RecordStore::new(CONFIG);
    let attacker = holder(1);
    let (victim, record) = honest(1);
    store.put(START, &attacker, &IMMUTABLE, &record);
    store.put(START, &victim, &IMMUTABLE, &record);
    let ledger = store.shelf.ledger();
    assert_eq!(ledger.peer_bytes(&victim.peer), 0);
    assert_eq!(ledger.peer_bytes(&attacker.peer), cost(512));
}
