use crate::transport::tls::fifo_store::{Capacity, FifoStore};

/// Inserts and returns the values that had to go.
fn gone(store: &mut FifoStore<u32, u32>, key: u32, value: u32, bytes: usize) -> Vec<u32> {
    let (_, gone) = store.insert(key, value, bytes);
    gone.into_iter().map(|(_, value)| value).collect()
}

fn store(entries: usize, bytes: usize) -> FifoStore<u32, u32> {
    FifoStore::new(Capacity { entries, bytes })
}

#[test]
fn the_entry_above_the_limit_pushes_out_the_oldest() {
    let mut store = store(2, 100);
    assert_eq!(gone(&mut store, 1, 10, 1), [0; 0]);
    assert_eq!(gone(&mut store, 2, 20, 1), [0; 0]);
    assert_eq!(gone(&mut store, 3, 30, 1), [10]);
    assert_eq!(store.len(), 2);
}

#[test]
fn bytes_are_bounded_exactly() {
    let mut store = store(10, 10);
    store.insert(1, 10, 5);
    assert_eq!(gone(&mut store, 2, 20, 5), [0; 0]);
    assert_eq!(store.bytes(), 10);
    assert_eq!(gone(&mut store, 3, 30, 1), [10]);
    assert_eq!(store.bytes(), 6);
}

#[test]
fn a_value_larger_than_the_store_is_not_kept_and_pushes_nothing_out() {
    let mut store = store(10, 10);
    store.insert(1, 10, 1);
    assert_eq!(gone(&mut store, 2, 20, 11), [20]);
    assert_eq!(store.get(&1), Some(&10));
}

#[test]
fn a_newer_value_replaces_the_older_of_its_key() {
    let mut store = store(10, 10);
    store.insert(1, 10, 4);
    assert_eq!(gone(&mut store, 1, 11, 6), [10]);
    assert_eq!(
        (store.get(&1), store.len(), store.bytes()),
        (Some(&11), 1, 6)
    );
    assert_eq!(store.remove(&1).map(|(_, value)| value), Some(11));
    assert_eq!((store.len(), store.bytes()), (0, 0));
}
