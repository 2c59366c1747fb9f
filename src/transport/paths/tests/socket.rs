use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};

use super::SHORT;
use crate::sim::raw_quinn::{address, ip};
use crate::transport::paths::control::MAX_ATTACHED;
use crate::transport::paths::{AttachError, PathCounters, PathId, PathSocket, Paths, SocketId};

const PEER: &str = "5.6.7.8:9";
const FURTHER: &str = "6.6.7.8:9";

/// Destination and source address.
type Sent = (SocketAddr, Option<IpAddr>);

/// Source and contents.
type Arrival = Result<(SocketAddr, Vec<u8>), io::ErrorKind>;

/// A socket whose every move a test decides.
#[derive(Debug)]
struct Script {
    local: SocketAddr,
    segments: usize,
    answer: Mutex<Option<io::ErrorKind>>,
    sent: Mutex<Vec<Sent>>,
    arrivals: Mutex<VecDeque<Arrival>>,
}

impl Script {
    fn at(local: &str) -> Arc<Self> {
        Self::with_segments(local, 1)
    }

    fn with_segments(local: &str, segments: usize) -> Arc<Self> {
        Arc::new(Self {
            local: address(local),
            segments,
            answer: Mutex::default(),
            sent: Mutex::default(),
            arrivals: Mutex::default(),
        })
    }

    fn arrive(&self, from: &str, contents: &[u8]) {
        self.arrivals
            .lock()
            .unwrap()
            .push_back(Ok((address(from), contents.to_vec())));
    }

    fn fail_receive(&self, times: usize) {
        let error = Err(io::ErrorKind::ConnectionReset);
        self.arrivals
            .lock()
            .unwrap()
            .extend(std::iter::repeat_n(error, times));
    }

    fn refuse_sending(&self, error: Option<io::ErrorKind>) {
        *self.answer.lock().unwrap() = error;
    }

    fn sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.sent.lock().unwrap())
    }
}

impl AsyncUdpSocket for Script {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        unreachable!("these tests never wait for writability")
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        if let Some(error) = *self.answer.lock().unwrap() {
            return Err(error.into());
        }
        self.sent
            .lock()
            .unwrap()
            .push((transmit.destination, transmit.src_ip));
        Ok(())
    }

    fn poll_recv(
        &self,
        _: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let Some(arrival) = self.arrivals.lock().unwrap().pop_front() else {
            return Poll::Pending;
        };
        let (addr, contents) = arrival?;
        bufs[0][..contents.len()].copy_from_slice(&contents);
        let dst_ip = Some(self.local.ip());
        meta[0] = RecvMeta {
            addr,
            len: contents.len(),
            stride: contents.len(),
            ecn: None,
            dst_ip,
        };
        Poll::Ready(Ok(1))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    fn max_transmit_segments(&self) -> usize {
        self.segments
    }

    fn max_receive_segments(&self) -> usize {
        self.segments
    }
}

/// A home socket and an attached one, over which the peer has a second path.
struct Bench {
    home: Arc<Script>,
    attached: Arc<Script>,
    paths: Paths,
    socket: PathSocket,
    peer: SocketAddr,
}

impl Bench {
    fn new() -> Self {
        let (home, attached) = (Script::at("10.0.0.1:1"), Script::at("10.0.0.2:1"));
        let (paths, socket) = Paths::new(home.clone()).unwrap();
        let id = paths.attach_socket(attached.clone()).unwrap();
        let peer = paths.virtual_address_for(address(PEER)).unwrap();
        assert_eq!(paths.add_path(peer, id, address(FURTHER)), Ok(PathId(1)));
        Self {
            home,
            attached,
            paths,
            socket,
            peer,
        }
    }

    fn send(&self, to: SocketAddr) -> io::Result<()> {
        let src_ip = Some(ip("::ffff:10.0.0.1"));
        let contents = SHORT;
        let transmit = Transmit {
            destination: to,
            ecn: None,
            contents,
            segment_size: None,
            src_ip,
        };
        self.socket.try_send(&transmit)
    }

    /// What quinn is handed next; a datagram of length zero is one that it must not see.
    fn receive(&self) -> Poll<io::Result<RecvMeta>> {
        let mut buffer = [0; 2048];
        let mut meta = [RecvMeta::default()];
        let mut cx = Context::from_waker(Waker::noop());
        let mut bufs = [IoSliceMut::new(&mut buffer)];
        self.socket
            .poll_recv(&mut cx, &mut bufs, &mut meta)
            .map_ok(|_| meta[0])
    }

    fn received(&self) -> RecvMeta {
        match self.receive() {
            Poll::Ready(Ok(meta)) => meta,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn quinn_is_told_ipv6_addresses_only() {
    let bench = Bench::new();
    assert_eq!(
        bench.socket.local_addr().unwrap(),
        address("[::ffff:10.0.0.1]:1")
    );
    bench.home.arrive(PEER, SHORT);
    let meta = bench.received();
    assert_eq!(meta.addr, address("[::ffff:5.6.7.8]:9"));
    assert_eq!(meta.dst_ip, Some(ip("::ffff:10.0.0.1")));
    assert_eq!(meta.len, SHORT.len());
}

#[test]
fn packets_leave_by_the_current_path_in_the_family_of_its_socket() {
    let bench = Bench::new();
    bench.send(bench.peer).unwrap();
    assert_eq!(bench.home.sent(), [(address(PEER), Some(ip("10.0.0.1")))]);
    bench.paths.switch(bench.peer, PathId(1)).unwrap();
    bench.send(bench.peer).unwrap();
    // The source address that quinn remembers is not one of the attached socket's.
    assert_eq!(bench.attached.sent(), [(address(FURTHER), None)]);
    assert!(bench.home.sent().is_empty());
}

#[test]
fn packets_of_all_paths_are_received_under_one_address() {
    let bench = Bench::new();
    bench.attached.arrive(FURTHER, SHORT);
    let meta = bench.received();
    assert_eq!((meta.addr, meta.dst_ip), (bench.peer, None));
    bench.home.arrive(PEER, SHORT);
    assert_eq!(bench.received().addr, bench.peer);
    assert!(bench.receive().is_pending());
}

#[test]
fn a_busy_socket_does_not_starve_another() {
    let bench = Bench::new();
    for _ in 0..10 {
        bench.home.arrive("1.1.1.1:1", SHORT);
    }
    bench.attached.arrive(FURTHER, SHORT);
    let seen = [bench.received().addr, bench.received().addr];
    assert!(seen.contains(&bench.peer));
}

#[test]
fn what_quinn_must_not_see_has_no_length_and_is_counted() {
    let bench = Bench::new();
    bench.home.arrive("1.1.1.1:1", &[0x3f; 100]);
    bench.home.arrive("[fd63:7265:746f::1]:1", SHORT);
    bench.attached.arrive("1.1.1.1:1", SHORT);
    for _ in 0..3 {
        assert_eq!(bench.received().len, 0);
    }
    let expected = PathCounters {
        not_quic: 1,
        reserved: 1,
        unproven: 1,
        ..PathCounters::default()
    };
    assert_eq!(bench.paths.counters(), expected);
}

#[test]
fn a_blocked_home_socket_is_waited_for_and_a_blocked_path_is_not() {
    let bench = Bench::new();
    let blocked = Some(io::ErrorKind::WouldBlock);
    bench.home.refuse_sending(blocked);
    bench.attached.refuse_sending(blocked);
    assert_eq!(
        bench.send(bench.peer).unwrap_err().kind(),
        io::ErrorKind::WouldBlock
    );
    assert_eq!(bench.paths.counters().refused, 0);
    bench.paths.switch(bench.peer, PathId(1)).unwrap();
    bench.send(bench.peer).unwrap();
    assert_eq!(bench.paths.counters().refused, 1);
}

#[test]
fn a_failing_path_never_ends_a_connection() {
    let bench = Bench::new();
    for path in [PathId::FIRST, PathId(1)] {
        bench.paths.switch(bench.peer, path).unwrap();
        bench
            .home
            .refuse_sending(Some(io::ErrorKind::NetworkUnreachable));
        bench
            .attached
            .refuse_sending(Some(io::ErrorKind::PermissionDenied));
        bench.send(bench.peer).unwrap();
    }
    assert_eq!(bench.paths.counters().refused, 2);
    bench.attached.fail_receive(100);
    assert!(bench.receive().is_pending());
    bench.home.arrive(PEER, SHORT);
    assert_eq!(bench.received().addr, bench.peer);
}

#[test]
fn a_destination_of_the_wrong_family_or_without_a_connection_is_dropped() {
    let bench = Bench::new();
    bench.send(address("[2001:db8::1]:1")).unwrap();
    bench.send(address("[fd63:7265:746f::1]:1")).unwrap();
    assert_eq!(bench.paths.counters().unroutable, 2);
    assert!(bench.home.sent().is_empty());
}

#[test]
fn a_detached_socket_carries_nothing() {
    let bench = Bench::new();
    bench.paths.switch(bench.peer, PathId(1)).unwrap();
    bench.paths.detach_socket(SocketId(1));
    assert_eq!(bench.paths.current(bench.peer), PathId::FIRST);
    bench.send(bench.peer).unwrap();
    assert_eq!(bench.home.sent().len(), 1);
    bench.attached.arrive(FURTHER, SHORT);
    assert!(bench.receive().is_pending());
}

#[test]
fn attached_sockets_are_limited() {
    let (paths, _socket) = Paths::new(Script::at("10.0.0.1:1")).unwrap();
    for number in 1..=MAX_ATTACHED as u32 {
        assert_eq!(
            paths.attach_socket(Script::at("10.0.0.2:1")).unwrap(),
            SocketId(number)
        );
    }
    let refused = paths.attach_socket(Script::at("10.0.0.2:1"));
    assert!(matches!(refused, Err(AttachError::TooMany)));
    paths.detach_socket(SocketId(3));
    let next = SocketId(MAX_ATTACHED as u32 + 1);
    assert_eq!(paths.attach_socket(Script::at("10.0.0.2:1")).unwrap(), next);
}

#[test]
fn batches_are_those_that_every_socket_can_carry() {
    let (paths, socket) = Paths::new(Script::with_segments("10.0.0.1:1", 8)).unwrap();
    paths
        .attach_socket(Script::with_segments("10.0.0.2:1", 4))
        .unwrap();
    paths
        .attach_socket(Script::with_segments("10.0.0.2:1", 8))
        .unwrap();
    let larger = Script::with_segments("10.0.0.3:1", 9);
    assert!(matches!(
        paths.attach_socket(larger.clone()),
        Err(AttachError::LargerBatches)
    ));
    assert!(matches!(
        paths.rehome(larger),
        Err(AttachError::LargerBatches)
    ));
    assert_eq!(socket.max_transmit_segments(), 4);
    assert_eq!(socket.max_receive_segments(), 8);
}

#[test]
fn a_new_home_keeps_paths_and_forgets_the_old_source_address() {
    let mut bench = Bench::new();
    let new_home = Script::at("[2001:db8::5]:1");
    bench.socket = bench.paths.rehome(new_home.clone()).unwrap();
    bench.send(bench.peer).unwrap();
    assert_eq!(new_home.sent(), [(address("[::ffff:5.6.7.8]:9"), None)]);
    bench.paths.switch(bench.peer, PathId(1)).unwrap();
    bench.send(bench.peer).unwrap();
    assert_eq!(bench.attached.sent(), [(address(FURTHER), None)]);
}

#[test]
fn flood_of_forged_sources_leaves_the_table_empty() {
    let home = Script::at("10.0.0.1:1");
    let (paths, socket) = Paths::new(home.clone()).unwrap();
    let bench = Bench {
        peer: address(PEER),
        attached: Script::at("10.0.0.2:1"),
        home,
        paths,
        socket,
    };
    for number in 0..100_000 {
        let contents = if number % 2 == 0 { SHORT } else { super::LONG };
        bench
            .home
            .arrivals
            .lock()
            .unwrap()
            .push_back(Ok((super::stranger(number), contents.to_vec())));
        let answer_to = bench.received().addr;
        bench.send(answer_to).unwrap();
    }
    assert_eq!(bench.home.sent().len(), 100_000);
    assert_eq!(bench.paths.table_len(), 0);
}
