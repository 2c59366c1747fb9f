//! Attacks on what is connected, and the limits that hold them.

mod early_data;
mod event_reader;
mod flood;
mod limits;
mod spoofed;
mod stolen_flight;
mod twin;
