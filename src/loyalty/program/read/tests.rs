//! What can be written, and what is said of what can't.

use chrono::DateTime;
use indexmap::IndexMap;
use proptest::prelude::*;
use proptest::sample::select;

use crate::kernel::calendar::{Period, RoundUp, Zone};
use crate::kernel::edges::{bent, bytes, cases, up_to};
use crate::kernel::id::Version;
use crate::kernel::money::{Currency, MONEY_MINOR_MAX, Ratio};
use crate::kernel::points::POINTS_MAX;
use crate::loyalty::program::compile::{check, check_fixed, compile};
use crate::loyalty::program::document::{Document, default_document};
use crate::loyalty::program::model::{
    Award, Counts, Expiry, NetOf, ReturnPolicy, Rulebook, Slot, TierSlot, WALLETS_MAX, WalletKind, Window,
};
use crate::loyalty::program::read::Mistake;
use crate::loyalty::program::slots::{NoRoom, Slots, TIER_SLOTS_MAX, assign_slots};

const ACME: &str = r#"
[program]
name = "Acme Rewards"
currency = "EUR"
timezone = "Europe/Amsterdam"

[wallets.points]
kind = "redeemable"
value = "0.01"
pending = { after = "P14D" }
expiry = { after = "P12M", round = "end_of_month", restore_grace = "P30D" }
returns = "pending_only"

[wallets.status]
kind = "qualifying"
counts = "spend"
window = "calendar_year"

[wallets.miles]
kind = "qualifying"
counts = "points"
window = { rolling = "P12M" }

[wallets.coins]
kind = "redeemable"
value = "0.005"
expiry = { inactive = "P12M" }

[earning.base]
on = "order"
wallet = "points"
award = { per = "1.00", points = 1 }
base = { net_of = ["discounts", "points_paid", "tax", "shipping", "gift_card"] }

[earning.a_coin_for_ten]
wallet = "coins"
award = { per = "10", points = 1, step = true }
base = { net_of = ["tax"] }

[perks.free_shipping]
text.en = { title = "Free shipping" }

[tiers]
wallet = "miles"
valid = "P6M"
downgrade = { at = "when_below", to = "one_down", grace = "P30D" }
ladder = [
  { code = "silver", from = "250" },
  { code = "gold", from = "1000", perks = ["free_shipping"], earn = "1.5" },
]
"#;

fn compiled(document: &Document) -> Rulebook {
    let slots = assign_slots(&Slots::default(), document).unwrap();
    compile(document, Version(1), DateTime::UNIX_EPOCH, &slots).unwrap()
}

fn mistakes(text: &str) -> Vec<String> {
    let named = |mistake: Mistake| Mistake { position: None, ..mistake }.to_string();
    Document::from_toml(text).unwrap_err().into_iter().map(named).collect()
}

fn acme_with(from: &str, to: &str) -> String {
    assert!(ACME.contains(from), "{from}");
    ACME.replacen(from, to, 1)
}

#[test]
fn a_document_compiles_to_what_it_says() {
    let book = compiled(&Document::from_toml(ACME).unwrap());
    assert_eq!((book.currency.code(), book.zone), ("EUR", "Europe/Amsterdam".parse().unwrap()));
    let codes: Vec<&str> = book.wallets.iter().map(|w| w.code.as_str()).collect();
    assert_eq!(codes, ["points", "status", "miles", "coins"]);
    let WalletKind::Redeemable(points) = &book.wallets[0].kind else { panic!() };
    let period = |text: &str| text.parse::<Period>().unwrap();
    assert_eq!((points.value.half_up(2000), points.pending), (Some(2000), Some(period("P14D"))));
    assert_eq!(points.expiry, Expiry::Fixed { after: period("P12M"), round: Some(RoundUp::EndOfMonth) });
    assert_eq!((points.restore_grace, points.returns), (Some(period("P30D")), ReturnPolicy::PendingOnly));
    let WalletKind::Qualifying(miles) = &book.wallets[2].kind else { panic!() };
    assert_eq!((miles.counts, miles.window), (Counts::Points, Window::Rolling(period("P12M"))));
    let WalletKind::Redeemable(coins) = &book.wallets[3].kind else { panic!() };
    assert_eq!((coins.value.half_up(3), coins.expiry), (Some(2), Expiry::Inactive { after: period("P12M") }));
    assert_eq!((coins.pending, coins.returns), (None, ReturnPolicy::WithinBalance));
    let Award::Rate { rate, step: None } = book.earning[0].award else { panic!() };
    assert_eq!((book.earning[0].wallet, rate.floor(7219), book.net_of()), (Slot(0), Some(72), NetOf::ALL));
    let Award::Rate { step: Some(step), .. } = book.earning[1].award else { panic!() };
    assert_eq!((book.earning[1].wallet, step.rate.floor(1999)), (Slot(3), Some(1)));
    assert_eq!(book.earning[1].net_of, NetOf { tax: true, ..NetOf::NOTHING });
}

#[test]
fn toml_and_json_are_one_document() {
    let acme = Document::from_toml(ACME).unwrap();
    assert_eq!(Document::from_toml(&acme.to_toml().unwrap()).unwrap(), acme);
    let json = acme.to_json().unwrap();
    let again = Document::from_json(&json).unwrap();
    assert_eq!(again, acme);
    assert!(again.wallets.keys().eq(acme.wallets.keys()) && again.earning.keys().eq(acme.earning.keys()));
    assert_eq!(serde_json::from_str::<Document>(&json).unwrap(), acme);
}

#[test]
fn every_mistake_is_named_with_its_place() {
    let text = r#"
        campaigns = 3
        [program]
        name = " "
        currency = "EURO"
        timezone = "Amsterdam"
        colour = "red"
        [wallets.Points]
        kind = "redeemable"
        value = 0.01
        pending = { after = "14 days", before = "P1D" }
        expiry = { after = "P12M", inactive = "P1M", round = "end_of_week" }
        returns = "never"
        [wallets.status]
        kind = "qualifying"
        counts = "spending"
        window = { rolling = "12M" }
        [wallets.other]
        kind = "voucher"
        [earning.base]
        on = "event"
        award = { per = "1,00", points = 0 }
        base = { net_of = ["tax", "vat", "shipping", "tax"] }
    "#;
    insta::assert_snapshot!(mistakes(text).join("\n"), @r#"
    /campaigns: unknown; a document has `program`, `wallets`, `earning`, `tiers`, `perks`, `discounts`, `rewards`, `attributes`, `segments`, `experiments`, `goals`, `mapping`
    /program/colour: unknown field `colour`, expected one of `name`, `currency`, `timezone`, `language`, `sign_up`
    /wallets/Points/expiry/round: unknown variant `end_of_week`, expected one of `end_of_month`, `end_of_quarter`, `end_of_year`
    /wallets/Points/pending/before: unknown field `before`, expected `after`
    /wallets/Points/returns: unknown variant `never`, expected one of `pending_only`, `within_balance`, `allow`
    /wallets/Points/value: invalid type: floating point `0.01`, expected a string
    /wallets/status/counts: unknown variant `spending`, expected one of `spend`, `points`, `orders`
    /wallets/other/kind: must be `redeemable` or `qualifying`
    /earning/base/base/net_of/1: unknown variant `vat`, expected one of `discounts`, `points_paid`, `tax`, `shipping`, `gift_card`
    /earning/base/on: must be `order`, `enrolment`, `birthday`, `anniversary` or `event:` with the name of an event
    /program/name: is required
    /program/currency: not an ISO 4217 currency code
    /program/timezone: not a time zone of the IANA database
    /wallets/Points: a code is a to z, 0 to 9 and _, starts with a letter, and has at most 40 characters
    /wallets/Points/pending/after: not a period of years, months, weeks and days such as P12M or P14D
    /wallets/Points/expiry/inactive: does not go with `after`
    /wallets/status/window/rolling: not a period of years, months, weeks and days such as P12M or P14D
    /earning/base/award/points: must be 1 or more
    /earning/base/award/per: is not a decimal such as "0.01"
    /earning/base/base/net_of/3: is named twice
    "#);
}

#[test]
fn every_mistake_says_its_line_and_column() {
    let text = acme_with("points = 1 }", "points = 0 }").replace("\"shipping\", ", "\"vat\", \"vat\", \"tax\", ");
    let text =
        text.replace("timezone = \"Europe/Amsterdam\"\n", "").replace("kind = \"qualifying\"\ncounts = \"points\"", "");
    let found = Document::from_toml(&text).unwrap_err();
    insta::assert_snapshot!(found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"), @r"
    line 18, column 10: /wallets/miles/kind: must be `redeemable` or `qualifying`
    line 31, column 55: /earning/base/base/net_of/3: unknown variant `vat`, expected one of `discounts`, `points_paid`, `tax`, `shipping`, `gift_card`
    line 31, column 62: /earning/base/base/net_of/4: unknown variant `vat`, expected one of `discounts`, `points_paid`, `tax`, `shipping`, `gift_card`
    line 2, column 2: /program/timezone: is required
    line 30, column 25: /earning/base/award/points: must be 1 or more
    line 31, column 69: /earning/base/base/net_of/5: is named twice
    ");
    let json = Document::from_toml(ACME).unwrap().to_json().unwrap();
    let found = Document::from_json(&json.replace("\"spend\"", "\"sales\"")).unwrap_err();
    let place = "line 1, column 294: /wallets/status/counts: unknown variant `sales`";
    assert!(found[0].to_string().starts_with(place), "{}", found[0]);
    assert_eq!(Document::from_toml(&" ".repeat(300_000)).unwrap_err()[0].position, None);
}

#[test]
fn text_that_is_no_document_is_refused_with_its_place() {
    let said = |read: Result<Document, Vec<Mistake>>| read.unwrap_err()[0].to_string();
    assert_eq!(said(Document::from_toml("[program\nname = 1")), "line 1, column 9: unclosed table, expected `]`");
    assert_eq!(said(Document::from_json("{\"program\":")), "line 1, column 11: EOF while parsing a value");
    assert_eq!(said(Document::from_json("{ \"ë\": tru }")), "line 1, column 11: expected ident");
    assert_eq!(said(Document::from_json("[]")), "line 1, column 1: invalid type: sequence, expected a map");
    assert_eq!(mistakes("program = 3\nwallets = []\nearning = \"all\"").len(), 3);
    insta::assert_snapshot!(mistakes("").join("\n"), @r"
    /program/name: is required
    /program/currency: is required
    /program/timezone: is required
    /wallets: a programme has at least one wallet
    ");
    assert_eq!(mistakes(&format!("# {}", "x".repeat(300_000))).len(), 1);
}

#[test]
fn amounts_are_decimal_texts_in_bounds() {
    for value in ["\"0\"", "\"-0.01\"", "\"1e3\"", "\"+1\"", "\"\"", "\"0.000000001\"", "\"1000001\"", "\"NaN\"", "1"] {
        let found = mistakes(&acme_with("value = \"0.01\"", &format!("value = {value}")));
        assert!(found.len() == 1 && found[0].starts_with("/wallets/points/value: "), "{value}: {found:?}");
    }
    assert!(Document::from_toml(&acme_with("value = \"0.01\"", "value = \"0.0125\"")).is_ok());
    let huge = mistakes(&acme_with("per = \"1.00\", points = 1", "per = \"0.01\", points = 1001"));
    assert_eq!(huge, ["/earning/base/award/points: are too many for so small an amount"]);
}

#[test]
fn points_are_there_before_they_are_over() {
    let found = mistakes(&acme_with("after = \"P14D\"", "after = \"P13M\""));
    assert_eq!(found, ["/wallets/points/pending: points would be over before they can be spent"]);
    let short = acme_with("P14D", "P29D").replace("after = \"P12M\"", "after = \"P1M\"");
    assert_eq!(mistakes(&short).len(), 1, "February");
    let enough = acme_with("P14D", "P28D").replace("after = \"P12M\"", "after = \"P1M\"");
    assert!(Document::from_toml(&enough).is_ok());
}

#[test]
fn a_rule_fills_a_redeemable_wallet() {
    for wallet in ["", "wallet = \"status\"", "wallet = \"none\""] {
        let found = mistakes(&acme_with("wallet = \"points\"", wallet));
        assert!(found.len() == 1 && found[0].starts_with("/earning/base/wallet: "), "{found:?}");
    }
    let unread = mistakes(&acme_with("kind = \"redeemable\"", "kind = \"redeemabel\""));
    assert_eq!(unread, ["/wallets/points/kind: must be `redeemable` or `qualifying`"]);
}

#[test]
fn codes_are_short_and_plain() {
    for code in ["Points", "1st", "_a", "a-b", "a.b", "ü", "", &"a".repeat(41)] {
        let found = mistakes(
            &ACME.replace("points]", &format!("\"{code}\"]")).replace("= \"points\"\naward", "= \"coins\"\naward"),
        );
        assert!(found.len() == 1 && found[0].contains("a code is"), "{code}: {found:?}");
    }
}

#[test]
fn a_new_programme_gives_one_percent_back_in_any_currency() {
    for (code, value, per) in [("EUR", "0.01", "1.00"), ("JPY", "1", "100"), ("KWD", "0.001", "0.100")] {
        let document = default_document("Acme \"& Sons\"", Currency::parse(code).unwrap(), Zone::UTC);
        assert_eq!(check(&document), []);
        let text = document.to_toml().unwrap();
        assert!(text.contains(&format!("value = \"{value}\"")) && text.contains(&format!("per = \"{per}\"")), "{text}");
        assert_eq!(Document::from_toml(&text).unwrap(), document);
        let book = compiled(&document);
        let Award::Rate { rate, .. } = book.earning[0].award else { panic!() };
        assert_eq!(rate.floor(10_000), Some(100));
        let WalletKind::Redeemable(points) = &book.main_wallet().unwrap().kind else { panic!() };
        assert_eq!(points.value.half_up(100), Some(100));
    }
}

#[test]
fn wallets_keep_their_slots_for_ever() {
    let acme = Document::from_toml(ACME).unwrap();
    let wallets = |all: IndexMap<String, Slot>| Slots { wallets: all, ..Slots::default() };
    let existing = wallets(IndexMap::from([("coins".to_owned(), Slot(0)), ("gone".to_owned(), Slot(2))]));
    let slots = assign_slots(&existing, &acme).unwrap();
    let all: Vec<(&str, i16)> = slots.wallets.iter().map(|(code, slot)| (code.as_str(), slot.0)).collect();
    assert_eq!(all, [("coins", 0), ("gone", 2), ("points", 1), ("status", 3), ("miles", 4)]);
    assert_eq!(assign_slots(&slots, &acme).unwrap(), slots);
    let full = (0..).take(WALLETS_MAX).map(|i| (format!("old_{i}"), Slot(i))).collect();
    assert_eq!(assign_slots(&wallets(full), &acme), Err(NoRoom::Wallets));
    let missing = compile(&acme, Version(2), DateTime::UNIX_EPOCH, &existing).unwrap_err();
    assert!(missing.iter().all(|mistake| mistake.message == "has no slot"), "{missing:?}");
    assert_eq!(missing.len(), 5, "three wallets, and the two tiers");
}

#[test]
fn tiers_keep_their_slots_for_ever() {
    let acme = Document::from_toml(ACME).unwrap();
    let existing = IndexMap::from([("gold".to_owned(), TierSlot(0)), ("gone".to_owned(), TierSlot(2))]);
    let of_tiers = |all: IndexMap<String, TierSlot>| Slots { tiers: all, ..Slots::default() };
    let slots = assign_slots(&of_tiers(existing), &acme).unwrap();
    let all: Vec<(&str, i16)> = slots.tiers.iter().map(|(code, slot)| (code.as_str(), slot.0)).collect();
    assert_eq!(all, [("gold", 0), ("gone", 2), ("silver", 1)]);
    assert_eq!(assign_slots(&slots, &acme).unwrap(), slots);
    let full = (0..).take(TIER_SLOTS_MAX).map(|i| (format!("old_{i}"), TierSlot(i))).collect();
    assert_eq!(assign_slots(&of_tiers(full), &acme), Err(NoRoom::Tiers));
}

#[test]
fn currency_zone_and_kinds_are_fixed() {
    let before = Document::from_toml(ACME).unwrap();
    assert_eq!(check_fixed(&before, &before), []);
    let after = acme_with("EUR", "USD").replace("Amsterdam\"", "Paris\"").replace("counts = \"spend\"", "");
    let after = after.replacen("kind = \"qualifying\"", "kind = \"redeemable\"\nvalue = \"1\"\nby_hand = true", 1);
    let after = Document::from_toml(&after.replace("window = \"calendar_year\"", "")).unwrap();
    let places: Vec<String> = check_fixed(&before, &after).into_iter().map(|m| m.pointer).collect();
    assert_eq!(places, ["/program/currency", "/program/timezone", "/wallets/status/kind"]);
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn no_text_panics(text in ".{0,200}", cut in 0..ACME.len(), at in 0..ACME.len()) {
        let _ = Document::from_toml(&text);
        let _ = Document::from_json(&text);
        let (head, tail) = (ACME.get(..at).unwrap_or(""), ACME.get(cut..).unwrap_or(""));
        if let Ok(document) = Document::from_toml(&format!("{head}{text}{tail}")) {
            compiled(&document);
        }
    }

    #[test]
    fn a_bent_document_is_read_and_written_again_or_refused_with_the_places(
        text in bytes(bent(serde_json::to_value(Document::from_toml(ACME).unwrap()).unwrap())),
    ) {
        let text = String::from_utf8_lossy(&text);
        match Document::from_json(&text) {
            Err(mistakes) => {
                prop_assert!(!mistakes.is_empty());
                prop_assert!(mistakes.iter().all(|m| m.pointer.is_empty() || m.pointer.starts_with('/')), "{:?}", mistakes);
            }
            Ok(document) => {
                compiled(&document);
                prop_assert_eq!(Document::from_json(&document.to_json().unwrap()), Ok(document.clone()));
                prop_assert_eq!(Document::from_toml(&document.to_toml().unwrap()), Ok(document));
            }
        }
    }

    #[test]
    fn a_document_of_extreme_values_decides_on_extreme_orders(
        (value, per, factor) in (amount(), amount(), amount()), points in up_to(POINTS_MAX), step: bool,
        period in select(vec!["P1D", "P36600D", "P1202M", "P99Y"]), minor in up_to(MONEY_MINOR_MAX),
    ) {
        let text = format!(
            "program = {{ name = \"E\", currency = \"KWD\", timezone = \"Pacific/Apia\" }}\n[wallets]\n\
             p = {{ kind = \"redeemable\", value = \"{value}\", expiry = {{ after = \"{period}\", round = \"end_of_year\" }} }}\n\
             [earning.base]\naward = {{ per = \"{per}\", points = {points}, step = {step} }}\n\
             [earning.more]\naward = {{ multiply = \"{factor}\" }}\n"
        );
        let document = match Document::from_toml(&text) {
            Ok(document) => document,
            Err(mistakes) => {
                prop_assert!(mistakes.iter().all(|m| m.pointer.starts_with('/')), "{:?}", mistakes);
                return Ok(());
            }
        };
        let book = compiled(&document);
        let Award::Rate { rate, step } = book.earning[0].award else { panic!("it awards by the base") };
        // What a programme lets in, an order of any size can be decided by.
        prop_assert!((0..=POINTS_MAX).contains(&rate.floor(minor).unwrap()));
        let steps = step.map(|step| step.rate.floor(minor).unwrap());
        if let Some((step, steps)) = step.zip(steps) {
            prop_assert!(steps.checked_mul(step.points.get()).unwrap() <= POINTS_MAX);
        }
        let Award::Multiply { of, .. } = &book.earning[1].award else { panic!("it multiplies") };
        let more = Ratio::floor_of_sum(of.iter().map(|(_, rate)| (steps.unwrap_or(minor), *rate))).unwrap();
        prop_assert!((0..=POINTS_MAX).contains(&more));
        let WalletKind::Redeemable(wallet) = &book.wallets[0].kind else { panic!("it is redeemable") };
        prop_assert!(wallet.value.half_up(minor.min(1_000_000)).is_some());
    }
}

fn amount() -> impl Strategy<Value = String> {
    let edges =
        ["0.00000001", "0.000000001", "1000000", "1000000.00000001", "0", "999999.99999999", "1", "0.01", "00.10"];
    prop_oneof![select(edges.to_vec()).prop_map(str::to_owned), "[0-9]{1,8}(\\.[0-9]{1,9})?"]
}

#[test]
fn a_wallet_that_nothing_fills_is_a_mistake_unless_people_fill_it() {
    let more = |wallet: &str| mistakes(&format!("{ACME}\n[wallets.more]\n{wallet}\n"));
    let found = more("kind = \"redeemable\"\nvalue = \"0.01\"");
    assert_eq!(
        found,
        [
            "/wallets/more: nothing fills it: let a rule award to it, or say `by_hand = true` where people and imports do"
        ]
    );
    for there in
        ["kind = \"redeemable\"\nvalue = \"0.01\"\nby_hand = true", "kind = \"qualifying\"\ncounts = \"orders\""]
    {
        assert!(Document::from_toml(&format!("{ACME}\n[wallets.more]\n{there}\n")).is_ok(), "{there}");
    }
    let without = ACME.split("[earning").next().unwrap();
    let counted = without.replace("counts = \"spend\"", "counts = \"points\"");
    let found = mistakes(&counted);
    assert!(
        found.iter().any(|m| m == "/wallets/status/counts: nothing fills it: no rule awards points to be counted"),
        "{found:?}"
    );
}
