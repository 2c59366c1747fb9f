//! The books balance.

use proptest::prelude::*;

use super::*;
use crate::discovery::store::ledger::{Charge, Ledger, Yield};

fn place(number: u32) -> Place {
    Place::of_record(1, key(number))
}

#[test]
fn what_is_released_is_forgotten() {
    let mut ledger = Ledger::default();
    let account = Account::of(&holder(1));
    let charge = ledger.charge(account, 10, place(1));
    assert_eq!(ledger.peer_bytes(&peer(1)), 10);
    assert_eq!(ledger.network_bytes(&account.network), 10);
    ledger.release(&charge);
    ledger.release(&charge);
    assert_eq!(ledger.bytes(), 0);
    assert_eq!(ledger.peer_bytes(&peer(1)), 0);
    assert_eq!(ledger.first_to_go(Yield::LargestNetwork), None);
}

#[test]
fn the_largest_network_then_its_largest_peer_then_its_earliest_goes() {
    let mut ledger = Ledger::default();
    ledger.charge(Account::of(&holder_in(1, 1)), 70, place(1));
    ledger.charge(Account::of(&holder_in(2, 2)), 30, place(2));
    ledger.charge(Account::of(&holder_in(3, 2)), 50, place(3));
    ledger.charge(Account::of(&holder_in(3, 2)), 1, place(4));
    assert_eq!(ledger.first_to_go(Yield::LargestNetwork), Some(place(3)));
    let first = Account::of(&holder(1)).network;
    assert_eq!(ledger.first_to_go(Yield::Within(first)), Some(place(1)));
    assert_eq!(ledger.first_to_go(Yield::Nobody), None);
}

#[test]
fn a_peer_behind_two_networks_is_one_peer() {
    let mut ledger = Ledger::default();
    ledger.charge(Account::of(&holder_in(1, 1)), 70, place(1));
    ledger.charge(Account::of(&holder_in(1, 2)), 30, place(2));
    assert_eq!(ledger.peer_bytes(&peer(1)), 100);
}

proptest! {
    #[test]
    fn agrees_with_a_plain_sum(
        steps in prop::collection::vec((any::<bool>(), 0u32..4, 0u32..3, 1u64..100), 0..100),
    ) {
        let mut ledger = Ledger::default();
        let mut charges: Vec<Charge> = Vec::new();
        for (number, (add, who, network, bytes)) in steps.into_iter().enumerate() {
            let account = Account::of(&holder_in(who, network));
            if add || charges.is_empty() {
                charges.push(ledger.charge(account, bytes, place(number as u32)));
            } else {
                let gone = charges.swap_remove(bytes as usize % charges.len());
                ledger.release(&gone);
            }
            let sum = |applies: &dyn Fn(&Charge) -> bool| -> u64 {
                charges.iter().filter(|charge| applies(charge)).map(|charge| charge.bytes).sum()
            };
            prop_assert_eq!(ledger.bytes(), sum(&|_| true));
            for number in 0..4 {
                let account = Account::of(&holder(number));
                let of_network = sum(&|charge| charge.account.network == account.network);
                let of_peer = sum(&|charge| charge.account.peer == account.peer);
                prop_assert_eq!(ledger.network_bytes(&account.network), of_network);
                prop_assert_eq!(ledger.peer_bytes(&account.peer), of_peer);
            }
        }
    }
}
