//! Seals in use: how they are paced, named on a stream, checked, admitted and remembered.
//!
//! *Publishing.* [`Pacer`] groups what the program says into lists to be signed. [`SentReferences`]
//! says for each stream what its receiver holds already.
//!
//! *Receiving.* [`check_key`], [`check_seal`] and [`check_message`] refuse what nobody can have made;
//! [`ReceivedReferences`] resolves what a stream refers to. A seal that is new, and of which a message
//! passed every cheaper check, is offered to [`Admission`], which says whose turn it is to be verified;
//! [`VerifiedSeals`] remembers the verdict.
//!
//! Keys and seals are shared: a thousand streams that name one seal hold it once.

pub mod admission;
mod key_cache;
mod pacer;
mod received;
mod references;
mod shared;
#[cfg(test)]
pub(super) mod testing;
mod verified;
mod window;

#[cfg(test)]
mod tests;

pub use admission::{Admission, Admitted, Offer};
pub use key_cache::{KeyCache, MAX_KEYS};
pub use pacer::{Batch, MAX_TOPICS_OF_PUBLISHER, MAX_WAITING_BYTES, Pacer, Pending};
pub use received::{check_key, check_large, check_message, check_seal};
pub use references::{ReceivedReferences, Reference, SentReferences, UnknownOrdinal};
pub use shared::{Listed, SealId, SharedSeal};
pub use verified::{
    MAX_BEING_VERIFIED, MAX_HELD_BYTES, MAX_VERDICTS, NotBegun, SealState, Validity, VerifiedSeals,
};
