use std::sync::Arc;

use super::super::*;
use super::providers;

#[test]
fn every_backend_passes() {
    for provider in providers() {
        assert_eq!(self_test(&*provider), Ok(()), "{}", provider.name());
    }
}

/// What a broken backend does wrong; everything else it leaves to `RustCrypto`.
#[derive(Debug, Clone, Copy)]
enum Fault {
    ConstantRandomness,
    WrongSigningKey,
    SignsAnotherMessage,
    VerifiesNothing,
    VerifiesEverything,
    WrongKemKey,
    EncapsulatesToAnother,
    SkipsModulusCheck,
    WrongScalar,
    NoEntropy,
}

#[derive(Debug)]
struct Broken(Fault, RustCrypto);

#[derive(Debug)]
struct MisleadSigner(Arc<dyn SigningKey>);

impl SigningKey for MisleadSigner {
    fn verifying_key(&self) -> &[u8; VERIFYING_KEY_BYTES] {
        self.0.verifying_key()
    }

    fn sign(&self, _: &[u8]) -> Result<Signature, ProviderFailure> {
        self.0.sign(b"another message")
    }
}

impl Provider for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn random(&self, out: &mut [u8]) -> Result<(), ProviderFailure> {
        match self.0 {
            Fault::ConstantRandomness => out.fill(1),
            Fault::NoEntropy => return Err(EntropyFailure.into()),
            _ => self.1.random(out)?,
        }
        Ok(())
    }

    fn signing_key(&self, seed: &SigningSeed) -> Result<Arc<dyn SigningKey>, ProviderFailure> {
        match self.0 {
            Fault::WrongSigningKey => self.1.signing_key(&SigningSeed::from_bytes(&[1; 32])),
            Fault::SignsAnotherMessage => Ok(Arc::new(MisleadSigner(self.1.signing_key(seed)?))),
            _ => self.1.signing_key(seed),
        }
    }

    fn verify(
        &self,
        key: &[u8; VERIFYING_KEY_BYTES],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        match self.0 {
            Fault::VerifiesNothing => Err(InvalidSignature),
            Fault::VerifiesEverything => Ok(()),
            _ => self.1.verify(key, message, signature),
        }
    }

    fn decapsulation_key(
        &self,
        seed: &KemSeed,
    ) -> Result<Box<dyn DecapsulationKey>, ProviderFailure> {
        match self.0 {
            Fault::WrongKemKey => self.1.generate_decapsulation_key(),
            _ => self.1.decapsulation_key(seed),
        }
    }

    fn encapsulate(
        &self,
        key: &[u8; ENCAPSULATION_KEY_BYTES],
    ) -> Result<Encapsulated, KeyExchangeError> {
        let another = || {
            *self
                .1
                .generate_decapsulation_key()
                .unwrap()
                .encapsulation_key()
        };
        match (self.0, self.1.encapsulate(key)) {
            (Fault::EncapsulatesToAnother, _) | (Fault::SkipsModulusCheck, Err(_)) => {
                self.1.encapsulate(&another())
            }
            (_, result) => result,
        }
    }

    fn agreement_key(
        &self,
        scalar: &X25519Scalar,
    ) -> Result<Box<dyn AgreementKey>, ProviderFailure> {
        match self.0 {
            Fault::WrongScalar => self.1.generate_agreement_key(),
            _ => self.1.agreement_key(scalar),
        }
    }
}

#[test]
fn a_broken_backend_is_named_with_what_it_broke() {
    let failure = ProviderFailure::Entropy(EntropyFailure);
    for (fault, primitive, check) in [
        (
            Fault::ConstantRandomness,
            Primitive::Randomness,
            SelfTestCheck::KnownAnswer,
        ),
        (
            Fault::NoEntropy,
            Primitive::Randomness,
            SelfTestCheck::Provider(failure),
        ),
        (
            Fault::WrongSigningKey,
            Primitive::MlDsa87,
            SelfTestCheck::KnownAnswer,
        ),
        (
            Fault::VerifiesNothing,
            Primitive::MlDsa87,
            SelfTestCheck::KnownAnswer,
        ),
        (
            Fault::SignsAnotherMessage,
            Primitive::MlDsa87,
            SelfTestCheck::RoundTrip,
        ),
        (
            Fault::VerifiesEverything,
            Primitive::MlDsa87,
            SelfTestCheck::Refusal,
        ),
        (
            Fault::WrongKemKey,
            Primitive::MlKem768,
            SelfTestCheck::KnownAnswer,
        ),
        (
            Fault::EncapsulatesToAnother,
            Primitive::MlKem768,
            SelfTestCheck::RoundTrip,
        ),
        (
            Fault::SkipsModulusCheck,
            Primitive::MlKem768,
            SelfTestCheck::Refusal,
        ),
        (
            Fault::WrongScalar,
            Primitive::X25519,
            SelfTestCheck::KnownAnswer,
        ),
    ] {
        let found = self_test(&Broken(fault, RustCrypto::new())).unwrap_err();
        assert_eq!(
            found,
            SelfTestFailure {
                provider: "broken",
                primitive,
                check
            },
            "{fault:?}"
        );
    }
}
