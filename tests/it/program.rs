//! The program `creto`, as its users meet it: the built binary in processes of its own.

mod bad_input;
mod demo;
mod discovery;
mod gossip;
mod keys;
mod nodes;
mod process;
