//! The stores of resumption and the shape of the ClientHello.

mod client_hello;
mod fifo_store;
mod tickets;
