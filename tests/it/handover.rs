//! One-way messages when the connection that carries them ends and another one exists.

use cretoai_network::p2p::SwarmEvent;
use quinn::{Connection, RecvStream};

use crate::support::attacker::{Attacker, ask};
use crate::support::nodes::{ROUND_TRIP, in_virtual_time, ip, peer, quiet_net};
use crate::support::peer::{ECHO, Peer, pass};

/// An honest ping, so that the acceptor has confirmed the handshake.
const PING: &[u8] = &[2, 1, 2, 1, 7];

/// The header of a stream of messages in [`ECHO`], version 1.
const HEADER: [u8; 3] = [0x40, 0x41, 1];

/// A stream of messages that the node opens, read past its header.
async fn messages(connection: &Connection) -> RecvStream {
    loop {
        let mut stream = connection.accept_uni().await.unwrap();
        let mut header = [0; 3];
        stream.read_exact(&mut header).await.unwrap();
        if header == HEADER {
            return stream;
        }
    }
}

#[test]
fn what_was_not_begun_on_a_connection_that_ends_goes_out_on_the_other() {
    in_virtual_time(async {
        let net = quiet_net(1);
        let mut bob = Peer::start(&net, ip(2), 2);
        // A window of one byte: the first message stays where it is, the others wait behind it.
        let mallory = Attacker::with_window(&net, 66, 1);
        let older = mallory.dial(bob.socket()).await.unwrap();
        ask(&older, PING).await.unwrap();
        let newer = mallory.dial(bob.socket()).await.unwrap();
        ask(&newer, PING).await.unwrap();
        pass(ROUND_TRIP).await;
        for number in 0..6 {
            let message = vec![number; 10];
            bob.node.send(peer(66), ECHO, message).await.unwrap();
            pass(ROUND_TRIP).await;
        }
        assert!(older.close_reason().is_none());
        newer.close(0_u32.into(), &[]);
        let mut stream = messages(&older).await;
        for number in 1..6 {
            let mut frame = [0; 12];
            stream.read_exact(&mut frame).await.unwrap();
            assert_eq!(frame[..2], [11, 1]);
            assert_eq!(frame[2..], [number; 10]);
        }
        let told = bob.events.drain();
        let is_unsent = |event: &SwarmEvent| matches!(event, SwarmEvent::MessagesUnsent { .. });
        assert!(!told.iter().any(is_unsent), "{told:?}");
    });
}
