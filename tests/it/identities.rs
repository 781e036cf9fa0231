//! Identities that are tried, given up and taken by somebody else at the same time.

use std::collections::HashMap;

use perennial::kernel::id::MemberId;
use perennial::loyalty::ledger::alias::Aliases;
use perennial::loyalty::ledger::group::Outcome;
use perennial::loyalty::ledger::load::{Lock, Plan, load};
use perennial::loyalty::ledger::posting::{Guess, Reference, RequestHash};
use perennial::loyalty::ledger::queue::Job;
use perennial::loyalty::ledger::save::save;
use perennial::loyalty::ledger::storage::Storage;
use perennial::loyalty::ledger::writer::LOCK_TIMEOUT_MS;
use perennial::loyalty::members::model::ProfilePatch;
use perennial::loyalty::membership::change::ChangeProfile;

use crate::harness::{Kiosk, LANES, facts, verify};

fn change(shop: &Kiosk, member: MemberId, name: &str, card: Option<&str>) -> ChangeProfile {
    ChangeProfile {
        program: shop.scope.program(),
        reference: Reference::keyed("change", name),
        hash: RequestHash::of(&name),
        member,
        patch: ProfilePatch { card: Some(card.map(str::to_owned)), ..ProfilePatch::default() },
    }
}

#[tokio::test]
async fn a_card_that_a_group_tries_and_gives_up_stays_with_who_took_it_meanwhile() {
    let shop = Kiosk::new(20).await;
    let one = shop.members[0];
    let other = *shop.members.iter().find(|m| m.lane(LANES) != one.lane(LANES)).unwrap();
    let conn = shop.test.db.connect(LOCK_TIMEOUT_MS).await.unwrap();
    // What a writer does with a group of two, without the writer.
    let commands = [change(&shop, one, "take", Some("4711")), change(&shop, one, "give up", None)];
    let mut jobs = commands.map(|command| Job::new(shop.scope.clone(), command).0);
    let mut plan = Plan::default();
    let guess = Guess { program: shop.scope.program(), timeline: None, clock: None };
    jobs.iter().for_each(|job| plan.add(job, guess, LANES, &Aliases::default()));
    let mut loaded = load(&conn, &plan, Lock::Lanes).await.unwrap();
    let timeline = shop.timelines.at_least(&conn, shop.scope.program(), 1).await.unwrap();
    for job in &mut jobs {
        assert!(matches!(loaded.group.run(job, loaded.clock, &timeline), Outcome::Accepted(_)));
    }
    // It is not stored yet, and somebody in another lane gets the card.
    shop.ledger.post(&shop.scope, change(&shop, other, "meanwhile", Some("4711"))).await.unwrap();
    let programs = HashMap::from([(shop.scope.program(), timeline)]);
    save(&conn, &loaded.group, &loaded.heads, loaded.clock, LANES, &programs).await.unwrap();
    let theirs = format!("directory WHERE kind = 5 AND member_id = '{other}'");
    assert_eq!(facts::count(&shop.test.db, &theirs).await, 1);
    verify(&shop.test.db).await;
}
