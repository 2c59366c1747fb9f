//! The body of PING and PONG.
#![no_main]

use cretoai_network::wire::message::ping::Ping;
use cretoai_network_fuzz::canonical;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    canonical::<Ping>(data);
});
