//! The path-switching socket below quinn.

mod path;

pub use path::Path;
