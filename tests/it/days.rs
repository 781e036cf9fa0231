//! Birthdays and anniversaries: awarded for once each, on the day that they are kept, also after a time in which nobody did.

use chrono::{Days, NaiveDate};
use perennial::kernel::id::MemberId;
use perennial::loyalty::ledger::posting::{AccountTime, Reference, RequestHash};
use perennial::loyalty::ledger::writer::Pace;
use perennial::loyalty::members::model::Profile;
use perennial::loyalty::membership::days::jobs::{DAYS_LATE_MAX, run_days};
use perennial::loyalty::membership::enrol::Enrol;
use perennial::platform::entropy::uuid_v7;
use serde_json::json;
use tokio::join;

use crate::harness::{Client, EURO, Process, TestApp, facts, fresh, verify};

const DAYS: &str = "
[earning.many_happy_returns]
on = \"birthday\"
award = { points = 50 }
[earning.a_year]
on = \"anniversary\"
award = { points = 7 }
when = 'member.days_enrolled >= 700'
[earning.for_buyers]
on = \"birthday\"
when = 'member.order_count >= 1'
award = { points = 3 }
";

async fn app() -> TestApp {
    // Days as the database's clock has them, whatever the hour.
    let utc = EURO.replace("Europe/Amsterdam", "UTC");
    TestApp::with(&format!("{utc}\n{DAYS}"), Pace::serving()).await
}

async fn run(app: &TestApp) -> u64 {
    run_days(&app.test.db, &app.process().ledger).await.unwrap()
}

async fn today(app: &TestApp) -> NaiveDate {
    let today = "SELECT (now() AT TIME ZONE 'UTC')::date::text AS fact";
    facts::one(&app.owner().await, today).await.parse().unwrap()
}

async fn born(shop: &Client, on: NaiveDate) -> String {
    shop.enrol(&json!({ "birthday": on.to_string() })).await
}

/// The day some years before.
fn years_ago(years: u32, day: NaiveDate) -> NaiveDate {
    day.checked_sub_months(chrono::Months::new(12 * years)).unwrap()
}

/// Somebody who takes part since a day, as an import knows it.
async fn enrolled(app: &TestApp, name: &str, on: NaiveDate) -> String {
    let member = MemberId(uuid_v7());
    let enrol = Enrol {
        program: app.program.program(),
        reference: Reference::keyed("enrol", name),
        hash: RequestHash::of(&name),
        member,
        profile: Profile::default(),
        enrolled_on: Some(on),
        welcomes: false,
        time: AccountTime::Live,
    };
    app.process().ledger.post(&app.program, enrol).await.unwrap();
    member.to_string()
}

/// What was done so far is as if it had been done long ago.
async fn away_for(app: &TestApp, days: u64) {
    let moved = format!(
        "WITH moved AS (UPDATE days SET done_through = done_through - {days} RETURNING 1) SELECT count(*)::text AS fact FROM moved"
    );
    facts::one(&app.owner().await, &moved).await;
}

#[tokio::test]
async fn a_birthday_is_awarded_for_once_by_what_holds_on_it() {
    let app = app().await;
    let today = today(&app).await;
    let other = Process::start(&app.test, Pace::serving()).await;
    let shop = app.shop().await;
    let (ana, eva) = (born(&shop, years_ago(30, today)).await, born(&shop, years_ago(30, today - Days::new(1))).await);
    let nobody = shop.enrol(&json!({ "name": "Without a birthday" })).await;
    let suspended = born(&shop, years_ago(40, today)).await;
    let path = format!("/v1/members/{suspended}/suspensions");
    assert_eq!(shop.post_keyed(&path, &fresh("out"), &json!({ "reason": "test" })).await.status, 201);
    // Two processes at once, and then again.
    let (one, two) = join!(run(&app), run_days(&app.test.db, &other.ledger));
    assert_eq!(one + two.unwrap(), 1);
    assert_eq!(run(&app).await, 0);
    assert_eq!((shop.spendable(&ana).await, shop.spendable(&eva).await, shop.spendable(&nobody).await), (50, 0, 0));
    assert_eq!(shop.spendable(&suspended).await, 0);
    let line = &shop.get(&format!("/v1/members/{ana}/statement?limit=1")).await.json["items"][0];
    assert_eq!((&line["kind"], &line["says"]), (&json!("event"), &json!("50 points earned")));
    let why = shop.get(&format!("/v1/postings/{}/why", line["posting"].as_str().unwrap())).await;
    assert_eq!(why.status, 200, "{why:?}");
    // Done again from the start, it is done already; whoever has another birthday now has had one this year.
    away_for(&app, 3).await;
    shop.patch(&format!("/v1/members/{ana}"), &json!({ "birthday": years_ago(30, today - Days::new(1)).to_string() }))
        .await;
    run(&app).await;
    assert_eq!((shop.spendable(&ana).await, shop.spendable(&eva).await), (50, 50));
    verify(&app.test.db).await;
}

#[tokio::test]
async fn what_was_missed_is_caught_up_as_of_its_day_and_no_further_than_a_month() {
    let app = app().await;
    let today = today(&app).await;
    let shop = app.shop().await;
    run(&app).await;
    let past = |days: u64| years_ago(20, today - Days::new(days));
    let (late, too_late) = (born(&shop, past(5)).await, born(&shop, past(DAYS_LATE_MAX + 2)).await);
    assert_eq!(run(&app).await, 0, "those days are over");
    away_for(&app, 60).await;
    run(&app).await;
    assert_eq!((shop.spendable(&late).await, shop.spendable(&too_late).await), (50, 0));
    let line = &shop.get(&format!("/v1/members/{late}/statement?limit=1")).await.json["items"][0];
    assert_eq!(line["effective_on"], json!((today - Days::new(5)).to_string()));
    verify(&app.test.db).await;
}

#[tokio::test]
async fn an_anniversary_is_kept_from_the_first_year_on_and_nobody_sends_one() {
    let app = app().await;
    let today = today(&app).await;
    let shop = app.shop().await;
    let new = shop.enrol(&json!({})).await;
    let old = enrolled(&app, "old", years_ago(2, today)).await;
    let not_yet = enrolled(&app, "not_yet", years_ago(1, today)).await;
    assert_eq!(run(&app).await, 2);
    assert_eq!((shop.spendable(&old).await, shop.spendable(&new).await), (7, 0));
    let told = shop.get(&format!("/v1/members/{not_yet}/statement")).await.json;
    assert_eq!(told["items"].as_array().unwrap().len(), 1, "a day for which nothing is awarded leaves nothing");
    for name in ["birthday", "anniversary"] {
        let event = json!({ "member": { "id": new }, "event": name });
        shop.post_keyed("/v1/events", &fresh("e"), &event).await.refused(422, "event_unknown");
    }
}
