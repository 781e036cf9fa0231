//! A change of a draft as a merge patch (RFC 7396). The document's order is meaning, so what stays keeps its place and
//! what is new comes last.

use indexmap::IndexMap;
use serde_json::value::{RawValue, to_raw_value};

/// No document is deeper: what is, is taken as it stands, and refused when it is read.
const DEPTH_MAX: u32 = 32;

/// A document after a patch.
///
/// # Errors
/// None that JSON which was read can cause.
pub fn patched(document: &RawValue, patch: &RawValue) -> Result<Box<RawValue>, serde_json::Error> {
    merged(Some(document), patch, 0)
}

fn merged(target: Option<&RawValue>, patch: &RawValue, depth: u32) -> Result<Box<RawValue>, serde_json::Error> {
    let Some(changes) = members(patch).filter(|_| depth < DEPTH_MAX) else { return Ok(patch.to_owned()) };
    let mut merged_members = target.and_then(members).unwrap_or_default();
    for (name, value) in changes {
        if value.get() == "null" {
            merged_members.shift_remove(&name);
        } else {
            let before = merged_members.get(&name).map(|before| &**before);
            let after = merged(before, &value, depth.saturating_add(1))?;
            merged_members.insert(name, after);
        }
    }
    to_raw_value(&merged_members)
}

fn members(value: &RawValue) -> Option<IndexMap<String, Box<RawValue>>> {
    serde_json::from_str(value.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(document: &str, patch: &str) -> String {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        patched(&raw(document), &raw(patch)).unwrap().get().to_owned()
    }

    #[test]
    fn the_examples_of_the_standard_come_out() {
        for (document, patch, want) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            assert_eq!(after(document, patch), want, "{document} {patch}");
        }
    }

    #[test]
    fn what_stays_keeps_its_place() {
        let rules = r#"{"z":{"points":1},"a":{"points":2},"m":{"points":3}}"#;
        assert_eq!(after(rules, r#"{"a":{"points":5}}"#), r#"{"z":{"points":1},"a":{"points":5},"m":{"points":3}}"#);
        assert_eq!(after(rules, r#"{"z":null}"#), r#"{"a":{"points":2},"m":{"points":3}}"#);
    }

    #[test]
    fn a_patch_without_end_ends() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(100), "}".repeat(100));
        assert_eq!(after("{}", &deep), deep);
    }
}
