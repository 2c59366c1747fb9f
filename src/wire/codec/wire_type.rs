//! The closed list of types that may stand in a message.

use bincode::{Decode, Encode};

use super::Source;

/// Keeps [`WireType`] closed: nothing outside this crate can name it.
pub trait Sealed {}

/// A type that may stand in a message body.
///
/// The list is closed: unsigned integers of fixed width, arrays of bytes, `Option`,
/// [`List`](super::List), [`Text`](super::Text), [`Payload`](super::Payload), the newtypes of the
/// protocol ([`PeerId`](crate::identity::PeerId), [`NetworkId`](crate::wire::NetworkId),
/// [`Address`](crate::wire::Address)) and the messages made of these.
///
/// ```
/// use cretoai_network::wire::codec::{List, Text, WireType};
/// fn allowed<T: WireType>() {}
/// allowed::<u64>();
/// allowed::<Option<[u8; 32]>>();
/// allowed::<List<Text<64>, 8>>();
/// ```
///
/// Whatever has no bound, or more than one encoding, is not on it:
///
/// ```compile_fail,E0277
/// # use cretoai_network::wire::codec::WireType;
/// # fn allowed<T: WireType>() {}
/// allowed::<Vec<u8>>();
/// ```
/// ```compile_fail,E0277
/// # use cretoai_network::wire::codec::WireType;
/// # fn allowed<T: WireType>() {}
/// allowed::<f64>();
/// ```
/// ```compile_fail,E0277
/// # use cretoai_network::wire::codec::WireType;
/// # fn allowed<T: WireType>() {}
/// allowed::<usize>();
/// ```
/// ```compile_fail,E0277
/// # use cretoai_network::wire::codec::WireType;
/// # fn allowed<T: WireType>() {}
/// allowed::<std::time::Duration>();
/// ```
/// ```compile_fail,E0277
/// # use cretoai_network::wire::codec::WireType;
/// # fn allowed<T: WireType>() {}
/// allowed::<std::collections::BTreeMap<u8, u8>>();
/// ```
/// ```compile_fail,E0277
/// # use cretoai_network::wire::codec::WireType;
/// # fn allowed<T: WireType>() {}
/// allowed::<String>();
/// ```
pub trait WireType: Sealed + Encode + Decode<Source> {
    /// Fewest bytes that a value takes: what a list multiplies by its length before it allocates.
    const MIN_LEN: usize;
}

/// Integers take one byte when they are small; `u8` always does.
macro_rules! integers {
    ($($integer:ty),+) => {$(
        impl Sealed for $integer {}
        impl WireType for $integer {
            const MIN_LEN: usize = 1;
        }
    )+};
}

integers!(u8, u16, u32, u64);

impl<const N: usize> Sealed for [u8; N] {}

impl<const N: usize> WireType for [u8; N] {
    const MIN_LEN: usize = N;
}

impl<T: WireType> Sealed for Option<T> {}

impl<T: WireType> WireType for Option<T> {
    const MIN_LEN: usize = 1;
}

/// The least of some lengths: an enum takes its number and at least its smallest variant.
pub(crate) const fn smallest(lengths: &[usize]) -> usize {
    match lengths {
        [] => 0,
        [only] => *only,
        [first, rest @ ..] => {
            let rest = smallest(rest);
            if *first < rest { *first } else { rest }
        }
    }
}
