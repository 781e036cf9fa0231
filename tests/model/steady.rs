//! The law that spending moves nobody down the ladder: holds, their release and gifts leave a tier as it is, and so does
//! an order, however it is paid, unless it raises it.

use crate::command::{Command, What};
use crate::engine::Engine;
use crate::facts::{TierView, Time};
use crate::look::view;
use crate::spec::TIERS;

/// Where a member stands just before a command that spends, or may.
pub struct Before {
    member: u32,
    at: Time,
    tier: TierView,
}

impl Before {
    pub fn of(engine: &Engine<'_>, command: &Command) -> Result<Option<Self>, String> {
        let member = match &command.what {
            What::Hold { member, .. } | What::Release { member, .. } | What::Transfer { from: member, .. } => *member,
            What::Order(order) if order.imported.is_none() && order.basket.points > 0 => order.member,
            _ => return Ok(None),
        };
        let at = command.clock;
        Ok(view(engine, member, at)?.map(|view| Self { member, at, tier: view.tier }))
    }

    pub fn is_kept(&self, engine: &Engine<'_>, command: &Command) -> Result<(), String> {
        let Some(after) = view(engine, self.member, self.at)? else { return Ok(()) };
        let rank = |tier: &TierView| tier.tier.as_ref().and_then(|tier| TIERS.iter().position(|code| code == tier));
        let orders = matches!(command.what, What::Order(_)) && rank(&after.tier) >= rank(&self.tier);
        if after.tier == self.tier || orders {
            Ok(())
        } else {
            Err(format!("law: spending moved {:?} to {:?}", self.tier, after.tier))
        }
    }
}
