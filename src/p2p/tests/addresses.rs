//! Which addresses of a peer are told, after real connections.

use super::*;

#[test]
fn a_connection_proves_where_a_peer_may_say_that_it_is() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, bob) = connected_pair(&net).await;
        // Bob never dialled Alice: he knows where she is by her connection and her introduction.
        let told = |swarm: &Swarm, of: u8| {
            swarm.with_book(|book, _| book.addresses_to_tell(&peer(of), Audience::Local))
        };
        assert_eq!(told(&bob, 1), [address(1, 1)]);
        assert_eq!(told(&alice, 2), [address(2, 2)]);
        let victim = address(66, 1);
        bob.with_book(|book, now| {
            book.add_address(now.mono, peer(1), &victim, AddressSource::Identified)
        })
        .unwrap();
        assert_eq!(told(&bob, 1), [address(1, 1)]);
    });
}
