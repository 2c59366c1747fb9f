//! Commands that enter a network for a moment: looking up, records, providers.

mod lookup;
mod place;
mod provide;
mod record;

pub(crate) use lookup::Lookup;
pub(crate) use provide::Provide;
pub(crate) use record::Record;
