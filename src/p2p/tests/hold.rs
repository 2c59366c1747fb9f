//! Connections that somebody wants, and those that nobody does.

use super::*;
use crate::transport::CloseReason;
use crate::wire::{ErrorCode, StreamHeader};

const HEADER: StreamHeader = StreamHeader {
    protocol: RAW.number,
    version: VERSION,
};

const RAW: Protocol = Protocol {
    number: 0x50,
    versions: &[VERSION],
    shape: Shape::Raw,
    early_frames: &[],
    anonymous: false,
};

#[test]
fn an_idle_connection_that_nobody_holds_is_closed_without_blame() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, bob) = connected_pair(&net).await;
        let seen_by_bob = bob.connection(&peer(1)).unwrap();
        assert!(alice.disconnect_idle(&peer(2)));
        assert!(!alice.disconnect_idle(&peer(2)), "it was closed already");
        let code = ErrorCode::Unspecified;
        assert_eq!(seen_by_bob.closed().await, CloseReason::Peer(code));
        settle().await;
        assert!(!alice.is_connected(&peer(2)));
        assert!(!alice.disconnect_idle(&peer(2)), "there is none");
        assert_eq!(bob.reputation(&peer(1)), 0);
    });
}

#[test]
fn a_held_peer_stays_connected_until_the_last_hold_is_gone() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, _bob) = connected_pair(&net).await;
        let holds = [alice.hold(peer(2)), alice.hold(peer(2))];
        assert_eq!(holds[0].peer(), peer(2));
        for hold in holds {
            assert!(alice.is_held(&peer(2)));
            assert!(!alice.disconnect_idle(&peer(2)));
            drop(hold);
        }
        assert!(!alice.is_held(&peer(2)));
        assert!(alice.disconnect_idle(&peer(2)));
    });
}

#[test]
fn a_kept_connection_is_held_as_long_as_it_lasts_and_the_next_is_not() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, bob) = connected_pair(&net).await;
        assert!(alice.keep(&peer(2)));
        assert!(!alice.disconnect_idle(&peer(2)));
        bob.disconnect(&peer(1));
        settle().await;
        assert!(!alice.is_held(&peer(2)));
        assert!(!alice.keep(&peer(2)), "there is none to keep");
        alice.dial(Some(peer(2)), &[address(2, 2)]).await.unwrap();
        assert!(!alice.is_held(&peer(2)));
    });
}

#[test]
fn disconnecting_ends_what_is_kept() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, _bob) = connected_pair(&net).await;
        alice.keep(&peer(2));
        assert!(alice.disconnect(&peer(2)));
        assert!(!alice.is_held(&peer(2)));
    });
}

#[test]
fn a_connection_with_an_open_stream_is_not_idle() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, bob) = connected_pair(&net).await;
        let wait = |mut stream: InboundRaw| async move {
            while let Ok(Some(_)) = stream.frames.next(request::ACCEPTOR_READS).await {}
            Ok(())
        };
        bob.register(RAW, Handler::Raw(Arc::new(Waiting(wait))))
            .unwrap();
        let (mut writer, reader) = alice.open_raw(peer(2), HEADER).await.unwrap();
        writer.flush().await.unwrap();
        settle().await;
        assert!(!alice.disconnect_idle(&peer(2)), "this end opened it");
        assert!(!bob.disconnect_idle(&peer(1)), "the peer opened it");
        drop((writer, reader));
        settle().await;
        assert!(bob.disconnect_idle(&peer(1)));
    });
}

/// A raw protocol's handler.
struct Waiting<F>(F);

impl<F, R> RawHandler for Waiting<F>
where
    F: Fn(InboundRaw) -> R + Send + Sync + 'static,
    R: Future<Output = Result<(), crate::wire::Violation>> + Send + 'static,
{
    fn open(&self, stream: InboundRaw) -> HandlerFuture<Result<(), crate::wire::Violation>> {
        Box::pin(self.0(stream))
    }
}

#[test]
fn a_peer_that_was_let_go_a_moment_ago_is_dialled_anew() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, _bob) = connected_pair(&net).await;
        assert!(alice.disconnect_idle(&peer(2)));
        // The connection is over, though its task has not run yet.
        let dial = async { alice.dial(Some(peer(2)), &[address(2, 2)]).await };
        let (connected, took) = elapsed(dial).await;
        assert_eq!(connected, Ok(peer(2)));
        assert_round_trips(took, 1);
        settle().await;
        alice.ping(peer(2), ROUND_TRIP * 2).await.unwrap();
    });
}

#[test]
fn a_hold_outlives_its_swarm_and_does_not_keep_it() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, _bob) = connected_pair(&net).await;
        let mut events = alice.events();
        let hold = alice.hold(peer(2));
        alice.keep(&peer(2));
        alice.shutdown().await;
        assert!(is_told_disconnected(&mut events));
        let weak = alice.downgrade();
        drop(alice);
        assert!(weak.upgrade().is_none());
        drop(hold);
    });
}
