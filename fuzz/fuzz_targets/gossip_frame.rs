//! The body of every frame of gossip, behind the byte of its type. What decodes fits its frame, unless
//! it names hosts by names.
#![no_main]

use cretoai_network::discovery::{Scope, check_contact};
use cretoai_network::wire::message::gossip::{
    GRAFT, HAVE, Have, IDONTWANT, IDontWant, IHAVE, IHave, IWANT, IWant, KEY, Key, LARGE, Large,
    MESSAGE, MODES, Message, Modes, PRUNE, Prune, RECEIVER_READS, SEAL, SUBSCRIBE, Seal, Subscribe,
    Topics, UNSIGNED, UNSUBSCRIBE, Unsigned, WAKE,
};
use cretoai_network_fuzz::canonical;
use libfuzzer_sys::fuzz_target;

/// Whether every contact may be told within a local network, where all hosts but names may be.
fn may_be_told(message: &Prune) -> bool {
    let mut contacts = message.peers.iter();
    contacts.all(|contact| check_contact(contact, Scope::Local).is_ok())
}

fuzz_target!(|data: &[u8]| {
    let Some((&kind, body)) = data.split_first() else {
        return;
    };
    let bounded = match kind {
        SUBSCRIBE => canonical::<Subscribe>(body).is_some(),
        UNSUBSCRIBE | GRAFT | WAKE => canonical::<Topics>(body).is_some(),
        PRUNE => canonical::<Prune>(body).is_some_and(|message| may_be_told(&message)),
        IHAVE => canonical::<IHave>(body).is_some(),
        IWANT => canonical::<IWant>(body).is_some(),
        IDONTWANT => canonical::<IDontWant>(body).is_some(),
        MODES => canonical::<Modes>(body).is_some(),
        KEY => canonical::<Key>(body).is_some(),
        SEAL => canonical::<Seal>(body).is_some(),
        MESSAGE => canonical::<Message>(body).is_some(),
        UNSIGNED => canonical::<Unsigned>(body).is_some(),
        LARGE => canonical::<Large>(body).is_some(),
        HAVE => canonical::<Have>(body).is_some(),
        _ => false,
    };
    if bounded {
        let limit = RECEIVER_READS.max_body(kind).unwrap();
        assert!(body.len() <= limit as usize);
    }
});
