//! A command that breaks what it runs in: it fails alone, and the others of its group do not notice.

use std::time::Duration;

use diesel_async::SimpleAsyncConnection;
use futures_util::future::{join, join_all};
use perennial::kernel::clock::Moment;
use perennial::kernel::id::MemberId;
use perennial::kernel::points::Points;
use perennial::loyalty::checkout::cart::Cart;
use perennial::loyalty::checkout::settle::SettleOrder;
use perennial::loyalty::ledger::accounts::Accounts;
use perennial::loyalty::ledger::error::LedgerRefusal;
use perennial::loyalty::ledger::post::{Ledger, WriterCount};
use perennial::loyalty::ledger::posting::{Posting, PostingKind, Record, Reference, RequestHash, Target};
use perennial::loyalty::ledger::queue::PostError;
use perennial::loyalty::ledger::writer::GROUP_MAX;
use perennial::loyalty::program::model::Timeline;
use perennial::platform::db::{Db, PoolSize, Role};
use rust_decimal::Decimal;
use tokio::time::sleep as wait;

use crate::harness::{Dice, Kiosk, LANES, facts, order};

/// Members of the shop.
const MEMBERS: usize = 12;
/// More quotes than the pool has connections.
const QUOTES: usize = 8;
/// Between two looks whether the writer waits, in milliseconds.
const LOOK_EVERY_MS: u64 = 5;

/// What is wrong with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Poison {
    Nothing,
    /// Postgres cannot store its text.
    Text,
    /// A figure does not fit its column.
    Figure,
    /// Its decision ends in a panic.
    Panic,
}

/// A posting that says nothing.
struct Say {
    member: MemberId,
    name: String,
    poison: Poison,
}

impl Posting for Say {
    type Receipt = String;
    type Refusal = LedgerRefusal;

    fn target(&self) -> Target {
        Target::Member(self.member)
    }

    fn reference(&self) -> Reference {
        Reference::keyed("say", &self.name)
    }

    fn request_hash(&self) -> RequestHash {
        RequestHash::of(&self.name)
    }

    fn decide(&self, at: &Moment, program: &Timeline, accounts: &mut Accounts<'_>) -> Result<String, LedgerRefusal> {
        accounts.account()?;
        let plain = Record::plain(PostingKind::Change, at.at, program.at(at.at).version);
        accounts.record(match self.poison {
            Poison::Nothing => plain,
            Poison::Text => Record { texts: Some("\0".to_owned()), ..plain },
            Poison::Figure => Record { paid: Some(Decimal::MAX), ..plain },
            Poison::Panic => panic!("a decision that panics, on purpose"),
        });
        Ok(self.name.clone())
    }
}

#[tokio::test]
async fn a_poisoned_command_in_a_full_group_fails_alone() {
    for (round, poison) in [Poison::Text, Poison::Figure, Poison::Panic].into_iter().enumerate() {
        let kiosk = Kiosk::new(MEMBERS).await;
        let ledger = Ledger::start(&kiosk.test.db, LANES, kiosk.timelines.clone(), WriterCount(1));
        let say = |name: String, poison| {
            let member = kiosk.members[name.len() % MEMBERS];
            ledger.enqueue(&kiosk.scope, Say { member, name, poison })
        };
        // While somebody holds the lanes the writer waits with the first command, and the others gather behind it.
        let owner = Db::open(&kiosk.test.url, PoolSize(1), Role::Owner).await.unwrap();
        let mut holder = owner.conn().await.unwrap();
        holder.batch_execute("BEGIN; SELECT 1 FROM lanes FOR UPDATE").await.unwrap();
        let first = say("first".to_owned(), Poison::Nothing).await.unwrap();
        while facts::count(&kiosk.test.db, "pg_locks WHERE NOT granted").await == 0 {
            wait(Duration::from_millis(LOOK_EVERY_MS)).await;
        }
        let rows = facts::count(&kiosk.test.db, "journal").await;
        let place = usize::try_from(Dice::new(u64::try_from(round).unwrap()).roll(200)).unwrap();
        let mut answers = Vec::new();
        for n in 0..GROUP_MAX {
            let poison = if n == place { poison } else { Poison::Nothing };
            // Names of several lengths: members of several lanes.
            answers.push(say(format!("{n}-{}", "x".repeat(n % MEMBERS)), poison).await.unwrap());
        }
        holder.batch_execute("ROLLBACK").await.unwrap();
        assert!(first.await.unwrap().is_ok());
        for (n, answer) in join_all(answers).await.into_iter().enumerate() {
            let answer = answer.unwrap();
            if n == place {
                assert!(matches!(answer, Err(PostError::Unavailable)), "{poison:?}: {answer:?}");
            } else {
                assert!(answer.is_ok(), "{poison:?}: {n} of the same group was answered {answer:?}");
            }
        }
        let said = facts::count(&kiosk.test.db, "postings WHERE reference LIKE 'say:%'").await;
        assert_eq!(said, i64::try_from(GROUP_MAX).unwrap(), "the first and 199 of {GROUP_MAX}");
        // They were one group that was taken apart: each has a journal row of its own.
        assert_eq!(facts::count(&kiosk.test.db, "journal").await - rows, said);
        // And the writer lives.
        assert!(say("last".to_owned(), Poison::Nothing).await.unwrap().await.unwrap().is_ok());
        ledger.close().await;
    }
}

#[tokio::test]
async fn a_quote_that_panics_leaves_no_transaction_behind() {
    let kiosk = Kiosk::new(1).await;
    let say = |poison| Say { member: kiosk.members[0], name: "quote".to_owned(), poison };
    for _ in 0..QUOTES {
        let quoted = kiosk.ledger.preview(&kiosk.scope, say(Poison::Panic)).await;
        assert!(matches!(quoted, Err(PostError::Unavailable)), "{quoted:?}");
    }
    assert!(kiosk.ledger.preview(&kiosk.scope, say(Poison::Nothing)).await.is_ok());
    let open = "pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    assert_eq!(facts::count(&kiosk.test.db, open).await, 0);
}

#[tokio::test]
async fn quotes_of_one_look_see_nothing_of_each_other_and_one_that_panics_fails_alone() {
    let kiosk = Kiosk::new(1).await;
    let member = kiosk.members[0];
    let bought = kiosk.ledger.post(&kiosk.scope, order(member, "first")).await.unwrap().receipt;
    let all = Points::try_from(bought.earned[0].points.unwrap()).unwrap();
    let quote = |n: usize| {
        let named = Reference::keyed("quote", &n.to_string());
        let order = order(member, &format!("q-{n}"));
        SettleOrder { named, cart: Cart { points: all, ..order.cart }, ..order }
    };
    let quotes = join_all((0..4 * GROUP_MAX).map(|n| kiosk.ledger.preview(&kiosk.scope, quote(n))));
    let poisoned = kiosk.ledger.preview(&kiosk.scope, Say { member, name: "bad".to_owned(), poison: Poison::Panic });
    let (quoted, poisoned) = join(quotes, poisoned).await;
    for quoted in quoted {
        assert_eq!(quoted.unwrap().receipt.spent[0].points, all.get(), "each spends what none has spent");
    }
    assert!(matches!(poisoned, Err(PostError::Unavailable)), "{poisoned:?}");
    assert_eq!(facts::count(&kiosk.test.db, "postings").await, 2, "an enrolment and an order");
}
