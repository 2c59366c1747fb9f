//! The XOR metric against a model of plain bytes.

use proptest::prelude::*;

use super::*;
use crate::discovery::testing::rng;

/// The bits of a key, one by one.
fn bits(bytes: &[u8; 32]) -> Vec<bool> {
    let bit = |index: usize| bytes[index / 8] & (0x80 >> (index % 8)) != 0;
    (0..256).map(bit).collect()
}

fn shared(one: &Key, other: &Key) -> u32 {
    let (one, other) = (bits(&one.0), bits(&other.0));
    let same = one.iter().zip(&other).take_while(|(a, b)| a == b);
    u32::try_from(same.count()).unwrap()
}

fn xor(one: &Key, other: &Key) -> [u8; 32] {
    std::array::from_fn(|index| one.0[index] ^ other.0[index])
}

/// `one + other` as numbers, with a byte for the carry in front.
fn sum(one: [u8; 32], other: [u8; 32]) -> [u8; 33] {
    let (mut sum, mut carry) = ([0; 33], 0);
    for index in (0..32).rev() {
        let both = u16::from(one[index]) + u16::from(other[index]) + carry;
        sum[index + 1] = both.to_le_bytes()[0];
        carry = both >> 8;
    }
    sum[0] = carry.to_le_bytes()[0];
    sum
}

fn with_carry(number: [u8; 32]) -> [u8; 33] {
    sum(number, [0; 32])
}

/// Keys that are often near each other, or the same.
fn keys() -> impl Strategy<Value = (Key, Key, Key)> {
    (any::<[u8; 32]>(), 0_u32..=257, 0_u32..=257, any::<u64>()).prop_map(|(a, b, c, seed)| {
        let a = Key(a);
        let rng = &mut rng(seed);
        (
            a,
            a.random_with_prefix(b, rng),
            a.random_with_prefix(c, rng),
        )
    })
}

proptest! {
    #[test]
    fn distances_are_a_metric((a, b, c) in keys()) {
        prop_assert_eq!(a.distance(&a), Distance::ZERO);
        prop_assert_eq!(a.distance(&b) == Distance::ZERO, a == b);
        prop_assert_eq!(a.distance(&b), b.distance(&a));
        // d(a, c) <= d(a, b) + d(b, c)
        prop_assert!(with_carry(xor(&a, &c)) <= sum(xor(&a, &b), xor(&b, &c)));
        // Unidirectional: only one key is at a distance.
        prop_assert_eq!(a.distance(&b) == a.distance(&c), b == c);
    }

    #[test]
    fn distances_are_ordered_as_numbers((a, b, c) in keys()) {
        let by_bytes = xor(&a, &b).cmp(&xor(&a, &c));
        prop_assert_eq!(a.distance(&b).cmp(&a.distance(&c)), by_bytes);
    }

    #[test]
    fn the_common_prefix_is_counted_bit_by_bit((a, b, c) in keys()) {
        prop_assert_eq!(a.common_prefix(&b), shared(&a, &b));
        prop_assert_eq!(a.distance(&b).leading_zeros(), shared(&a, &b));
        // What two places share can be told from their distances to any third.
        prop_assert_eq!(a.distance(&b).common_prefix(&a.distance(&c)), shared(&b, &c));
    }

    #[test]
    fn a_random_key_shares_the_prefix_and_nothing_else_is_fixed(
        bytes: [u8; 32], bits in 0_u32..=300, seed: u64,
    ) {
        let key = Key(bytes);
        let rng = &mut rng(seed);
        let drawn: Vec<_> = (0..64).map(|_| key.random_with_prefix(bits, rng)).collect();
        prop_assert!(drawn.iter().all(|one| shared(one, &key) >= bits.min(256)));
        if bits < 256 {
            // Each is another half of the space with probability 1/2: 2^-64 to fail.
            prop_assert!(drawn.iter().any(|one| shared(one, &key) == bits));
            prop_assert!(drawn.iter().any(|one| shared(one, &key) > bits));
        }
    }

    #[test]
    fn the_range_of_a_prefix_holds_exactly_the_keys_that_share_it(
        (a, b, _) in keys(), bits in 0_u32..=300,
    ) {
        let (first, last) = a.prefix_range(bits);
        prop_assert!(first <= a && a <= last);
        prop_assert_eq!((first..=last).contains(&b), shared(&a, &b) >= bits.min(256));
        prop_assert!(shared(&first, &last) >= bits.min(256));
    }

    #[test]
    fn a_flipped_bit_ends_the_common_prefix_there(bytes: [u8; 32], bit in 0_u32..300) {
        let key = Key(bytes);
        prop_assert_eq!(shared(&key, &key.with_flipped_bit(bit)), bit.min(256));
        prop_assert_eq!(key.with_flipped_bit(bit).with_flipped_bit(bit), key);
    }

    #[test]
    fn the_fraction_is_the_share_of_the_space_that_is_nearer((a, b, c) in keys()) {
        let (to_b, to_c) = (a.distance(&b), a.distance(&c));
        let first = xor(&a, &b)[..8].iter().fold(0.0, |sum, byte| sum * 256.0 + f64::from(*byte));
        let model = first / 18_446_744_073_709_551_616.0;
        prop_assert!((to_b.fraction() - model).abs() <= 2.0_f64.powi(-52));
        prop_assert!((0.0..=1.0).contains(&to_b.fraction()));
        if to_b < to_c {
            prop_assert!(to_b.fraction() <= to_c.fraction());
        }
        if to_b != Distance::ZERO {
            let bits = i32::try_from(to_b.leading_zeros()).unwrap();
            prop_assert!(to_b.fraction() >= 2.0_f64.powi(-bits - 1));
            prop_assert!(to_b.fraction() <= 2.0_f64.powi(-bits));
        }
    }
}
