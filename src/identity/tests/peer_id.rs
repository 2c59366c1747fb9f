use proptest::prelude::*;

use super::super::*;
use super::published;

#[test]
fn every_other_length_is_refused() {
    let text = published().peer_id().to_string();
    assert_eq!(text.len(), PeerId::TEXT_LENGTH);
    assert_eq!(
        text[..51].parse::<PeerId>(),
        Err(PeerIdTextError::Length(51))
    );
    assert_eq!(
        format!("{text}a").parse::<PeerId>(),
        Err(PeerIdTextError::Length(53))
    );
    assert_eq!("".parse::<PeerId>(), Err(PeerIdTextError::Length(0)));
    // 26 characters of two bytes each.
    assert_eq!(
        "ä".repeat(26).parse::<PeerId>(),
        Err(PeerIdTextError::Character { position: 0 })
    );
}

#[test]
fn upper_case_and_foreign_characters_are_refused_by_position() {
    let text = published().peer_id().to_string();
    for (position, foreign) in [
        (0, 'A'),
        (7, '0'),
        (8, '1'),
        (20, '8'),
        (50, '='),
        (51, ' '),
    ] {
        let mut wrong = text.clone();
        wrong.replace_range(position..=position, &foreign.to_string());
        assert_eq!(
            wrong.parse::<PeerId>(),
            Err(PeerIdTextError::Character { position })
        );
    }
}

#[test]
fn the_unused_bits_of_the_last_character_must_be_zero() {
    // 52 characters hold 260 bits, so that the last one stands for one bit: only a and q end an id.
    let text = |last| format!("{}{last}", "a".repeat(51)).parse::<PeerId>();
    for last in "abcdefghijklmnopqrstuvwxyz234567".chars() {
        match last {
            'a' | 'q' => assert!(text(last).is_ok()),
            _ => assert_eq!(text(last), Err(PeerIdTextError::TrailingBits)),
        }
    }
}

#[test]
fn debug_prints_the_first_eight_characters_only() {
    assert_eq!(format!("{:?}", published().peer_id()), "a4dktyu3…");
}

proptest! {
    #[test]
    fn a_peer_id_survives_its_text(bytes: [u8; 32]) {
        let peer = PeerId::from_bytes(bytes);
        let text = peer.to_string();
        prop_assert_eq!(text.len(), PeerId::TEXT_LENGTH);
        prop_assert_eq!(text.parse(), Ok(peer));
    }

    #[test]
    fn a_text_that_parses_is_the_only_one(text in "[a-zA-Z0-9=]{52}|[a-z2-7]{51}[aq]") {
        if let Ok(peer) = text.parse::<PeerId>() {
            prop_assert_eq!(peer.to_string(), text);
        }
    }
}
