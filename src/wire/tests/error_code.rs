use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::wire::ErrorCode;

#[test]
fn every_code_survives_its_number() {
    for &code in ErrorCode::ALL {
        assert_eq!(ErrorCode::from(u64::from(code)), code);
    }
}

#[test]
fn numbers_and_names_are_unique_and_ascending() {
    let numbers: Vec<u64> = ErrorCode::ALL.iter().map(|&code| code.into()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b));
    let names: BTreeSet<_> = ErrorCode::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(names.len(), ErrorCode::ALL.len());
}

#[test]
fn every_number_fits_a_quic_varint() {
    for &code in ErrorCode::ALL {
        assert!(u64::from(code) < 1 << 62);
    }
}

#[test]
fn a_code_is_shown_by_name_and_number() {
    assert_eq!(ErrorCode::Oversize.to_string(), "OVERSIZE (0x21)");
    assert_eq!(ErrorCode::from(0x999).to_string(), "UNKNOWN (0x999)");
}

proptest! {
    #[test]
    fn unknown_numbers_are_preserved(number: u64) {
        let code = ErrorCode::from(number);
        prop_assert_eq!(u64::from(code), number);
        prop_assert_eq!(ErrorCode::ALL.contains(&code), code != ErrorCode::Unknown(number));
    }
}
