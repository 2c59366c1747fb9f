//! What the swarm tells the application, without ever waiting for it.

mod event;
mod hub;
mod reason;
#[cfg(test)]
mod tests;

pub use event::{Event, SwarmEvent};
pub use hub::{EventHub, EventStream, Lagged};
pub use reason::IncomingRefusal;
