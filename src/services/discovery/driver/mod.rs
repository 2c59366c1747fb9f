//! The task that owns the machine: one input at a time, never waiting for a peer.
//!
//! ```text
//!  events of the swarm ─┐                 ┌─► calls: a task each ──► answers ─┐
//!  commands, cancels ───┼─► Kademlia ─────┼─► signatures: a few at a time ────┼─► Kademlia
//!  requests of peers ───┘  (one timer)    └─► replies, outcomes, events       │
//!        ▲                                                                    │
//!        └────────────────────────────────────────────────────────────────────┘
//! ```

mod outputs;
mod peers;
mod save;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::sleep;

use super::call::Answer;
use super::events::{DiscoveryEvent, DiscoveryHappened};
use super::inbound::Inbound;
use super::state_file::StateFile;
use super::stats::Counted;
use super::warm::WarmPool;
use crate::discovery::record::PendingSignature;
use crate::discovery::{
    CallFailure, CallId, CheckId, Command, Input, Kademlia, Key, OperationId, Outcome, RequestId,
};
use crate::identity::PeerId;
use crate::p2p::{Caller, Event, EventStream, Lagged, Reachability, Refusal, Reply, WeakSwarm};
use crate::policy::Micros;
use crate::transport::environment::Clock;

use peers::Dialling;
pub(super) use peers::as_told;
pub(in crate::services) use peers::introduced;
use save::Saving;

/// Commands, and what else handles say, that wait for the driver: each is a caller that waits too.
pub(super) const MESSAGES: usize = 256;

/// A look at the machine between two inputs.
pub(super) type Look = Box<dyn FnOnce(&Kademlia, Counted) + Send>;

/// What handles tell the driver.
pub(super) enum Message {
    Start {
        operation: OperationId,
        command: Command,
        done: oneshot::Sender<Outcome>,
    },
    Unpublish {
        kind: u16,
        key: Key,
    },
    /// Discovery has dialled this peer beyond the machine's calls.
    Dialled(PeerId),
    /// The network was entered.
    Entered(usize),
    Look(Look),
    /// Save the state; the sender is dropped when that is done.
    Save(oneshot::Sender<()>),
}

/// Events of the swarm that are taken before a timer: as many as it keeps by default. If there are more, some are lost
/// anyhow, and it is asked who is connected.
const MAX_TOLD: usize = 1_024;

/// What the driver is made of.
pub(super) struct Parts {
    pub(super) machine: Kademlia,
    pub(super) swarm: WeakSwarm,
    pub(super) caller: Caller,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) messages: mpsc::Receiver<Message>,
    pub(super) cancels: mpsc::UnboundedReceiver<OperationId>,
    pub(super) inbound: mpsc::Receiver<Inbound>,
    pub(super) swarm_events: EventStream,
    pub(super) reachability: watch::Receiver<Reachability>,
    pub(super) events: broadcast::Sender<DiscoveryEvent>,
    pub(super) size: watch::Sender<usize>,
    pub(super) file: Option<StateFile>,
    pub(super) warm_links: usize,
    /// A peer with this score or less has no place in the table.
    pub(super) veto_at: i32,
}

/// See the module.
pub(super) struct Driver {
    parts: Parts,
    /// Inputs that came up while outputs were drained.
    later: VecDeque<Input>,
    operations: BTreeMap<OperationId, oneshot::Sender<Outcome>>,
    requests: BTreeMap<RequestId, oneshot::Sender<Result<Reply, Refusal>>>,
    next_request: u64,
    calls: JoinSet<Called>,
    call_tasks: BTreeMap<CallId, AbortHandle>,
    checks: JoinSet<(CheckId, bool)>,
    /// Signatures that wait; as many as the machine lets wait.
    unchecked: VecDeque<(CheckId, Box<PendingSignature>)>,
    connected: BTreeSet<PeerId>,
    dialling: Dialling,
    warm: WarmPool,
    saving: Saving,
    counted: Counted,
}

/// A call that ended.
pub(super) struct Called {
    call: CallId,
    peer: PeerId,
    /// What its dial was charged to.
    charged: Vec<SocketAddr>,
    answer: Result<Answer, CallFailure>,
}

/// What happens next.
enum Step {
    Swarm(Result<Event, Lagged>),
    Message(Message),
    Called(Result<Called, JoinError>),
    Checked(Result<(CheckId, bool), JoinError>),
    Saved(Result<std::io::Result<()>, JoinError>),
    Reachability,
    Inbound(Inbound),
    Time,
}

impl Driver {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            later: VecDeque::new(),
            operations: BTreeMap::new(),
            requests: BTreeMap::new(),
            next_request: 0,
            calls: JoinSet::new(),
            call_tasks: BTreeMap::new(),
            checks: JoinSet::new(),
            unchecked: VecDeque::new(),
            connected: BTreeSet::new(),
            dialling: Dialling::default(),
            warm: WarmPool::new(parts.warm_links),
            saving: Saving::default(),
            counted: Counted::default(),
            parts,
        }
    }

    /// Runs until the swarm stops: it drops the task.
    pub(super) async fn run(mut self) {
        self.look_at_reachability();
        self.saving.begin(self.now(), self.parts.file.is_some());
        loop {
            self.keep_time();
            let step = self.next().await;
            self.take(step);
        }
    }

    /// What has come due, and what is no longer wanted: never late, however much else there is.
    fn keep_time(&mut self) {
        while let Ok(operation) = self.parts.cancels.try_recv() {
            self.operations.remove(&operation);
            self.feed(Input::Cancel(operation));
        }
        let now = self.now();
        if self
            .parts
            .machine
            .poll_timeout()
            .is_some_and(|at| at <= now)
        {
            // Answers that are here are not late, however late this task is; and what the swarm told of the connections
            // that they came over was before them.
            for _ in 0..MAX_TOLD {
                let Some(event) = self.parts.swarm_events.try_next() else {
                    break;
                };
                self.take(Step::Swarm(event));
            }
            while let Some(called) = self.calls.try_join_next() {
                self.take(Step::Called(called));
            }
            self.feed(Input::Timer);
        }
        if self.saving.is_due(now) {
            self.save(None);
        }
    }

    /// Waits for the next thing, no longer than until a timer is due. What this node began comes
    /// before what others want of it.
    async fn next(&mut self) -> Step {
        let due = self.parts.machine.poll_timeout();
        let due = due.into_iter().chain(self.saving.due()).min();
        let wait = due.map(|at| at.since(self.now()));
        let time = async {
            match wait {
                Some(wait) => sleep(wait).await,
                None => std::future::pending().await,
            }
        };
        let parts = &mut self.parts;
        tokio::select! {
            biased;
            Some(event) = parts.swarm_events.next() => Step::Swarm(event),
            // Answers before commands: there are never more of them than were asked for, and one that waits
            // behind a program that asks without pause would count as a dead peer.
            Some(called) = self.calls.join_next() => Step::Called(called),
            Some(checked) = self.checks.join_next() => Step::Checked(checked),
            Some(saved) = self.saving.tasks.join_next() => Step::Saved(saved),
            Some(message) = parts.messages.recv() => Step::Message(message),
            Ok(()) = parts.reachability.changed() => Step::Reachability,
            Some(operation) = parts.cancels.recv() => {
                self.operations.remove(&operation);
                self.later.push_back(Input::Cancel(operation));
                Step::Time
            }
            Some(inbound) = parts.inbound.recv() => Step::Inbound(inbound),
            () = time => Step::Time,
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Swarm(Ok(event)) => self.swarm_event(event.what),
            Step::Swarm(Err(Lagged { .. })) => self.look_again(),
            Step::Message(message) => self.message(message),
            Step::Called(Ok(called)) => self.called(called),
            Step::Checked(Ok((check, is_valid))) => {
                self.feed(Input::Verified { check, is_valid });
                self.verify_next();
            }
            Step::Checked(Err(_)) => self.verify_next(),
            // An aborted task: nobody waits for it.
            Step::Called(Err(_)) => {}
            Step::Saved(saved) => self.saved(saved),
            Step::Reachability => self.look_at_reachability(),
            Step::Inbound(inbound) => self.inbound(inbound),
            Step::Time => self.drain(),
        }
    }

    fn message(&mut self, message: Message) {
        match message {
            Message::Start {
                operation,
                command,
                done,
            } => {
                // Given up before it began: its cancellation may have come already.
                if !done.is_closed() {
                    self.operations.insert(operation, done);
                    self.feed(Input::Start { operation, command });
                }
            }
            Message::Unpublish { kind, key } => self.feed(Input::Unpublish { kind, key }),
            Message::Dialled(peer) => self.dialled(peer),
            Message::Entered(contacts) => self.tell(DiscoveryHappened::Entered { contacts }),
            Message::Look(look) => {
                self.counted.warm = self.warm.len();
                look(&self.parts.machine, self.counted);
            }
            Message::Save(done) => self.save(Some(done)),
        }
    }

    fn called(&mut self, called: Called) {
        let Called {
            call,
            peer,
            charged,
            answer,
        } = called;
        if let Err(CallFailure::NoAddress) = answer
            && let Some(swarm) = self.parts.swarm.upgrade()
        {
            swarm.not_probed(&charged);
        }
        if answer.is_err() {
            self.dialling.ended(&peer);
        }
        if self.call_tasks.remove(&call).is_none() {
            return;
        }
        self.feed(match answer {
            Ok(Answer { scope, kind, body }) => Input::Answer {
                call,
                scope,
                kind,
                body,
            },
            Err(why) => Input::Failed { call, why },
        });
    }

    fn inbound(&mut self, inbound: Inbound) {
        if inbound.is_stale(self.now()) {
            self.counted.late += 1;
            // Who asked may be gone.
            _ = inbound.reply.send(Err(Refusal::Busy));
            return;
        }
        self.counted.asked += 1;
        let id = RequestId(self.next_request);
        self.next_request += 1;
        self.requests.insert(id, inbound.reply);
        self.feed(Input::Request {
            id,
            asker: inbound.asker,
            kind: inbound.kind,
            body: inbound.body,
        });
    }

    fn now(&self) -> Micros {
        self.parts.clock.now().mono
    }

    fn feed(&mut self, input: Input) {
        self.parts.machine.handle(self.parts.clock.now(), input);
        self.drain();
    }

    /// Does what the machine wants done, until it wants nothing more.
    fn drain(&mut self) {
        loop {
            while let Some(output) = self.parts.machine.poll_output() {
                self.output(output);
            }
            let Some(input) = self.later.pop_front() else {
                break;
            };
            self.parts.machine.handle(self.parts.clock.now(), input);
        }
        let size = self.parts.machine.table_len();
        self.parts
            .size
            .send_if_modified(|known| std::mem::replace(known, size) != size);
    }

    fn tell(&self, what: DiscoveryHappened) {
        let at = self.now();
        // Without readers the event is nobody's.
        _ = self.parts.events.send(DiscoveryEvent { at, what });
    }
}
