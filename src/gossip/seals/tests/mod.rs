//! Tests of the room, by theme.

mod caches;
mod pacer;
mod received;
mod references;

use super::*;
