//! The body of every answer of discovery, behind the byte of its frame type. What names no host by a
//! name fits its frame.
#![no_main]

use cretoai_network::discovery::{Scope, check_contact};
use cretoai_network::wire::message::discovery::{
    Contact, DIALLER_READS, HANDED_OFF, HandedOff, NODES, Nodes, PROVIDERS, Providers, STORED,
    Stored, VALUE, Value,
};
use cretoai_network_fuzz::canonical;
use libfuzzer_sys::fuzz_target;

/// Whether every contact may be told within a local network, where all hosts but names may be.
fn may_be_told<'a>(mut contacts: impl Iterator<Item = &'a Contact>) -> bool {
    contacts.all(|contact| {
        let public = check_contact(contact, Scope::Public);
        let local = check_contact(contact, Scope::Local);
        assert!(public.is_err() || local.is_ok());
        local.is_ok()
    })
}

fuzz_target!(|data: &[u8]| {
    let Some((&kind, body)) = data.split_first() else {
        return;
    };
    let bounded = match kind {
        NODES => canonical::<Nodes>(body).is_some_and(|answer| may_be_told(answer.contacts.iter())),
        VALUE => canonical::<Value>(body).is_some_and(|answer| may_be_told(answer.contacts.iter())),
        PROVIDERS => canonical::<Providers>(body).is_some_and(|answer| {
            may_be_told(answer.providers.iter().chain(answer.contacts.iter()))
        }),
        STORED => canonical::<Stored>(body).is_some(),
        HANDED_OFF => {
            canonical::<HandedOff>(body);
            false
        }
        _ => false,
    };
    if bounded {
        let limit = DIALLER_READS.max_body(kind).unwrap();
        assert!(body.len() <= limit as usize);
    }
});
