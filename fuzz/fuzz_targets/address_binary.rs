//! An address that decodes has a text that parses back to it, and cannot leak into a log.
#![no_main]

use cretoai_network::wire::Address;
use cretoai_network_fuzz::canonical;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some(address) = canonical::<Address>(data) {
        let text = address.to_string();
        assert!(text.len() <= Address::MAX_TEXT_LEN);
        assert!(format!("{address:?}").contains("[redacted]"));
        assert_eq!(text.parse(), Ok(address));
    }
});
