use super::{DecodedKeys, MAX_DECODED_KEYS};
use crate::crypto::VERIFYING_KEY_BYTES;

/// Any bytes decode, so that a counter makes as many keys as a test wants.
fn key(number: usize) -> [u8; VERIFYING_KEY_BYTES] {
    let mut key = [0; VERIFYING_KEY_BYTES];
    key[..8].copy_from_slice(&u64::try_from(number).unwrap().to_le_bytes());
    key
}

#[test]
fn the_cache_never_holds_more_than_its_limit() {
    let cache = DecodedKeys::default();
    for number in 0..MAX_DECODED_KEYS - 1 {
        cache.get(&key(number));
    }
    assert_eq!(cache.len(), MAX_DECODED_KEYS - 1);
    cache.get(&key(MAX_DECODED_KEYS - 1));
    assert_eq!(cache.len(), MAX_DECODED_KEYS);
    cache.get(&key(MAX_DECODED_KEYS));
    assert_eq!(cache.len(), MAX_DECODED_KEYS);
}

#[test]
fn the_least_recently_used_key_goes_first() {
    let cache = DecodedKeys::default();
    for number in 0..MAX_DECODED_KEYS {
        cache.get(&key(number));
    }
    cache.get(&key(0));
    cache.get(&key(MAX_DECODED_KEYS));
    assert!(cache.contains(&key(0)));
    assert!(!cache.contains(&key(1)));
    assert!(cache.contains(&key(2)));
}

#[test]
fn a_cached_key_is_the_one_that_was_asked_for() {
    let cache = DecodedKeys::default();
    for number in [1, 2, 1] {
        assert_eq!(cache.get(&key(number)).encode().as_slice(), key(number));
    }
    assert_eq!(cache.len(), 2);
}
