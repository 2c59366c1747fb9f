//! The only room that knows quinn and rustls: TLS, the endpoint, sockets and paths.

pub mod environment;
mod paths;

pub use paths::Path;
