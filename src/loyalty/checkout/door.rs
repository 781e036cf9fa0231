//! Where an order comes in: what was sent and whom it names, read into the command that the ledger decides.

use std::sync::Arc;

use crate::kernel::id::{MemberId, ProgramId, Version};
use crate::kernel::scope::ProgramScope;
use crate::loyalty::checkout::order_in::{BadOrder, OrderIn};
use crate::loyalty::checkout::settle::SettleOrder;
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::posting::{AccountTime, Reference, RequestHash, Target};
use crate::loyalty::members::model::{Identity, IdentityKind, Profile};
use crate::loyalty::membership::identities::Identities;
use crate::loyalty::membership::profile_in::{BadField, Named};
use crate::loyalty::program::model::Rulebook;
use crate::loyalty::program::timelines::TimelineError;
use crate::platform::db::{Db, DbError};
use crate::platform::entropy::uuid_v7;

/// How often an order is tried anew when its member changed hands while it was under way.
pub const HOPS_MAX: u32 = 3;

/// Whose programme it is, and who knows its members.
pub struct Door<'a> {
    /// The programme.
    pub scope: &'a ProgramScope,
    /// For look-ups.
    pub db: &'a Db,
    /// The posting engine.
    pub ledger: &'a Ledger,
    /// Who is known by what.
    pub identities: &'a Identities,
}

/// Why an order did not become a command.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// By its own fault.
    #[error("the order is not valid")]
    Bad(BadOrder),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
    /// The programme cannot be read.
    #[error("the programme cannot be read")]
    Timeline(#[from] TimelineError),
}

impl From<BadOrder> for DoorError {
    fn from(bad: BadOrder) -> Self {
        Self::Bad(bad)
    }
}

impl Door<'_> {
    /// The newest version of the programme, as far as this process knows.
    ///
    /// # Errors
    /// When it has to be read, and cannot be.
    pub async fn book(&self) -> Result<Arc<Rulebook>, DoorError> {
        if let Some(known) = self.ledger.timelines().known(self.scope.program()) {
            return Ok(Arc::clone(known.newest()));
        }
        let conn = self.db.conn().await?;
        let timeline = self.ledger.timelines().at_least(&conn, self.scope.program(), 0).await?;
        Ok(Arc::clone(timeline.newest()))
    }

    /// The command of an order.
    ///
    /// # Errors
    /// See [`DoorError`].
    pub async fn read(&self, sent: &OrderIn) -> Result<SettleOrder, DoorError> {
        let book = self.book().await?;
        let order = read_order(sent, &book, self.scope.program())?;
        let Some(identity) = &order.identity else { return Ok(order) };
        let found = self.identities.find(self.db, self.scope, identity).await?;
        Ok(SettleOrder { target: target_of(found), ..order })
    }

    /// The same order for whom its identity belongs to now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn aim_again(&self, order: SettleOrder) -> Result<SettleOrder, DoorError> {
        let Some(identity) = &order.identity else { return Ok(order) };
        let found = self.identities.find_again(self.db, self.scope, identity).await?;
        Ok(SettleOrder { target: target_of(found), ..order })
    }
}

/// The command of an order. Where it names its member by an identity, its target is somebody new until that is looked up.
///
/// # Errors
/// What is wrong with the order, whoever the member is.
pub fn read_order(sent: &OrderIn, book: &Rulebook, program: ProgramId) -> Result<SettleOrder, BadOrder> {
    let cart = sent.cart(book.currency, &book.declared)?;
    let ordered = sent.ordered()?;
    let named = sent.member.clone().map(|member| member.read(program)).transpose();
    let within = |bad: BadField| BadField { pointer: format!("/member{}", bad.pointer), ..bad };
    let (identity, target) = match named.map_err(within)? {
        None => (None, target_of(None)),
        Some(Named::Id(id)) => (None, Target::Member(MemberId(id))),
        Some(Named::By(identity)) => (Some(identity), target_of(None)),
    };
    Ok(SettleOrder {
        named: Reference::order(&sent.reference),
        reference: sent.reference.clone(),
        enrol: sent.enrol || sent.member.is_none(),
        hash: RequestHash::of(sent),
        target,
        profile: identity.as_ref().map(profile_of).unwrap_or_default(),
        identity,
        ordered,
        time: AccountTime::Live,
        cart,
        stated: false,
        quoted: false,
        valid_with: sent.valid_with.map(Version),
        says_points: sent.points.is_some(),
        spend_from: sent.points.as_ref().and_then(|p| p.wallet.clone()),
        hold: sent.hold.clone(),
        place: sent.place(),
    })
}

/// Whose posting an order becomes: the owner's of its identity, or somebody's who is new.
pub fn target_of(found: Option<MemberId>) -> Target {
    found.map_or_else(|| Target::New(MemberId(uuid_v7())), Target::Member)
}

fn profile_of(identity: &Identity) -> Profile {
    let value = Some(identity.value.clone());
    match identity.kind {
        IdentityKind::ExternalId => Profile { external_id: value, ..Profile::default() },
        IdentityKind::Email => Profile { email: value, ..Profile::default() },
        IdentityKind::Phone => Profile { phone: value, ..Profile::default() },
        IdentityKind::Card => Profile { card: value, ..Profile::default() },
    }
}
