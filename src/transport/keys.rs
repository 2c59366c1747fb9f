//! Keys of the QUIC endpoint that must survive a restart.

use std::sync::Arc;

use aws_lc_rs::{hkdf, hmac};
use quinn::crypto::{HandshakeTokenKey, HmacKey};

use crate::crypto::{Label, derive_secret};
use crate::identity::Keypair;

/// All three derive from the identity seed: after a restart the node recognises its connection
/// ids, and its stateless resets end the stale connections of its peers at once instead of after
/// the idle timeout; address tokens that it gave out stay good.
pub(super) struct EndpointKeys {
    pub(super) reset: Arc<dyn HmacKey>,
    pub(super) token: Arc<dyn HandshakeTokenKey>,
    pub(super) connection_id: [u8; 32],
}

impl EndpointKeys {
    pub(super) fn derive(keypair: &Keypair) -> Self {
        let secret = |label| derive_secret(label, &[keypair.seed().expose()]);
        let reset = secret(Label::ResetKey);
        let token = secret(Label::TokenKey);
        Self {
            reset: Arc::new(hmac::Key::new(hmac::HMAC_SHA256, reset.expose())),
            token: Arc::new(hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(token.expose())),
            connection_id: *secret(Label::ConnectionIdKey).expose(),
        }
    }
}
