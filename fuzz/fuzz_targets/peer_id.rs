//! A text that names a peer is the only one that does.
#![no_main]

use cretoai_network::identity::PeerId;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(peer) = text.parse::<PeerId>() {
        assert_eq!(peer.to_string(), text);
    }
});
