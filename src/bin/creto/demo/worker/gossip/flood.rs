//! A topic at full speed: as fast as the slowest of the others counts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use cretoai_network::identity::PeerId;
use cretoai_network::node::P2PNode;
use cretoai_network::p2p::Refusal;
use cretoai_network::services::gossip::{GossipError, Received, SubscribeOptions, Subscription};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Reply, Trouble, message, number_at, to_micros};

/// Topic of the messages.
pub(super) const TOPIC: &str = "flood";

/// Application protocol in which a publisher asks whether so many of its messages were counted: it is
/// answered when they were.
const COUNTED: u32 = 0x44;

/// Messages after which a publisher looks whether the others follow: they share a signature, of which there
/// are 50 a second, so that a node says 12 800 a second at most.
const CHUNK: u64 = 256;

/// Chunks that a publisher is ahead of the slowest of the others: what five nodes say and pass on so fits
/// in the mebibyte that gossip queues for a neighbour.
const AHEAD: u64 = 2;

/// Messages that wait for the count: all that 32 nodes are ahead.
const WAITING: usize = 16_384;

pub(in super::super) struct Flood {
    node: P2PNode,
    /// Messages of this node until now.
    published: Mutex<u64>,
}

/// What came of each publisher.
#[derive(Debug, Default)]
struct Counts(Mutex<BTreeMap<PeerId, Count>>);

/// Each number counts once. They come nearly in order.
#[derive(Debug, Default)]
struct Count {
    /// All numbers below it came,
    next: u64,
    /// and these behind it.
    ahead: BTreeSet<u64>,
    /// Who is told when so many came.
    waiting: Option<(u64, oneshot::Sender<()>)>,
}

impl Flood {
    pub(super) async fn listen(node: &P2PNode) -> Result<Self, Trouble> {
        let options = SubscribeOptions {
            capacity: WAITING,
            ..SubscribeOptions::default()
        };
        let subscription = node.gossip().subscribe(TOPIC, options).await?;
        let counts = Arc::new(Counts::default());
        tokio::spawn(Arc::clone(&counts).count(subscription));
        node.handle(COUNTED, move |publisher, wanted| {
            let counted = number(&wanted).map(|wanted| counts.wait_for(publisher, wanted));
            async move {
                let counted = counted.ok_or(Refusal::Refused)?;
                counted.await.map_err(|_| Refusal::Refused)?;
                Ok(Bytes::new())
            }
        })?;
        Ok(Self {
            node: node.clone(),
            published: Mutex::default(),
        })
    }

    /// Publishes messages and waits until all others have counted them. Numbers go on from earlier runs.
    pub(in super::super) async fn run(&self, messages: u64) -> Result<Reply, Trouble> {
        let before = *lock(&self.published);
        let after = before + messages;
        let mut publishing = JoinSet::new();
        let start = Instant::now();
        for number in before..after {
            let ahead = number - before;
            if ahead.is_multiple_of(CHUNK) && ahead >= AHEAD * CHUNK {
                self.all_counted(number + CHUNK - AHEAD * CHUNK).await?;
                finished(&mut publishing)?;
            }
            let (node, message) = (self.node.clone(), message(&[number]));
            publishing.spawn(async move { node.gossip().publish(TOPIC, message.into()).await });
        }
        self.all_counted(after).await?;
        let micros = to_micros(start.elapsed());
        *lock(&self.published) = after;
        finished(&mut publishing)?;
        Ok(Reply::FloodTopic { micros })
    }

    /// Waits until all peers have counted so many messages of this node.
    async fn all_counted(&self, messages: u64) -> Result<(), Trouble> {
        let mut asking = JoinSet::new();
        for peer in self.node.peers() {
            let node = self.node.clone();
            let wanted = Bytes::copy_from_slice(&messages.to_le_bytes());
            asking.spawn(async move { node.request(peer, COUNTED, wanted).await });
        }
        while let Some(counted) = asking.join_next().await {
            counted??;
        }
        Ok(())
    }
}

/// Takes out the publications that are done.
fn finished<T: Send + 'static>(
    publishing: &mut JoinSet<Result<T, GossipError>>,
) -> Result<(), Trouble> {
    while let Some(outcome) = publishing.try_join_next() {
        outcome??;
    }
    Ok(())
}

impl Counts {
    async fn count(self: Arc<Self>, mut subscription: Subscription) {
        while let Some(received) = subscription.next().await {
            // What is lost is never counted, and so told to its publisher by silence.
            let Received::Message(message) = received else {
                continue;
            };
            if let (Some(source), Some(number)) = (message.source, number_at(&message.data, 0)) {
                let mut counts = lock(&self.0);
                counts.entry(source.publisher).or_default().add(number);
            }
        }
    }

    /// Ends when so many messages of a publisher came. Of two that wait for one publisher the first ends
    /// without that.
    fn wait_for(&self, publisher: PeerId, wanted: u64) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut counts = lock(&self.0);
        let count = counts.entry(publisher).or_default();
        count.waiting = Some((wanted, sender));
        count.tell();
        receiver
    }
}

impl Count {
    fn add(&mut self, number: u64) {
        if number > self.next {
            self.ahead.insert(number);
        } else if number == self.next {
            self.next += 1;
            while self.ahead.remove(&self.next) {
                self.next += 1;
            }
        }
        self.tell();
    }

    fn tell(&mut self) {
        let next = self.next;
        if let Some((_, told)) = self.waiting.take_if(|(wanted, _)| *wanted <= next) {
            // Who asked may be gone.
            _ = told.send(());
        }
    }
}

fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_le_bytes)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count_of(numbers: &[u64]) -> Count {
        let mut count = Count::default();
        numbers.iter().for_each(|number| count.add(*number));
        count
    }

    #[test]
    fn each_number_counts_once_in_any_order() {
        for numbers in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2]] {
            let count = count_of(&numbers);
            assert_eq!((count.next, count.ahead.len()), (4, 0));
        }
        assert_eq!(count_of(&[0, 0, 1, 1, 0]).next, 2);
        assert_eq!(count_of(&[0, 2, 3]).next, 1);
    }

    #[test]
    fn who_waits_is_told_when_all_are_there() {
        let counts = Counts::default();
        let publisher = PeerId::from_bytes([1; 32]);
        let mut waiting = counts.wait_for(publisher, 2);
        for (number, is_told) in [(1, false), (0, true)] {
            lock(&counts.0).get_mut(&publisher).unwrap().add(number);
            assert_eq!(waiting.try_recv().is_ok(), is_told);
        }
        assert!(counts.wait_for(publisher, 2).try_recv().is_ok());
        assert!(counts.wait_for(publisher, 3).try_recv().is_err());
    }
}
