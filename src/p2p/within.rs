//! Futures that are usually ready.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::time::sleep;

/// The time allowed is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Late;

/// Waits for `future`, at most `limit` from the first moment at which it has to wait. Unlike
/// tokio's `timeout` this reads no clock and sets no timer for a future that is ready at once, as
/// the steps of a small request are.
///
/// The future comes pinned: moving a large one costs more than polling it.
pub(super) async fn within<F: Future + ?Sized>(
    limit: Duration,
    mut future: Pin<&mut F>,
) -> Result<F::Output, Late> {
    let mut alarm = pin!(None);
    poll_fn(move |context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        if alarm.is_none() {
            alarm.set(Some(sleep(limit)));
        }
        match alarm.as_mut().as_pin_mut() {
            Some(alarm) => alarm.poll(context).map(|()| Err(Late)),
            None => Poll::Pending,
        }
    })
    .await
}

/// Runs `future` until it has to wait; whether it came to its end. A panic is an end too: it belongs
/// to the future, as in a task of its own, and not to the task that runs it.
pub(super) async fn runs_through<F>(mut future: Pin<&mut F>) -> bool
where
    F: Future<Output = ()> + ?Sized,
{
    poll_fn(|context| {
        // The future is not polled again, so nothing sees what the panic left half done.
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        Poll::Ready(polled.map_or(true, |polled| polled.is_ready()))
    })
    .await
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;
    use tokio::time::Instant;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(100);

    #[tokio::test(start_paused = true)]
    async fn a_future_that_never_ends_is_late_at_the_limit() {
        let start = Instant::now();
        let outcome = within(LIMIT, pin!(std::future::pending::<()>())).await;
        assert_eq!(outcome, Err(Late));
        assert_eq!(start.elapsed(), LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_future_that_ends_before_the_limit_is_in_time() {
        let outcome = within(LIMIT, pin!(sleep(LIMIT - Duration::from_millis(1)))).await;
        assert_eq!(outcome, Ok(()));
    }

    #[test]
    fn a_future_that_is_ready_needs_no_timer() {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        // Without its time driver, tokio panics at the first timer.
        assert_eq!(
            runtime.unwrap().block_on(within(LIMIT, pin!(async { 7 }))),
            Ok(7)
        );
    }

    #[tokio::test]
    async fn a_future_that_panics_is_over_and_its_runner_goes_on() {
        let mut future = Box::pin(async { panic!("of the future") });
        assert!(runs_through(future.as_mut()).await);
    }

    #[tokio::test]
    async fn a_future_that_waits_is_left_where_it_stands() {
        let (sender, receiver) = oneshot::channel();
        let mut future = Box::pin(async move { assert_eq!(receiver.await, Ok(1)) });
        assert!(!runs_through(future.as_mut()).await);
        sender.send(1).unwrap();
        future.await;
    }
}
