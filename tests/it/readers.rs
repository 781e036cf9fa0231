//! Readers of accounts: many at once, each its own, and on after a connection went away.

use diesel::sql_query;
use diesel_async::RunQueryDsl;
use futures_util::future::join_all;
use perennial::kernel::id::{MemberId, ProgramId};
use perennial::kernel::scope::{Principal, ProgramScope};
use perennial::loyalty::statement::reader::AccountReader;
use perennial::platform::db::{Db, PoolSize, Role};
use perennial::platform::entropy::uuid_v7;

use crate::harness::{Kiosk, LANES};

#[tokio::test]
async fn everybody_who_asks_at_once_gets_their_own_account() {
    let shop = Kiosk::new(60).await;
    let reader = AccountReader::start(&shop.test.db, LANES);
    let found = join_all(shop.members.iter().map(|m| reader.find_account(&shop.scope, *m))).await;
    for (found, member) in found.into_iter().zip(&shop.members) {
        assert_eq!(found.unwrap().unwrap().account.member, *member);
    }
    // One member asked for many times over is read once and answered each time.
    let one = *shop.members.as_slice().first().unwrap();
    let found = join_all((0..30).map(|_| reader.find_account(&shop.scope, one))).await;
    assert!(found.into_iter().all(|f| f.unwrap().is_some()));
}

#[tokio::test]
async fn members_of_another_programme_and_of_none_are_not_found() {
    let shop = Kiosk::new(1).await;
    let reader = AccountReader::start(&shop.test.db, LANES);
    let other = ProgramScope::new(ProgramId(uuid_v7()), Principal::Operator);
    let member = *shop.members.as_slice().first().unwrap();
    assert!(reader.find_account(&other, member).await.unwrap().is_none());
    assert!(reader.find_account(&shop.scope, MemberId(uuid_v7())).await.unwrap().is_none());
}

#[tokio::test]
async fn a_reader_whose_connection_was_ended_reads_on() {
    let shop = Kiosk::new(1).await;
    let reader = AccountReader::start(&shop.test.db, LANES);
    let member = *shop.members.as_slice().first().unwrap();
    for _ in 0..2 {
        // Each reader has its turn.
        assert!(reader.find_account(&shop.scope, member).await.unwrap().is_some());
        assert!(reader.find_account(&shop.scope, member).await.unwrap().is_some());
        let owner = Db::open(&shop.test.url, PoolSize(1), Role::Owner).await.unwrap();
        let mut conn = owner.conn().await.unwrap();
        let ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        sql_query(ended).execute(&mut conn).await.unwrap();
    }
    assert!(reader.find_account(&shop.scope, member).await.unwrap().is_some());
}
