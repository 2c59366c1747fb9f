//! What the simulator does not have: kernel sockets with GSO, GRO and ECN.

use std::net::SocketAddr;
use std::sync::Arc;

use super::two_paths::{pattern, receive, send};
use crate::sim::raw_quinn::{Credential, SERVER_NAME, address};
use crate::transport::environment::Environment;
use crate::transport::paths::{PathCounters, PathId, Paths};

struct Host {
    endpoint: quinn::Endpoint,
    paths: Paths,
    home: SocketAddr,
    further: SocketAddr,
}

/// An endpoint with a home socket on `own` and a further one on IPv4 loopback.
fn host(credential: &Credential, own: &str) -> Host {
    let environment = Environment::system();
    let bind = |own: &str| environment.sockets.bind(address(own)).unwrap();
    let (first, second) = (bind(own), bind("127.0.0.1:0"));
    let (home, further) = (first.local_addr().unwrap(), second.local_addr().unwrap());
    let (paths, socket) = Paths::new(first).unwrap();
    paths.attach_socket(second).unwrap();
    let endpoint = credential.endpoint(&environment, Arc::new(socket));
    Host {
        endpoint,
        paths,
        home,
        further,
    }
}

/// Switches both ends to and fro while both send.
async fn transfer_over(loopback: &str) {
    const BYTES: usize = 20_000_000;
    let credential = Credential::generate();
    let (left, right) = (host(&credential, loopback), host(&credential, loopback));
    let to = left.paths.virtual_address_for(right.home).unwrap();
    let connecting = left.endpoint.connect(to, SERVER_NAME).unwrap();
    let accepting = async { right.endpoint.accept().await.unwrap().await.unwrap() };
    let (dialled, accepted) = tokio::join!(connecting, accepting);
    let (dialled, remote) = (dialled.unwrap(), accepted.remote_address());
    let socket = crate::transport::paths::SocketId(1);
    left.paths.add_path(to, socket, right.further).unwrap();
    right.paths.add_path(remote, socket, left.further).unwrap();

    let up = tokio::spawn(send(dialled.clone(), pattern(BYTES, 1)));
    let down = tokio::spawn(send(accepted.clone(), pattern(BYTES, 2)));
    let at_right = tokio::spawn(receive(accepted.clone()));
    let at_left = tokio::spawn(receive(dialled.clone()));
    let mut switches = 0;
    while !at_right.is_finished() || !at_left.is_finished() {
        let path = PathId(1 - switches % 2);
        left.paths.switch(to, path).unwrap();
        right.paths.switch(remote, path).unwrap();
        switches += 1;
        tokio::time::sleep(super::millis(3)).await;
    }
    assert!(switches > 2, "{switches} switches");
    up.await.unwrap();
    down.await.unwrap();
    assert!(at_right.await.unwrap() == pattern(BYTES, 1));
    assert!(at_left.await.unwrap() == pattern(BYTES, 2));
    assert_eq!(accepted.remote_address(), remote);
    for host in [&left, &right] {
        let counters = host.paths.counters();
        let expected = PathCounters {
            refused: counters.refused,
            ..PathCounters::default()
        };
        assert_eq!(counters, expected);
    }
}

#[tokio::test]
async fn switching_works_over_kernel_sockets_of_one_family() {
    transfer_over("127.0.0.1:0").await;
}

#[tokio::test]
async fn switching_works_between_an_ipv6_home_and_an_ipv4_path() {
    transfer_over("[::1]:0").await;
}
