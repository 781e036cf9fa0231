//! A programme with members and a running ledger, without HTTP before it.

use std::mem::replace;

use futures_util::future::join_all;
use perennial::kernel::calendar::Zone;
use perennial::kernel::id::{MemberId, ProgramId};
use perennial::kernel::money::{Currency, Money};
use perennial::kernel::points::Points;
use perennial::kernel::scope::{Principal, ProgramScope};
use perennial::loyalty::checkout::cart::{Cart, CartLine, Prices, Tax};
use perennial::loyalty::checkout::settle::{OrderedAt, SettleOrder};
use perennial::loyalty::earning::model::LineKind;
use perennial::loyalty::ledger::post::{Ledger, WriterCount};
use perennial::loyalty::ledger::posting::{AccountTime, Reference, RequestHash, Target};
use perennial::loyalty::members::model::Profile;
use perennial::loyalty::membership::enrol::Enrol;
use perennial::loyalty::program::create::{ProgramCode, create};
use perennial::loyalty::program::document::default_document;
use perennial::loyalty::program::timelines::Timelines;
use perennial::platform::entropy::uuid_v7;
use rust_decimal::Decimal;

use super::TestDb;
use super::database::LANES;

/// A programme with members, and the ledger that they are in.
pub struct Kiosk {
    pub test: TestDb,
    pub scope: ProgramScope,
    pub timelines: Timelines,
    pub ledger: Ledger,
    pub members: Vec<MemberId>,
}

impl Kiosk {
    /// Opens one with as many members.
    pub async fn new(members: usize) -> Self {
        let test = TestDb::new().await;
        let scope = ProgramScope::new(ProgramId(uuid_v7()), Principal::Operator);
        publish(&test, &scope).await;
        let timelines = Timelines::default();
        let ledger = Ledger::start(&test.db, LANES, timelines.clone(), WriterCount(2));
        let members: Vec<MemberId> = (0..members).map(|_| MemberId(uuid_v7())).collect();
        let enrol = |(n, member): (usize, &MemberId)| Enrol {
            program: scope.program(),
            reference: Reference::keyed("enrol", &n.to_string()),
            hash: RequestHash::of(&n),
            member: *member,
            profile: Profile { external_id: Some(format!("c-{n}")), ..Profile::default() },
            enrolled_on: None,
            welcomes: true,
            time: AccountTime::Live,
        };
        let enrolled = join_all(members.iter().enumerate().map(|m| ledger.post(&scope, enrol(m)))).await;
        assert!(enrolled.iter().all(Result::is_ok), "{enrolled:?}");
        Self { test, scope, timelines, ledger, members }
    }

    /// Ends the writers and starts new ones.
    pub async fn reopen(&mut self) {
        let next = Ledger::start(&self.test.db, LANES, self.timelines.clone(), WriterCount(2));
        replace(&mut self.ledger, next).close().await;
    }

    /// Settles an order of every fourth member at once, and answers how many; `round` makes references unique.
    pub async fn sell(&self, round: usize) -> i64 {
        let buyers = self.members.iter().skip(round % 4).step_by(4);
        let orders = buyers.map(|m| self.ledger.post(&self.scope, order(*m, &format!("{round}-{m}"))));
        let settled = join_all(orders).await;
        assert!(settled.iter().all(Result::is_ok), "{settled:?}");
        i64::try_from(settled.len()).unwrap()
    }
}

async fn publish(test: &TestDb, scope: &ProgramScope) {
    let currency = Currency::parse("EUR").unwrap();
    let document = default_document("Shop", currency, Zone::UTC);
    let code = ProgramCode::parse("shop").unwrap();
    create(&mut test.db.conn().await.unwrap(), scope, &code, &document).await.unwrap();
}

/// An ordinary order: two lines, tax included, no discount, no points spent.
pub fn order(member: MemberId, reference: &str) -> SettleOrder {
    let line = |id: &str, quantity, minor| CartLine {
        attributes: Default::default(),
        id: id.to_owned(),
        kind: LineKind::Product,
        sku: Some(format!("S-{id}")),
        category: Some("shoes".to_owned()),
        brand: None,
        quantity,
        amount: Money::from_minor(minor).unwrap(),
        tax: Tax::Rate(Decimal::new(21, 0)),
    };
    SettleOrder {
        named: Reference::order(reference),
        reference: reference.to_owned(),
        hash: RequestHash::of(&reference),
        target: Target::Member(member),
        identity: None,
        profile: Profile::default(),
        enrol: false,
        ordered: OrderedAt::Now,
        time: AccountTime::Live,
        cart: Cart {
            attributes: Default::default(),
            prices: Prices::TaxIncluded,
            lines: vec![line("1", 1, 8_999), line("2", 3, 2_385)],
            discounts: Vec::new(),
            entered: Vec::new(),
            points: Points::ZERO,
            gift_card: Money::ZERO,
            total: None,
        },
        stated: false,
        quoted: false,
        valid_with: None,
        says_points: true,
        spend_from: None,
        hold: None,
        place: None,
    }
}
