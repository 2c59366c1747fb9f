//! Taking over what a newcomer should hold.

use std::collections::BTreeMap;

use super::bootstrap::ENTERED;
use super::{Context, Progress};
use crate::discovery::machine::answer::group_of;
use crate::discovery::machine::calls::Purpose;
use crate::discovery::machine::io::Fault;
use crate::discovery::machine::signal::Signal;
use crate::discovery::store::Holder;
use crate::identity::PeerId;
use crate::wire::codec::{decode, encode};
use crate::wire::message::discovery::{self as wire, Contact, HandOff as Request, HandedOff};

/// Neighbours that are asked: the records of this node's surroundings are with all of them; five
/// survive that two are away and one is hostile.
const NEIGHBOURS: usize = 5;

/// Answers that are taken of each: 128 of half a megabyte are the store's whole budget.
const MAX_PAGES: u64 = 128;

/// Asks the nearest nodes for the records to whose nearest nodes this one belongs now.
#[derive(Debug, Clone, Default)]
pub(in crate::discovery::machine) struct HandOff {
    under_way: usize,
    /// Behind which key each neighbour was asked to go on.
    after: BTreeMap<PeerId, [u8; 32]>,
}

impl HandOff {
    pub(super) fn on(&mut self, context: &mut Context<'_>, signal: Signal) -> Progress {
        match signal {
            Signal::Start => {
                let (local, now) = (context.core.key(), context.core.now.mono);
                let asked = &mut context.holding.asked_to_hand_off;
                asked.retain(|_, at| now.since(*at) < ENTERED);
                let mut neighbours = context.core.table.seeds(&local, NEIGHBOURS);
                neighbours.retain(|one| !asked.contains_key(&one.peer));
                asked.extend(neighbours.iter().map(|one| (one.peer, now)));
                for neighbour in neighbours {
                    self.ask(context, neighbour, 0, None);
                }
            }
            Signal::Answered {
                tag,
                contact,
                frame,
                ..
            } => {
                self.under_way -= 1;
                self.take(context, tag, contact, &frame.1);
            }
            Signal::Unanswered { .. } => self.under_way -= 1,
            _ => {}
        }
        if self.under_way > 0 {
            Progress::Going
        } else {
            Progress::Over
        }
    }

    fn ask(
        &mut self,
        context: &mut Context<'_>,
        neighbour: Contact,
        page: u64,
        after: Option<[u8; 32]>,
    ) {
        self.under_way += 1;
        let purpose = Purpose::Operation(context.id, page);
        let body = encode(&Request { after });
        context.core.call(purpose, neighbour, wire::HAND_OFF, body);
    }

    fn take(
        &mut self,
        context: &mut Context<'_>,
        page: u64,
        contact: Contact,
        body: &bytes::Bytes,
    ) {
        let handed: HandedOff = match decode(body) {
            Ok(handed) => handed,
            Err(violation) => {
                let fault = Fault::Malformed(violation);
                return context.core.blame(contact.peer, fault);
            }
        };
        let holder = Holder {
            peer: contact.peer,
            group: group_of(&contact),
        };
        let records = handed.records.into_vec();
        context.holding.take_in(context.core, holder, records, None);
        let Some(next) = handed.next.filter(|_| page + 1 < MAX_PAGES) else {
            return;
        };
        let former = self.after.insert(contact.peer, next);
        if former.is_none_or(|former| next > former) {
            self.ask(context, contact, page + 1, Some(next));
        }
    }
}
