use std::sync::{Arc, Mutex};

use super::millis;
use super::two_paths::{
    ACCEPTOR, ACCEPTOR_DIRECT, DIALLER, DIALLER_DIRECT, End, World, pattern, receive, send,
};
use crate::policy::Micros;
use crate::sim::raw_quinn::address;
use crate::sim::{Net, Verdict};
use crate::transport::paths::{Path, PathCounters, PathId};

const DIRECT: PathId = PathId(1);

/// Both ends switch to the second path and back, `apart` milliseconds one after the other.
async fn script(dialled: &End, accepted: &End, apart: u64) {
    for path in [DIRECT, PathId::FIRST, DIRECT, PathId::FIRST] {
        tokio::time::sleep(millis(500)).await;
        dialled.switch(path);
        tokio::time::sleep(millis(apart)).await;
        accepted.switch(path);
    }
}

async fn transfer_across_switches(seed: u64, apart: u64) {
    const BYTES: usize = 16_000_000;
    let world = World::new(seed);
    let (dialled, accepted) = world.connect().await;
    let seen = [
        dialled.connection.remote_address(),
        accepted.connection.remote_address(),
    ];
    let up = tokio::spawn(send(dialled.connection.clone(), pattern(BYTES, 1)));
    let down = tokio::spawn(send(accepted.connection.clone(), pattern(BYTES, 2)));
    let at_acceptor = tokio::spawn(receive(accepted.connection.clone()));
    let at_dialler = tokio::spawn(receive(dialled.connection.clone()));
    script(&dialled, &accepted, apart).await;
    up.await.unwrap();
    down.await.unwrap();
    assert!(
        at_acceptor.await.unwrap() == pattern(BYTES, 1),
        "seed {seed}, {apart} ms apart"
    );
    assert!(
        at_dialler.await.unwrap() == pattern(BYTES, 2),
        "seed {seed}, {apart} ms apart"
    );

    let after = [
        dialled.connection.remote_address(),
        accepted.connection.remote_address(),
    ];
    assert_eq!(seen, after);
    for pair in [(DIALLER, ACCEPTOR), (DIALLER_DIRECT, ACCEPTOR_DIRECT)] {
        for (from, to) in [pair, (pair.1, pair.0)] {
            let carried = world
                .net
                .counters(address(from).ip(), address(to).ip())
                .delivered;
            assert!(
                carried.bytes > 400_000,
                "{from} to {to} carried {carried:?}"
            );
        }
    }
    for end in [&dialled, &accepted] {
        assert_eq!(end.paths.counters(), PathCounters::default());
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_arrive_intact_when_both_ends_switch_at_once() {
    transfer_across_switches(1, 0).await;
}

#[tokio::test(start_paused = true)]
async fn bytes_arrive_intact_when_the_ends_switch_10_ms_apart() {
    transfer_across_switches(2, 10).await;
}

#[tokio::test(start_paused = true)]
async fn bytes_arrive_intact_when_the_ends_switch_60_ms_apart() {
    transfer_across_switches(3, 60).await;
}

#[tokio::test(start_paused = true)]
async fn watchers_see_both_paths_and_quinn_sees_one_address() {
    let world = World::new(4);
    let (dialled, accepted) = world.connect().await;
    let remote = accepted.connection.remote_address();
    assert_eq!(remote, address("[::ffff:10.0.0.1]:4433"));
    let mut changes = accepted.paths.changes();
    let first = Some(Path::direct(address(DIALLER)));
    assert_eq!(accepted.paths.path_of(remote), first);

    accepted.switch(DIRECT);
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    assert_eq!(
        accepted.paths.path_of(remote),
        Some(Path::direct(address(DIALLER_DIRECT)))
    );
    assert_eq!(accepted.connection.remote_address(), remote);
    assert_eq!(
        dialled.paths.current(dialled.connection.remote_address()),
        PathId::FIRST
    );
    accepted.paths.release(remote);
    assert_eq!(accepted.paths.path_of(remote), first);
    assert_eq!(accepted.paths.table_len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_flaps_keep_address_and_bytes() {
    let world = World::new(5);
    let (dialled, accepted) = world.connect().await;
    let remote = dialled.connection.remote_address();
    let sender = tokio::spawn(send(accepted.connection.clone(), pattern(8_000_000, 3)));
    let received = tokio::spawn(receive(dialled.connection.clone()));
    for flap in 0..100 {
        tokio::time::sleep(millis(23)).await;
        let path = if flap % 2 == 0 { DIRECT } else { PathId::FIRST };
        dialled.switch(path);
        accepted.switch(path);
        assert_eq!(dialled.connection.remote_address(), remote);
    }
    sender.await.unwrap();
    assert!(received.await.unwrap() == pattern(8_000_000, 3));
}

/// Appends the time and length of every chunk read.
async fn log_arrivals(end: quinn::Connection, net: Net, log: Arc<Mutex<Vec<(Micros, usize)>>>) {
    let mut stream = end.accept_uni().await.unwrap();
    while let Some(chunk) = stream.read_chunk(65_536, true).await.unwrap() {
        log.lock().unwrap().push((net.now(), chunk.bytes.len()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_faster_path_is_filled_within_200_ms() {
    let world = World::new(6);
    let (dialled, accepted) = world.connect().await;
    let log = Arc::new(Mutex::new(Vec::new()));
    let reader = dialled.connection.clone();
    tokio::spawn(log_arrivals(reader, world.net.clone(), Arc::clone(&log)));
    tokio::spawn(send(accepted.connection.clone(), pattern(60_000_000, 4)));
    tokio::time::sleep(millis(3000)).await;
    dialled.switch(DIRECT);
    tokio::time::sleep(millis(10)).await;
    accepted.switch(DIRECT);
    let switched = world.net.now();
    tokio::time::sleep(millis(500)).await;

    let log = log.lock().unwrap();
    let bytes_between = |from: u64, to: u64| -> usize {
        let window = switched + millis(from)..switched + millis(to);
        log.iter()
            .filter(|(at, _)| window.contains(at))
            .map(|(_, length)| length)
            .sum()
    };
    // 80 % of 200 Mbit/s is 2 MB in 100 ms; a window that stands still is paced to 110 Mbit/s.
    let filled = bytes_between(150, 250);
    assert!(
        filled >= 2_000_000,
        "{filled} bytes in the 100 ms around 200 ms after the switch"
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_survives_20_s_of_darkness_and_resumes_at_once() {
    let world = World::new(7);
    let (dialled, accepted) = world.connect().await;
    let log = Arc::new(Mutex::new(Vec::new()));
    let reader = dialled.connection.clone();
    tokio::spawn(log_arrivals(reader, world.net.clone(), Arc::clone(&log)));
    tokio::spawn(send(accepted.connection.clone(), pattern(60_000_000, 5)));
    // Both windows are full when the network goes dark: neither end may send, by its own account.
    tokio::spawn(receive(accepted.connection.clone()));
    tokio::spawn(send(dialled.connection.clone(), pattern(60_000_000, 6)));
    tokio::time::sleep(millis(3000)).await;
    world.net.set_tap(|_| Verdict::Drop);
    tokio::time::sleep(millis(20_000)).await;
    world.net.set_tap(|_| Verdict::Pass);
    let back = world.net.now();
    for end in [&dialled, &accepted] {
        end.switch(DIRECT);
    }
    tokio::time::sleep(millis(1000)).await;

    let log = log.lock().unwrap();
    let first = log
        .iter()
        .find(|(at, _)| *at >= back)
        .expect("nothing arrived any more");
    let gap = first.0.since(back);
    assert!(
        gap <= millis(200),
        "first byte {gap:?} after the path returned"
    );
    assert!(dialled.connection.close_reason().is_none());
}
