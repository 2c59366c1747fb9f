//! Attackers. Most are an honest machine and something that changes what goes in or comes out.

mod bait;
mod choosy;
mod grafter;
mod mute;

pub use bait::Bait;
pub use choosy::{Choice, Choosy};
pub use grafter::Grafter;
pub use mute::Mute;
