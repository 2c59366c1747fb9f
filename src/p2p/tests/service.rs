//! What the services above ask of a swarm.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::p2p::Services;
use crate::policy::IpGroup;
use crate::transport::Path;
use crate::wire::{ErrorCode, Violation};

/// What a handler saw.
type Seen = Arc<Mutex<Vec<(Origin, Path)>>>;

/// Answers [`QUESTION`] and notes who asked from where.
fn noting() -> (Seen, Handler) {
    let seen = Seen::default();
    let notes = seen.clone();
    let handle = move |request: InboundRequest| {
        notes.lock().unwrap().push((request.origin, request.path));
        async move { Ok(answer(request.body)) }
    };
    (seen, Handler::Request(Arc::new(handle)))
}

fn echo() -> Handler {
    noting().1
}

#[test]
fn an_early_request_is_told_with_the_path_that_it_came_over() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, bob) = connected_pair(&net).await;
        let (seen, handler) = noting();
        bob.register_stack(QUESTION, handler).unwrap();
        alice.disconnect(&peer(2));
        settle().await;
        let to_bob = [address(2, 2)];
        for _ in 0..2 {
            let reply = alice.dial_and_request(peer(2), &to_bob, &question()).await;
            assert_eq!(reply.unwrap().body, b"question"[..]);
        }
        let path = Path::direct(SocketAddr::new(ip(1), PORT));
        let origins = [Origin::Provisional(peer(1)), Origin::Confirmed(peer(1))];
        let seen = seen.lock().unwrap();
        assert_eq!(*seen, origins.map(|origin| (origin, path)));
        let Path::Direct { group, .. } = path else {
            panic!("not direct");
        };
        assert_eq!(group, IpGroup::Local);
    });
}

#[test]
fn a_service_registers_what_an_application_may_not() {
    in_virtual_time(async {
        let swarm = start(&quiet_net(), 1);
        let reserved = Err(RegisterError::Reserved(QUESTION.number));
        assert_eq!(swarm.register(QUESTION, echo()), reserved);
        assert_eq!(swarm.register_stack(QUESTION, echo()), Ok(()));
        let taken = Err(RegisterError::Taken(QUESTION.number));
        assert_eq!(swarm.register_stack(QUESTION, echo()), taken);
    });
}

#[test]
fn protocols_of_the_setup_are_there_before_anybody_can_ask() {
    in_virtual_time(async {
        let net = quiet_net();
        let alice = start(&net, 1);
        let own = Arc::new(Mutex::new(None));
        let weak = own.clone();
        let setup = Setup {
            stack: StackProtocols::new(move |swarm| {
                *weak.lock().unwrap() = Some(swarm.downgrade());
                serving(vec![(QUESTION, echo())])
            }),
            ..Setup::default()
        };
        let bob = start_with(&net, 2, "test", setup);
        let to_bob = [address(2, 2)];
        let reply = alice.dial_and_request(peer(2), &to_bob, &question()).await;
        assert!(reply.is_ok());
        let own = own.lock().unwrap().take().unwrap();
        assert_eq!(own.upgrade().unwrap().local_peer(), bob.local_peer());
    });
}

fn serving(protocols: Vec<(Protocol, Handler)>) -> Services {
    Services {
        protocols,
        ..Services::default()
    }
}

#[test]
fn services_begin_when_their_protocols_are_there() {
    let seen = Arc::new(Mutex::new(None));
    let note = seen.clone();
    in_virtual_time(async move {
        let net = quiet_net();
        let stack = StackProtocols::new(move |swarm| {
            let own = swarm.downgrade();
            let task = async move {
                let swarm = own.upgrade().unwrap();
                let again = swarm.register_stack(QUESTION, echo());
                *note.lock().unwrap() = Some(again);
            };
            Services {
                tasks: vec![Box::pin(task)],
                ..serving(vec![(QUESTION, echo())])
            }
        });
        let setup = Setup {
            stack,
            ..Setup::default()
        };
        let _swarm = start_with(&net, 1, "test", setup);
        settle().await;
    });
    let taken = RegisterError::Taken(QUESTION.number);
    assert_eq!(seen.lock().unwrap().take(), Some(Err(taken)));
}

#[test]
fn a_protocol_of_the_setup_that_is_taken_starts_no_swarm() {
    in_virtual_time(async {
        let net = quiet_net();
        let environment = net.host(ip(1));
        let setup = Setup {
            stack: StackProtocols::new(|_| serving(vec![(QUESTION, echo()), (QUESTION, echo())])),
            ..Setup::default()
        };
        let started = Swarm::start(config(), keypair(1), Vec::new(), environment, setup);
        let taken = RegisterError::Taken(QUESTION.number);
        assert_eq!(started.err(), Some(taken));
    });
}

#[test]
fn a_weak_handle_keeps_no_swarm_running() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, bob) = connected_pair(&net).await;
        let weak = bob.downgrade();
        let strong = weak.upgrade().unwrap();
        drop(bob);
        assert!(!strong.is_stopped());
        drop(strong);
        assert!(weak.upgrade().is_none());
        settle().await;
        assert!(!alice.is_connected(&peer(2)));
    });
}

#[test]
fn the_tasks_of_services_end_with_the_swarm() {
    in_virtual_time(async {
        let swarm = start(&quiet_net(), 1);
        let ended = Arc::new(AtomicBool::new(false));
        let on_end = DropNote(ended.clone());
        swarm.spawn(async move {
            let _on_end = on_end;
            std::future::pending().await
        });
        tokio::task::yield_now().await;
        assert!(!ended.load(Ordering::Relaxed));
        swarm.shutdown().await;
        assert!(ended.load(Ordering::Relaxed));
    });
}

struct DropNote(Arc<AtomicBool>);

impl Drop for DropNote {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_service_has_the_key_and_the_clock_of_its_node() {
    in_virtual_time(async {
        let net = quiet_net();
        let swarm = start(&net, 1);
        assert_eq!(swarm.keypair().peer_id(), swarm.local_peer());
        let clock = &swarm.environment().clock;
        assert_eq!(clock.now().mono, net.now());
    });
}

const FAULT: Fault = Fault::Wire(Violation::InvalidValue);

#[test]
fn a_fault_that_a_service_reports_costs_the_connected_peer_and_closes_in_the_end() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, bob) = connected_pair(&net).await;
        let connection = bob.connection(&peer(1)).unwrap();
        alice.report_fault(&peer(2), QUESTION.number, FAULT);
        let cost = ReputationConfig::default().stream_fault;
        let score = -i32::from(cost);
        assert_eq!(alice.reputation(&peer(2)), score);
        assert_eq!(alice.metrics().faults, 1);
        let grave = Fault::Protocol {
            number: 1,
            severity: Severity::Grave,
        };
        alice.report_fault(&peer(2), QUESTION.number, grave);
        let closed = connection.closed().await;
        let misbehaved = crate::transport::CloseReason::Peer(ErrorCode::Misbehaved);
        assert_eq!(closed, misbehaved);
    });
}

#[test]
fn a_peer_that_is_not_connected_is_charged_nothing() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, _bob) = connected_pair(&net).await;
        alice.report_fault(&peer(3), QUESTION.number, FAULT);
        assert_eq!(alice.reputation(&peer(3)), 0);
        alice.disconnect(&peer(2));
        // What was still in the buffers when this node closed the connection is let go.
        alice.report_fault(&peer(2), QUESTION.number, FAULT);
        settle().await;
        alice.report_fault(&peer(2), QUESTION.number, FAULT);
        assert_eq!(alice.reputation(&peer(2)), 0);
    });
}

#[test]
fn a_peer_that_is_only_provisional_is_charged_nothing() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, bob) = connected_pair(&net).await;
        let charged = Arc::new(Mutex::new(None));
        let (note, weak) = (charged.clone(), bob.downgrade());
        let charge = move |request: InboundRequest| {
            let swarm = weak.upgrade().unwrap();
            swarm.report_fault(&peer(1), QUESTION.number, FAULT);
            *note.lock().unwrap() = Some((request.origin, swarm.reputation(&peer(1))));
            async move { Ok(answer(request.body)) }
        };
        bob.register_stack(QUESTION, Handler::Request(Arc::new(charge)))
            .unwrap();
        alice.disconnect(&peer(2));
        settle().await;
        let to_bob = [address(2, 2)];
        let reply = alice.dial_and_request(peer(2), &to_bob, &question()).await;
        reply.unwrap();
        let charged = charged.lock().unwrap().take();
        assert_eq!(charged, Some((Origin::Provisional(peer(1)), 0)));
    });
}
