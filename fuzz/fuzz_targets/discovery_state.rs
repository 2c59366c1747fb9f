//! A saved state of discovery that decodes is what would be written again. A checksum keeps random
//! bytes out, so that the target also reads them as a content with a right one.
#![no_main]

use bytes::Bytes;
use cretoai_network::crypto::{Label, derive_key};
use cretoai_network::discovery::SavedState;
use libfuzzer_sys::fuzz_target;

const NETWORK: [u8; 32] = [0; 32];

fn read(file: Bytes) {
    if let Ok(state) = SavedState::decode(&file, &NETWORK) {
        assert_eq!(state.encode(&NETWORK), file);
    }
}

fuzz_target!(|data: &[u8]| {
    read(Bytes::copy_from_slice(data));
    let head = [&b"cretodht"[..], &1_u16.to_le_bytes(), &NETWORK].concat();
    let content = [&head[..], data].concat();
    let checksum = derive_key(Label::DiscoveryState, &[&content]);
    read([&content[..], &checksum].concat().into());
});
