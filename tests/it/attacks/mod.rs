//! Attacks on what is connected, and the limits that hold them.

mod event_reader;

mod limits;

mod twin;
