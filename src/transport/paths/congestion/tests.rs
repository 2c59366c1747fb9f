// The first instant of each test; all later ones are computed.
#![allow(clippy::disallowed_methods)]

use std::sync::Mutex;

use super::*;

const MTU: u16 = 1200;
const FIRST: PathId = PathId(0);
const SECOND: PathId = PathId(1);
const RTT: RoundTrip = RoundTrip {
    smoothed: Duration::from_millis(20),
    conservative: Duration::from_millis(20),
};

/// An inner controller with a window of its own number, which notes what it hears.
#[derive(Debug, Clone)]
struct Noted {
    window: u64,
    lost: Arc<Mutex<u64>>,
}

impl Controller for Noted {
    fn on_sent(&mut self, _: Instant, _: u64, _: u64) {
        self.window += 1;
    }

    fn on_congestion_event(&mut self, _: Instant, _: Instant, _: bool, lost_bytes: u64) {
        *self.lost.lock().unwrap() += lost_bytes;
    }

    fn on_mtu_update(&mut self, _: u16) {}

    fn window(&self) -> u64 {
        self.window
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        10_000
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

struct Fixture {
    controller: PathAware,
    switch: PathSwitch,
    lost: Arc<Mutex<u64>>,
    start: Instant,
}

impl Fixture {
    fn new() -> Self {
        let (lost, position) = (Arc::default(), Arc::new(Position::default()));
        let inner = Noted {
            window: 10_000,
            lost: Arc::clone(&lost),
        };
        let controller = PathAware::new(Box::new(inner), Arc::clone(&position), MTU);
        Self {
            controller,
            switch: PathSwitch(position),
            lost,
            start: Instant::now(),
        }
    }

    fn at(&self, millis: u64) -> Instant {
        self.start + Duration::from_millis(millis)
    }

    fn send(&mut self, millis: u64, bytes: u64) {
        self.controller.on_sent(self.at(millis), bytes, 0);
    }

    fn acked(&mut self, millis: u64, sent: u64, bytes: u64) -> bool {
        let (now, sent) = (self.at(millis), self.at(sent));
        self.controller.acked(now, sent, bytes, RTT)
    }

    fn lose(&mut self, millis: u64, sent: u64, bytes: u64) {
        let (now, sent) = (self.at(millis), self.at(sent));
        self.controller.on_congestion_event(now, sent, false, bytes);
    }

    /// The window beyond the inner controller's.
    fn extra(&self) -> u64 {
        self.controller.window() - self.controller.inner.window() - self.controller.nudge.bytes
    }
}

#[test]
fn without_a_switch_it_is_the_inner_controller() {
    let mut fixture = Fixture::new();
    fixture.send(0, 5000);
    assert!(fixture.acked(20, 0, 1200));
    fixture.lose(30, 0, 1200);
    assert_eq!(*fixture.lost.lock().unwrap(), 1200);
    assert_eq!(fixture.extra(), 0);
}

#[test]
fn a_full_window_does_not_block_the_new_path() {
    let mut fixture = Fixture::new();
    fixture.send(0, 10_000);
    assert_eq!(fixture.extra(), 0);
    fixture.switch.switched_to(SECOND);
    // Before anything is sent on the new path: quinn asks for the window first.
    assert_eq!(fixture.extra(), 10_000);
    fixture.send(5, 1200);
    assert_eq!(fixture.extra(), 10_000);
}

#[test]
fn acks_and_losses_of_the_old_path_reach_no_inner_controller() {
    let mut fixture = Fixture::new();
    fixture.send(0, 10_000);
    fixture.switch.switched_to(SECOND);
    fixture.send(5, 1200);
    assert!(!fixture.acked(30, 0, 4000));
    assert_eq!(fixture.extra(), 6000);
    fixture.lose(31, 4, 6000);
    assert_eq!(fixture.extra(), 0);
    assert_eq!(*fixture.lost.lock().unwrap(), 0);
    fixture.lose(32, 5, 1200);
    assert_eq!(*fixture.lost.lock().unwrap(), 1200);
}

#[test]
fn stale_bytes_never_exceed_what_is_in_flight() {
    let mut fixture = Fixture::new();
    fixture.send(0, 10_000);
    fixture.switch.switched_to(SECOND);
    fixture.send(5, 1200);
    for (in_flight, stale) in [(10_001, 10_000), (10_000, 10_000), (9_999, 9_999), (0, 0)] {
        let now = fixture.at(6);
        fixture.controller.on_end_acks(now, in_flight, false, None);
        assert_eq!(fixture.extra(), stale);
    }
}

#[test]
fn an_ack_of_a_packet_sent_a_round_trip_after_the_switch_ends_staleness() {
    let mut fixture = Fixture::new();
    fixture.send(0, 10_000);
    fixture.switch.switched_to(SECOND);
    fixture.send(100, 1200);
    assert!(fixture.acked(139, 119, 1200));
    assert_eq!(fixture.extra(), 10_000);
    assert!(fixture.acked(140, 120, 1200));
    assert_eq!(fixture.extra(), 0);
}

#[test]
fn a_second_switch_makes_everything_in_flight_stale() {
    let mut fixture = Fixture::new();
    fixture.send(0, 4000);
    fixture.switch.switched_to(SECOND);
    fixture.send(5, 3000);
    fixture.switch.switched_to(FIRST);
    assert_eq!(fixture.extra(), 7000);
    fixture.send(10, 1000);
    assert_eq!(fixture.extra(), 7000);
    assert!(!fixture.acked(30, 5, 3000));
    assert_eq!(fixture.extra(), 4000);
}

#[test]
fn an_unknown_path_keeps_the_window_and_a_known_one_gets_its_own_back() {
    let mut fixture = Fixture::new();
    fixture.send(0, 100);
    let kept = fixture.controller.inner.window();
    fixture.switch.switched_to(SECOND);
    fixture.send(1, 100);
    assert_eq!(fixture.controller.inner.window(), kept + 1);
    for sent in 2..50 {
        fixture.send(sent, 100);
    }
    let second = fixture.controller.inner.window();
    fixture.switch.switched_to(FIRST);
    fixture.send(50, 100);
    assert_eq!(fixture.controller.inner.window(), kept + 1);
    fixture.switch.switched_to(SECOND);
    fixture.send(51, 100);
    assert_eq!(fixture.controller.inner.window(), second + 1);
}

#[test]
fn a_path_is_remembered_for_a_minute() {
    for (away, restored) in [(59_999, true), (60_000, true), (60_001, false)] {
        let mut fixture = Fixture::new();
        fixture.switch.switched_to(SECOND);
        fixture.send(0, 100);
        for _ in 0..50 {
            fixture.send(0, 100);
        }
        fixture.switch.switched_to(FIRST);
        fixture.send(away, 100);
        let is_restored = fixture.controller.inner.window() < 10_010;
        assert_eq!(is_restored, restored, "{away} ms away");
    }
}

#[test]
fn remembered_paths_are_limited() {
    let mut fixture = Fixture::new();
    for number in 1..100 {
        fixture.switch.switched_to(PathId(number));
        fixture.send(number.into(), 100);
        assert_eq!(
            fixture.controller.left.len(),
            MAX_PATHS.min(number as usize)
        );
    }
    assert!(fixture.controller.left.contains_key(&PathId(98)));
    assert!(
        !fixture
            .controller
            .left
            .contains_key(&PathId(98 - MAX_PATHS as u32))
    );
}

#[test]
fn the_window_moves_when_the_round_trip_time_does() {
    let mut nudge = Nudge::default();
    let mut observe = |micros| {
        let before = nudge.bytes;
        nudge.observe(Duration::from_micros(micros));
        assert!(nudge.bytes <= 1);
        nudge.bytes != before
    };
    assert!(observe(80_000), "the first sample");
    assert!(!observe(80_000));
    assert!(!observe(70_000), "exactly an eighth less");
    assert!(!observe(90_000), "exactly an eighth more");
    assert!(observe(69_999));
    assert!(observe(20_000));
    assert!(!observe(20_000));
}

#[test]
fn controllers_of_two_connections_do_not_share_a_switch() {
    let cubic = Arc::new(quinn::congestion::CubicConfig::default());
    let (first, switch) = path_aware(cubic.clone());
    let (second, _) = path_aware(cubic);
    let now = Instant::now();
    let (mut first, mut second) = (first.build(now, MTU), second.build(now, MTU));
    let window = first.window();
    first.on_sent(now, 5000, 0);
    second.on_sent(now, 5000, 0);
    switch.switched_to(SECOND);
    assert_eq!(first.window(), window + 5000);
    assert_eq!(second.window(), window);
    assert_eq!(first.clone_box().window(), window + 5000);
}
