use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::{AlertDescription, Error};
use serde_json::Value;

use crate::transport::Credential;
use crate::transport::tls::peer_key;

/// The alert that rustls sends for a raw public key; `None` if it is accepted.
fn alert(der: Vec<u8>) -> Option<AlertDescription> {
    match peer_key(Credential::RawPublicKey, &CertificateDer::from(der)) {
        Ok(_) => None,
        Err(refusal) => match Error::from(refusal) {
            Error::InvalidCertificate(reason) => Some(reason.into()),
            other => panic!("{other}"),
        },
    }
}

#[test]
fn each_key_of_the_vectors_is_accepted_or_answered_with_its_alert() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("wire-spec/vectors/spki.json");
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let der = data_encoding::HEXLOWER.decode(case["hex"].as_str().unwrap().as_bytes());
        let expected = match case["alert"].as_str() {
            None => None,
            Some("bad_certificate") => Some(AlertDescription::BadCertificate),
            Some("unsupported_certificate") => Some(AlertDescription::UnsupportedCertificate),
            Some(other) => panic!("{other} is no alert of a key"),
        };
        assert_eq!(expected.is_none(), case["valid"].as_bool().unwrap());
        assert_eq!(alert(der.unwrap()), expected, "{}", case["name"]);
    }
}
