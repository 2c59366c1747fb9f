//! A public key that is accepted in DER is accepted in no other DER.
#![no_main]

use cretoai_network::identity::PublicKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(key) = PublicKey::from_spki_der(data) {
        assert_eq!(key.to_spki_der(), data);
    }
});
