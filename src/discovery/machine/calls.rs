//! Requests of this node that wait for an answer, and how long they may take.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::OperationId;
use super::io::CallId;
use super::search::SearchId;
use crate::identity::PeerId;
use crate::policy::Micros;
use crate::wire::message::discovery::Contact;

/// A peer that answered before is given up after three of its round-trip times, and no later than
/// this. Until then an answer is hoped for where there are too few others.
const LONGEST: Duration = Duration::from_secs(1);

/// And not before this: a busy host schedules a process some ten milliseconds late.
const SHORTEST: Duration = Duration::from_millis(100);

/// Another peer is asked meanwhile no sooner than this, for the same reason.
const SOONEST_HEDGE: Duration = Duration::from_millis(20);

/// For a peer never met, another one is asked after this, or after what nine of ten new contacts took.
const NEW_CONTACT_HEDGE: Duration = Duration::from_millis(200);

/// Bulk transfers carry half a megabyte and wait for signatures to be verified.
const BULK: Duration = Duration::from_secs(5);

/// Contacts whose time to the first answer is remembered.
const RECENT: usize = 64;

/// For what a request was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A step of a search.
    Search(SearchId),
    /// The same question once more, of a node whose answer is late: it is taken as the first one's, and nothing else
    /// comes of it.
    Repeated(SearchId, Repetition),
    /// An operation's own request, with a number that it understands.
    Operation(OperationId, u64),
    /// Whether a node is there.
    Probe,
}

/// Which repetition of a question. The last is for where question and answer were lost, and one of the first
/// repetition's packets, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repetition {
    First,
    Last,
}

/// How late an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Late {
    /// Ask another one meanwhile.
    Slow,
    /// Give it up; the answer still counts when it comes, and nothing else is known of the peer.
    GivenUp,
    /// Nobody hopes any more.
    Lost,
}

#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) contact: Contact,
    pub(super) purpose: Purpose,
    pub(super) request: u8,
    pub(super) sent: Micros,
    /// Whether a connection existed when it was sent.
    pub(super) was_warm: bool,
    patience: Patience,
    /// The last deadline that has passed.
    late: Option<Late>,
}

/// How long an answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience {
    hedge: Duration,
    give_up: Duration,
    lost: Duration,
}

/// All requests under way, by number and by deadline.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls {
    next: u64,
    calls: BTreeMap<CallId, Call>,
    deadlines: BTreeSet<(Micros, CallId)>,
    /// How long the last new contacts took to answer.
    recent: VecDeque<Duration>,
}

impl Purpose {
    /// The search whose question it is.
    pub(super) const fn search(self) -> Option<SearchId> {
        match self {
            Self::Search(search) | Self::Repeated(search, _) => Some(search),
            Self::Operation(..) | Self::Probe => None,
        }
    }
}

impl Call {
    /// Whether nobody counts on an answer any more.
    pub(super) fn is_given_up(&self) -> bool {
        self.late >= Some(Late::GivenUp)
    }

    /// Whether what is answered at this time is waited for.
    pub(super) fn is_hoped_for(&self, at: Micros) -> bool {
        at < self.sent + self.patience.give_up
    }

    /// The next deadline, and what it means. One that another comes before is left out.
    fn deadline(&self) -> Option<(Micros, Late)> {
        let Patience {
            hedge,
            give_up,
            lost,
        } = self.patience;
        let stages = [
            (Late::Slow, hedge, give_up),
            (Late::GivenUp, give_up, lost),
            (Late::Lost, lost, Duration::MAX),
        ];
        let mut to_come = stages
            .into_iter()
            .filter(|(late, at, next)| Some(*late) > self.late && at < next);
        let (late, after, _) = to_come.next()?;
        Some((self.sent + after, late))
    }
}

impl Patience {
    /// For a connected peer.
    pub(super) fn warm(rtt: Duration) -> Self {
        Self {
            hedge: (rtt * 3 / 2).clamp(SOONEST_HEDGE, LONGEST),
            give_up: (rtt * 3).clamp(SHORTEST, LONGEST),
            lost: LONGEST,
        }
    }

    /// For a question that is repeated to a connected peer when the first became late: what is left of the time for
    /// which that one is waited for. When it is repeated once more, an answer still has a round trip and a quarter.
    pub(super) fn repeated(rtt: Duration) -> Self {
        let first = Self::warm(rtt);
        Self {
            hedge: (rtt / 4).max(SOONEST_HEDGE),
            give_up: first.give_up - first.hedge,
            lost: LONGEST,
        }
    }

    /// For a question whose answer nobody is in a hurry for.
    pub(super) const fn unhurried() -> Self {
        Self {
            hedge: LONGEST,
            give_up: LONGEST,
            lost: LONGEST,
        }
    }

    /// For a bulk transfer: nobody else is asked in its place.
    pub(super) const fn bulk() -> Self {
        Self {
            hedge: BULK,
            give_up: BULK,
            lost: BULK,
        }
    }
}

impl Calls {
    /// For a peer that was never met.
    pub(super) fn unknown(&self) -> Patience {
        let hedge = NEW_CONTACT_HEDGE.max(self.new_contact());
        Patience {
            hedge: hedge.min(LONGEST),
            ..Patience::unhurried()
        }
    }

    /// For a peer that was met before and is not connected: the handshake takes another round trip,
    /// and on a busy host, at either end, more than that.
    pub(super) fn cold(&self, rtt: Duration) -> Patience {
        Patience::warm((rtt * 2).max(self.new_contact()))
    }

    /// What nine of ten new contacts took lately.
    fn new_contact(&self) -> Duration {
        let mut recent: Vec<_> = self.recent.iter().copied().collect();
        recent.sort_unstable();
        let nine_of_ten = recent.get(recent.len() * 9 / 10).copied();
        nine_of_ten.unwrap_or_default()
    }

    /// A new contact answered after `span`.
    pub(super) fn note_new_contact(&mut self, span: Duration) {
        if self.recent.len() >= RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(span);
    }

    pub(super) fn insert(
        &mut self,
        now: Micros,
        (contact, request, purpose): (Contact, u8, Purpose),
        patience: Patience,
        was_warm: bool,
    ) -> CallId {
        let id = CallId(self.next);
        self.next += 1;
        let call = Call {
            contact,
            purpose,
            request,
            sent: now,
            was_warm,
            patience,
            late: None,
        };
        self.deadlines
            .extend(call.deadline().map(|(at, _)| (at, id)));
        self.calls.insert(id, call);
        id
    }

    pub(super) fn remove(&mut self, id: CallId) -> Option<Call> {
        let call = self.calls.remove(&id)?;
        if let Some((at, _)) = call.deadline() {
            self.deadlines.remove(&(at, id));
        }
        Some(call)
    }

    pub(super) fn get(&self, id: CallId) -> Option<&Call> {
        self.calls.get(&id)
    }

    /// The next call whose deadline has come, and what that means.
    pub(super) fn next_late(&mut self, now: Micros) -> Option<(CallId, Late)> {
        let &(at, id) = self.deadlines.first()?;
        if at > now {
            return None;
        }
        self.deadlines.pop_first();
        let call = self.calls.get_mut(&id)?;
        let (_, late) = call.deadline()?;
        call.late = Some(late);
        self.deadlines
            .extend(call.deadline().map(|(at, _)| (at, id)));
        Some((id, late))
    }

    pub(super) fn next_deadline(&self) -> Option<Micros> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Calls for one search or operation.
    pub(super) fn with_purpose(&self, is_meant: impl Fn(Purpose) -> bool) -> Vec<CallId> {
        let meant = self.calls.iter().filter(|(_, call)| is_meant(call.purpose));
        meant.map(|(id, _)| *id).collect()
    }

    /// Questions of a search that wait for a peer's answer.
    pub(super) fn of_search(&self, search: SearchId, peer: &PeerId) -> Vec<CallId> {
        let calls = self.calls.iter();
        let meant = calls.filter(|(_, call)| {
            call.purpose.search() == Some(search) && call.contact.peer == *peer
        });
        meant.map(|(id, _)| *id).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }
}
