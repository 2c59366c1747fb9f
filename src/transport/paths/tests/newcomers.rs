use super::two_paths::{ACCEPTOR, DIALLER, DIALLER_DIRECT, Node, World, pattern, receive, send};
use super::{LONG, SHORT, as_bare, at, home, moved_away, short_to, stranger};
use crate::sim::raw_quinn::address;
use crate::transport::paths::Path;
use crate::transport::paths::table::{PathId, Source};
use crate::transport::paths::virtual_address::{allocated, bare};

#[test]
fn a_newcomer_is_told_from_the_older_connection_by_connection_id() {
    const OLDER: u64 = 1;
    const NEWER: u64 = 2;
    let (real, further) = (stranger(1), stranger(2));
    let mut table = moved_away(real, further);
    assert_eq!(
        table.source(at(1, further), &short_to(OLDER)),
        as_bare(real)
    );
    assert_eq!(table.source(home(real), LONG), Source::Peer(allocated(1)));
    assert_eq!(table.route(allocated(1)), Some(home(real)));
    assert_eq!(
        table.source(home(real), &short_to(NEWER)),
        Source::Peer(allocated(1))
    );
    assert_eq!(table.source(home(real), &short_to(OLDER)), as_bare(real));
    assert_eq!(table.source(home(real), LONG), Source::Peer(allocated(1)));
}

#[test]
fn a_newcomer_outlives_the_older_connection() {
    let real = stranger(1);
    let mut table = moved_away(real, stranger(2));
    table.source(home(real), LONG);
    table.release(bare(real));
    assert_eq!(table.source(home(real), SHORT), Source::Peer(allocated(1)));
    assert_eq!(table.address_to_dial(real), Some(allocated(1)));
}

#[test]
fn a_connection_on_its_first_path_shares_its_address_with_a_newcomer() {
    let real = stranger(1);
    let mut table = moved_away(real, stranger(2));
    table.switch(bare(real), PathId::FIRST).unwrap();
    assert_eq!(table.source(home(real), LONG), as_bare(real));
    assert_eq!(table.len(), 1);
}

#[test]
fn a_newcomer_on_a_further_path_is_answered_there() {
    let further = at(1, stranger(2));
    let mut table = moved_away(stranger(1), stranger(2));
    assert_eq!(table.source(further, LONG), Source::Peer(allocated(1)));
    assert_eq!(table.route(allocated(1)), Some(further));
}

#[test]
fn a_further_path_over_the_home_socket_leaves_its_bare_address_to_newcomers() {
    let (real, further) = (stranger(1), stranger(2));
    let mut table = crate::transport::paths::table::Table::default();
    table.add(bare(real), home(further)).unwrap();
    assert_eq!(table.source(home(further), &short_to(1)), as_bare(real));
    assert_eq!(table.source(home(further), LONG), as_bare(further));
    assert_eq!(table.source(home(further), &short_to(2)), as_bare(further));
    assert_eq!(table.source(home(further), &short_to(1)), as_bare(real));
}

async fn exchange(first: &super::two_paths::End, second: &super::two_paths::End, salt: u32) {
    let sender = tokio::spawn(send(first.connection.clone(), pattern(200_000, salt)));
    assert!(receive(second.connection.clone()).await == pattern(200_000, salt));
    sender.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_second_connection_begins_where_the_first_one_moved_away() {
    let world = World::new(1);
    let (dialled, accepted) = world.connect().await;
    dialled.switch(PathId(1));
    accepted.switch(PathId(1));
    let (again, accepted_again) = tokio::join!(
        world.dialler.dial(ACCEPTOR, &world.credential),
        world.accept()
    );
    for (old, new) in [(&dialled, &again), (&accepted, &accepted_again)] {
        assert_ne!(
            old.connection.remote_address(),
            new.connection.remote_address()
        );
    }
    let first = accepted
        .paths
        .path_of(accepted_again.connection.remote_address());
    assert_eq!(first, Some(Path::direct(address(DIALLER))));
    for salt in 0..3 {
        exchange(&again, &accepted_again, salt).await;
        exchange(&accepted, &dialled, 10 + salt).await;
        exchange(&accepted_again, &again, 20 + salt).await;
        // The older connection's packets come from the shared address again.
        dialled.switch(PathId::FIRST);
        exchange(&dialled, &accepted, 30 + salt).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_restarted_peer_is_accepted_at_its_old_address() {
    let mut world = World::new(2);
    let (dialled, accepted) = world.connect().await;
    accepted.switch(PathId(1));
    for own in [DIALLER, DIALLER_DIRECT] {
        world.net.kill(address(own).ip());
    }
    drop(dialled);
    world.dialler = Node::new(&world.net, &world.credential, DIALLER, DIALLER_DIRECT);
    let (again, accepted_again) = tokio::join!(
        world.dialler.dial(ACCEPTOR, &world.credential),
        world.accept()
    );
    exchange(&again, &accepted_again, 1).await;
    accepted.paths.release(accepted.connection.remote_address());
    exchange(&accepted_again, &again, 2).await;
    assert_eq!(
        again.connection.remote_address(),
        address("[::ffff:10.0.0.2]:4433")
    );
}
