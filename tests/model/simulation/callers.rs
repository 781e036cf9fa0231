//! Those who ask: clients that hang up, lose their answers, ask twice at once, and ask again until they know.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use perennial::kernel::id::MemberId;
use perennial::loyalty::ledger::accounts::Owner;
use perennial::loyalty::ledger::post::Ledger;
use perennial::loyalty::ledger::posting::{Posting, Reference, RequestHash};
use perennial::loyalty::ledger::queue::{Answer, PostError};
use perennial::loyalty::ledger::settle_due::SettleDue;
use perennial::loyalty::members::model::ProfilePatch;
use perennial::loyalty::membership::change::ChangeProfile;
use tokio::time::{sleep, timeout};

use crate::command::Command;
use crate::engine::{self, Facts, Poster, scope};
use crate::facts::Answer as Silence;
use crate::receipts::{ledger_code, membership_code};
use crate::rng::Rng;
use crate::simulation::postings::{Count, Illness};
use crate::simulation::queries::posting;
use crate::simulation::world::World;

/// Whoever is there to hear it has an answer after so long, whatever happens.
pub const ANSWER_MAX: Duration = Duration::from_mins(10);
/// How often somebody asks in vain on a good day before it is the ledger's fault.
const VAIN_MAX: u32 = 60;

/// What somebody asks for.
#[derive(Clone, Debug)]
pub enum Ask {
    Shop(Command),
    Count(Count),
    /// A card, or no card any more.
    Card {
        member: MemberId,
        name: String,
        card: Option<String>,
    },
    Due(MemberId),
}

/// How somebody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Post,
    /// Waits for room in the queue.
    Enqueue,
    /// A quote.
    Preview,
}

/// What somebody heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    Accepted { owner: Owner, document: String, replayed: bool },
    Refused(String),
    Conflict,
    Busy,
    Unavailable,
    Unreadable,
    HungUp,
}

impl Heard {
    /// Whether whoever asked knows now.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Accepted { .. } | Self::Refused(_) | Self::Conflict | Self::Unreadable)
    }

    pub fn kind(&self) -> String {
        match self {
            Self::Accepted { replayed: true, .. } => "replayed".into(),
            Self::Accepted { .. } => "accepted".into(),
            Self::Refused(code) => {
                code.split_once(|c: char| c.is_ascii_digit()).map_or(code.as_str(), |c| c.0).trim().into()
            }
            Self::Conflict => "Conflict".into(),
            Self::Busy => "busy".into(),
            Self::Unavailable => "unavailable".into(),
            Self::Unreadable => "unreadable".into(),
            Self::HungUp => "hung up".into(),
        }
    }
}

/// Posts what is asked for.
pub fn post<T: Poster>(ask: &Ask, to: T) -> T::Said {
    match ask {
        Ask::Shop(command) => engine::post(command, to),
        Ask::Count(count) => {
            let facts: Facts<Count> = |_, _| Silence::Silent;
            to.post(count.clone(), facts, ledger_code)
        }
        Ask::Card { member, name, card } => {
            let (program, reference, hash) = (scope().program(), Reference::keyed("card", name), RequestHash::of(card));
            let patch = ProfilePatch { card: Some(card.clone()), ..ProfilePatch::default() };
            let facts: Facts<ChangeProfile> = |_, _| Silence::Silent;
            to.post(ChangeProfile { program, reference, hash, member: *member, patch }, facts, membership_code)
        }
        Ask::Due(member) => {
            let facts: Facts<SettleDue> = |_, _| Silence::Silent;
            to.post(SettleDue { member: *member }, facts, ledger_code)
        }
    }
}

/// Under which name something is asked for, and its hash.
pub type Name = (Reference, RequestHash);

/// Says it.
pub struct Naming;

impl Poster for Naming {
    type Said = Option<Name>;

    fn post<P: Posting>(self, posting: P, _: Facts<P>, _: fn(&P::Refusal) -> String) -> Self::Said {
        Some((posting.reference(), posting.request_hash()))
    }

    fn look(self) -> Self::Said {
        None
    }
}

struct Calling {
    ledger: Ledger,
    way: Way,
}

impl Poster for Calling {
    type Said = Pin<Box<dyn Future<Output = Heard> + Send>>;

    fn post<P: Posting>(self, posting: P, _: Facts<P>, code: fn(&P::Refusal) -> String) -> Self::Said {
        Box::pin(async move {
            let Self { ledger, way } = self;
            let said = match way {
                Way::Post => ledger.post(&scope(), posting).await,
                Way::Preview => ledger.preview(&scope(), posting).await,
                Way::Enqueue => match ledger.enqueue(&scope(), posting).await {
                    Ok(answer) => answer.await.unwrap_or(Err(PostError::Unavailable)),
                    Err(error) => Err(error),
                },
            };
            hear::<P>(said, code)
        })
    }

    fn look(self) -> Self::Said {
        Box::pin(async { Heard::Refused("looked".into()) })
    }
}

fn hear<P: Posting>(said: Answer<P>, code: fn(&P::Refusal) -> String) -> Heard {
    match said {
        Ok(posted) => {
            let owner = Owner { member: posted.posting.member, seq: posted.posting.seq };
            Heard::Accepted { owner, document: posted.document, replayed: posted.replayed }
        }
        Err(PostError::Refused(refusal)) => Heard::Refused(code(&refusal)),
        Err(PostError::Conflict) => Heard::Conflict,
        Err(PostError::Busy) => Heard::Busy,
        Err(PostError::Unavailable) => Heard::Unavailable,
        Err(PostError::Unreadable(_)) => Heard::Unreadable,
    }
}

/// Asks until an answer is known, or patience ends.
pub async fn call(world: Arc<World>, (ask, name): (Ask, Option<Name>), way: Way, mut rng: Rng) {
    let ill = matches!(&ask, Ask::Count(count) if count.illness != Illness::None);
    let insists = !ill && way != Way::Preview && rng.percent(85);
    let tries = rng.within(1, 4);
    let (mut tried, mut in_vain) = (0, 0);
    loop {
        let heard = once(&world, &ask, way, &mut rng).await;
        world.heard(name.as_ref(), ill, way, &heard);
        if let (Some((reference, hash)), false) = (&name, way == Way::Preview) {
            check_durable(&world, reference, *hash, &heard);
        }
        tried += 1;
        if heard.is_final() || !insists && tried >= tries {
            return;
        }
        in_vain += u32::from(world.server.state().weather.is_calm());
        if in_vain > VAIN_MAX {
            return world.server.state().wrong(format!("{ask:?} is not served on a good day: {heard:?}"));
        }
        // Longer and longer, as is asked of clients.
        let most = 50_i64 << tried.min(6);
        sleep(Duration::from_millis(u64::try_from(rng.within(1, most)).unwrap())).await;
    }
}

async fn once(world: &Arc<World>, ask: &Ask, way: Way, rng: &mut Rng) -> Heard {
    let (ledger, died) = world.process(rng);
    let died = died.notified();
    let hangs_up = !world.server.state().weather.is_calm() && rng.percent(10);
    let patience =
        if hangs_up { Duration::from_millis(u64::try_from(rng.within(0, 300)).unwrap()) } else { ANSWER_MAX };
    let answer = post(ask, Calling { ledger, way });
    tokio::select! {
        biased;
        () = died => Heard::HungUp,
        heard = timeout(patience, answer) => match heard {
            Ok(heard) => heard,
            Err(_) => {
                if !hangs_up {
                    world.server.state().wrong(format!("{ask:?} has no answer after {ANSWER_MAX:?}"));
                }
                Heard::HungUp
            }
        },
    }
}

/// What somebody is told is durable, and just that.
fn check_durable(world: &World, reference: &Reference, hash: RequestHash, heard: &Heard) {
    let mut state = world.server.state();
    let wrong = match heard {
        Heard::Accepted { owner, document, .. } => match posting(&state.tables, *owner) {
            None => Some("was acknowledged and is not there"),
            Some(row) if row.document != *document => Some("was acknowledged with another receipt"),
            Some(row) if row.reference != *reference => Some("was acknowledged as another posting"),
            Some(row) if row.hash != hash => Some("was acknowledged and is another command"),
            Some(_) => None,
        },
        Heard::Conflict => {
            let rows = state.tables.postings.values().flatten();
            let same = rows.filter(|row| row.reference == *reference).find(|row| row.hash != hash);
            same.is_none().then_some("was refused as another command, and there is none")
        }
        Heard::Unreadable => Some("has a receipt that cannot be read"),
        _ => None,
    };
    if let Some(wrong) = wrong {
        state.wrong(format!("{reference} {wrong}: {heard:?}"));
    }
}
