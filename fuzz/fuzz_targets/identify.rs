//! The body of HELLO and HELLO_REPLY.
#![no_main]

use cretoai_network::wire::message::identify::Identify;
use cretoai_network_fuzz::canonical;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some(message) = canonical::<Identify>(data) {
        assert!(
            message
                .agent
                .as_str()
                .bytes()
                .all(|byte| matches!(byte, 0x20..=0x7e))
        );
    }
});
