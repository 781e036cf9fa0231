//! Counters: exact at their bound, whoever comes at once. Nothing of the product counts yet, so the test does.

use diesel::sql_types::BigInt;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use futures_util::future::join_all;
use perennial::kernel::clock::Moment;
use perennial::kernel::id::MemberId;
use perennial::kernel::scope::ProgramScope;
use perennial::loyalty::ledger::accounts::Accounts;
use perennial::loyalty::ledger::error::LedgerRefusal;
use perennial::loyalty::ledger::post::{Ledger, WriterCount};
use perennial::loyalty::ledger::posting::{
    CounterKey, Needs, Posting, PostingKind, Record, Reference, RequestHash, Target,
};
use perennial::loyalty::ledger::queue::PostError;
use perennial::loyalty::program::model::Timeline;

use crate::harness::{Kiosk, LANES};

/// Moves a counter by a member's posting.
#[derive(Clone)]
struct Count {
    member: MemberId,
    name: String,
    key: CounterKey,
    by: i64,
}

impl Posting for Count {
    type Receipt = i64;
    type Refusal = LedgerRefusal;

    fn target(&self) -> Target {
        Target::Member(self.member)
    }

    fn reference(&self) -> Reference {
        Reference::keyed("count", &self.name)
    }

    fn request_hash(&self) -> RequestHash {
        RequestHash::of(&(&self.name, self.by))
    }

    fn needs(&self) -> Needs {
        Needs { counters: vec![self.key.clone()], ..Needs::default() }
    }

    fn decide(&self, at: &Moment, program: &Timeline, accounts: &mut Accounts<'_>) -> Result<i64, LedgerRefusal> {
        let seen = accounts.counter(&self.key).used;
        accounts.count(self.key.clone(), self.by)?;
        accounts.record(Record::plain(PostingKind::Change, at.at, program.at(at.at).version));
        Ok(seen)
    }
}

#[derive(diesel::QueryableByName)]
struct Used {
    #[diesel(sql_type = BigInt)]
    used: i64,
}

async fn used(kiosk: &Kiosk) -> i64 {
    let mut conn = kiosk.test.db.conn().await.unwrap();
    let row: Used = diesel::sql_query("SELECT used FROM counters").get_result(&mut conn).await.unwrap();
    row.used
}

async fn stock(kiosk: &Kiosk, max: i64) -> CounterKey {
    let program = kiosk.scope.program();
    let insert = format!("INSERT INTO counters VALUES ('{program}', 'stock', '-', 0, {max})");
    kiosk.test.db.conn().await.unwrap().batch_execute(&insert).await.unwrap();
    CounterKey { program, rule: "stock".to_owned(), period: "-".to_owned() }
}

fn count(kiosk: &Kiosk, key: &CounterKey, place: usize, name: &str, by: i64) -> Count {
    Count { member: kiosk.members[place % kiosk.members.len()], name: name.to_owned(), key: key.clone(), by }
}

async fn post(ledger: &Ledger, scope: &ProgramScope, count: Count) -> bool {
    match ledger.post(scope, count).await {
        Ok(_) => true,
        Err(PostError::Refused(LedgerRefusal::CounterExhausted)) => false,
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_gives_out_exactly_what_it_has() {
    let kiosk = Kiosk::new(16).await;
    let key = stock(&kiosk, 1_000).await;
    // A second process, as it were, on the same lanes.
    let other = Ledger::start(&kiosk.test.db, LANES, kiosk.timelines.clone(), WriterCount(2));
    let takes = (0..1_100).map(|n| {
        let ledger = if n % 2 == 0 { &kiosk.ledger } else { &other };
        post(ledger, &kiosk.scope, count(&kiosk, &key, n, &format!("take-{n}"), 1))
    });
    let given = join_all(takes).await.into_iter().filter(|given| *given).count();
    assert_eq!((given, used(&kiosk).await), (1_000, 1_000));
    other.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_back_can_be_taken_again_and_nothing_counts_twice() {
    let kiosk = Kiosk::new(2).await;
    let key = stock(&kiosk, 1).await;
    assert!(post(&kiosk.ledger, &kiosk.scope, count(&kiosk, &key, 0, "a", 1)).await);
    assert!(post(&kiosk.ledger, &kiosk.scope, count(&kiosk, &key, 0, "a", 1)).await, "a replay");
    assert!(!post(&kiosk.ledger, &kiosk.scope, count(&kiosk, &key, 1, "b", 1)).await);
    assert!(post(&kiosk.ledger, &kiosk.scope, count(&kiosk, &key, 0, "a back", -1)).await);
    assert!(!post(&kiosk.ledger, &kiosk.scope, count(&kiosk, &key, 0, "too much back", -1)).await);
    assert!(post(&kiosk.ledger, &kiosk.scope, count(&kiosk, &key, 1, "b", 1)).await, "refusals are not stored");
    assert_eq!(used(&kiosk).await, 1);
}
