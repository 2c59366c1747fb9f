//! Which faults count against a peer, and which never do.

mod addresses;
mod counts;
mod never;
