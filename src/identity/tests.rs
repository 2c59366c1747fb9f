use super::*;
use crate::crypto::RustCrypto;
use std::sync::Arc;

#[test]
fn a_peer_id_survives_its_text() {
    let keypair = Keypair::generate(Arc::new(RustCrypto::new())).unwrap();
    let text = keypair.peer_id().to_string();
    assert_eq!(text.len(), 52);
    assert_eq!(text.parse(), Ok(keypair.peer_id()));
}
