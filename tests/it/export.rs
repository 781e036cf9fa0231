//! `perennial export`: what it writes can be read again.

use std::collections::BTreeSet;
use std::fs;

use perennial::loyalty::ledger::writer::Pace;
use serde_json::json;

use crate::harness::{Operator, Process, said};

fn rows(text: &str) -> BTreeSet<&str> {
    text.lines().collect()
}

#[tokio::test]
async fn exported_orders_are_imported_as_they_were() {
    let op = Operator::new().await;
    for code in ["first", "second"] {
        op.out(&["program", "create", code, "--currency", "USD", "--timezone", "Europe/Amsterdam"]);
    }
    let sample = fs::read_to_string("tests/data/cdnow_sample_orders.csv").unwrap();
    let file = op.write("sample.csv", &sample.lines().take(1_301).collect::<Vec<_>>().join("\n"));
    op.out(&["import", "orders", &file, "--program", "first", "--enrol"]);
    let odd = "order_ref,member,ordered_at,total,quantity,channel,store,tax,shipping,shipping_tax,discount,gift_card,points_spent\n\
         x1,\"Ana, \"\"A\"\"\",2020-02-29T23:59:59.123456Z,121.00,3,web,,19.27,10.00,1.74,5.00,1.00,\n\
         x2,\"Ana, \"\"A\"\"\",2020-04-01T00:00:00+02:00,0.00,1,,\"Dam, 1\",,,,,,\n\
         x3,\"Ana, \"\"A\"\"\",2020-05-01T10:00:00Z,20.00,1,,,,,,,,50\n";
    let odd = op.write("odd.csv", odd);
    op.out(&["import", "orders", &odd, "--program", "first", "--enrol"]);

    let exported = op.path("orders.csv");
    let exported = exported.to_str().unwrap();
    op.out(&["export", "orders", "--program", "first", "--out", exported]);
    let text = fs::read_to_string(exported).unwrap();
    assert_eq!(text.lines().count(), 1_304);
    let ana =
        "x1,\"Ana, \"\"A\"\"\",external_id,2020-02-29T23:59:59.123456Z,121.00,3,USD,19.27,10.00,1.74,1.00,0,web,,0";
    assert!(rows(&text).contains(ana), "{:?}", text.lines().find(|line| line.starts_with("x1")));

    op.out(&["import", "orders", exported, "--program", "second", "--enrol"]);
    let again = op.out(&["export", "orders", "--program", "second"]);
    assert_eq!(rows(&again), rows(&text));
    for what in ["figures, a.lot_remaining, a.lot_expires_on, a.order_count", "enrolled_on"] {
        let same = format!(
            "SELECT count(DISTINCT all_of) FROM (SELECT p.code, md5(string_agg(concat_ws(' ', m.external_id, a.{what}), \
             ';' ORDER BY m.external_id)) AS all_of FROM accounts AS a JOIN members AS m USING (lane, member_id) \
             JOIN programs AS p USING (program_id) GROUP BY p.code) AS each_program"
        );
        assert_eq!(op.text(&same).await, "1", "{what}");
    }
    // What is there without a name of its own: the export of a programme is there already, as far as it says all.
    let there = op.out(&["import", "orders", exported, "--program", "second", "--json"]);
    assert!(there.contains("\"already_there\":1303"), "{there}");
    let verified = op.run(&["verify"]);
    assert!(verified.status.success(), "{}", said(&verified));
}

#[tokio::test]
async fn what_nobody_paid_is_exported_and_comes_in_as_goods_that_cost_less() {
    let op = Operator::new().await;
    for code in ["first", "second"] {
        op.out(&["program", "create", code, "--currency", "EUR", "--timezone", "Europe/Amsterdam"]);
    }
    let key = op.out(&["keys", "create", "--program", "first", "--scopes", "all"]);
    let shop = Process::start(&op.test, Pace::serving()).await;
    let order = |reference: &str, amount: &str, points: i64| {
        json!({ "reference": reference, "member": { "external_id": "ana" }, "enrol": true, "currency": "EUR",
            "lines": [{ "id": "1", "amount": amount, "tax_rate": "21" }], "points": { "spend": points } })
    };
    let lines = [order("o1", "121.00", 0), order("o2", "60.50", 400)].map(|line| line.to_string()).join("\n");
    let sent = shop.client(key.trim()).post_lines("/v1/orders/batch", lines).await;
    assert_eq!(sent.status, 200, "{sent:?}");

    let exported = op.out(&["export", "orders", "--program", "first"]);
    let told = exported.lines().nth(2).unwrap();
    assert!(told.starts_with("o2,ana,") && told.ends_with(",60.50,1,EUR,10.50,0.00,0,0.00,100,,,3.00"), "{exported}");
    op.out(&["import", "orders", &op.write("orders.csv", &exported), "--program", "second", "--enrol"]);
    for same in ["paid", "entries[3]"] {
        let both = format!("SELECT count(DISTINCT {same}) FROM postings WHERE reference = 'order:o2'");
        assert_eq!(op.text(&both).await, "1", "{same}");
    }
}

#[tokio::test]
async fn members_and_entries_are_written_with_stable_columns() {
    let op = Operator::new().await;
    op.out(&["program", "create", "acme", "--currency", "EUR", "--timezone", "UTC"]);
    let members = op.write("members.csv", "member,name,enrolled_on,attributes.size\nana,\"Ana, A.\",2020-01-01,XL\n");
    op.out(&["import", "members", &members, "--program", "acme"]);
    let orders = op.write("orders.csv", "order_ref,member,ordered_on,total\no1,ana,2020-01-02,100.00\n");
    op.out(&["import", "orders", &orders, "--program", "acme"]);
    let id = op.text("SELECT member_id FROM accounts").await;

    let members = op.out(&["export", "members", "--program", "acme"]);
    insta::assert_snapshot!(members.replace(&id, "ID"), @r#"
    member,email,phone,card,name,birthday,locale,enrolled_on,attributes,member_id,status,order_count,last_order_on
    ana,,,,"Ana, A.",,,2020-01-01,"{""size"":""XL""}",ID,active,1,2020-01-02
    "#);
    let entries = op.out(&["export", "entries", "--program", "acme"]);
    let (entries, bare) = (entries.replace(&id, "ID"), id.replace('-', ""));
    let timeless: Vec<&str> = entries.lines().map(|line| line.rsplit_once(',').unwrap().0).collect();
    insta::assert_snapshot!(timeless.join("\n").replace(&bare, "ID"), @r"
    member,member_id,posting,seq,reference,kind,wallet,points,spendable_after,available_at,expires_on,effective_at
    ana,ID,ID2,2,order:o1,award,points,100,100,,2021-01-31,2020-01-02T00:00:00Z
    ana,ID,ID2,2,order:o1,award,status,10000,10000,,2020-12-31,2020-01-02T00:00:00Z
    ");
    assert_eq!(op.run(&["export", "entries", "--program", "nobody"]).status.code(), Some(2));
}
