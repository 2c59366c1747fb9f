use serde_json::json;

use super::{Vectors, hex};
use crate::crypto::Label;
use crate::wire::ErrorCode;

#[test]
fn labels() {
    let mut vectors = Vectors::new(
        "text: a BLAKE3 derive_key context. value: the label hash, derive_key of the empty input.",
    );
    for &label in Label::ALL {
        vectors.valid_text(
            &format!("{label:?}"),
            label.context(),
            json!(hex(&label.hash())),
        );
    }
    vectors.check("labels.json");
}

#[test]
fn error_codes() {
    let mut vectors = Vectors::new("text: the name of an error code. value: its number.");
    for &code in ErrorCode::ALL {
        vectors.valid_text(&format!("{code:?}"), code.name(), json!(u64::from(code)));
    }
    vectors.check("error_codes.json");
}
