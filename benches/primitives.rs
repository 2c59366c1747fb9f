//! What the primitives cost, in both backends: `cargo bench --bench primitives`.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros write undocumented functions; a bench fails by panicking"
)]

use std::hint::black_box;
use std::sync::Arc;

use cretoai_network::crypto::hybrid::{Initiator, respond};
use cretoai_network::crypto::{AwsLc, Provider, RustCrypto, SigningSeed};
use cretoai_network::identity::Keypair;
use criterion::{Criterion, criterion_group, criterion_main};

/// Length of what is signed: a label hash, a network id and a few fields.
const MESSAGE: [u8; 178] = [7; 178];

fn backends() -> [Arc<dyn Provider>; 2] {
    [Arc::new(AwsLc), Arc::new(RustCrypto::new())]
}

fn signatures(criterion: &mut Criterion) {
    for provider in backends() {
        let name = provider.name();
        let seed = SigningSeed::from_bytes(&[1; 32]);
        let keypair = Keypair::from_seed(provider.clone(), seed).unwrap();
        let signature = keypair.sign(&MESSAGE).unwrap();
        let key = keypair.public_key();
        criterion.bench_function(&format!("{name}/ML-DSA-87 sign"), |bench| {
            bench.iter(|| keypair.sign(black_box(&MESSAGE)).unwrap());
        });
        criterion.bench_function(&format!("{name}/ML-DSA-87 verify"), |bench| {
            bench.iter(|| {
                let verdict = key.verify(&*provider, black_box(&MESSAGE), signature.as_bytes());
                verdict.unwrap();
            });
        });
    }
}

fn key_exchange(criterion: &mut Criterion) {
    for provider in backends() {
        let name = provider.name();
        criterion.bench_function(&format!("{name}/X25519MLKEM768, both ends"), |bench| {
            bench.iter(|| {
                let initiator = Initiator::generate(&*provider).unwrap();
                let response = respond(&*provider, initiator.share()).unwrap();
                initiator.complete(black_box(&response.share[..])).unwrap()
            });
        });
    }
}

criterion_group!(benches, signatures, key_exchange);
criterion_main!(benches);
