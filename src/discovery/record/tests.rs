use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::crypto::{Provider, RustCrypto, SIGNATURE_BYTES, SigningSeed, VerifyingKey};
use crate::identity::Keypair;
use crate::policy::UnixMillis;
use crate::wire::codec;
use crate::wire::message::discovery::{
    ImmutableRecord, MAX_SALT, MAX_VALUE, MutableRecord, ProviderRecord,
};

const NETWORK: [u8; 32] = [7; 32];
const HOUR: Duration = Duration::from_secs(3_600);
const NOW: Now = Now {
    mono: Micros(9_000_000),
    wall: UnixMillis(1_800_000_000_000),
};
const SENDER: PeerId = PeerId::from_bytes([3; 32]);

fn context() -> CheckContext {
    CheckContext {
        network: NETWORK,
        now: NOW,
        sender: SENDER,
    }
}

fn owner() -> Keypair {
    let provider: Arc<dyn Provider> = Arc::new(RustCrypto::new());
    Keypair::from_seed(provider, SigningSeed::from_bytes(&[5; 32])).unwrap()
}

fn any_key() -> VerifyingKey {
    VerifyingKey::ml_dsa_87(&[8; crate::crypto::VERIFYING_KEY_BYTES])
}

/// A mutable record with a signature of zeros.
fn unsigned(created: u64, expires: u64) -> MutableRecord {
    MutableRecord {
        suite: 1,
        public_key: *any_key().as_bytes(),
        salt: Payload::default(),
        sequence: 1,
        created,
        expires,
        value: Payload::default(),
        signature: [0; SIGNATURE_BYTES],
    }
}

fn check_mutable(record: &MutableRecord) -> Result<Checked, RecordFault> {
    MUTABLE.check(&context(), &codec::encode(record))
}

fn draft(sequence: u64, value: &'static [u8]) -> MutableDraft {
    let key = owner().public_key().verifying_key().clone();
    let salt = Bytes::from_static(b"salt");
    let value = Bytes::from_static(value);
    MutableDraft::new(key, salt, sequence, NOW.wall, HOUR, value).unwrap()
}

fn signed(sequence: u64, value: &'static [u8]) -> Record {
    let draft = draft(sequence, value);
    let signature = owner()
        .sign(draft.signed_input(&NETWORK).as_bytes())
        .unwrap();
    draft.with_signature(&signature)
}

#[test]
fn the_table_is_in_order_and_within_the_wire() {
    assert!(KINDS.is_sorted_by(|a, b| a.number < b.number));
    for known in KINDS {
        assert!(std::ptr::eq(kind(known.number).unwrap(), known));
        assert!(known.max_bytes as usize <= MAX_RECORD_BODY);
        assert!(known.slots > 0 && known.replicas > 0);
    }
    assert!(kind(0).is_none());
    assert!(kind(4).is_none());
}

#[test]
fn an_immutable_record_is_what_its_key_says() {
    let (key, record) = immutable(Bytes::from_static(b"value")).unwrap();
    let checked = IMMUTABLE
        .check_answer(&context(), record.body.as_bytes(), &key)
        .unwrap();
    assert_eq!(checked.key, Key::of_value(b"value"));
    assert_eq!(checked.lifetime(NOW.mono), 24 * HOUR);
    assert_eq!(checked.slot, [0; 32]);
    assert!(checked.signature.is_none());
    let content = Content::of(&record).unwrap().unwrap();
    assert_eq!(content.value().as_ref(), b"value");
}

#[test]
fn attack_a_record_under_a_wrong_key() {
    let (_, record) = immutable(Bytes::from_static(b"value")).unwrap();
    let wanted = Key::of_value(b"another value");
    let answer = IMMUTABLE.check_answer(&context(), record.body.as_bytes(), &wanted);
    assert_eq!(answer, Err(RecordFault::WrongKey));
}

#[test]
fn values_and_salts_have_limits() {
    let bytes = |length| Bytes::from(vec![1; length]);
    for length in [MAX_VALUE - 1, MAX_VALUE] {
        let (_, record) = immutable(bytes(length)).unwrap();
        assert!(IMMUTABLE.check(&context(), record.body.as_bytes()).is_ok());
    }
    let too_long = MAX_VALUE + 1;
    assert_eq!(
        immutable(bytes(too_long)),
        Err(DraftError::ValueTooLong(too_long))
    );
    let draft = |salt, value| {
        let (salt, value) = (bytes(salt), bytes(value));
        MutableDraft::new(any_key(), salt, 1, NOW.wall, HOUR, value)
    };
    assert!(draft(MAX_SALT - 1, MAX_VALUE - 1).is_ok());
    assert!(draft(MAX_SALT, MAX_VALUE).is_ok());
    let long_salt = DraftError::SaltTooLong(MAX_SALT + 1);
    assert_eq!(draft(MAX_SALT + 1, 0), Err(long_salt));
    assert_eq!(draft(0, too_long), Err(DraftError::ValueTooLong(too_long)));
}

#[test]
fn the_largest_record_of_each_kind_fills_its_limit() {
    let value: Payload<MAX_VALUE> = Payload::try_from(Bytes::from(vec![1; MAX_VALUE])).unwrap();
    let salt = Payload::try_from(Bytes::from(vec![1; MAX_SALT])).unwrap();
    let immutable = codec::encode(&ImmutableRecord {
        value: value.clone(),
    });
    let mutable = codec::encode(&MutableRecord {
        salt,
        sequence: u64::MAX,
        value,
        ..unsigned(u64::MAX, u64::MAX)
    });
    let provider = codec::encode(&ProviderRecord {
        key: [1; 32],
        lifetime: u32::MAX,
    });
    for (kind, body) in [
        (&IMMUTABLE, immutable),
        (&MUTABLE, mutable),
        (&PROVIDER, provider),
    ] {
        assert_eq!(body.len(), kind.max_bytes as usize, "{}", kind.name);
        assert_ne!(kind.check(&context(), &body), Err(RecordFault::TooLarge));
    }
}

#[test]
fn attack_huge_values_are_refused_unread() {
    for kind in KINDS {
        let huge = Bytes::from(vec![0xff; kind.max_bytes as usize + 1]);
        let answer = kind.check(&context(), &huge);
        assert_eq!(answer, Err(RecordFault::TooLarge));
    }
}

#[test]
fn a_signed_record_verifies_under_its_key() {
    let record = signed(4, b"value");
    let body = record.body.as_bytes();
    let key = Key::of_owner(owner().peer_id(), b"salt");
    assert_eq!(draft(4, b"value").key(), key);
    let checked = MUTABLE.check_answer(&context(), body, &key).unwrap();
    assert_eq!(checked.version.sequence, 4);
    assert_eq!(checked.lifetime(NOW.mono), HOUR);
    assert!(checked.signature.unwrap().verify(&RustCrypto::new()));
    let Content::Mutable(content) = Content::of(&record).unwrap().unwrap() else {
        panic!("a mutable record");
    };
    assert_eq!(content.owner, owner().peer_id());
    assert_eq!(content.salt.as_ref(), b"salt");
    assert_eq!(content.sequence, 4);
    assert_eq!(content.created, NOW.wall);
    assert_eq!(content.expires.since(content.created), HOUR);
    assert_eq!(content.value.as_ref(), b"value");
}

#[test]
fn attack_every_signed_field_is_signed() {
    let record = signed(4, b"value");
    let honest: MutableRecord = codec::decode(record.body.as_bytes()).unwrap();
    let forge = |change: fn(&mut MutableRecord)| {
        let mut forged = honest.clone();
        change(&mut forged);
        forged
    };
    let forgeries = [
        forge(|record| record.sequence += 1),
        forge(|record| record.created -= 1),
        forge(|record| record.expires += 1),
        forge(|record| record.salt = Payload::default()),
        forge(|record| record.value = Payload::default()),
        forge(|record| record.public_key[100] ^= 1),
        forge(|record| record.signature[100] ^= 1),
    ];
    for forged in &forgeries {
        let pending = check_mutable(forged).unwrap().signature.unwrap();
        assert!(!pending.verify(&RustCrypto::new()));
    }
    let elsewhere = CheckContext {
        network: [8; 32],
        ..context()
    };
    let checked = MUTABLE.check(&elsewhere, record.body.as_bytes()).unwrap();
    assert!(!checked.signature.unwrap().verify(&RustCrypto::new()));
}

#[test]
fn an_unknown_suite_is_refused() {
    for suite in [0, 2] {
        let record = MutableRecord {
            suite,
            ..unsigned(NOW.wall.0, NOW.wall.0 + 1)
        };
        assert_eq!(check_mutable(&record), Err(RecordFault::WrongSuite));
    }
}

#[test]
fn a_record_may_be_made_as_far_ahead_as_clocks_differ() {
    let skew = 5 * 60 * 1_000;
    for (ahead, fault) in [
        (skew - 1, None),
        (skew, None),
        (skew + 1, Some(RecordFault::NotYetValid)),
    ] {
        let created = NOW.wall.0 + ahead;
        let answer = check_mutable(&unsigned(created, created + 1));
        assert_eq!(answer.err(), fault, "{ahead} ms");
    }
}

#[test]
fn attack_an_end_in_the_far_future() {
    let limit = 48 * 3_600_000;
    for (span, fault) in [
        (limit - 1, None),
        (limit, None),
        (limit + 1, Some(RecordFault::ExpiresTooLate)),
    ] {
        let answer = check_mutable(&unsigned(NOW.wall.0, NOW.wall.0 + span));
        assert_eq!(answer.err(), fault, "{span} ms");
    }
    let answer = check_mutable(&unsigned(NOW.wall.0, u64::MAX));
    assert_eq!(answer, Err(RecordFault::ExpiresTooLate));
}

#[test]
fn a_record_lives_until_its_signed_end_and_no_longer() {
    let now = NOW.wall.0;
    let expired = Err(RecordFault::Expired);
    assert_eq!(check_mutable(&unsigned(now - 10, now - 1)), expired);
    assert_eq!(check_mutable(&unsigned(now - 10, now)), expired);
    let last = check_mutable(&unsigned(now - 10, now + 1)).unwrap();
    assert_eq!(last.lifetime(NOW.mono), Duration::from_millis(1));
    let backwards = Err(RecordFault::ExpiresBeforeCreated);
    assert_eq!(check_mutable(&unsigned(now + 1, now + 1)), backwards);
    assert_eq!(check_mutable(&unsigned(now + 2, now + 1)), backwards);
    assert!(RecordFault::Expired.may_be_clock_skew());
    assert!(!RecordFault::ExpiresTooLate.may_be_clock_skew());
}

#[test]
fn a_draft_lives_for_48_hours_at_most() {
    let draft =
        |lifetime| MutableDraft::new(any_key(), Bytes::new(), 1, NOW.wall, lifetime, Bytes::new());
    let short = Duration::from_micros(1);
    assert_eq!(draft(short), Err(DraftError::Lifetime(short)));
    assert!(draft(Duration::from_millis(1)).is_ok());
    assert!(draft(48 * HOUR - Duration::from_millis(1)).is_ok());
    assert!(draft(48 * HOUR).is_ok());
    let long = 48 * HOUR + Duration::from_nanos(1);
    assert_eq!(draft(long), Err(DraftError::Lifetime(long)));
}

#[test]
fn a_provider_speaks_for_itself_and_for_48_hours_at_most() {
    let key = Key::from_bytes([9; 32]);
    let check = |lifetime| {
        let body = codec::encode(&ProviderRecord {
            key: [9; 32],
            lifetime,
        });
        PROVIDER.check(&context(), &body)
    };
    let limit = 48 * 3_600;
    for lifetime in [0, 1, limit - 1, limit] {
        let checked = check(lifetime).unwrap();
        assert_eq!(checked.key, key);
        assert_eq!(checked.slot, *SENDER.as_bytes());
        let span = Duration::from_secs(lifetime.into());
        assert_eq!(checked.lifetime(NOW.mono), span);
    }
    assert_eq!(check(limit + 1), Err(RecordFault::LifetimeTooLong));
    assert_eq!(check(u32::MAX), Err(RecordFault::LifetimeTooLong));
}

#[test]
fn a_provider_record_is_made_in_whole_seconds() {
    let key = Key::from_bytes([9; 32]);
    let lifetime = |span| {
        let record = provider(key, span).ok()?;
        let checked = PROVIDER.check(&context(), record.body.as_bytes());
        Some(checked.unwrap().lifetime(NOW.mono))
    };
    assert_eq!(lifetime(Duration::ZERO), Some(Duration::ZERO));
    assert_eq!(lifetime(Duration::from_millis(999)), None);
    assert_eq!(lifetime(48 * HOUR), Some(48 * HOUR));
    assert_eq!(lifetime(48 * HOUR + Duration::from_millis(1)), None);
}

#[test]
fn a_kind_without_a_value_has_no_content() {
    let record = provider(Key::from_bytes([9; 32]), HOUR).unwrap();
    assert_eq!(Content::of(&record), Ok(None));
    let unknown = Record {
        kind: 4_000,
        ..record
    };
    assert_eq!(Content::of(&unknown), Ok(None));
}

#[test]
fn the_higher_sequence_wins_and_then_the_larger_hash() {
    let version = |sequence, tie| Version {
        sequence,
        tie: [tie; 32],
    };
    assert!(version(2, 0) > version(1, 255));
    assert!(version(2, 2) > version(2, 1));
    assert_eq!(version(2, 2), version(2, 2));
}

proptest! {
    #[test]
    fn any_bytes_are_judged_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let body = Bytes::from(bytes);
        for kind in KINDS {
            let _ = kind.check(&context(), &body);
            let _ = Content::of(&wire_record(kind, body.clone()));
        }
    }

    #[test]
    fn a_perturbed_record_never_panics(at in 0usize..8_000, with in 1u8..) {
        let mut body = codec::encode(&unsigned(NOW.wall.0, NOW.wall.0 + 1)).to_vec();
        let at = at % body.len();
        body[at] ^= with;
        let _ = MUTABLE.check(&context(), &Bytes::from(body));
    }
}
