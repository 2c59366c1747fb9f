//! The body of OBSERVED.
#![no_main]

use cretoai_network::wire::message::observed::Observed;
use cretoai_network_fuzz::canonical;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    canonical::<Observed>(data);
});
