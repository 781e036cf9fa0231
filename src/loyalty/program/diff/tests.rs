//! What is told of two documents.

use proptest::prelude::*;
use proptest::sample::subsequence;
use serde_json::{Value, json};

use crate::kernel::edges::{bent, cases};
use crate::loyalty::program::diff::{Change, ChangeKind, Tree, compare, diff};
use crate::loyalty::program::document::Document;

const BEFORE: &str = r#"
[program]
name = "Acme"
currency = "EUR"
timezone = "UTC"
[wallets.points]
kind = "redeemable"
value = "0.01"
expiry = "never"
[wallets.coins]
kind = "redeemable"
value = "1"
[wallets.status]
kind = "qualifying"
[earning.base]
wallet = "points"
award = { per = "1.00", points = 1 }
base = { net_of = ["tax", "discounts"] }
[earning.coin]
wallet = "coins"
award = { per = "10", points = 1 }
[earning.old]
wallet = "coins"
award = { per = "20", points = 1 }
"#;

fn read(text: &str) -> Document {
    Document::from_toml(text).unwrap()
}

fn told(changes: &[Change]) -> String {
    changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn trees(before: Value, after: Value) -> String {
    let tree = |value: Value| serde_json::from_str::<Tree>(&value.to_string()).unwrap();
    let mut changes = Vec::new();
    compare("/x", &tree(before), &tree(after), &mut changes);
    told(&changes)
}

#[test]
fn a_change_is_told_with_its_place_and_both_figures() {
    let after = BEFORE
        .replace("points = 1 }\nbase", "points = 2 }\nbase")
        .replace("expiry = \"never\"", "expiry = { after = \"P1Y\" }\npending = { after = \"P14D\" }")
        .replace("earning.old", "earning.new");
    insta::assert_snapshot!(told(&diff(&read(BEFORE), &read(&after))), @r#"
    added /wallets/points/pending: {"after":"P14D"}
    changed /wallets/points/expiry: "never" to {"after":"P1Y"}
    removed /earning/old: {"award":{"per":"20","points":1},"on":"order","wallet":"coins"}
    changed /earning/base/award/points: 1 to 2
    added /earning/new: {"award":{"per":"20","points":1},"on":"order","wallet":"coins"}
    "#);
}

#[test]
fn what_is_written_otherwise_and_says_the_same_is_no_change() {
    let after = BEFORE
        .replace("[\"tax\", \"discounts\"]", "[\"discounts\", \"tax\"]")
        .replace("kind = \"qualifying\"", "kind = \"qualifying\"\ncounts = \"spend\"")
        .replace("expiry = \"never\"\n", "");
    assert_eq!(diff(&read(BEFORE), &read(&after)), []);
}

#[test]
fn wallets_and_rules_move_and_as_few_of_them_as_can_be() {
    let status = "[wallets.status]\nkind = \"qualifying\"\n";
    let after = BEFORE.replace(status, "").replace("[wallets.points]", &format!("{status}[wallets.points]"));
    assert_eq!(told(&diff(&read(BEFORE), &read(&after))), "moved /wallets/status: from place 3 to 1");
    assert_eq!(trees(json!({ "b": 1 }), json!({ "a": 1, "b": 1 })), "added /x/a: 1", "whose order says nothing");
}

#[test]
fn items_with_a_code_are_compared_by_it() {
    let ladder = |codes: &[(&str, &str)]| -> Value {
        codes.iter().map(|(code, from)| json!({ "code": code, "from": from })).collect()
    };
    let before = ladder(&[("silver", "250"), ("gold", "1000")]);
    let after = ladder(&[("bronze", "100"), ("silver", "300"), ("gold", "1000")]);
    assert_eq!(
        trees(before.clone(), after),
        "added /x/0: {\"code\":\"bronze\",\"from\":\"100\"}\nchanged /x/1/from: \"250\" to \"300\""
    );
    let turned = ladder(&[("gold", "1000"), ("silver", "250")]);
    assert_eq!(trees(before.clone(), turned), "moved /x/1: from place 1 to 2");
    assert_eq!(trees(before, ladder(&[("gold", "1000")])), "removed /x/0: {\"code\":\"silver\",\"from\":\"250\"}");
}

#[test]
fn lists_and_other_values_change_as_a_whole() {
    assert_eq!(trees(json!(["a", "b"]), json!(["b", "a"])), "");
    assert_eq!(trees(json!(["a", "a"]), json!(["a"])), "changed /x: [\"a\",\"a\"] to [\"a\"]");
    assert_eq!(trees(json!({ "a/b": 1 }), json!({ "a/b": { "c": true } })), "changed /x/a~1b: 1 to {\"c\":true}");
}

fn document() -> impl Strategy<Value = Document> {
    bent(serde_json::to_value(read(BEFORE)).unwrap())
        .prop_filter_map("a document", |body| Document::from_json(&body.to_string()).ok())
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn changes_say_what_stands_in_both_documents(before in document(), after in document()) {
        let changes = diff(&before, &after);
        let (old, new) = (serde_json::to_value(&before).unwrap(), serde_json::to_value(&after).unwrap());
        prop_assert_eq!(changes.is_empty(), diff(&after, &before).is_empty());
        prop_assert_eq!(diff(&before, &before), []);
        for change in changes.iter().filter(|change| change.kind != ChangeKind::Moved) {
            prop_assert_eq!(change.before.as_ref(), old.pointer(&change.pointer));
            prop_assert_eq!(change.after.as_ref(), new.pointer(&change.pointer));
        }
    }

    #[test]
    fn rules_that_stay_keep_their_order(
        (old, new) in (0..8_usize).prop_flat_map(|n| {
            let codes: Vec<usize> = (0..n).collect();
            (Just(codes.clone()).prop_shuffle(), subsequence(codes, 0..=n).prop_shuffle())
        }),
    ) {
        let table = |codes: &[usize]| {
            let fields: Vec<String> = codes.iter().map(|code| format!("\"{code}\":0")).collect();
            serde_json::from_str::<Tree>(&format!("{{{}}}", fields.join(","))).unwrap()
        };
        let mut changes = Vec::new();
        compare("/earning", &table(&old), &table(&new), &mut changes);
        let touched: Vec<&str> = changes.iter().filter_map(|c| c.pointer.strip_prefix("/earning/")).collect();
        let stays = |codes: &[usize]| -> Vec<usize> {
            codes.iter().copied().filter(|code| !touched.contains(&code.to_string().as_str())).collect()
        };
        prop_assert_eq!(stays(&old), stays(&new), "{:?}", touched);
        prop_assert_eq!(changes.iter().filter(|c| c.kind == ChangeKind::Removed).count(), old.len() - new.len());
    }
}
