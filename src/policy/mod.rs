//! Small policy objects that take the time as an argument.

mod time;

pub use time::{Micros, Now, UnixMillis};
