//! Which links bring whose messages.
//!
//! Every publisher has its own best tree through the network. For each topic and publisher a node
//! learns how late each of its links is, has the first one or two send at once, a few more announce
//! at once, and the rest keep silent. The announcers are not all chosen by what they achieve: an
//! attacker who is fast for a while earns the eager places and two of five announcements, never all.

mod class;
mod standing;
mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use foldhash::{HashMap, HashSet};
use rand_core::Rng;

use super::io::Link;
use super::parcel::Class;
use crate::gossip::TopicHash;
use crate::gossip::config::BySourceConfig;
use crate::policy::Micros;
use crate::wire::message::gossip::Mode;

pub(super) use class::{Learned, Subscriber, cold, mixed};

use class::Choice;
use standing::Standing;
use trial::Trial;

/// Time from the first sight of a message to the next choice of links: by then all have shown what
/// they can.
const RERANK_AFTER: Duration = Duration::from_millis(200);

/// One trial in so many is with any member, and not with one of whom nothing is asked: who sends the messages of
/// one publisher, itself perhaps, may withhold those of all others.
const BUSY_ARE_TRIED: u64 = 8;

/// What is learned of links, by class.
#[derive(Debug)]
pub(super) struct Sources {
    config: BySourceConfig,
    classes: HashMap<Class, Learned>,
    /// Classes that gave way to others, as many as there are at most.
    forgotten: HashSet<Class>,
    due: BTreeSet<(Micros, Class)>,
    standings: BTreeMap<Link, Standing>,
    /// One at a time in each topic.
    trials: BTreeMap<TopicHash, Trial>,
    /// When a member was last tried, in the order of trials.
    tried: BTreeMap<(TopicHash, Link), u64>,
    trial_count: u64,
}

impl Sources {
    pub(super) fn new(config: BySourceConfig) -> Self {
        Self {
            config,
            classes: HashMap::default(),
            forgotten: HashSet::default(),
            due: BTreeSet::new(),
            standings: BTreeMap::new(),
            trials: BTreeMap::new(),
            tried: BTreeMap::new(),
            trial_count: 0,
        }
    }

    /// A message of a class was heard of: each link that should bring it is as late as can be until it
    /// does.
    pub(super) fn heard<R: Rng>(&mut self, now: Micros, class: Class, links: &[Link], rng: &mut R) {
        self.make_room(&class);
        let learned = self
            .classes
            .entry(class)
            .or_insert_with(|| Learned::new(rng.next_u64(), now, self.forgotten.remove(&class)));
        learned.heard(now, links, self.config.lateness_cap);
        let trial = self.trials.get_mut(&class.0);
        let trial = trial.filter(|trial| trial.class == class);
        let has_ended = trial.is_some_and(|trial| trial.heard(now));
        if learned.rerank_at.is_none() {
            let at = now + RERANK_AFTER;
            learned.rerank_at = Some(at);
            self.due.insert((at, class));
        }
        if has_ended {
            self.make_due(now, class);
        }
    }

    /// Links had a message this much later than the first one, and sent it unasked, or announced it.
    pub(super) fn sighted(
        &mut self,
        class: &Class,
        links: impl IntoIterator<Item = (Link, Duration, bool)>,
    ) {
        if let Some(learned) = self.classes.get_mut(class) {
            for (link, late, is_sent) in links {
                // Who is to send at once and announces is as late as can be: it would keep its place so.
                if is_sent || learned.mode(link) != Some(Mode::Eager) {
                    learned.sighted(link, late, self.config.lateness_cap);
                }
            }
        }
    }

    /// What is learned of a class, if anything is.
    pub(super) fn learned(&self, class: &Class) -> Option<&Learned> {
        self.classes.get(class)
    }

    /// Whether links were chosen for a class, and that is forgotten.
    pub(super) fn is_forgotten(&self, class: &Class) -> bool {
        self.forgotten.contains(class)
    }

    /// When the next class is due.
    pub(super) fn next(&self) -> Option<Micros> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The class that is due.
    pub(super) fn pop_due(&mut self, now: Micros) -> Option<Class> {
        let (at, class) = *self.due.first().filter(|(at, _)| *at <= now)?;
        self.due.remove(&(at, class));
        if let Some(learned) = self.classes.get_mut(&class) {
            learned.rerank_at = None;
        }
        Some(class)
    }

    /// Chooses the links of a class anew; what is different.
    pub(super) fn choose(
        &mut self,
        now: Micros,
        class: &Class,
        links: &[Subscriber],
        is_large: bool,
    ) -> Vec<(Link, Mode)> {
        let eager = if is_large {
            self.config.eager_large
        } else {
            self.config.eager
        };
        let cap = self.share_cap(eager, links.len());
        let Some(learned) = self.classes.get_mut(class) else {
            return Vec::new();
        };
        let standings = &self.standings;
        let good = |link: Link| standings.get(&link).is_none_or(|one| !one.is_bad(now));
        let load = |link: Link| standings.get(&link).map_or(0, |one| one.eager_for);
        let choice = Choice {
            eager,
            lazy_random: self.config.lazy_random,
            lazy_outbound: self.config.lazy_outbound,
            lazy_best: self.config.lazy_best,
        };
        let (late, has_room) = (self.config.lateness_cap, |link| load(link) < cap);
        let chosen = learned.choose(links, choice, late, good, has_room);
        let mut changes = Vec::new();
        let tried = self.trials.get(&class.0);
        let tried = tried
            .filter(|trial| trial.class == *class && trial.is_open())
            .map(|trial| trial.link);
        for (link, mode) in chosen {
            let mode = if Some(link) == tried {
                Mode::Eager
            } else {
                mode
            };
            let former = learned.set_mode(now, link, mode);
            if former == Some(mode) {
                continue;
            }
            changes.push((link, mode));
            let standing = self.standings.entry(link).or_default();
            standing.count_eager(former == Some(Mode::Eager), mode == Mode::Eager);
        }
        changes
    }

    /// A link sent a message of a class.
    pub(super) fn sent(&mut self, class: &Class, link: Link) {
        let trial = self.trials.get_mut(&class.0);
        if let Some(trial) = trial.filter(|one| one.class == *class && one.link == link) {
            trial.sent();
        }
    }

    /// Whether a link is asked for the messages of a class to see whether it sends them; and if so, whether
    /// it has heard of that.
    pub(super) fn tried(&self, now: Micros, class: &Class, link: Link) -> Option<bool> {
        let trial = self.trials.get(&class.0);
        let trial = trial.filter(|one| one.class == *class && one.link == link && one.is_open());
        Some(trial?.has_begun(now))
    }

    /// Ends the trial of a topic that is over, and begins the next: with the member of the mesh that was
    /// tried longest ago, for the messages of somebody who says much, and one thing only, and whose it does not send
    /// anyway; mostly with one of whom nothing is asked. Who leaves the mesh in the midst of its trial has the next one when it is back.
    pub(super) fn try_members<R: Rng>(
        &mut self,
        now: Micros,
        (topic, members): (TopicHash, &[Link]),
        is_contested: impl Fn(&Class) -> bool,
        rng: &mut R,
    ) {
        if let Some(trial) = self.trials.get(&topic) {
            if !trial.is_over(now) && members.contains(&trial.link) {
                return;
            }
            let (class, link) = (trial.class, trial.link);
            if !trial.is_over(now) {
                self.tried.remove(&(topic, link));
            }
            self.trials.remove(&topic);
            self.make_due(now, class);
        }
        let tried = |link: &Link| self.tried.get(&(topic, *link)).copied();
        let is_idle = |link: &Link| {
            let standing = self.standings.get(link);
            standing.is_none_or(|standing| standing.eager_for == 0)
        };
        let mut idle = members.iter().copied().filter(is_idle).peekable();
        let includes_all =
            self.trial_count % BUSY_ARE_TRIED == BUSY_ARE_TRIED - 1 || idle.peek().is_none();
        let link = if includes_all {
            members.iter().copied().min_by_key(tried)
        } else {
            idle.min_by_key(tried)
        };
        let Some(link) = link else {
            return;
        };
        let classes = self.classes.iter().filter(|((of, _), learned)| {
            *of == topic && learned.is_lively(now) && learned.mode(link) != Some(Mode::Eager)
        });
        let classes = classes.map(|(class, _)| *class);
        let mut classes: Vec<_> = classes.filter(|class| !is_contested(class)).collect();
        if classes.is_empty() {
            return;
        }
        classes.sort_unstable();
        let drawn = rng.next_u64() % classes.len() as u64;
        let Some(class) = usize::try_from(drawn)
            .ok()
            .and_then(|place| classes.get(place))
        else {
            return;
        };
        self.trial_count += 1;
        self.tried.insert((topic, link), self.trial_count);
        self.trials.insert(topic, Trial::new(link, *class, now));
        self.make_due(now, *class);
    }

    /// A link did not send what it announced: it is bad for a while. The classes in which it was to send
    /// at once are due now.
    pub(super) fn broke_promise(&mut self, now: Micros, link: Link) {
        let hold_down = self.config.hold_down;
        let standing = self.standings.entry(link).or_default();
        // Thousands of promises may end at once, and each would look at all classes.
        if !standing.is_bad(now) {
            standing.hold(now, hold_down);
            self.reconsider(now, link);
        }
    }

    /// Whether a link is one that brings messages of a class, and not only one that is to.
    pub(super) fn has_brought(&self, class: &Class, link: Link) -> bool {
        let learned = self.classes.get(class);
        learned.is_some_and(|learned| learned.has_brought(link, self.config.lateness_cap))
    }

    /// A link that was to send at once did, or did not even announce.
    pub(super) fn eager_result(&mut self, now: Micros, link: Link, was_first: bool) {
        let hold_down = self.config.hold_down;
        let standing = self.standings.entry(link).or_default();
        if standing.sample(was_first) {
            standing.hold(now, hold_down);
            self.reconsider(now, link);
        }
    }

    /// Whether a link is asked last and sends nothing at once.
    pub(super) fn is_bad(&self, now: Micros, link: Link) -> bool {
        let standing = self.standings.get(&link);
        standing.is_some_and(|standing| standing.is_bad(now))
    }

    /// A link is gone: its places are free. What is known of its promises stays.
    pub(super) fn left(&mut self, now: Micros, link: Link) {
        self.reconsider(now, link);
        for learned in self.classes.values_mut() {
            learned.left(link);
        }
        self.tried.retain(|(_, tried), _| *tried != link);
        if let Some(standing) = self.standings.get_mut(&link) {
            standing.eager_for = 0;
        }
        self.standings.retain(|_, standing| standing.counts(now));
    }

    fn reconsider(&mut self, now: Micros, link: Link) {
        let is_eager = |learned: &Learned| learned.mode(link) == Some(Mode::Eager);
        let classes = self.classes.iter();
        let classes = classes.filter(|(_, learned)| is_eager(learned));
        let classes: Vec<_> = classes.map(|(class, _)| *class).collect();
        for class in classes {
            self.make_due(now, class);
        }
    }

    fn make_due(&mut self, now: Micros, class: Class) {
        if let Some(learned) = self.classes.get_mut(&class) {
            if let Some(at) = learned.rerank_at.replace(now) {
                self.due.remove(&(at, class));
            }
            self.due.insert((now, class));
        }
    }

    /// The class that was heard of longest ago gives way, and is cold when it comes back.
    fn make_room(&mut self, class: &Class) {
        if self.classes.contains_key(class) || self.classes.len() < self.config.max_classes {
            return;
        }
        let ages = self.classes.iter();
        let ages = ages.map(|(class, learned)| (learned.heard_at, *class));
        let Some((_, oldest)) = ages.min() else {
            return;
        };
        self.forget(&oldest);
        if self.forgotten.len() >= self.config.max_classes {
            // Which were forgotten longest ago is not known: some members are blamed for old words then.
            self.forgotten.clear();
        }
        self.forgotten.insert(oldest);
    }

    fn forget(&mut self, class: &Class) {
        let Some(learned) = self.classes.remove(class) else {
            return;
        };
        if let Some(at) = learned.rerank_at {
            self.due.remove(&(at, *class));
        }
        for link in learned.eager() {
            if let Some(standing) = self.standings.get_mut(&link) {
                standing.count_eager(true, false);
            }
        }
    }

    /// This node leaves a topic: its neighbours forget what they were asked for there.
    pub(super) fn left_topic(&mut self, topic: &TopicHash) {
        let classes = self.classes.keys().filter(|(of, _)| of == topic);
        for class in classes.copied().collect::<Vec<_>>() {
            self.forget(&class);
        }
        self.trials.remove(topic);
        self.tried.retain(|(of, _), _| of != topic);
    }

    /// A neighbour leaves a topic.
    pub(super) fn lost_subscriber(&mut self, now: Micros, topic: &TopicHash, link: Link) {
        let classes = self.classes.keys().filter(|(of, _)| of == topic);
        for class in classes.copied().collect::<Vec<_>>() {
            let Some(learned) = self.classes.get_mut(&class) else {
                continue;
            };
            let was_eager = learned.mode(link) == Some(Mode::Eager);
            learned.left(link);
            if was_eager {
                if let Some(standing) = self.standings.get_mut(&link) {
                    standing.count_eager(true, false);
                }
                self.make_due(now, class);
            }
        }
    }

    /// Classes for which one link may be eager.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most some thousand classes, and a small factor"
    )]
    fn share_cap(&self, eager: usize, links: usize) -> usize {
        let fair = (eager * self.classes.len()) as f64 / links.max(1) as f64;
        (fair * self.config.share_cap).ceil() as usize
    }
}
