//! The product's side: the real decisions over a ledger in memory, and its answers as plain facts.

use perennial::kernel::id::{MemberId, ProgramId};
use perennial::kernel::money::{Amount, Currency, Money};
use perennial::kernel::points::Points;
use perennial::kernel::scope::{Principal, ProgramScope};
use perennial::loyalty::checkout::cart::{Cart, CartLine, DiscountedLine, Prices, StatedDiscount, Tax};
use perennial::loyalty::checkout::claim_order::ClaimOrder;
use perennial::loyalty::checkout::error::{ClaimRefusal, HoldRefusal, OrderRefusal, ReturnRefusal};
use perennial::loyalty::checkout::holds::hold_points::HoldPoints;
use perennial::loyalty::checkout::holds::receipt::EndedReceipt;
use perennial::loyalty::checkout::holds::release::ReleaseHold;
use perennial::loyalty::checkout::receipt::{ClawedBackReceipt, FlagReceipt, LineReceipt, OrderReceipt, ReturnReceipt};
use perennial::loyalty::checkout::return_order::ReturnOrder;
use perennial::loyalty::checkout::returns::{LineReturn, ReturnRequest};
use perennial::loyalty::checkout::settle::{OrderedAt, SettleOrder};
use perennial::loyalty::earning::model::LineKind;
use perennial::loyalty::ledger::account::Status;
use perennial::loyalty::ledger::adjust::{Adjust, Direction};
use perennial::loyalty::ledger::error::LedgerRefusal;
use perennial::loyalty::ledger::memory::MemoryLedger;
use perennial::loyalty::ledger::opening::OpenBalance;
use perennial::loyalty::ledger::posting::{AccountTime, Posting, Reference, RequestHash, Target};
use perennial::loyalty::ledger::queue::PostError;
use perennial::loyalty::ledger::suspend::{StatusName, Suspend};
use perennial::loyalty::members::model::{Identity, IdentityKind, Profile};
use perennial::loyalty::membership::enrol::Enrol;
use perennial::loyalty::membership::error::{MembershipRefusal, MergeRefusal, TransferRefusal};
use perennial::loyalty::membership::merges::merge_members::MergeMembers;
use perennial::loyalty::membership::merges::receipt::MergedWalletReceipt;
use perennial::loyalty::membership::transfer::TransferPoints;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::command::{Asked, Basket, Command, Line, Order, Ordered, Taxed, What};
use crate::facts::{Answer, MergedWallet, OrderFacts, ReturnFacts, Said, Time};
use crate::spec::Spec;

pub struct Engine<'s> {
    pub spec: &'s Spec,
    pub scope: ProgramScope,
    pub ledger: MemoryLedger,
    currency: Currency,
}

pub fn member_id(member: u32) -> MemberId {
    MemberId(Uuid::from_u128(u128::from(member) + 1))
}

fn member_of(id: Uuid) -> u32 {
    u32::try_from(id.as_u128() - 1).unwrap()
}

fn points(n: i64) -> Points {
    Points::try_from(n).unwrap()
}

fn money(n: i64) -> Money {
    Money::from_minor(n).unwrap()
}

fn time_of(imported: Option<Time>) -> AccountTime {
    imported.map_or(AccountTime::Live, AccountTime::Imported)
}

/// The name of a variant.
fn name(debug: &dyn std::fmt::Debug) -> String {
    format!("{debug:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
}

fn ledger_code(refusal: &LedgerRefusal) -> String {
    match refusal {
        LedgerRefusal::InsufficientPoints { asked, spendable } => format!("InsufficientPoints {asked} of {spendable}"),
        other => name(other),
    }
}

fn order_code(refusal: &OrderRefusal) -> String {
    match refusal {
        OrderRefusal::Cart(wrong) => format!("cart {}", name(wrong)),
        OrderRefusal::Ledger(refusal) => ledger_code(refusal),
        OrderRefusal::WalletUnknown => "order WalletUnknown".into(),
        OrderRefusal::Hold(refusal) => hold_code(refusal),
        OrderRefusal::TooOld | OrderRefusal::TooFarAhead => name(refusal),
    }
}

fn hold_code(refusal: &HoldRefusal) -> String {
    match refusal {
        HoldRefusal::Ledger(refusal) => ledger_code(refusal),
        other => format!("hold {}", name(other)),
    }
}

fn transfer_code(refusal: &TransferRefusal) -> String {
    match refusal {
        TransferRefusal::Ledger(refusal) => ledger_code(refusal),
        TransferRefusal::Limit { asked, left } => format!("transfer Limit {asked} of {left}"),
        other => format!("transfer {}", name(other)),
    }
}

fn merge_code(refusal: &MergeRefusal) -> String {
    match refusal {
        MergeRefusal::Ledger(refusal) => ledger_code(refusal),
        other => format!("merge {}", name(other)),
    }
}

fn claim_code(refusal: &ClaimRefusal) -> String {
    match refusal {
        ClaimRefusal::Merge(refusal) => merge_code(refusal),
        ClaimRefusal::OrderUnknown => name(refusal),
        other => format!("claim {}", name(other)),
    }
}

fn ended(ended: &EndedReceipt) -> [i64; 5] {
    [ended.captured, ended.released, ended.taken, ended.expired, ended.waived]
}

fn return_code(refusal: &ReturnRefusal) -> String {
    match refusal {
        ReturnRefusal::Return(wrong) => format!("return {}", name(wrong)),
        ReturnRefusal::Ledger(refusal) => ledger_code(refusal),
        ReturnRefusal::OrderUnknown => name(refusal),
    }
}

fn membership_code(refusal: &MembershipRefusal) -> String {
    match refusal {
        MembershipRefusal::Ledger(refusal) => ledger_code(refusal),
        MembershipRefusal::EnrolledAhead | MembershipRefusal::BirthdayAhead => name(refusal),
    }
}

impl<'s> Engine<'s> {
    pub fn new(spec: &'s Spec) -> Self {
        let scope = ProgramScope::new(ProgramId(Uuid::from_u128(7)), Principal::Operator);
        Self { spec, scope, ledger: MemoryLedger::default(), currency: Currency::parse(spec.currency).unwrap() }
    }

    pub fn run(&mut self, command: &Command) -> Said {
        let (hash, clock) = (RequestHash::of(&command.hash), command.clock);
        let keyed = |what| Reference::keyed(what, &command.name);
        match &command.what {
            What::Enrol { member, email, on, imported } => {
                let profile = Profile { email: email.clone(), ..Profile::default() };
                let (program, member) = (self.scope.program(), member_id(*member));
                let (enrolled_on, time) = (*on, time_of(*imported));
                let posting = Enrol { program, reference: keyed("enrol"), hash, member, profile, enrolled_on, time };
                let receipt = self.post(posting, clock, membership_code)?;
                Ok(Answer::Enrolled { member: member_of(receipt.member), on: receipt.enrolled_on })
            }
            What::Order(order) => {
                let posting = self.order(order, &command.name, hash);
                let receipt = self.post(posting, clock, order_code)?;
                Ok(Answer::Order(Box::new(self.order_facts(&receipt))))
            }
            What::Return { member, order, asked, imported } => {
                let (reference, order, member) = (command.name.clone(), order.clone(), member_id(*member));
                let (request, time) = (request(asked), time_of(*imported));
                let posting = ReturnOrder { reference, order, hash, member, request, time };
                let receipt = self.post(posting, clock, return_code)?;
                Ok(Answer::Return(Box::new(self.return_facts(&receipt))))
            }
            What::Adjust { member, wallet, up, points: n } => {
                let direction = if *up { Direction::Up } else { Direction::Down };
                let (reference, member, wallet) = (keyed("adjust"), member_id(*member), (*wallet).to_owned());
                let (points, reason) = (points(*n), String::from("a reason"));
                let posting = Adjust { reference, hash, member, wallet, direction, points, reason };
                let receipt = self.post(posting, clock, ledger_code)?;
                Ok(Answer::Adjusted { points: receipt.points, spendable: receipt.spendable })
            }
            What::Opening { member, wallet, points: n, available, end, imported } => {
                let posting = OpenBalance {
                    reference: keyed("opening"),
                    hash,
                    member: member_id(*member),
                    wallet: (*wallet).to_owned(),
                    points: points(*n),
                    available_on: *available,
                    expires_on: *end,
                    time: time_of(*imported),
                };
                let receipt = self.post(posting, clock, ledger_code)?;
                Ok(Answer::Opened { points: receipt.points })
            }
            What::Hold { .. } | What::Release { .. } => self.run_hold(command),
            What::Transfer { from, to, wallet, points: n } => {
                let (reference, wallet, points) = (keyed("transfer"), (*wallet).to_owned(), points(*n));
                let (from, to, identity) = (member_id(*from), member_id(*to), None);
                let posting = TransferPoints { reference, hash, from, to, identity, wallet, points };
                let receipt = self.post(posting, clock, transfer_code)?;
                Ok(Answer::Transferred { points: receipt.points, spendable: receipt.spendable })
            }
            What::Merge { .. } | What::Claim { .. } => self.run_merge(command),
            What::Suspend { member, suspended } => {
                let (name, status) =
                    if *suspended { ("suspend", Status::Suspended) } else { ("reinstate", Status::Active) };
                let (reference, member, reason) = (keyed(name), member_id(*member), String::from("a reason"));
                let receipt = self.post(Suspend { reference, hash, member, status, reason }, clock, ledger_code)?;
                Ok(Answer::Suspended(receipt.status == StatusName::Suspended))
            }
            What::Look => Ok(Answer::Silent),
        }
    }

    fn run_hold(&mut self, command: &Command) -> Said {
        match &command.what {
            What::Hold { member, wallet, points: n, seconds } => {
                let posting = HoldPoints {
                    reference: command.name.clone(),
                    hash: RequestHash::of(&command.hash),
                    member: member_id(*member),
                    identity: None,
                    wallet: wallet.map(str::to_owned),
                    points: points(*n),
                    lasts_s: *seconds,
                };
                let receipt = self.post(posting, command.clock, hold_code)?;
                Ok(Answer::Held { spendable: receipt.spendable, ends: receipt.ends_at })
            }
            What::Release { member, hold } => {
                let posting = ReleaseHold { reference: hold.clone(), member: member_id(*member) };
                let receipt = self.post(posting, command.clock, hold_code)?;
                Ok(Answer::Released(ended(&receipt.ended), receipt.spendable))
            }
            _ => Ok(Answer::Silent),
        }
    }

    fn run_merge(&mut self, command: &Command) -> Said {
        let (hash, identity) = (RequestHash::of(&command.hash), None);
        let receipt = match &command.what {
            What::Merge { source, into } => {
                let reference = Reference::keyed("merge", &command.name);
                let (source, into, reason) = (member_id(*source), member_id(*into), String::from("a reason"));
                let posting = MergeMembers { reference, hash, source, identity, into, reason };
                self.post(posting, command.clock, merge_code)?
            }
            What::Claim { order, guest, member } => {
                let (order, guest, member) = (order.clone(), member_id(*guest), member_id(*member));
                self.post(ClaimOrder { order, hash, guest, member, identity }, command.clock, claim_code)?
            }
            _ => return Ok(Answer::Silent),
        };
        let wallet = |w: &MergedWalletReceipt| {
            let there = w.spendable.or_else(|| w.amount.map(|amount| self.minor(amount))).unwrap();
            let ever = [w.lifetime.earned, w.lifetime.reversed, w.lifetime.spent, w.lifetime.expired];
            let there = [there, w.pending, w.debt];
            MergedWallet { wallet: w.wallet.clone(), there, ever, active_until: w.active_until }
        };
        Ok(Answer::Merged {
            into: member_of(receipt.into),
            orders: receipt.orders,
            last_order: receipt.last_order_on,
            wallets: receipt.wallets.iter().map(wallet).collect(),
        })
    }

    fn post<P: Posting>(
        &mut self,
        posting: P,
        clock: Time,
        code: fn(&P::Refusal) -> String,
    ) -> Result<P::Receipt, String> {
        match self.ledger.post(&self.scope, posting, clock, &self.spec.timeline) {
            Ok(posted) => Ok(posted.receipt),
            Err(PostError::Refused(refusal)) => Err(code(&refusal)),
            Err(PostError::Conflict) => Err("Conflict".into()),
            Err(PostError::Busy | PostError::Unavailable | PostError::Unreadable(_)) => Err("broken".into()),
        }
    }

    fn order(&self, order: &Order, name: &str, hash: RequestHash) -> SettleOrder {
        let member = member_id(order.member);
        let identity = |value: &String| Identity {
            program: self.scope.program(),
            kind: IdentityKind::Email,
            value: value.clone(),
        };
        let profile = if order.new { order.email.clone() } else { None };
        SettleOrder {
            named: Reference::order(name),
            reference: name.to_owned(),
            hash,
            target: if order.new { Target::New(member) } else { Target::Member(member) },
            identity: order.email.as_ref().map(identity),
            profile: Profile { email: profile, ..Profile::default() },
            enrol: order.new,
            ordered: match order.ordered {
                Ordered::Now => OrderedAt::Now,
                Ordered::At(at) => OrderedAt::At(at),
                Ordered::On(day) => OrderedAt::On(day),
            },
            time: time_of(order.imported),
            cart: cart(&order.basket),
            stated: order.stated,
            spend_from: order.from.map(str::to_owned),
            hold: order.hold.clone(),
            place: None,
        }
    }

    fn minor(&self, amount: Amount) -> i64 {
        amount.read(self.currency).unwrap().minor()
    }

    fn order_facts(&self, receipt: &OrderReceipt) -> OrderFacts {
        let minor = |a| self.minor(a);
        let line = |l: &LineReceipt| {
            let money = [l.charged, l.tax, l.worth, l.gift_card, l.paid, l.base].map(minor);
            let uncovered = l.uncovered.map_or(0, minor);
            [money[0], money[1], l.points_spent, money[2], money[3], money[4], money[5], l.earned, uncovered]
        };
        OrderFacts {
            member: member_of(receipt.member.unwrap()),
            version: receipt.program_version,
            day: receipt.ordered_on,
            sums: [receipt.charged, receipt.shipping, receipt.tax, receipt.gift_card, receipt.paid].map(minor),
            lines: receipt.lines.iter().map(line).collect(),
            rows: receipt
                .rows
                .iter()
                .map(|r| {
                    let lines = r.lines.iter().map(|l| (place(&l.id), l.points)).collect();
                    (r.rule.clone(), r.wallet.clone(), r.points, lines)
                })
                .collect(),
            earned: receipt
                .earned
                .iter()
                .map(|e| {
                    let amount = e.points.or_else(|| e.amount.map(minor)).unwrap();
                    (e.wallet.clone(), amount, e.available_at, e.expires_on)
                })
                .collect(),
            spent: receipt.spent.iter().map(|s| (s.wallet.clone(), s.points, minor(s.worth))).collect(),
            skipped: receipt.skipped.iter().map(|s| format!("{} {}", s.rule, s.reason)).collect(),
            hold: receipt.hold.as_ref().map(|h| (h.open, ended(&h.ended))),
            flags: receipt
                .flags
                .iter()
                .map(|flag| match flag {
                    FlagReceipt::InsufficientPoints { wallet, asked, spendable, uncovered } => {
                        ("InsufficientPoints", wallet.clone(), [*asked, *spendable, minor(*uncovered)])
                    }
                    FlagReceipt::HoldUnavailable { hold } => ("HoldUnavailable", hold.clone(), [0; 3]),
                    FlagReceipt::MemberSuspended { wallet, asked, uncovered } => {
                        ("MemberSuspended", wallet.clone(), [*asked, 0, minor(*uncovered)])
                    }
                })
                .collect(),
        }
    }

    fn return_facts(&self, receipt: &ReturnReceipt) -> ReturnFacts {
        let minor = |a| self.minor(a);
        ReturnFacts {
            member: member_of(receipt.member),
            sums: [receipt.charged, receipt.tax, receipt.gift_card, receipt.money].map(minor),
            lines: receipt
                .lines
                .iter()
                .map(|l| {
                    let money = [l.charged, l.tax, l.gift_card, l.money].map(minor);
                    let figures = [money[0], money[1], money[2], money[3], l.restored, l.clawed_back];
                    (place(&l.id), figures, l.returned.quantity, l.returned.share.to_string())
                })
                .collect(),
            restored: receipt.restored.iter().map(|r| (r.wallet.clone(), r.points)).collect(),
            clawed: receipt
                .clawed_back
                .iter()
                .map(|c| match c {
                    ClawedBackReceipt::Points(c) => {
                        (c.wallet.clone(), [c.points, c.taken, c.forgiven, c.held, c.waived, c.owed])
                    }
                    ClawedBackReceipt::Amount(c) => {
                        (c.wallet.clone(), [minor(c.amount), minor(c.taken), minor(c.forgiven), 0, 0, 0])
                    }
                })
                .collect(),
            complete: receipt.complete,
        }
    }
}

fn id(place: usize) -> String {
    format!("l{place}")
}

fn place(id: &str) -> usize {
    id[1..].parse().unwrap()
}

pub fn cart(basket: &Basket) -> Cart {
    let line = |(i, line): (usize, &Line)| CartLine {
        id: id(if basket.twice && i == 1 { 0 } else { i }),
        kind: if line.product { LineKind::Product } else { LineKind::Shipping },
        sku: None,
        category: None,
        brand: None,
        quantity: line.quantity,
        amount: money(line.amount),
        tax: match (line.rate, line.tax) {
            (Some(rate), _) => Tax::Rate(Decimal::new(rate, 1)),
            (None, Some(tax)) => Tax::Stated(money(tax)),
            (None, None) => Tax::None,
        },
    };
    let off = |(place, amount): &(usize, i64)| StatedDiscount {
        code: "off".into(),
        lines: vec![DiscountedLine { id: id(*place), amount: money(*amount) }],
    };
    Cart {
        prices: match basket.taxed {
            Taxed::Included => Prices::TaxIncluded,
            Taxed::OnTop => Prices::TaxOnTop,
            Taxed::Not => Prices::NoTax,
        },
        lines: basket.lines.iter().enumerate().map(line).collect(),
        discounts: basket.off.iter().map(off).collect(),
        points: points(basket.points),
        gift_card: money(basket.gift),
        total: basket.total.map(money),
    }
}

fn request(asked: &Asked) -> ReturnRequest {
    match asked {
        Asked::All => ReturnRequest { all: true, ..ReturnRequest::default() },
        Asked::Amount(amount) => ReturnRequest { amount: Some(money(*amount)), ..ReturnRequest::default() },
        Asked::Nothing => ReturnRequest::default(),
        Asked::Lines(lines) => {
            let line = |(place, quantity, amount): &(usize, Option<u32>, Option<i64>)| LineReturn {
                id: id(*place),
                quantity: *quantity,
                amount: amount.map(money),
            };
            ReturnRequest { lines: Some(lines.iter().map(line).collect()), ..ReturnRequest::default() }
        }
    }
}
