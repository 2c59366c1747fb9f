//! An address that parses prints as a text that parses to the same, and survives its binary form.
#![no_main]

use cretoai_network::wire::Address;
use cretoai_network::wire::codec::{decode, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(address) = text.parse::<Address>() {
        assert_eq!(address.to_string().parse(), Ok(address.clone()));
        assert_eq!(decode(&encode(&address)), Ok(address));
    }
});
