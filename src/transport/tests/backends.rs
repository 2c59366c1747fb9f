//! The two backends complete the handshake with each other, all four ways round.

use super::*;
use crate::crypto::RustCrypto;

fn handshake_between(dialler: Arc<dyn Provider>, acceptor: Arc<dyn Provider>) {
    in_virtual_time(async {
        let net = quiet_net(6);
        let (alice, bob) = (keypair_of(1, dialler), keypair_of(2, acceptor));
        let dialler = bind(net.host(ip(1)), &alice, Credential::RawPublicKey);
        let acceptor = Arc::new(bind(net.host(ip(2)), &bob, Credential::RawPublicKey));
        spawn_echo(acceptor.clone());
        let connection = dial(&dialler, address_of(2), bob.peer_id()).await.unwrap();
        assert_eq!(ask(&connection, b"hello").await, b"hello"[..]);
    });
}

fn aws_lc() -> Arc<dyn Provider> {
    Arc::new(AwsLc)
}

fn rust_crypto() -> Arc<dyn Provider> {
    Arc::new(RustCrypto::new())
}

#[test]
fn aws_lc_dials_aws_lc() {
    handshake_between(aws_lc(), aws_lc());
}

#[test]
fn aws_lc_dials_rust_crypto() {
    handshake_between(aws_lc(), rust_crypto());
}

#[test]
fn rust_crypto_dials_aws_lc() {
    handshake_between(rust_crypto(), aws_lc());
}

#[test]
fn rust_crypto_dials_rust_crypto() {
    handshake_between(rust_crypto(), rust_crypto());
}
