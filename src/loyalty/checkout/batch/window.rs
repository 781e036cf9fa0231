//! The items of a batch that are under way: several at once, so that they share commits, answered in their order.
//!
//! Items of one member are decided in the order in which they came. They stand in one queue, in that order; where an
//! item has to be aimed anew, because its identity has found another owner or its first bearer was not enrolled, nothing
//! more is sent until all that is under way is answered.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot::Receiver;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::time::timeout;

use crate::kernel::id::MemberId;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::bulk::store::{find_members_by, read_clock};
use crate::loyalty::checkout::door::{Door, DoorError, HOPS_MAX, read_order, target_of};
use crate::loyalty::checkout::error::OrderRefusal;
use crate::loyalty::checkout::order_in::{BadOrder, OrderIn};
use crate::loyalty::checkout::receipt::OrderReceipt;
use crate::loyalty::checkout::settle::{OrderedAt, SettleOrder};
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::posting::Target;
use crate::loyalty::ledger::queue::{Answer, PostError, Posted};
use crate::loyalty::members::model::{Identity, IdentityKind};
use crate::loyalty::membership::identities::Identities;
use crate::loyalty::program::model::Rulebook;
use crate::platform::db::{Db, DbError};
use crate::platform::web::problem::Problem;

/// The most items under way: two full groups of each of a few writers.
const WINDOW_ITEMS_MAX: usize = 1_024;
/// The most bytes that the items under way may have come in; a single one may be larger.
const WINDOW_BYTES_MAX: usize = 1024 * 1024;
/// How long an item waits for room in a queue before it is answered that it is full, in seconds.
const QUEUE_WAIT_S: u64 = 10;

/// The items of one batch that are under way.
pub struct Window {
    scope: ProgramScope,
    db: Db,
    ledger: Ledger,
    identities: Identities,
    items: VecDeque<Item>,
    bytes: usize,
    /// Whom items under way enrol: later ones of the same identity are theirs.
    enrolling: HashMap<Identity, MemberId>,
    /// Nothing more is sent until all that is under way is answered.
    draining: bool,
    /// The database did not answer, and nobody has looked since whether it is back.
    doubted: bool,
    /// The database is away: what is still to come is told so.
    away: bool,
}

/// An item as it came.
pub struct Taken {
    /// Its line.
    pub line: u64,
    /// How large the line is.
    pub bytes: usize,
    /// The order's reference, as far as it could be read.
    pub reference: Option<String>,
    /// The order, or what is wrong with it.
    pub sent: Result<OrderIn, Problem>,
}

/// An item that is answered.
pub struct Done {
    /// Its line.
    pub line: u64,
    /// The order's reference, as far as it could be read.
    pub reference: Option<String>,
    /// When it was placed.
    pub ordered: OrderedAt,
    /// What became of it.
    pub said: Said,
}

/// What became of an item.
pub enum Said {
    /// It was no order.
    Told(Problem),
    /// It did not become a command.
    Bad(BadOrder),
    /// It was settled, now or before.
    Posted(Box<Posted<OrderReceipt>>),
    /// It was not settled.
    Failed(PostError<OrderRefusal>),
}

struct Item {
    line: u64,
    bytes: usize,
    reference: Option<String>,
    ordered: OrderedAt,
    named: Option<Box<Named>>,
    waiting: Waiting,
}

/// Of an item that names its member by an identity: who that is may change while it is under way.
struct Named {
    sent: OrderIn,
    identity: Identity,
    enrols: Enrols,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Enrols {
    /// Its member was known.
    Nobody,
    /// It brings its member along.
    Itself,
    /// An earlier item of the batch does.
    Earlier,
}

enum Waiting {
    Sent(Receiver<Answer<SettleOrder>>),
    Answered(Said),
}

impl Window {
    /// An empty one.
    pub fn new(scope: ProgramScope, db: Db, ledger: Ledger, identities: Identities) -> Self {
        Self {
            scope,
            db,
            ledger,
            identities,
            items: VecDeque::new(),
            bytes: 0,
            enrolling: HashMap::new(),
            draining: false,
            doubted: false,
            away: false,
        }
    }

    /// Whether nothing is under way.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many items may be sent now.
    pub fn room(&self) -> usize {
        if self.draining || self.bytes >= WINDOW_BYTES_MAX {
            0
        } else {
            WINDOW_ITEMS_MAX.saturating_sub(self.items.len())
        }
    }

    /// Waits until the oldest item is answered; for ever when there is none. Need not be waited for to the end.
    pub async fn wait(&mut self) {
        match self.items.front_mut() {
            Some(item) => item.answered().await,
            None => std::future::pending().await,
        }
    }

    /// The oldest item, if it is answered by now.
    pub async fn take(&mut self) -> Option<Done> {
        if !self.items.front_mut()?.is_answered() {
            return None;
        }
        let Item { line, bytes, reference, ordered, named, waiting } = self.items.pop_front()?;
        self.bytes = self.bytes.saturating_sub(bytes);
        let Waiting::Answered(mut said) = waiting else { return None };
        if let Some(named) = named {
            said = self.settle_identity(*named, said).await;
        }
        if let Said::Failed(PostError::Unavailable) = &said {
            (self.draining, self.doubted) = (true, true);
        }
        if self.items.is_empty() {
            self.drained().await;
        }
        Some(Done { line, reference, ordered, said })
    }

    /// What becomes of an item whose member may be another one by now.
    async fn settle_identity(&mut self, mut named: Named, said: Said) -> Said {
        if named.enrols == Enrols::Itself {
            self.enrolling.remove(&named.identity);
        }
        let said = if is_misaimed(&said, &named) {
            (self.draining, named.enrols) = (true, Enrols::Itself);
            self.again(&named).await
        } else {
            said
        };
        if let Said::Posted(posted) = &said
            && named.enrols == Enrols::Itself
            && !posted.replayed
        {
            self.identities.remember(named.identity, posted.posting.member).await;
        }
        said
    }

    /// Sends items, in their order.
    pub async fn send(&mut self, taken: Vec<Taken>) {
        let book = self.book(&taken).await;
        let mut orders = Vec::with_capacity(taken.len());
        for Taken { line, bytes, reference, sent } in taken {
            let order = match (sent, &book) {
                (Err(problem), _) => Err(Said::Told(problem)),
                (Ok(_), None) => Err(Said::Failed(PostError::Unavailable)),
                (Ok(sent), Some(book)) => read_order(&sent, book, self.scope.program())
                    .map(|order| (sent, SettleOrder { stated: true, ..order }))
                    .map_err(Said::Bad),
            };
            orders.push((line, bytes, reference, order));
        }
        let identities = orders.iter().filter_map(|(.., order)| order.as_ref().ok()?.1.identity.as_ref());
        let found = self.find(identities.cloned().collect()).await;
        for (line, bytes, reference, order) in orders {
            let (ordered, named, waiting) = match (order, &found) {
                (Err(said), _) => (OrderedAt::Now, None, Waiting::Answered(said)),
                (Ok((_, order)), None) if order.identity.is_some() => {
                    (order.ordered, None, Waiting::Answered(Said::Failed(PostError::Unavailable)))
                }
                (Ok((sent, order)), found) => {
                    let (order, named) = self.aim(sent, order, found.as_ref());
                    (order.ordered, named, self.enqueue(order).await)
                }
            };
            self.bytes = self.bytes.saturating_add(bytes);
            self.items.push_back(Item { line, bytes, reference, ordered, named, waiting });
        }
    }

    /// The programme, unless the database is away.
    async fn book(&mut self, taken: &[Taken]) -> Option<Arc<Rulebook>> {
        if self.away || taken.iter().all(|item| item.sent.is_err()) {
            return None;
        }
        match self.door().book().await {
            Ok(book) => Some(book),
            Err(error) => {
                self.doubt(&error);
                None
            }
        }
    }

    /// Whose identities they are, all of them at once; those of nobody are left out. `None` when nobody can say.
    async fn find(&mut self, wanted: HashSet<Identity>) -> Option<HashMap<Identity, MemberId>> {
        let mut found = HashMap::with_capacity(wanted.len());
        let mut unknown: HashMap<IdentityKind, Vec<String>> = HashMap::new();
        for identity in wanted {
            match self.identities.known(&identity).await {
                Some(member) => drop(found.insert(identity, member)),
                None if self.enrolling.contains_key(&identity) => {}
                None => unknown.entry(identity.kind).or_default().push(identity.value),
            }
        }
        for (kind, values) in unknown {
            match self.look_up(kind, values).await {
                Ok(members) => found.extend(members),
                Err(error) => {
                    self.doubt(&error.into());
                    return None;
                }
            }
        }
        Some(found)
    }

    async fn look_up(&self, kind: IdentityKind, values: Vec<String>) -> Result<Vec<(Identity, MemberId)>, DbError> {
        let program = self.scope.program();
        let members = find_members_by(&*self.db.conn().await?, &self.scope, kind, values).await?;
        let members: Vec<_> =
            members.into_iter().map(|(value, member)| (Identity { program, kind, value }, member)).collect();
        for (identity, member) in &members {
            self.identities.remember(identity.clone(), *member).await;
        }
        Ok(members)
    }

    fn aim(
        &mut self,
        sent: OrderIn,
        order: SettleOrder,
        found: Option<&HashMap<Identity, MemberId>>,
    ) -> (SettleOrder, Option<Box<Named>>) {
        let Some(identity) = order.identity.clone() else { return (order, None) };
        let known = found.and_then(|found| found.get(&identity)).copied();
        let (target, enrols) = match (self.enrolling.get(&identity), known) {
            (Some(member), _) => (Target::Member(*member), Enrols::Earlier),
            (None, Some(member)) => (Target::Member(member), Enrols::Nobody),
            (None, None) if order.enrol => {
                self.enrolling.insert(identity.clone(), order.target.member());
                (order.target, Enrols::Itself)
            }
            (None, None) => (order.target, Enrols::Nobody),
        };
        (SettleOrder { target, ..order }, Some(Box::new(Named { sent, identity, enrols })))
    }

    async fn enqueue(&mut self, order: SettleOrder) -> Waiting {
        if self.away {
            return Waiting::Answered(Said::Failed(PostError::Unavailable));
        }
        match timeout(Duration::from_secs(QUEUE_WAIT_S), self.ledger.enqueue(&self.scope, order)).await {
            Ok(Ok(answer)) => Waiting::Sent(answer),
            Ok(Err(error)) => Waiting::Answered(Said::Failed(error)),
            Err(_) => Waiting::Answered(Said::Failed(PostError::Busy)),
        }
    }

    /// Settles an item for whom its identity belongs to now.
    async fn again(&mut self, named: &Named) -> Said {
        let mut said = Said::Failed(PostError::Refused(LedgerRefusal::MemberMoved.into()));
        for _ in 0..HOPS_MAX {
            let order = match self.read_again(named).await {
                Ok(order) => order,
                Err(DoorError::Bad(bad)) => return Said::Bad(bad),
                Err(error) => {
                    self.doubt(&error);
                    return Said::Failed(PostError::Unavailable);
                }
            };
            said = match self.enqueue(order).await {
                Waiting::Sent(answer) => self::said(answer.await.unwrap_or(Err(PostError::Unavailable))),
                Waiting::Answered(said) => return said,
            };
            if !matches!(said, Said::Failed(PostError::Refused(OrderRefusal::Ledger(LedgerRefusal::MemberMoved)))) {
                break;
            }
        }
        said
    }

    async fn read_again(&self, named: &Named) -> Result<SettleOrder, DoorError> {
        let order = read_order(&named.sent, &*self.door().book().await?, self.scope.program())?;
        let found = self.identities.find_again(&self.db, &self.scope, &named.identity).await?;
        Ok(SettleOrder { target: target_of(found), stated: true, ..order })
    }

    fn doubt(&mut self, error: &DoorError) {
        tracing::warn!(%error, "a batch met a database that does not answer");
        (self.draining, self.doubted) = (true, true);
    }

    /// Nothing is under way: more may be sent, unless the database is found to be away.
    async fn drained(&mut self) {
        if std::mem::take(&mut self.doubted) && !self.away {
            let alive = async { Ok::<_, DbError>(read_clock(&*self.db.conn().await?).await?) };
            self.away = alive.await.is_err();
        }
        self.draining = false;
    }

    fn door(&self) -> Door<'_> {
        Door { scope: &self.scope, db: &self.db, ledger: &self.ledger, identities: &self.identities }
    }
}

impl Item {
    fn is_answered(&mut self) -> bool {
        if let Waiting::Sent(answer) = &mut self.waiting {
            let answered = match answer.try_recv() {
                Err(TryRecvError::Empty) => return false,
                Err(TryRecvError::Closed) => Err(PostError::Unavailable),
                Ok(answered) => answered,
            };
            self.waiting = Waiting::Answered(said(answered));
        }
        true
    }

    async fn answered(&mut self) {
        if let Waiting::Sent(answer) = &mut self.waiting {
            let answered = answer.await.unwrap_or(Err(PostError::Unavailable));
            self.waiting = Waiting::Answered(said(answered));
        }
    }
}

fn said(answer: Answer<SettleOrder>) -> Said {
    match answer {
        Ok(posted) => Said::Posted(Box::new(posted)),
        Err(error) => Said::Failed(error),
    }
}

/// Whether an item was refused only because its member is another one by now.
fn is_misaimed(said: &Said, named: &Named) -> bool {
    match said {
        Said::Failed(PostError::Refused(OrderRefusal::Ledger(LedgerRefusal::MemberMoved))) => true,
        Said::Failed(PostError::Refused(OrderRefusal::Ledger(LedgerRefusal::MemberUnknown))) => {
            named.enrols == Enrols::Earlier
        }
        Said::Told(_) | Said::Bad(_) | Said::Posted(_) | Said::Failed(_) => false,
    }
}
