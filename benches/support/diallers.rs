//! Several diallers at once, whatever each does.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::Failure;
use super::rounds::{Sample, sample};

/// Diallers of a side, each with an identity and a socket: their handshakes overlap.
pub(crate) const DIALLERS: usize = 8;

/// One of the diallers of a side.
pub(crate) trait Dialler: Clone + Send + 'static {
    /// A connection from its first packet until both ends confirmed it, and its end.
    fn once(&self) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Lets all diallers run for a while and adds up what they did.
pub(crate) async fn all<D: Dialler>(diallers: &[D], span: Duration) -> Result<Sample, Failure> {
    sample(async || {
        let end = Instant::now() + span;
        let mut running = JoinSet::new();
        for dialler in diallers {
            running.spawn(until(dialler.clone(), end));
        }
        let mut done = 0.0;
        while let Some(outcome) = running.join_next().await {
            done += outcome??;
        }
        Ok(done)
    })
    .await
}

async fn until<D: Dialler>(dialler: D, end: Instant) -> Result<f64, Failure> {
    let mut done = 0.0;
    while Instant::now() < end {
        dialler.once().await?;
        done += 1.0;
    }
    Ok(done)
}
