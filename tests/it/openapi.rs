//! The API's document and the schema of a programme's: what is committed is what handlers and types say, and it says all
//! that it should.

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs};

use perennial::app::http::api;
use perennial::loyalty::program::schema;
use perennial::platform::web::openapi::written;
use serde_json::Value;

/// Where the document is committed.
const COMMITTED: &str = "openapi/perennial.v1.json";

/// Where the schema of a programme's document is.
const SCHEMA: &str = "openapi/program.schema.json";

/// A method and path of the document with its operation.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            let operations = item.as_object().unwrap().iter().filter(|(method, _)| *method != "parameters");
            operations.map(move |(method, operation)| (format!("{} {path}", method.to_uppercase()), operation))
        })
        .collect()
}

fn document() -> Value {
    serde_json::from_str(&written(&api())).unwrap()
}

/// Whether a file is what was generated; it is written anew under `PERENNIAL_BLESS`.
fn holds(name: &str, generated: &str) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if env::var_os("PERENNIAL_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, generated).unwrap();
    }
    fs::read_to_string(&path).unwrap_or_default() == generated
}

#[test]
fn the_committed_document_is_the_generated_one() {
    let holds = holds(COMMITTED, &written(&api()));
    assert!(holds, "{COMMITTED} is not what the handlers say: run the tests with PERENNIAL_BLESS=1");
}

#[test]
fn the_committed_schema_is_the_generated_one() {
    let holds = holds(SCHEMA, &schema::written());
    assert!(holds, "{SCHEMA} is not what the types say: run the tests with PERENNIAL_BLESS=1");
}

#[test]
fn every_operation_says_what_it_is_called_what_it_does_and_how_it_refuses() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for (name, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} twice");
        let (verb, noun) = id.split_once('_').unwrap_or_default();
        let verbs = [
            "get", "list", "create", "enrol", "change", "look", "quote", "settle", "return", "release", "rotate",
            "revoke", "claim", "cancel", "write", "discard", "validate", "publish", "refresh", "sign", "reset", "use",
            "reverse", "export", "erase",
        ];
        assert!(verbs.contains(&verb) && !noun.is_empty(), "{id} is not verb_noun");
        assert!(operation["summary"].is_string() && operation["description"].is_string(), "{name} says nothing");
        // A member has what is their own, and what is for everybody has no 401 but its own.
        let keyed = operation.get("security").is_none();
        assert_eq!(operation["description"].as_str().unwrap().contains("Scope: `"), keyed, "{name}");
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{name}");
        let mut statuses = vec!["400", "404", "422", "500", "503"];
        if keyed {
            statuses.extend(["401", "403", "429"]);
        } else if operation["security"][0].get("member_token").is_some() {
            statuses.extend(["401", "429"]);
        }
        if !name.starts_with("GET") {
            statuses.push("409");
        }
        if operation.get("requestBody").is_some() {
            statuses.extend(["413", "415"]);
        }
        let responses = operation["responses"].as_object().unwrap();
        for status in statuses {
            assert!(responses.contains_key(status), "{name} says nothing of {status}");
        }
        assert!(responses.keys().any(|status| status.starts_with('2')), "{name} never succeeds");
    }
    assert!(ids.len() >= 17, "{ids:?}");
}

#[test]
fn every_reference_leads_somewhere_and_every_response_says_what_it_is() {
    let document = document();
    let mut references = 0;
    walk(&document, &mut |place, value| {
        if let Some(to) = value.get("$ref").and_then(Value::as_str) {
            let target = document.pointer(to.strip_prefix('#').unwrap());
            assert!(target.is_some(), "{place}: {to} leads nowhere");
            references += 1;
        }
        if let Some(responses) = value.get("responses").and_then(Value::as_object) {
            for (status, response) in responses {
                let says =
                    response.get("$ref").is_some() || response["description"].as_str().is_some_and(|d| !d.is_empty());
                assert!(says, "{place}: {status} is not described");
            }
        }
    });
    assert!(references > 100);
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        let used = document.to_string().contains(&format!("\"#/components/schemas/{name}\""));
        assert!(used, "nobody uses the schema {name}");
    }
}

#[test]
fn closed_documents_are_closed_in_their_schemas() {
    let document = document();
    for (name, operation) in operations(&document) {
        let Some(body) = operation.pointer("/requestBody/content/application~1json/schema/$ref") else { continue };
        let schema = document.pointer(body.as_str().unwrap().strip_prefix('#').unwrap()).unwrap();
        assert_eq!(
            schema["additionalProperties"],
            Value::Bool(false),
            "{name} refuses unknown fields and does not say so"
        );
    }
}

fn walk<'a>(value: &'a Value, see: &mut impl FnMut(&str, &'a Value)) {
    fn step<'a>(place: &str, value: &'a Value, see: &mut impl FnMut(&str, &'a Value)) {
        see(place, value);
        match value {
            Value::Object(members) => {
                members.iter().for_each(|(name, member)| step(&format!("{place}/{name}"), member, see));
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(i, item)| step(&format!("{place}/{i}"), item, see));
            }
            _ => {}
        }
    }
    step("", value, see);
}
