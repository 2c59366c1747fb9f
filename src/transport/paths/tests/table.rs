use super::{LONG, SHORT, as_bare, at, home, moved_away, short_to, stranger};
use crate::sim::raw_quinn::address;
use crate::transport::paths::newcomers::MAX_NEWCOMERS;
use crate::transport::paths::table::{
    AddPathError, MAX_BOUND, MAX_HEARD, MAX_PATHS, PathId, SocketId, Source, Table, UnknownPath,
};
use crate::transport::paths::virtual_address::{allocated, bare, for_family};

#[test]
fn strangers_take_no_state() {
    let mut table = Table::default();
    for number in 0..100_000 {
        let real = stranger(number);
        assert_eq!(table.source(home(real), LONG), as_bare(real));
        assert_eq!(table.source(home(real), SHORT), as_bare(real));
        assert_eq!(table.source(at(1, real), SHORT), Source::Unproven);
        assert_eq!(table.source(at(1, real), LONG), Source::Unproven);
    }
    assert_eq!(table.len(), 0);
}

#[test]
fn bare_addresses_keep_port_and_scope_and_drop_the_flow_label() {
    let cases = [
        ("1.2.3.4:5", "[::ffff:1.2.3.4]:5"),
        ("[::ffff:1.2.3.4]:5", "[::ffff:1.2.3.4]:5"),
        ("[2001:db8::1]:5", "[2001:db8::1]:5"),
    ];
    for (real, expected) in cases {
        assert_eq!(
            std::net::SocketAddr::V6(bare(address(real))),
            address(expected)
        );
    }
    let labelled = std::net::SocketAddrV6::new("fe80::1".parse().unwrap(), 5, 0xabcde, 3);
    let expected = std::net::SocketAddrV6::new("fe80::1".parse().unwrap(), 5, 0, 3);
    assert_eq!(bare(labelled.into()), expected);
}

#[test]
fn an_ipv4_socket_is_given_ipv4_and_never_ipv6() {
    let mapped = address("[::ffff:1.2.3.4]:5");
    assert_eq!(for_family(mapped, false), Some(address("1.2.3.4:5")));
    assert_eq!(for_family(mapped, true), Some(mapped));
    assert_eq!(for_family(address("[2001:db8::1]:5"), false), None);
}

#[test]
fn packets_of_every_path_belong_to_the_connection_whatever_its_current_path() {
    let (real, further) = (stranger(1), stranger(2));
    let mut table = Table::default();
    let path = table.add(bare(real), at(1, further)).unwrap();
    for current in [PathId::FIRST, path, PathId::FIRST] {
        table.switch(bare(real), current).unwrap();
        assert_eq!(table.source(home(real), SHORT), as_bare(real));
        assert_eq!(table.source(at(1, further), SHORT), as_bare(real));
    }
    assert_eq!(table.switch(bare(real), PathId(9)), Err(UnknownPath));
}

#[test]
fn sending_follows_the_switch() {
    let (real, further) = (stranger(1), stranger(2));
    let mut table = Table::default();
    let path = table.add(bare(real), at(1, further)).unwrap();
    assert_eq!(table.route(bare(real)), Some(home(real)));
    table.switch(bare(real), path).unwrap();
    assert_eq!(table.route(bare(real)), Some(at(1, further)));
    table.switch(bare(real), PathId::FIRST).unwrap();
    assert_eq!(table.route(bare(real)), Some(home(real)));
}

#[test]
fn a_path_added_twice_is_one_path_and_belongs_to_one_connection() {
    let mut table = Table::default();
    let further = at(1, stranger(9));
    let path = table.add(bare(stranger(1)), further).unwrap();
    assert_eq!(table.add(bare(stranger(1)), further), Ok(path));
    assert_eq!(
        table.add(bare(stranger(1)), home(stranger(1))),
        Ok(PathId::FIRST)
    );
    assert_eq!(
        table.add(bare(stranger(2)), further),
        Err(AddPathError::Taken)
    );
}

#[test]
fn paths_of_a_connection_are_limited() {
    let mut table = Table::default();
    for number in 1..MAX_PATHS as u32 {
        assert_eq!(
            table.add(bare(stranger(0)), at(1, stranger(number))),
            Ok(PathId(number))
        );
    }
    let one_more = at(1, stranger(99));
    assert_eq!(
        table.add(bare(stranger(0)), one_more),
        Err(AddPathError::TooManyPaths)
    );
    assert_eq!(table.source(one_more, SHORT), Source::Unproven);
    assert_eq!(
        table.add(bare(stranger(0)), at(1, stranger(1))),
        Ok(PathId(1))
    );
}

#[test]
fn connections_with_further_paths_are_limited() {
    let mut table = Table::default();
    let add = |table: &mut Table, number: u32| {
        table.add(bare(stranger(number)), at(1, stranger(1_000_000 + number)))
    };
    for number in 0..MAX_BOUND as u32 {
        assert_eq!(add(&mut table, number), Ok(PathId(1)));
    }
    assert_eq!(table.len(), MAX_BOUND);
    let refused = add(&mut table, MAX_BOUND as u32);
    assert_eq!(refused, Err(AddPathError::TooManyConnections));
    table.release(bare(stranger(0)));
    assert_eq!(add(&mut table, MAX_BOUND as u32), Ok(PathId(1)));
}

#[test]
fn release_forgets_everything() {
    let (real, further) = (stranger(1), stranger(2));
    let mut table = moved_away(real, further);
    table.source(home(real), LONG);
    assert_eq!(table.len(), 2);
    table.release(bare(real));
    table.release(allocated(1));
    assert_eq!(table.len(), 0);
    assert_eq!(table.route(bare(real)), Some(home(real)));
    assert_eq!(table.source(at(1, further), SHORT), Source::Unproven);
    assert_eq!(table.add(bare(stranger(3)), at(1, further)), Ok(PathId(1)));
}

#[test]
fn removing_a_socket_moves_its_connections_to_their_oldest_path() {
    let (real, further) = (stranger(1), stranger(2));
    let mut table = moved_away(real, further);
    table.remove_socket(SocketId(2));
    table.remove_socket(SocketId(1));
    assert_eq!(table.route(bare(real)), Some(home(real)));
    assert_eq!(table.source(at(1, further), SHORT), Source::Unproven);
}

#[test]
fn newcomers_are_limited_and_the_most_silent_is_forgotten() {
    let mut table = Table::default();
    for number in 0..=MAX_NEWCOMERS as u32 {
        let path = table
            .add(bare(stranger(number)), at(1, stranger(1_000_000 + number)))
            .unwrap();
        table.switch(bare(stranger(number)), path).unwrap();
    }
    let bound = table.len();
    let mut arrive = |number: u32| {
        let source = table.source(home(stranger(number)), LONG);
        (source, table.len() - bound)
    };
    for number in 0..MAX_NEWCOMERS as u32 {
        let expected = Source::Peer(allocated(u64::from(number) + 1));
        assert_eq!(arrive(number), (expected, number as usize + 1));
    }
    // The first is heard again, so the second is the most silent one.
    assert_eq!(arrive(0), (Source::Peer(allocated(1)), MAX_NEWCOMERS));
    let latest = MAX_NEWCOMERS as u64 + 1;
    assert_eq!(
        arrive(MAX_NEWCOMERS as u32),
        (Source::Peer(allocated(latest)), MAX_NEWCOMERS)
    );
    assert_eq!(arrive(0), (Source::Peer(allocated(1)), MAX_NEWCOMERS));
    assert_eq!(
        arrive(1),
        (Source::Peer(allocated(latest + 1)), MAX_NEWCOMERS)
    );
}

#[test]
fn remembered_connection_ids_are_limited() {
    let real = stranger(1);
    let mut table = moved_away(real, stranger(2));
    for id in 0..=MAX_HEARD as u64 {
        assert_eq!(table.source(home(real), &short_to(id)), as_bare(real));
    }
    let newcomer = table.source(home(real), LONG);
    assert_eq!(newcomer, Source::Peer(allocated(1)));
    assert_eq!(table.source(home(real), &short_to(0)), newcomer);
    for id in 1..=MAX_HEARD as u64 {
        assert_eq!(table.source(home(real), &short_to(id)), as_bare(real));
    }
}
