//! Whatever anybody sends is read, or refused with its place; nothing panics, and nothing becomes a mistake of ours.

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::kernel::edges::{bent, bytes, cases, text as odd_text};
use crate::kernel::id::{ProgramId, Version};
use crate::kernel::money::{Currency, Ratio};
use crate::loyalty::checkout::door::read_order;
use crate::loyalty::checkout::order_in::{BadOrder, OrderIn};
use crate::loyalty::checkout::price::{Terms, price};
use crate::loyalty::checkout::return_in::ReturnIn;
use crate::loyalty::ledger::posting::RequestHash;
use crate::loyalty::members::model::IdentityKind;
use crate::loyalty::membership::profile_in::{IDENTITY_CHARS_MAX, ProfileIn, ProfilePatchIn, identity_of};
use crate::loyalty::program::compile::compile;
use crate::loyalty::program::document::Document;
use crate::loyalty::program::model::{NetOf, Rulebook};
use crate::loyalty::program::slots::assign_slots;
use crate::platform::web::body::read;

fn an_order() -> Value {
    json!({
        "reference": "1001", "member": { "email": "a@b.example" }, "enrol": true, "ordered_at": "2026-06-10T12:00:00Z",
        "currency": "EUR", "channel": "web", "store": "s", "prices": "tax_included", "hold": "cart",
        "lines": [
            { "id": "1", "sku": "S-42", "category": "shoes", "brand": "b", "quantity": 2, "amount": "89.99", "tax_rate": "21" },
            { "id": "s", "kind": "shipping", "amount": "4.95", "tax": "0.86" }
        ],
        "discounts": [{ "code": "ten", "lines": [{ "id": "1", "amount": "9.00" }] }],
        "points": { "wallet": "points", "spend": 20 }, "gift_card": "1.00", "total": "85.94"
    })
}

fn a_return() -> Value {
    json!({ "reference": "r-1", "lines": [{ "id": "1", "quantity": 1 }, { "id": "2", "amount": "1.00" }] })
}

fn a_profile() -> Value {
    json!({
        "external_id": "c-17", "email": "A@b.example", "phone": "+31612345678", "card": "99", "name": "Ada",
        "birthday": "1990-02-28", "locale": "nl-NL", "attributes": { "shoe_size": 42, "vip": true, "note": "x" }
    })
}

/// Reads a body; what is refused is the caller's mistake, and has its place where it is JSON.
fn door<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    let problem = match read::<T>(body) {
        Ok(sent) => return Some(sent),
        Err(problem) => problem,
    };
    let document: Value = serde_json::from_slice(&problem.document(None)).unwrap();
    let placed = document["pointer"].as_str().is_some_and(|p| p.is_empty() || p.starts_with('/'));
    match problem.kind().status {
        400 => {}
        422 => assert!(placed, "{document}"),
        other => panic!("{other}: {document}"),
    }
    None
}

/// What was read, written and read again: the same command, so a retry by another client is found.
fn again<T: Serialize + DeserializeOwned>(sent: &T) {
    let written = serde_json::to_vec(sent).unwrap();
    let read = door::<T>(&written).unwrap();
    assert_eq!(RequestHash::of(sent), RequestHash::of(&read), "{}", String::from_utf8_lossy(&written));
}

fn book() -> Rulebook {
    let text = "program = { name = \"Acme\", currency = \"EUR\", timezone = \"UTC\" }\n[wallets]\n\
                points = { kind = \"redeemable\", value = \"0.01\", by_hand = true }\n";
    let document = Document::from_toml(text).unwrap();
    compile(&document, Version(1), Instant::MIN_UTC, &assign_slots(&Default::default(), &document).unwrap()).unwrap()
}

fn placed(pointer: &str) -> bool {
    pointer.is_empty() || pointer.starts_with('/')
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn whatever_is_sent_as_an_order_is_read_or_refused_with_its_place(body in bytes(bent(an_order()))) {
        let Some(sent) = door::<OrderIn>(&body) else { return Ok(()) };
        again(&sent);
        match read_order(&sent, &book(), ProgramId(Uuid::from_u128(1))) {
            Err(BadOrder::Field(bad)) => prop_assert!(placed(&bad.pointer), "{:?}", bad),
            Err(BadOrder::Currency(_)) => {}
            Ok(order) => {
                let terms = Terms { value: Ratio::of(1.into(), 1.into()).unwrap(), net_of: NetOf::NOTHING, barred: &[] };
                if let Err(error) = price(&order.cart, order.cart.points, &terms) {
                    prop_assert!(error.pointer().starts_with('/'));
                }
            }
        }
    }

    #[test]
    fn whatever_is_sent_as_a_return_is_read_or_refused_with_its_place(body in bytes(bent(a_return()))) {
        let Some(sent) = door::<ReturnIn>(&body) else { return Ok(()) };
        again(&sent);
        for code in ["EUR", "JPY", "KWD"] {
            if let Err(bad) = sent.request(Currency::parse(code).unwrap()) {
                prop_assert!(bad.pointer.starts_with('/'));
            }
        }
    }

    #[test]
    fn whatever_is_sent_as_a_member_is_read_or_refused_with_its_place(
        body in bytes(bent(a_profile())),
    ) {
        if let Some(sent) = door::<ProfilePatchIn>(&body)
            && let Err(bad) = sent.read()
        {
            prop_assert!(bad.pointer.starts_with('/'));
        }
        let Some(sent) = door::<ProfileIn>(&body) else { return Ok(()) };
        again(&sent);
        if let Err(bad) = sent.read() {
            prop_assert!(bad.pointer.starts_with('/'));
        }
    }

    #[test]
    fn a_name_by_which_a_member_is_known_is_short_and_is_read_again_as_it_is(
        text in odd_text(), host in prop::sample::select(vec!["", "@b.example", "@B.EXAMPLE"]),
    ) {
        let program = ProgramId(Uuid::from_u128(1));
        for kind in [IdentityKind::ExternalId, IdentityKind::Email, IdentityKind::Phone, IdentityKind::Card] {
            let Ok(identity) = identity_of(program, kind, &format!("{text}{host}")) else { continue };
            prop_assert!(identity.value.chars().count() <= IDENTITY_CHARS_MAX);
            prop_assert_eq!(identity_of(program, kind, &identity.value), Ok(identity));
        }
    }
}
