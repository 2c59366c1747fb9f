//! The store against a list of everything that was ever put.

use proptest::prelude::*;

use super::*;

/// A put that was accepted.
#[derive(Debug, Clone)]
struct Accepted {
    mutable: bool,
    key: u32,
    sequence: u64,
    expires: Micros,
}

#[derive(Debug, Clone)]
enum Step {
    Put {
        mutable: bool,
        key: u32,
        sequence: u64,
        minutes: u64,
    },
    Wait {
        minutes: u64,
    },
    Expire,
}

#[derive(Debug, Default)]
struct Model {
    accepted: Vec<Accepted>,
}

impl Model {
    fn last(&self, mutable: bool, key: u32) -> Option<&Accepted> {
        let same = |put: &&Accepted| put.mutable == mutable && put.key == key;
        self.accepted.iter().rfind(same)
    }

    fn held(&self, mutable: bool, key: u32, now: Micros) -> Option<u64> {
        let last = self.last(mutable, key)?;
        (now < last.expires).then_some(last.sequence)
    }

    fn put(&mut self, put: Accepted, now: Micros) -> StoreOutcome {
        if let Some(last) = self.last(put.mutable, put.key).cloned() {
            let held = now < last.expires;
            if held && last.sequence == put.sequence {
                if !put.mutable {
                    let expires = last.expires.max(put.expires);
                    self.accepted.push(Accepted { expires, ..put });
                }
                return StoreOutcome::Stored;
            }
            let remembered = put.mutable && now < last.expires + REMEMBERED;
            if (held || remembered) && put.sequence <= last.sequence {
                return StoreOutcome::Superseded;
            }
        }
        self.accepted.push(put);
        StoreOutcome::Stored
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (any::<bool>(), 0u32..3, 0u64..4, 1u64..2_880).prop_map(
            |(mutable, key, sequence, minutes)| Step::Put { mutable, key, sequence, minutes }
        ),
        3 => (0u64..2_000).prop_map(|minutes| Step::Wait { minutes }),
        1 => Just(Step::Expire),
    ]
}

proptest! {
    #[test]
    fn agrees_with_a_list_of_everything(steps in prop::collection::vec(step(), 0..80)) {
        let mut now = START;
        let mut store = RecordStore::new(SMALL);
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Wait { minutes } => now = now + Duration::from_secs(60 * minutes),
                Step::Expire => store.expire(now),
                Step::Put { mutable, key, sequence, minutes } => {
                    let expires = now + Duration::from_secs(60 * minutes);
                    // An immutable key has one value.
                    let sequence = if mutable { sequence } else { 0 };
                    let put = Accepted { mutable, key, sequence, expires };
                    let kind = if mutable { &MUTABLE } else { &IMMUTABLE };
                    let brought = sized(super::key(key), sequence, 8, expires);
                    let outcome = store.put(now, &holder(key), kind, &brought);
                    prop_assert_eq!(outcome, model.put(put, now));
                }
            }
            for number in 0..3 {
                for (mutable, kind) in [(true, &MUTABLE), (false, &IMMUTABLE)] {
                    let held = store.get(kind.number, &key(number), now);
                    let sequence = held.map(|record| {
                        let body = record.body.as_bytes();
                        u64::from_be_bytes(body[..8].try_into().unwrap())
                    });
                    prop_assert_eq!(sequence, model.held(mutable, number, now));
                }
            }
            prop_assert!(store.next_expiry().is_some() || store.bytes() == 0);
        }
    }
}
