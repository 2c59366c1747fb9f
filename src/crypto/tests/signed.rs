use super::super::*;

#[test]
fn an_input_opens_with_label_and_network_and_fields_are_little_endian() {
    let input = SignedInput::new(Label::Seal, &[0xee; 32])
        .u8(1)
        .u16(0x0203)
        .u32(0x0405_0607)
        .u64(0x0809_0a0b_0c0d_0e0f)
        .array(&[0xaa; 3])
        .hash_of(b"body");
    let expected = [
        Label::Seal.hash().as_slice(),
        &[0xee; 32],
        &[
            1, 3, 2, 7, 6, 5, 4, 0x0f, 0x0e, 0x0d, 0x0c, 0x0b, 0x0a, 9, 8,
        ],
        &[0xaa; 3],
        blake3::hash(b"body").as_bytes(),
    ]
    .concat();
    assert_eq!(input.as_bytes(), expected);
}

#[test]
fn a_signature_for_one_purpose_or_network_is_worthless_for_another() {
    let provider = RustCrypto::new();
    let key = provider
        .signing_key(&SigningSeed::from_bytes(&[1; 32]))
        .unwrap();
    let signature = key
        .sign(SignedInput::new(Label::Seal, &[1; 32]).as_bytes())
        .unwrap();
    let verify = |label, network| {
        let input = SignedInput::new(label, &network);
        provider.verify(key.verifying_key(), input.as_bytes(), signature.as_bytes())
    };
    assert_eq!(verify(Label::Seal, [1; 32]), Ok(()));
    assert_eq!(verify(Label::SelfTest, [1; 32]), Err(InvalidSignature));
    assert_eq!(verify(Label::Seal, [2; 32]), Err(InvalidSignature));
}

#[test]
fn an_unknown_suite_is_refused() {
    assert_eq!(Suite::try_from(1), Ok(Suite::MlDsa87));
    assert_eq!(Suite::MlDsa87.byte(), 1);
    for byte in [0, 2, 255] {
        assert_eq!(Suite::try_from(byte), Err(UnknownSuite(byte)));
    }
}
