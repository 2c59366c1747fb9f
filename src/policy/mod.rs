//! Small policy objects that take the time as an argument.

mod backoff;
mod ip_group;
mod quota;
mod time;
mod token_bucket;
mod weight;

#[cfg(test)]
mod tests;

pub use backoff::Backoff;
pub use ip_group::{IpGroup, is_globally_routable};
pub use quota::{Quota, QuotaExceeded};
pub use time::{Micros, Now, UnixMillis};
pub use token_bucket::TokenBucket;
pub use weight::Weight;
