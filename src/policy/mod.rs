//! Small policy objects that take the time as an argument.

mod backoff;
mod ip_group;
mod probe_budget;
mod quota;
mod time;
mod token_bucket;
mod weight;

#[cfg(test)]
mod tests;

pub use backoff::Backoff;
pub use ip_group::{IpGroup, is_globally_routable};
pub use probe_budget::{MAX_PROBED, PROBE_BURST, PROBE_EVERY, ProbeBudget};
pub use quota::{Quota, QuotaExceeded};
pub use time::{Micros, Now, UnixMillis};
pub use token_bucket::TokenBucket;
pub use weight::Weight;
