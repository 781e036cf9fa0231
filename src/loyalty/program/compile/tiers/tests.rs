//! Ladders that can be written, and what is said of those that can't.

use chrono::DateTime;

use crate::kernel::id::Version;
use crate::kernel::points::{POINTS_MAX, Points};
use crate::loyalty::program::compile::{check_fixed, compile};
use crate::loyalty::program::document::Document;
use crate::loyalty::program::model::tiers::{Downgrade, Fall, FallTo, Ladder, Valid};
use crate::loyalty::program::model::{Counts, Slot, TierSlot, Window};
use crate::loyalty::program::read::Mistake;
use crate::loyalty::program::slots::{Slots, assign_slots};

const ACME: &str = r#"
[program]
name = "Acme Rewards"
currency = "EUR"
timezone = "Europe/Amsterdam"

[wallets.points]
kind = "redeemable"
value = "0.01"
by_hand = true

[wallets.status]
kind = "qualifying"
counts = "spend"
window = "calendar_year"

[perks.free_shipping]

[perks.early_access]

[tiers]
wallet = "status"
ladder = [
  { code = "silver", from = "250.00" },
  { code = "gold", from = "1000.00", perks = ["free_shipping", "early_access"], earn = "1.5" },
]
valid = "end_of_next_period"
downgrade = { at = "period_end", to = "one_down", grace = "P30D" }
"#;

fn acme_with(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(ACME.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

fn ladder(changes: &[(&str, &str)]) -> Ladder {
    let document = Document::from_toml(&acme_with(changes)).unwrap();
    let slots = assign_slots(&Slots::default(), &document).unwrap();
    compile(&document, Version(1), DateTime::UNIX_EPOCH, &slots).unwrap().tiers.unwrap()
}

/// Mistakes without their lines and columns.
fn named(mistakes: Vec<Mistake>) -> Vec<String> {
    mistakes.into_iter().map(|mistake| Mistake { position: None, ..mistake }.to_string()).collect()
}

fn mistakes(changes: &[(&str, &str)]) -> Vec<String> {
    named(Document::from_toml(&acme_with(changes)).unwrap_err())
}

const VALID: &str = "valid = \"end_of_next_period\"";
const DOWNGRADE: &str = "downgrade = { at = \"period_end\", to = \"one_down\", grace = \"P30D\" }";
const YEAR: &str = "window = \"calendar_year\"";
const ROLLING: (&str, &str) = (YEAR, "window = { rolling = \"P12M\" }");
const EARN: &str = "earn = \"1.5\"";

#[test]
fn a_ladder_compiles_to_what_it_says() {
    let ladder = ladder(&[]);
    assert_eq!((ladder.wallet, ladder.counts, ladder.window), (Slot(1), Counts::Spend, Window::CalendarYear));
    let tiers: Vec<_> = ladder.tiers.iter().map(|tier| (tier.slot, tier.code.as_str(), tier.from.get())).collect();
    assert_eq!(tiers, [(TierSlot(0), "silver", 25_000), (TierSlot(1), "gold", 100_000)]);
    let [silver, gold] = ladder.tiers.as_slice() else { panic!() };
    assert_eq!((silver.earn, gold.earn.unwrap().floor(112)), (None, Some(56)));
    assert_eq!(
        (silver.perks.len(), gold.perks.as_slice()),
        (0, ["free_shipping", "early_access"].map(String::from).as_slice())
    );
    let fall = Fall { to: FallTo::OneDown, grace: Some("P30D".parse().unwrap()) };
    assert_eq!((ladder.valid, ladder.downgrade), (Valid::EndOfNextPeriod, Downgrade::PeriodEnd(fall)));
}

#[test]
fn a_ladder_orders_its_tiers_by_balance() {
    let ladder = ladder(&[("{ code = \"silver\"", "{ code = \"member\", from = \"0\" }, { code = \"silver\"")]);
    let [member, silver, gold, other] = [0, 1, 2, 9].map(TierSlot);
    let earned = |balance: i64| ladder.earned(Points::try_from(balance).unwrap());
    assert_eq!(
        [0, 24_999, 25_000, 99_999, 100_000, POINTS_MAX].map(earned),
        [None, None, Some(silver), Some(silver), Some(gold), Some(gold)]
    );
    assert_eq!(
        (ladder.ground(), ladder.below(gold), ladder.below(silver), ladder.below(member)),
        (Some(member), Some(silver), None, None)
    );
    assert_eq!(ladder.higher(Some(gold), Some(silver)), Some(gold));
    assert_eq!(ladder.higher(Some(other), Some(silver)), Some(silver), "a tier of another version");
    assert_eq!((ladder.higher(Some(other), None), ladder.rank(Some(other)), ladder.rank(None)), (None, None, None));
}

#[test]
fn what_is_left_out_follows_the_window() {
    let bare = [(VALID, ""), (DOWNGRADE, "")];
    let fall = Fall { to: FallTo::Earned, grace: None };
    for window in [YEAR, "window = \"anniversary\""] {
        let ladder = ladder(&[bare.as_slice(), &[(YEAR, window)]].concat());
        assert_eq!((ladder.valid, ladder.downgrade), (Valid::EndOfNextPeriod, Downgrade::PeriodEnd(fall)));
    }
    for window in [ROLLING.1, "window = \"lifetime\""] {
        let ladder = ladder(&[bare.as_slice(), &[(YEAR, window)]].concat());
        assert_eq!((ladder.valid, ladder.downgrade), (Valid::Open, Downgrade::WhenBelow(fall)));
    }
    let never = ladder(&[(VALID, ""), (DOWNGRADE, "downgrade = \"never\"")]);
    assert_eq!(never.downgrade, Downgrade::Never);
    let period = ladder(&[(VALID, "valid = \"P6M\"")]);
    assert_eq!(period.valid, Valid::For("P6M".parse().unwrap()));
}

#[test]
fn thresholds_are_in_the_unit_of_the_wallet() {
    let first = |changes: &[(&str, &str)]| ladder(changes).tiers[0].from.get();
    assert_eq!(first(&[("250.00", "250.5")]), 25_050);
    assert_eq!(first(&[("\"EUR\"", "\"JPY\"")]), 250);
    assert_eq!(first(&[("\"spend\"", "\"orders\"")]), 250);
    assert_eq!(first(&[("\"spend\"", "\"orders\""), ("250.00", "3")]), 3);
    assert_eq!(first(&[("250.00", "0"), ("1000.00", "10000000000000")]), 0);
}

#[test]
fn every_mistake_in_a_ladder_is_named_with_its_place() {
    let ladder = r#"{ code = "silver", from = "250.001", earn = "0.5", colour = "grey" },
        { code = "silver", from = "100", perks = ["free_shipping", "Y", "free_shipping"], earn = "101" },
        { code = "None", from = "100.00" }, { code = "none", from = "-1" }, { from = 5 },
        { from = "100", code = "last", "#;
    let text = [
        ("{ code = \"silver\", from = \"250.00\" },\n  { code = \"gold\", from = \"1000.00\",", ladder),
        ("one_down", "two_down"),
        ("P30D", "30 days"),
        ("valid = \"end_of_next_period\"", "valid = \"a year\""),
    ];
    insta::assert_snapshot!(mistakes(&text).join("\n"), @r#"
    /tiers/downgrade/to: unknown variant `two_down`, expected `earned` or `one_down`
    /tiers/ladder/0/colour: unknown field `colour`, expected one of `code`, `from`, `perks`, `earn`, `text`
    /tiers/ladder/4/from: invalid type: integer `5`, expected a string
    /tiers/ladder/0/from: has more decimal places than the currency
    /tiers/ladder/0/earn: is 1 to 100, with at most 8 decimal places
    /tiers/ladder/1/code: is the code of another tier
    /tiers/ladder/1/from: is more than what the tier before it asks for, 250.001
    /tiers/ladder/1/earn: is 1 to 100, with at most 8 decimal places
    /tiers/ladder/2/code: a code is a to z, 0 to 9 and _, starts with a letter, and has at most 40 characters
    /tiers/ladder/2/from: is more than what the tier before it asks for, 100
    /tiers/ladder/3/code: `none` stands for members without a tier
    /tiers/ladder/3/from: is not a decimal such as "250.00"
    /tiers/ladder/4/code: is required
    /tiers/ladder/5/from: is more than what the tier before it asks for, 100.00
    /tiers/ladder/1/perks/1: is no perk of this document
    /tiers/ladder/1/perks/2: is named twice
    /tiers/valid: is neither `end_of_next_period` nor a period such as P12M
    /tiers/downgrade/grace: not a period of years, months, weeks and days such as P12M or P14D
    "#);
    let (head, _) = ACME.split_once("[tiers]").unwrap();
    let no_table = Document::from_toml(&format!("tiers = 3\n{head}")).unwrap_err();
    assert_eq!(named(no_table), ["/tiers: must be a table"]);
}

/// Changes, and the one thing that is said of them.
const ALONE: &[(&[(&str, &str)], &str)] = &[
    (&[("1000.00", "250")], "/tiers/ladder/1/from: is more than what the tier before it asks for, 250.00"),
    (&[("1000.00", "249.99")], "/tiers/ladder/1/from: is more than what the tier before it asks for, 250.00"),
    (&[("\"gold\"", "\"silver\"")], "/tiers/ladder/1/code: is the code of another tier"),
    (&[("\"gold\"", "\"none\"")], "/tiers/ladder/1/code: `none` stands for members without a tier"),
    (&[("\"gold\"", "\"\"")], "/tiers/ladder/1/code: is required"),
    (&[("wallet = \"status\"", "")], "/tiers/wallet: is required"),
    (&[("wallet = \"status\"", "wallet = \"points\"")], "/tiers/wallet: is not a qualifying wallet of this document"),
    (&[("wallet = \"status\"", "wallet = \"miles\"")], "/tiers/wallet: is not a qualifying wallet of this document"),
    (
        &[("kind = \"qualifying\"", "kind = \"qualifyin\"")],
        "/wallets/status/kind: must be `redeemable` or `qualifying`",
    ),
    (&[("250.00", "250.001")], "/tiers/ladder/0/from: has more decimal places than the currency"),
    (
        &[("\"EUR\"", "\"JPY\""), ("250.00", "250.50")],
        "/tiers/ladder/0/from: has more decimal places than the currency",
    ),
    (&[("\"EUR\"", "\"EURO\""), ("250.00", "250.50")], "/program/currency: not an ISO 4217 currency code"),
    (
        &[("\"spend\"", "\"orders\""), ("250.00", "250.50")],
        "/tiers/ladder/0/from: is a whole number, as the wallet counts orders",
    ),
    (
        &[("\"spend\"", "\"orders\""), ("250.00", "1.5")],
        "/tiers/ladder/0/from: is a whole number, as the wallet counts orders",
    ),
    (&[("1000.00", "10000000000000.01")], "/tiers/ladder/1/from: is too large"),
    (&[("1000.00", "79228162514264337593543950335")], "/tiers/ladder/1/from: is too large"),
    (&[("250.00", "1e3")], "/tiers/ladder/0/from: is not a decimal such as \"250.00\""),
    (
        &[(VALID, ""), (DOWNGRADE, "downgrade = { at = \"period_end\" }"), ROLLING],
        "/tiers/downgrade/at: `period_end` goes with calendar years and anniversaries",
    ),
    (&[(DOWNGRADE, ""), ROLLING], "/tiers/valid: `end_of_next_period` goes with calendar years and anniversaries"),
    (
        &[(DOWNGRADE, ""), (YEAR, "window = \"lifetime\"")],
        "/tiers/valid: `end_of_next_period` goes with calendar years and anniversaries",
    ),
    (
        &[("period_end\"", "when_below\"")],
        "/tiers/downgrade/at: `when_below` goes with rolling and lifetime windows: in others all start again from zero",
    ),
    (
        &[(VALID, ""), (DOWNGRADE, "downgrade = { to = \"one_down\" }"), ROLLING],
        "/tiers/downgrade/to: `one_down` needs a `grace` or `valid`, else members fall to the ground at once",
    ),
    (&[(DOWNGRADE, "downgrade = \"never\"")], "/tiers/valid: says nothing where `downgrade` is `never`"),
    (&[(VALID, "valid = \"12M\"")], "/tiers/valid: is neither `end_of_next_period` nor a period such as P12M"),
    (&[("P30D", "P0D")], "/tiers/downgrade/grace: not a period of years, months, weeks and days such as P12M or P14D"),
    (
        &[(DOWNGRADE, "downgrade = \"always\"")],
        "/tiers/downgrade: invalid value: string \"always\", expected \"never\", or a table with `at`, `to` and `grace`",
    ),
    (&[(EARN, "earn = \"0.99\"")], "/tiers/ladder/1/earn: is 1 to 100, with at most 8 decimal places"),
    (&[(EARN, "earn = \"100.01\"")], "/tiers/ladder/1/earn: is 1 to 100, with at most 8 decimal places"),
    (&[(EARN, "earn = \"1.000000001\"")], "/tiers/ladder/1/earn: is 1 to 100, with at most 8 decimal places"),
    (&[(EARN, "earn = \"\"")], "/tiers/ladder/1/earn: is required"),
    (&[("\"early_access\"", "\"free_shipping\"")], "/tiers/ladder/1/perks/1: is named twice"),
];

#[test]
fn each_mistake_stands_alone() {
    for (changes, mistake) in ALONE {
        assert_eq!(mistakes(changes).join("\n"), *mistake, "{changes:?}");
    }
}

#[test]
fn a_ladder_has_so_many_tiers_and_not_none() {
    let tiers = |n: i64| (1..=n).map(|i| format!("{{ code = \"t{i}\", from = \"{i}\" }}, ")).collect::<String>();
    let of = |n: i64| {
        let (head, rest) = ACME.split_once("ladder = [").unwrap();
        let (_, tail) = rest.split_once("\n]").unwrap();
        Document::from_toml(&format!("{head}ladder = [{}]{tail}", tiers(n)))
    };
    assert!(of(20).is_ok());
    let said = |n: i64| named(of(n).unwrap_err());
    assert_eq!(said(0), ["/tiers/ladder: has at least one tier"]);
    assert_eq!(said(21), ["/tiers/ladder: has at most 20 tiers"]);
    assert_eq!(said(201), ["/tiers/ladder: has at most 20 tiers"]);
}

#[test]
fn members_of_a_tier_that_is_gone_go_where_the_document_says() {
    let document = |mapping: &str| Document::from_toml(&format!("{ACME}\n[mapping.tiers]\n{mapping}\n"));
    for (mapping, says) in [
        ("gold = \"silver\"", "/mapping/tiers/gold: is still a tier"),
        ("bronze = \"copper\"", "/mapping/tiers/bronze: leads to no tier"),
        ("Bronze = \"none\"", "/mapping/tiers/Bronze: a code is"),
    ] {
        let found = document(mapping).unwrap_err();
        assert!(found.len() == 1 && found[0].to_string().contains(says), "{found:?}");
    }
    let before = Document::from_toml(&ACME.replace("\"silver\"", "\"bronze\"")).unwrap();
    let known = assign_slots(&Slots::default(), &before).unwrap();
    let after = document("bronze = \"silver\"").unwrap();
    assert_eq!(check_fixed(&before, &after), []);
    let slots = assign_slots(&known, &after).unwrap();
    let book = compile(&after, Version(2), DateTime::UNIX_EPOCH, &slots).unwrap();
    assert_eq!(book.tier_mapping.0, [(slots.tiers["bronze"], Some(slots.tiers["silver"]))].into());
    let none = check_fixed(&before, &Document::from_toml(ACME).unwrap());
    assert!(none[0].to_string().starts_with("/mapping/tiers/bronze: is no tier any more"), "{none:?}");
}
