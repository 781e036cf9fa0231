//! Each check, shown what it has to refuse, and what looks like it and is right.

use crate::source::{Source, parse};
use crate::{Violation, arrows, kinds, sizes};

type Check = fn(&[Source]) -> Vec<Violation>;

/// What a check says of one file: `line: rule`.
fn said(check: Check, path: &str, text: &str) -> Vec<String> {
    let told = |v: Violation| format!("{}: {}", v.place.trim_start_matches(path).trim_start_matches(':'), v.rule);
    check(&[parse(path, text)]).into_iter().map(told).collect()
}

#[track_caller]
fn refused(check: Check, path: &str, text: &str, rule: &str) {
    let said = said(check, path, text);
    assert!(matches!(said.as_slice(), [one] if one.contains(rule)), "{path} with {text:?} was answered {said:?}");
}

#[track_caller]
fn fine(check: Check, path: &str, text: &str) {
    assert_eq!(said(check, path, text), Vec::<String>::new(), "{path} with {text:?}");
}

#[test]
fn an_import_from_above_is_refused() {
    let check = arrows::imports;
    refused(check, "src/kernel/id.rs", "//! Doc.\nuse crate::platform::db::Db;", "2: `kernel` stands below `platform`");
    refused(check, "src/platform/web/body.rs", "use crate::{loyalty::program::model::Slot};", "below `loyalty`");
    refused(check, "src/platform/db/pool.rs", "use crate::platform::auth::Caller;", "`platform/db` may not use");
    refused(check, "src/platform/auth/mod.rs", "fn f() { use super::mail::run; }", "no place in the order");
    refused(check, "src/loyalty/ledger/account.rs", "use crate::loyalty::checkout::cart::Cart;", "`loyalty/ledger`");
    refused(check, "src/loyalty/earning/base.rs", "use crate::loyalty::ledger::lot::Lot;", "`loyalty/earning`");
    refused(check, "src/loyalty/ledger/lot.rs", "use super::super::membership::enrol;", "`loyalty/ledger`");
    refused(check, "src/loyalty/ledger/lot.rs", "mod tests { use crate::app::run; }", "below `app`");
    refused(check, "src/kernel/id.rs", "use crate::utils::x;", "`utils` is no storey");
    refused(check, "src/platform/auth/issue.rs", "use crate::schema::api_keys;", "tables are for stores");
    fine(check, "src/platform/audit/http.rs", "use crate::platform::auth::Caller;");
    fine(check, "src/platform/auth/store.rs", "use crate::schema::api_keys;\nuse crate::kernel::id::ProgramId;");
    fine(check, "src/loyalty/checkout/settle.rs", "use crate::loyalty::ledger::lot::Lot;\nuse std::fmt;");
    fine(check, "src/loyalty/ledger/lot.rs", "mod tests { use super::*; }");
}

#[test]
fn a_macro_belongs_to_the_room_that_exports_it() {
    let home = parse("src/platform/web/rows.rs", "#[macro_export]\nmacro_rules! rows { () => {}; }");
    let below = parse("src/platform/db/pool.rs", "use crate::rows;");
    let above = parse("src/loyalty/ledger/reads.rs", "use crate::rows;");
    assert_eq!(arrows::imports(&[home, below, above]).len(), 1);
}

#[test]
fn a_path_in_the_middle_of_code_is_refused() {
    let check = arrows::paths;
    let path = "src/loyalty/ledger/lot.rs";
    refused(check, path, "fn f() {\n    crate::kernel::id::x();\n}", "2: a path from `crate::`");
    refused(check, path, "fn f() { println!(\"{}\", crate::kernel::X); }", "a path from `crate::`");
    refused(check, path, "mod tests { fn f(x: crate::kernel::X) {} }", "a path from `crate::`");
    refused(check, path, "use super::super::program::model;", "`super::super`");
    refused(check, path, "use crate::kernel::scope::ProgramScope as Proof;", "under another name");
    fine(check, path, "use crate::kernel::id::X;\npub(in crate::loyalty) fn f() -> X { X }");
    fine(
        check,
        path,
        "// crate::x\n/// [`crate::x`]\nmacro_rules! m { () => { $crate::x() }; }\nfn f() { \"crate::x\"; }",
    );
}

#[test]
fn a_scope_made_by_a_stranger_is_refused() {
    let check = arrows::scope_makers;
    let text = "fn f() { let scope = ProgramScope::new(program, principal); }";
    refused(check, "src/loyalty/checkout/http.rs", text, "proof that somebody was let in");
    refused(check, "src/platform/auth/caller.rs", "fn f() { x.map(ProgramScope::new) }", "proof");
    fine(check, "src/platform/auth/authenticator.rs", text);
    fine(check, "src/loyalty/ledger/account.rs", "#[cfg(test)]\nmod tests { fn f() { ProgramScope::new(p, q); } }");
}

#[test]
fn a_file_that_breaks_its_promise_is_refused() {
    let check = kinds::promises;
    refused(check, "src/loyalty/program/model.rs", "fn f() {}\nuse diesel::PgConnection;", "2: the crate `diesel`");
    refused(check, "src/platform/auth/model.rs", "use actix_web::get;", "the crate `actix_web`");
    refused(check, "src/loyalty/earning/base.rs", "async fn f() {}", "`async`");
    refused(check, "src/loyalty/earning/base.rs", "fn f() { g(std::env::var(\"X\")); }", "`std::env`");
    refused(check, "src/loyalty/earning/base.rs", "use std::time::SystemTime;", "`SystemTime`");
    refused(check, "src/loyalty/earning/base.rs", "use crate::platform::entropy::uuid_v7;", "platform::entropy");
    refused(check, "src/loyalty/checkout/price.rs", "use crate::loyalty::program::store::list;", "program::store");
    refused(check, "src/kernel/money.rs", "use tokio_postgres::Row;", "the crate `tokio_postgres`");
    refused(
        check,
        "src/loyalty/checkout/settle.rs",
        "impl Posting for X {}\nasync fn f() {}",
        "`async` in a file of the kind Posting",
    );
    refused(
        check,
        "src/loyalty/checkout/settle.rs",
        "impl Posting for X {}\nstatement! { X {} -> Y, \"\" }",
        "`statement`",
    );
    refused(check, "src/loyalty/checkout/settle.rs", "impl Posting for X {}\nimpl Posting for Y {}", "two postings");
    refused(check, "src/loyalty/program/store.rs", "use actix_web::get;", "the crate `actix_web`");
    refused(check, "src/loyalty/ledger/writer.rs", "use actix_web::get;", "the crate `actix_web`");
    refused(check, "src/loyalty/checkout/http.rs", "use diesel_async::RunQueryDsl;", "the crate `diesel_async`");
    refused(check, "src/platform/db/pool.rs", "use actix_web::get;", "the crate `actix_web`");
    fine(check, "src/loyalty/checkout/http.rs", "use actix_web::get;\n#[get(\"/\")]\nasync fn f() {}");
    fine(check, "src/loyalty/program/store.rs", "use diesel_async::RunQueryDsl;\nasync fn f() {}");
    fine(check, "src/loyalty/earning/base.rs", "use rust_decimal::Decimal;\n#[cfg(test)]\nmod tests { use std::fs; }");
}

#[test]
fn a_storey_of_rules_whose_arithmetic_may_overflow_is_refused() {
    let guard = "#![cfg_attr(not(test), forbid(clippy::arithmetic_side_effects))]";
    let said = |storey: &str, text: &str| {
        let top = parse(&format!("src/{storey}/mod.rs"), &format!("{text}\npub mod stats;"));
        let pure = parse("src/insight/stats/survival.rs", "fn f() {}");
        kinds::unguarded(&[top, pure]).into_iter().map(|v| v.place).collect::<Vec<_>>()
    };
    assert_eq!(said("insight", ""), ["src/insight/mod.rs"]);
    let denied = guard.replace("forbid", "deny");
    assert_eq!(said("insight", &denied), ["src/insight/mod.rs"], "what is denied can be allowed further down");
    assert_eq!((said("insight", guard), said("app", "")), (Vec::new(), Vec::new()));
}

#[test]
fn what_is_too_long_is_refused() {
    let check = sizes::lengths;
    refused(check, "src/kernel/id.rs", &"// a line\n".repeat(401), "401 lines");
    fine(check, "src/kernel/id.rs", &"// a line\n".repeat(400));
    fine(check, "src/schema.rs", &"// a line\n".repeat(401));
    let body = "    let _ = 1;\n".repeat(69);
    refused(check, "src/kernel/id.rs", &format!("\nimpl X {{ fn long() {{\n{body}}} }}"), "2: `long` has 71 lines");
    let body = "    let _ = 1;\n".repeat(68);
    fine(check, "src/kernel/id.rs", &format!("#[doc = \"\"]\nfn long() {{\n{body}}}"));
}

#[test]
fn a_name_that_says_nothing_is_refused() {
    let check = sizes::names;
    refused(check, "src/kernel/utils.rs", "", "`utils`");
    refused(check, "tests/it/common/mod.rs", "", "`common`");
    refused(check, "src/kernel/text_helpers.rs", "", "`text_helpers`");
    refused(check, "src/kernel/id.rs", "\nstruct KeyManager;", "2: `KeyManager`");
    refused(check, "src/kernel/id.rs", "trait OrderService {}", "`OrderService`");
    refused(check, "src/kernel/id.rs", "fn helper() {}", "`helper`");
    fine(check, "src/kernel/id.rs", "use utoipa_actix_web::service_config::ServiceConfig;\nstruct Commonwealth;");
}

#[test]
fn a_word_of_the_programme_in_the_platform_is_refused() {
    let check = sizes::loyalty_words;
    refused(check, "src/platform/web/rate.rs", "struct WalletLimit;", "`WalletLimit`");
    refused(check, "src/platform/db/pool.rs", "fn f(lot_id: Id) {}", "`lot_id`");
    fine(check, "src/platform/web/rate.rs", "// points\nconst ABOUT: &str = \"points\";");
    fine(check, "src/loyalty/ledger/lot.rs", "struct Lot;");
}
