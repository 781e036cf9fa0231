//! `perennial program` and `perennial keys`, as an operator runs them.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Operator, TestApp, facts, said};

#[tokio::test]
async fn a_programme_is_created_listed_and_shown() {
    let op = Operator::new().await;
    let create = ["program", "create", "acme", "--currency", "JPY", "--timezone", "Asia/Tokyo", "--name", "Acme"];
    assert_eq!(op.out(&create), "created acme (Acme, JPY, Asia/Tokyo), version 1\n");
    let shown = op.out(&["program", "show", "acme"]);
    assert!(shown.contains("currency = \"JPY\"") && shown.contains("value = \"1\""), "{shown}");
    let listed: Value = serde_json::from_str(&op.out(&["program", "list", "--json"])).unwrap();
    assert_eq!((listed["code"].as_str(), listed["version"].as_i64()), (Some("acme"), Some(1)));
    assert_eq!(op.count("program_wallets").await, 2);
    assert_eq!(op.count("audit_log WHERE action = 'program.created' AND principal = 'operator'").await, 1);

    let taken = op.run(&create);
    assert_eq!(taken.status.code(), Some(1), "{}", said(&taken));
    assert!(said(&taken).contains("there is a programme acme already"), "{}", said(&taken));
    assert_eq!(op.count("programs").await, 1);

    // What is shown is a document that another programme can start with.
    let file = op.write("acme.toml", &shown);
    op.out(&["program", "create", "copy", "--file", &file]);
    assert_eq!(op.out(&["program", "show", "copy"]), shown);
}

#[tokio::test]
async fn every_mistake_of_a_new_programme_is_named_and_nothing_is_made() {
    let op = Operator::new().await;
    let wrong = op.run(&["program", "create", "acme", "--currency", "EURO", "--timezone", "Mars"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        said(&wrong).contains("/program/currency") && said(&wrong).contains("/program/timezone"),
        "{}",
        said(&wrong)
    );
    assert_eq!(op.run(&["program", "create", "acme"]).status.code(), Some(2));
    assert_eq!(op.run(&["program", "show", "acme"]).status.code(), Some(2));

    let file =
        op.write("bad.toml", "[program]\ncurrency = \"EUR\"\n[wallets.points]\nkind = \"redeemable\"\nvalue = \"x\"\n");
    let wrong = op.run(&["program", "create", "acme", "--file", &file, "--currency", "USD", "--name", "A"]);
    assert_eq!(wrong.status.code(), Some(2));
    let text = said(&wrong);
    let places = [
        "line 2, column 1: /program/currency: the file says \"EUR\"",
        "line 1, column 2: /program/timezone: is required",
        "line 5, column 1: /wallets/points/value: ",
    ];
    for place in places {
        assert!(text.contains(place), "{place} in {text}");
    }
    assert_eq!(op.count("programs").await, 0);
}

#[tokio::test]
async fn the_examples_are_programmes_that_can_be_published() {
    let op = Operator::new().await;
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut codes = Vec::new();
    let paths = fs::read_dir(examples).unwrap().map(|example| example.unwrap().path());
    for path in paths.filter(|path| path.extension().is_some_and(|extension| extension == "toml")) {
        let (path, code) = (path.to_str().unwrap(), path.file_stem().unwrap().to_str().unwrap().to_owned());
        assert_eq!(op.out(&["program", "validate", path]), format!("{path} has no mistakes\n"));
        op.out(&["program", "create", &code, "--file", path]);
        codes.push(code);
    }
    codes.sort();
    assert_eq!(codes, ["cafe", "fashion"]);
}

#[tokio::test]
async fn every_mistake_in_a_document_is_named_before_anybody_publishes_it() {
    let op = Operator::new().await;
    op.out(&["program", "create", "acme", "--currency", "EUR", "--timezone", "UTC"]);
    let good = op.write("good.toml", &op.out(&["program", "show", "acme"]));
    assert_eq!(op.out(&["program", "validate", &good]), format!("{good} has no mistakes\n"));

    let bad =
        op.write("bad.json", "{\n  \"program\": { \"name\": \"Acme\", \"currency\": \"EURO\" },\n  \"wallets\": {}\n}");
    let wrong = op.run(&["program", "validate", &bad]);
    let lines = [
        "line 2, column 32: /program/currency: not an ISO 4217 currency code",
        "line 2, column 3: /program/timezone: is required",
        "line 3, column 3: /wallets: a programme has at least one wallet",
        &format!("perennial: {bad} has 3 mistakes"),
    ];
    assert_eq!((wrong.status.code(), said(&wrong).trim_end()), (Some(1), lines.join("\n").as_str()));
    let wrong = op.run(&["program", "validate", &bad, "--json"]);
    let told: Value = serde_json::from_slice(&wrong.stdout).unwrap();
    assert_eq!((wrong.status.code(), &told["mistakes"][0]["position"]), (Some(1), &json!({ "line": 2, "column": 32 })));
    assert_eq!(op.run(&["program", "validate", "nowhere.toml"]).status.code(), Some(2));
}

#[tokio::test]
async fn a_mistake_in_a_condition_is_named_at_its_word() {
    let op = Operator::new().await;
    let text = "program = { name = \"Acme\", currency = \"EUR\", timezone = \"UTC\" }\n\
        wallets = { points = { kind = \"redeemable\", value = \"0.01\" } }\n\
        [earning.a]\naward = { points = 1 }\n\
        lines = 'line.quantity > 1 && line.categori == \"shoes\"'\nwhen = '''\n  order.total >= &&\n'''\n";
    let bad = op.write("bad.toml", text);
    let wrong = op.run(&["program", "validate", &bad]);
    let lines = [
        "line 5, column 31: /earning/a/lines: `line` has no `categori`; it has sku",
        "line 7, column 18: /earning/a/when: ",
        &format!("perennial: {bad} has 2 mistakes"),
    ];
    let (code, told) = (wrong.status.code(), said(&wrong));
    assert_eq!((code, told.lines().count()), (Some(1), 3), "{told}");
    for (told, line) in told.lines().zip(lines) {
        assert!(told.starts_with(line), "{line} in {told}");
    }
}

#[tokio::test]
async fn the_schema_of_documents_is_the_one_that_is_kept() {
    assert_eq!(Operator::new().await.out(&["schema"]), include_str!("../../openapi/program.schema.json"));
}

#[tokio::test]
async fn a_document_is_compared_with_the_version_in_force() {
    let op = Operator::new().await;
    op.out(&["program", "create", "acme", "--currency", "EUR", "--timezone", "UTC"]);
    let shown = op.out(&["program", "show", "acme"]);
    let same = op.write("same.toml", &shown);
    let nothing = op.out(&["program", "diff", &same, "--program", "acme"]);
    assert_eq!(nothing, format!("{same} changes nothing in version 1\n"));

    let better = op.write("better.toml", &shown.replace("points = 1", "points = 2"));
    let compare = ["program", "diff", &better, "--program", "acme"];
    assert_eq!(op.out(&compare), "changed /earning/base/award/points: 1 to 2\n");
    let told: Value = serde_json::from_str(&op.out(&[&compare[..], &["--json"]].concat())).unwrap();
    let change = json!({ "pointer": "/earning/base/award/points", "kind": "changed", "before": 1, "after": 2 });
    assert_eq!(told, json!({ "version": 1, "changes": [change] }));

    let bad = op.write("bad.toml", "[program]");
    for refused in [["diff", &bad, "--program", "acme"], ["diff", &same, "--program", "nobody"]] {
        let output = op.run(&[&["program"][..], &refused].concat());
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    }
}

#[tokio::test]
async fn a_version_is_read_by_its_number_and_compared_with_others() {
    let app = TestApp::new().await;
    let (shop, stranger) = (app.shop().await, app.stranger().await);
    let found = shop.get("/v1/program/versions/1").await;
    assert_eq!((found.status, &found.json["version"], &found.json["note"]), (200, &json!(1), &json!("created")));
    assert_eq!(found.json["document"], shop.get("/v1/program").await.json["document"]);

    let (wallets, earning) = (found.text.find("\"wallets\"").unwrap(), found.text.find("\"earning\"").unwrap());
    assert!(wallets < earning, "in the order of the document: {}", found.text);

    // As publishing does: another version, of this programme alone.
    let publish = "WITH published AS (INSERT INTO program_versions (program_id, version, starts, document, author, note, created_at) \
        SELECT program_id, 2, starts, replace(document, '\"points\":1', '\"points\":3'), author, 'more', created_at \
        FROM program_versions WHERE program_id = '{id}' RETURNING version) SELECT count(*)::text AS fact FROM published";
    let id = app.program.program().0.to_string();
    assert_eq!(facts::one(&app.owner().await, &publish.replace("{id}", &id)).await, "1");
    let changes = shop.get("/v1/program/versions/2/diff?with=1").await;
    let change = json!({ "pointer": "/earning/base/award/points", "kind": "changed", "before": 1, "after": 3 });
    assert_eq!(changes.json, json!({ "before": 1, "after": 2, "changes": [change] }));
    assert_eq!(shop.get("/v1/program/versions/1/diff?with=1").await.json["changes"], json!([]));

    for absent in ["3", "0", "-1", "one", "99999999999", "1/diff?with=3", "3/diff?with=1"] {
        shop.get(&format!("/v1/program/versions/{absent}")).await.refused(404, "not_found");
    }
    for ours in ["2", "2/diff?with=1", "1/diff?with=2"] {
        stranger.get(&format!("/v1/program/versions/{ours}")).await.refused(404, "not_found");
    }
    shop.get("/v1/program/versions/2/diff").await.refused(422, "missing_parameter");
    shop.get("/v1/program/versions/2/diff?with=one").await.refused(422, "invalid_parameter");
}

#[tokio::test]
async fn a_key_is_shown_once_listed_and_revoked() {
    let op = Operator::new().await;
    op.out(&["program", "create", "acme", "--currency", "EUR", "--timezone", "UTC"]);
    let create = ["keys", "create", "--program", "acme", "--scopes", "orders:write,members:read", "--json"];
    let issued: Value = serde_json::from_str(&op.out(&create)).unwrap();
    let key = issued["key"].as_str().unwrap();
    assert!(key.starts_with("prn_") && key.len() == 85, "{key}");
    assert_eq!(issued["scopes"], serde_json::json!(["members:read", "orders:write"]));
    let id = &key[4..20];
    let listed = op.out(&["keys", "list", "--program", "acme"]);
    assert!(listed.contains(id) && listed.contains("active") && !listed.contains(key), "{listed}");
    op.out(&["keys", "revoke", id]);
    let listed = op.out(&["keys", "list", "--program", "acme", "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["status"], "revoked");

    let all = op.out(&["keys", "create", "--program", "acme", "--scopes", "all"]);
    assert!(all.trim().starts_with("prn_"), "{all}");
    for bad in [["--scopes", "orders:wreck", "--program", "acme"], ["--scopes", "all", "--program", "nobody"]] {
        let output = op.run(&[&["keys", "create"][..], &bad].concat());
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    }
    let past = ["keys", "create", "--program", "acme", "--scopes", "all", "--expires-at", "2001-01-01T00:00:00Z"];
    assert_eq!(op.run(&past).status.code(), Some(2));
    assert_eq!(op.run(&["keys", "revoke", "0123456789abcdef"]).status.code(), Some(2));
}

#[tokio::test]
async fn a_version_is_published_once_by_its_file() {
    let op = Operator::new().await;
    op.out(&["program", "create", "acme", "--currency", "EUR", "--timezone", "UTC"]);
    let shown = op.out(&["program", "show", "acme"]);
    let file = op.write("acme.toml", &shown);
    let same = op.out(&["program", "apply", &file, "--program", "acme"]);
    assert_eq!(same, "acme has version 1, which says the same: nothing to publish\n");
    let file = op.write("acme.toml", &format!("{shown}\n[earning.double]\nlines = 'line.brand == \"acme\"'\nwhen = '''\norder.total >= 10'''\naward = {{ multiply = \"2\" }}\n"));
    let apply = ["program", "apply", &file, "--program", "acme", "--note", "double points", "--json"];
    let done: Value = serde_json::from_str(&op.out(&apply)).unwrap();
    assert_eq!((done["version"].as_i64(), done["published"].as_bool()), (Some(2), Some(true)));
    let again: Value = serde_json::from_str(&op.out(&apply)).unwrap();
    assert_eq!((again["version"].as_i64(), again["published"].as_bool()), (Some(2), Some(false)));
    assert!(op.out(&["program", "show", "acme"]).contains("multiply = \"2\""));
    let later = op.out(&["program", "apply", &file, "--program", "acme", "--at", "2099-01-01T00:00:00Z"]);
    assert_eq!(later, "published version 3 of acme: it decides from 2099-01-01T00:00:00Z on\n");
    assert_eq!(op.count("audit_log WHERE action = 'program.published' AND principal = 'operator'").await, 2);
    assert_eq!(op.count("program_versions WHERE version = 2 AND note = 'double points'").await, 1);
}

#[tokio::test]
async fn a_version_that_cannot_be_published_is_refused_with_the_reason() {
    let op = Operator::new().await;
    op.out(&["program", "create", "acme", "--currency", "EUR", "--timezone", "UTC"]);
    let shown = op.out(&["program", "show", "acme"]);
    let wrong = |text: &str, told: &[&str]| {
        let file = op.write("wrong.toml", text);
        let output = op.run(&["program", "apply", &file, "--program", "acme"]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        for place in told {
            assert!(said(&output).contains(place), "{place} in {}", said(&output));
        }
    };
    wrong(&shown.replace("EUR", "CHF"), &["/program/currency: is fixed after the first publish"]);
    let rules = "\n[earning.a]\naward = { multiply = \"1\" }\n[earning.b]\naward = { multiply = \"2\", points = 3 }\n\
        schedule = { from = \"2026-12-01\", until = \"2026-12-01T00:00\" }\ncaps = { per_member = { points = 0, each = \"P2M\" } }\n\
        [earning.c]\naward = { points = 1 }\nbase = { net_of = [] }\nschedule = { from = \"2026-12-02T00:00\", until = \"2026-12-01T00:00\" }\ncaps = {}\n";
    wrong(
        &(shown.clone() + rules),
        &[
            "/earning/a/award/multiply: is more than 1, at most 1000",
            "/earning/b/award/points: does not go with `multiply`",
            "/earning/b/schedule/from: is no time such as \"2026-12-01T00:00\"",
            "/earning/b/caps/per_member/points: must be 1 or more",
            "/earning/b/caps/per_member/each: a calendar period is one of P1D, P1W, P1M, P3M, P6M and P1Y",
            "/earning/c/base: goes with an award `per` amount",
            "/earning/c/schedule/until: is not after `from`",
            "/earning/c/caps: has `per_member`",
        ],
    );
    let file = op.write("acme.toml", &shown.replace("P12M", "P13M"));
    let past = op.run(&["program", "apply", &file, "--program", "acme", "--at", "2001-01-01T00:00:00Z"]);
    assert_eq!(past.status.code(), Some(2));
    assert!(said(&past).contains("a version cannot start in the past"), "{}", said(&past));
    assert_eq!(op.run(&["program", "apply", &file, "--program", "nobody"]).status.code(), Some(2));
    assert_eq!(op.count("program_versions").await, 1);
}
