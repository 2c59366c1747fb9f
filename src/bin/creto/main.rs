//! The program `creto`.
fn main() {}
