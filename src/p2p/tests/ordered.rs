//! Streams that a service writes itself.

use std::sync::Mutex;

use super::*;
use crate::wire::StreamHeader;

const STATEMENTS: Protocol = Protocol {
    number: 0x3e,
    versions: &[VERSION],
    shape: Shape::Ordered,
    early_frames: &[],
    anonymous: false,
};

/// Notes on which connection each stream comes.
#[derive(Debug, Default)]
struct Noting(Mutex<Vec<u64>>);

impl OrderedHandler for Noting {
    fn open(&self, stream: InboundOrdered) -> HandlerFuture<Result<(), crate::wire::Violation>> {
        self.0.lock().unwrap().push(stream.generation);
        Box::pin(async { Ok(()) })
    }
}

#[test]
fn a_stream_goes_over_the_connection_that_it_was_meant_for_though_another_took_its_place() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, bob) = connected_pair(&net).await;
        let noted = Arc::new(Noting::default());
        let handler = Handler::Ordered(noted.clone());
        bob.register_stack(STATEMENTS, handler).unwrap();
        let caller = alice.caller();
        let first = caller.carrier(&peer(2)).unwrap();
        // Whoever answers: that one is connected is not known before.
        let anybody = Address::from(SocketAddr::new(ip(2), PORT));
        alice.dial(None, &[anybody]).await.unwrap();
        let second = caller.carrier(&peer(2)).unwrap();
        assert_ne!(first.generation(), second.generation());
        for carrier in [first, second] {
            let header = StreamHeader {
                protocol: STATEMENTS.number,
                version: VERSION,
            };
            carrier.open_ordered(header).await.unwrap().finish().await;
        }
        let noted = noted.0.lock().unwrap();
        let [one, other] = noted[..] else {
            panic!("not two streams: {noted:?}");
        };
        assert_ne!(one, other, "both came over one connection");
        assert_eq!(bob.reputation(&peer(1)), 0);
    });
}
