//! How a message is declared.

/// Declares a struct or an enum together with its encoding: every field must be on the allow-list of
/// [`WireType`](super::WireType), or the declaration does not compile.
///
/// The order of the fields is the format. A variant carries its number and, in place of a tuple,
/// named fields: `Peer(peer: PeerId) = 1`. bincode's own derive would do the same work; it cannot
/// refuse a type, and leaves the numbers of variants to the order in which they are written.
macro_rules! wire_message {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty,)+
        }
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $type,)+
        }

        $crate::wire::codec::wire_impl! {
            $name, 0 $(+ <$type as $crate::wire::codec::WireType>::MIN_LEN)+,
            encode(self, encoder) {
                $($crate::wire::codec::encode_field(&self.$field, encoder)?;)+
                Ok(())
            }
            decode(decoder) {
                Ok(Self { $($field: $crate::wire::codec::decode_field::<$type, _>(decoder)?,)+ })
            }
        }
    };
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $(
                $(#[$variant_meta:meta])*
                $variant:ident
                    $(($($part:ident: $part_type:ty),+))?
                    $({ $($(#[$field_meta:meta])* $field:ident: $field_type:ty),+ $(,)? })?
                    = $number:literal,
            )+
        }
    ) => {
        $(#[$meta])*
        $vis enum $name {
            $(
                $(#[$variant_meta])*
                $variant $(($($part_type),+))? $({ $($(#[$field_meta])* $field: $field_type),+ })?,
            )+
        }

        $crate::wire::codec::wire_impl! {
            $name, 1 + $crate::wire::codec::smallest(&[$(
                0 $($(+ <$part_type as $crate::wire::codec::WireType>::MIN_LEN)+)?
                  $($(+ <$field_type as $crate::wire::codec::WireType>::MIN_LEN)+)?,
            )+]),
            encode(self, encoder) {
                match self {$(
                    Self::$variant $(($($part),+))? $({ $($field),+ })? => {
                        $crate::wire::codec::encode_field::<u32, _>(&$number, encoder)?;
                        $($($crate::wire::codec::encode_field($part, encoder)?;)+)?
                        $($($crate::wire::codec::encode_field($field, encoder)?;)+)?
                    }
                )+}
                Ok(())
            }
            decode(decoder) {
                match $crate::wire::codec::decode_field::<u32, _>(decoder)? {
                    $($number => Ok(Self::$variant
                        $(($($crate::wire::codec::decode_field::<$part_type, _>(decoder)?),+))?
                        $({ $($field: $crate::wire::codec::decode_field::<$field_type, _>(decoder)?),+ })?
                    ),)+
                    _ => Err($crate::wire::codec::refuse(
                        decoder,
                        $crate::wire::Violation::InvalidValue,
                    )),
                }
            }
        }
    };
}

/// Implements the three traits that make a type of this crate a wire type.
macro_rules! wire_impl {
    (
        $name:ty, $min_len:expr,
        encode($this:ident, $encoder:ident) $encode:block
        decode($decoder:ident) $decode:block
    ) => {
        impl $crate::wire::codec::Sealed for $name {}

        impl $crate::wire::codec::WireType for $name {
            const MIN_LEN: usize = $min_len;
        }

        impl $crate::wire::codec::bincode::Encode for $name {
            fn encode<E: $crate::wire::codec::bincode::enc::Encoder>(
                &$this,
                $encoder: &mut E,
            ) -> Result<(), $crate::wire::codec::bincode::error::EncodeError> $encode
        }

        impl $crate::wire::codec::bincode::Decode<$crate::wire::codec::Source> for $name {
            fn decode<D>(
                $decoder: &mut D,
            ) -> Result<Self, $crate::wire::codec::bincode::error::DecodeError>
            where
                D: $crate::wire::codec::bincode::de::Decoder<
                    Context = $crate::wire::codec::Source,
                >,
            $decode
        }
    };
}

/// Puts [`Converted`](super::Converted) types on the allow-list.
macro_rules! wire_converted {
    ($($name:ty),+) => {$(
        $crate::wire::codec::wire_impl! {
            $name,
            <<Self as $crate::wire::codec::Converted>::Wire
                as $crate::wire::codec::WireType>::MIN_LEN,
            encode(self, encoder) {
                let wire = $crate::wire::codec::Converted::to_wire(self);
                $crate::wire::codec::encode_field(&wire, encoder)
            }
            decode(decoder) {
                let wire = $crate::wire::codec::decode_field(decoder)?;
                <Self as $crate::wire::codec::Converted>::from_wire(wire)
                    .map_err(|violation| $crate::wire::codec::refuse(decoder, violation))
            }
        }
    )+};
}

pub(crate) use {wire_converted, wire_impl, wire_message};
