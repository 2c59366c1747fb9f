//! Dials with several addresses, and requests that travel with them.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// Answers [`QUESTION`] with how often it was asked.
fn counting() -> Handler {
    let asked = Arc::new(AtomicU32::new(0));
    let handle = move |_: InboundRequest| {
        let count = asked.fetch_add(1, Ordering::Relaxed) + 1;
        async move { Ok(answer(count.to_string())) }
    };
    Handler::Request(Arc::new(handle))
}

/// A pair of which the first has a ticket of the second and no connection with it.
async fn parted_pair(net: &Net) -> (Swarm, Swarm) {
    let (alice, bob) = connected_pair(net).await;
    bob.register_stack(QUESTION, counting()).unwrap();
    alice.disconnect(&peer(2));
    settle().await;
    assert!(alice.inner().may_resume(peer(2)));
    (alice, bob)
}

async fn ask(swarm: &Swarm, addresses: &[Address]) -> (Result<Bytes, DialFailure>, Duration) {
    let request = question();
    let asked = swarm.dial_and_request(peer(2), addresses, &request);
    let (reply, took) = elapsed(asked).await;
    (reply.map(|reply| reply.body), took)
}

/// Host 9 is nobody.
fn silent() -> Address {
    address(9, 2)
}

#[test]
fn a_request_travels_in_the_first_flight_to_the_first_address() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, _bob) = parted_pair(&net).await;
        let (reply, took) = ask(&alice, &[address(2, 2), silent()]).await;
        assert_eq!(reply, Ok("1".into()));
        assert_round_trips(took, 1);
        settle().await;
        assert_eq!(alice.counts().connections, 1);
    });
}

#[test]
fn a_slow_handler_is_asked_once_though_there_are_other_addresses() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, bob) = connected_pair(&net).await;
        let asked = Arc::new(AtomicU32::new(0));
        let counter = asked.clone();
        let slow = move |_: InboundRequest| {
            counter.fetch_add(1, Ordering::Relaxed);
            async move {
                sleep(Duration::from_secs(2)).await;
                Ok(answer("late"))
            }
        };
        bob.register_stack(QUESTION, Handler::Request(Arc::new(slow)))
            .unwrap();
        alice.disconnect(&peer(2));
        settle().await;
        let (reply, _) = ask(&alice, &[address(2, 2), silent()]).await;
        assert_eq!(reply, Ok("late".into()));
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn the_other_addresses_are_tried_when_the_first_is_silent() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, _bob) = parted_pair(&net).await;
        let (reply, took) = ask(&alice, &[silent(), address(2, 2)]).await;
        assert_eq!(reply, Ok("1".into()));
        let expected = dial::STAGGER + ROUND_TRIP * 2;
        assert!(took >= expected && took <= expected + TICKS, "{took:?}");
    });
}

#[test]
fn the_other_addresses_are_tried_at_once_when_somebody_else_is_at_the_first() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, _bob) = parted_pair(&net).await;
        let _carol = start(&net, 3);
        let (reply, took) = ask(&alice, &[address(3, 2), address(2, 2)]).await;
        assert_eq!(reply, Ok("1".into()));
        assert!(took < dial::STAGGER, "{took:?}");
        let book_says = alice.with_book(|book, _| {
            let entry = book.get(&peer(2)).unwrap();
            entry.addresses().map(|one| one.failures()).sum::<u32>()
        });
        assert_eq!(book_says, 0, "the wrong address was none of the book");
    });
}

#[test]
fn without_a_ticket_all_addresses_are_dialled_and_then_the_request_is_sent() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, bob) = (start(&net, 1), start(&net, 2));
        bob.register_stack(QUESTION, counting()).unwrap();
        let (reply, took) = ask(&alice, &[silent(), address(2, 2)]).await;
        assert_eq!(reply, Ok("1".into()));
        let expected = dial::STAGGER + ROUND_TRIP * 2;
        assert!(took >= expected && took <= expected + TICKS, "{took:?}");
    });
}

#[test]
fn without_an_address_there_is_nothing_to_dial_with_a_ticket_or_without() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, _bob) = parted_pair(&net).await;
        assert_eq!(ask(&alice, &[]).await.0, Err(DialFailure::NoAddress));
        let carol = start(&net, 3);
        assert_eq!(ask(&carol, &[]).await.0, Err(DialFailure::NoAddress));
    });
}

#[test]
fn a_peer_that_is_asked_is_held_until_it_has_answered() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, _bob) = parted_pair(&net).await;
        let addresses = [address(2, 2)];
        let asking = alice.clone();
        let asked = tokio::spawn(async move { ask(&asking, &addresses).await });
        sleep(LATENCY).await;
        assert!(alice.is_held(&peer(2)));
        asked.await.unwrap().0.unwrap();
        assert!(!alice.is_held(&peer(2)));
    });
}

#[test]
fn another_identity_at_one_address_is_not_hidden_by_silence_at_another() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, _carol) = (start(&net, 1), start(&net, 3));
        for addresses in [[address(3, 2), silent()], [silent(), address(3, 2)]] {
            let failure = alice.dial(Some(peer(2)), &addresses).await.unwrap_err();
            assert!(failure.is_other_identity(), "{failure}");
        }
    });
}

#[test]
fn another_network_at_one_address_is_not_hidden_by_anything_at_another() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, _carol) = (start(&net, 1), start(&net, 3));
        let _other = start_with(&net, 2, "other", Setup::default());
        for addresses in [
            vec![address(2, 2), silent()],
            vec![silent(), address(2, 2)],
            vec![address(2, 2), address(3, 2)],
            vec![address(3, 2), address(2, 2)],
        ] {
            let failure = alice.dial(Some(peer(2)), &addresses).await.unwrap_err();
            assert!(failure.is_other_network(), "{failure}");
        }
    });
}

#[test]
fn nobody_at_any_address_is_told_as_silence() {
    in_virtual_time(async {
        let net = quiet_net();
        let alice = start(&net, 1);
        let addresses = [silent(), address(10, 2)];
        let (failure, took) = elapsed(alice.dial(Some(peer(2)), &addresses)).await;
        assert!(failure.unwrap_err().is_unreachable());
        assert!(took <= CONNECTION_TIMEOUT + TICKS, "{took:?}");
    });
}

#[test]
fn with_a_ticket_the_most_telling_failure_is_told_too() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, bob) = parted_pair(&net).await;
        bob.shutdown().await;
        let _carol = start(&net, 3);
        let (failure, _) = ask(&alice, &[silent(), address(3, 2)]).await;
        assert!(failure.unwrap_err().is_other_identity());
    });
}
