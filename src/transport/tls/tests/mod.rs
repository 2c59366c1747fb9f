//! The stores of resumption, the shape of the ClientHello, and the alerts for keys.

mod client_hello;
mod credential;
mod fifo_store;
mod tickets;
