use std::collections::BTreeSet;

use super::super::*;

/// The table as the specification prints it: context string and label hash.
const GOLDEN: &[(Label, &str, &str)] = &[
    (
        Label::PeerId,
        "creto/1 peer id",
        "7a86e6b105204e6bff28273df340715bbc9d98aab7dae7a24a9231cf0bdbc299",
    ),
    (
        Label::Network,
        "creto/1 network",
        "86aa0d954bf0c1a47b5ef7538149f672948b85da7c9870b5904554cae55bff16",
    ),
    (
        Label::Leaf,
        "creto/1 leaf",
        "aeb5ccbbd201b3172695025cee32dee41097b72ad917e67e94601e1de85ff45a",
    ),
    (
        Label::Seal,
        "creto/1 seal",
        "55027745199b110bae2a1284c68039e2910ca89b8e8f662451cb1ab1dcf61aef",
    ),
    (
        Label::Unsigned,
        "creto/1 unsigned message",
        "698287e14c149a037c39f969e6894d5f51bacc2087f4ee7059c4e43d97a2f7fb",
    ),
    (
        Label::ResetKey,
        "creto/1 stateless reset key",
        "869a3f4d728bf2230f8c973aa5792eba9530b0bd413f3eaaac94f06a6a668116",
    ),
    (
        Label::TokenKey,
        "creto/1 address token key",
        "df6710deb46ec1ec3ba27791b8dbae107a7741900ac3d84eca2a31af43bce93b",
    ),
    (
        Label::ConnectionIdKey,
        "creto/1 connection id key",
        "3e4d3a6890bb690eddfdba986803564b591be9abbd30f296b40ef90fad9c508c",
    ),
    (
        Label::ImmutableKey,
        "creto/1 immutable record key",
        "cf7d8c8b5ef849231aef2ff23be68b53509bf966afb6152d7ec6e1e3aaa8c6eb",
    ),
    (
        Label::MutableKey,
        "creto/1 mutable record key",
        "9d939d57fcb184bae1bf00102d66815ff38570dc9c13a55a9d2b2071c9d9ea93",
    ),
    (
        Label::MutableRecord,
        "creto/1 mutable record",
        "86ab24651e988391f6078c03e14e7c5b49a9dadb6ca3377018ca2bd906a57d2a",
    ),
    (
        Label::RoleKey,
        "creto/1 role key",
        "549d2b29b90ab92dfbfc6bb635e2ba19bd4e3a2db6e3258cc836156a7f5bb782",
    ),
    (
        Label::DiscoveryState,
        "creto/1 discovery state",
        "876079087d1bd921538db19e12f7979a093d86cf06ab72d9389a0438cc8b3829",
    ),
    (
        Label::SelfTest,
        "creto/1 self test",
        "5efb3618a2cb3a7155755d6ab83a004daa6e3a5114f6d9641c468952f7aac1c4",
    ),
];

#[test]
fn the_table_is_the_published_one() {
    assert_eq!(GOLDEN.len(), Label::ALL.len());
    for ((label, context, hash), listed) in GOLDEN.iter().zip(Label::ALL) {
        assert_eq!(label, listed);
        assert_eq!(label.context(), *context);
        assert_eq!(
            data_encoding::HEXLOWER.encode(&label.hash()),
            *hash,
            "{label:?}"
        );
    }
}

#[test]
fn no_two_labels_are_alike() {
    let contexts: BTreeSet<_> = Label::ALL.iter().map(|label| label.context()).collect();
    let hashes: BTreeSet<_> = Label::ALL.iter().map(|label| label.hash()).collect();
    assert_eq!(contexts.len(), Label::ALL.len());
    assert_eq!(hashes.len(), Label::ALL.len());
}

#[test]
fn no_signed_input_can_be_taken_for_tls_or_der() {
    for label in Label::ALL {
        assert!(!matches!(label.hash()[0], 0x20 | 0x30), "{label:?}");
    }
}

#[test]
fn every_label_names_protocol_and_version() {
    assert!(
        Label::ALL
            .iter()
            .all(|label| label.context().starts_with("creto/1 "))
    );
}

#[test]
fn a_derived_key_is_that_of_the_concatenated_parts() {
    let split = derive_key(Label::Leaf, &[b"ab", b"c"]);
    assert_eq!(split, derive_key(Label::Leaf, &[b"abc"]));
    assert_eq!(split, blake3::derive_key(Label::Leaf.context(), b"abc"));
    assert_ne!(split, derive_key(Label::Seal, &[b"abc"]));
    assert_eq!(derive_secret(Label::Leaf, &[b"abc"]).expose(), &split);
}

#[test]
fn a_mac_depends_on_label_key_and_message() {
    let key = SharedSecret::from_bytes(&[1; 32]);
    let tag = mac(Label::TokenKey, &key, &[b"message"]);
    assert_eq!(tag, mac(Label::TokenKey, &key, &[b"mess", b"age"]));
    assert_ne!(tag, mac(Label::ResetKey, &key, &[b"message"]));
    assert_ne!(
        tag,
        mac(
            Label::TokenKey,
            &SharedSecret::from_bytes(&[2; 32]),
            &[b"message"]
        )
    );
    assert_ne!(tag, mac(Label::TokenKey, &key, &[b"massage"]));
}
