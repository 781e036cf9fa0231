//! Who may call which operation, and what strangers meet there.

use serde_json::{Value, json};

use crate::harness::{EURO, fresh};

/// What of ours others try to reach.
pub struct Ours {
    pub hold: String,
    pub member: String,
    pub posting: String,
    pub order: String,
    pub key: String,
    pub job: String,
    pub vouchers: [String; 3],
    pub webhooks: [String; 2],
    pub erased: String,
}

/// What somebody of another programme meets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Strangers {
    /// Nothing: 404, as if it were not there.
    Meet404,
    /// Their own programme, without a trace of ours.
    MeetTheirOwn,
}
pub use Strangers::{Meet404, MeetTheirOwn};

/// How an operation is called: its scope, what strangers meet, the last part of its path that is ours, and its body.
pub type Row = (&'static str, Strangers, String, Value);

/// In the place of a scope: for members who are signed in, each for themselves.
pub const MEMBERS: &str = "(member)";
/// In the place of a scope: for everybody.
pub const EVERYBODY: &str = "(everybody)";

/// Everybody's here.
pub const PASSWORD: &str = "open sesame";

/// What needs no key.
pub fn keyless_row(operation: &str) -> Option<Row> {
    let (none, token) = (String::new(), json!({ "refresh_token": "prs_none" }));
    Some(match operation {
        "get_me"
        | "get_my_balances"
        | "get_my_tier"
        | "list_my_statement"
        | "list_my_entitlements"
        | "list_my_rewards"
        | "list_my_vouchers"
        | "export_me"
        | "erase_me"
        | "sign_out_everywhere" => (MEMBERS, MeetTheirOwn, none, Value::Null),
        "change_me" => (MEMBERS, MeetTheirOwn, none, json!({ "name": "Eva" })),
        "create_my_transfer" => {
            (MEMBERS, MeetTheirOwn, none, json!({ "to": known_as("ours-18"), "wallet": "points", "points": 1 }))
        }
        "sign_up" => (
            EVERYBODY,
            MeetTheirOwn,
            none,
            json!({ "program": "ours", "email": "ours@example.com", "password": PASSWORD }),
        ),
        "create_my_redemption" => (MEMBERS, MeetTheirOwn, none, json!({ "reward": "ours" })),
        "change_my_password" => (MEMBERS, MeetTheirOwn, none, json!({ "current": PASSWORD, "password": PASSWORD })),
        "sign_in" => (
            EVERYBODY,
            MeetTheirOwn,
            none,
            json!({ "program": "ours", "email": "ours@example.com", "password": PASSWORD }),
        ),
        "reset_password" => (EVERYBODY, MeetTheirOwn, none, json!({ "reset_token": "prp_none", "password": PASSWORD })),
        "refresh_tokens" | "sign_out" => (EVERYBODY, MeetTheirOwn, none, token),
        "get_jwks" => (EVERYBODY, MeetTheirOwn, none, Value::Null),
        _ => return None,
    })
}

pub fn known_as(external_id: &str) -> Value {
    json!({ "external_id": external_id })
}

/// What is about rewards, and about a person.
pub fn reward_row(operation: &str, ours: &Ours) -> Option<Row> {
    let [open, used, unused] = ours.vouchers.clone();
    Some(match operation {
        "export_member" => ("members:export", Meet404, ours.member.clone(), Value::Null),
        "erase_member" => ("members:erase", Meet404, ours.erased.clone(), Value::Null),
        "list_rewards" | "list_member_vouchers" => ("rewards:read", Meet404, ours.member.clone(), Value::Null),
        "create_redemption" => ("rewards:write", Meet404, ours.member.clone(), json!({ "reward": "ours" })),
        "get_voucher" => ("rewards:read", Meet404, open, Value::Null),
        "use_voucher" => ("rewards:write", Meet404, open, json!({ "used_for": "ours-use" })),
        "reverse_use" => ("rewards:write", Meet404, used, Value::Null),
        "cancel_voucher" => ("rewards:write", Meet404, unused, Value::Null),
        _ => return None,
    })
}

/// What is about webhooks.
pub fn webhook_row(operation: &str, ours: &Ours) -> Option<Row> {
    let (scope, url) = ("webhooks:manage", "https://hooks.example/");
    let [webhook, discarded] = ours.webhooks.clone();
    Some(match operation {
        "list_webhooks" => (scope, MeetTheirOwn, String::new(), Value::Null),
        "create_webhook" => (scope, MeetTheirOwn, String::new(), json!({ "url": url })),
        "discard_webhook" => (scope, Meet404, discarded, Value::Null),
        "get_webhook" | "list_webhook_deliveries" => (scope, Meet404, webhook, Value::Null),
        "change_webhook" => (scope, Meet404, webhook, json!({ "url": url })),
        "rotate_webhook_secret" => (scope, Meet404, webhook, json!({ "overlap_s": 0 })),
        "create_webhook_replay" => {
            (scope, Meet404, webhook, json!({ "from": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z" }))
        }
        _ => return None,
    })
}

/// The table. An operation that is not in it fails the test.
pub fn row(operation: &str, ours: &Ours) -> Option<Row> {
    let (member, none) = (ours.member.clone(), String::new());
    let order = json!({ "reference": fresh("order"), "member": { "id": member }, "currency": "EUR",
        "lines": [{ "id": "1", "amount": "1.00" }] });
    let adjustment = json!({ "wallet": "points", "points": 1, "reason": "mine" });
    let transfer = json!({ "to": known_as("ours-18"), "wallet": "points", "points": 1 });
    Some(match operation {
        "enrol_member" => ("members:write", MeetTheirOwn, none, json!({ "name": "Ana" })),
        "get_member" | "get_balances" | "get_tier" | "list_statement" | "list_entitlements" => {
            ("members:read", Meet404, member, Value::Null)
        }
        "look_up_member" => ("members:read", Meet404, none, known_as("ours-17")),
        "create_tokens" | "revoke_tokens" | "create_password_reset" => ("tokens:write", Meet404, member, Value::Null),
        "change_member" => ("members:write", Meet404, member, json!({ "name": "Eva", "email": "eva@example.com" })),
        "get_why" => ("members:read", Meet404, ours.posting.clone(), Value::Null),
        "create_adjustment" => ("adjustments:write", Meet404, member, adjustment),
        "create_tier_grant" => ("tiers:write", Meet404, member, json!({ "tier": "gold", "reason": "mine" })),
        "change_segment" => ("segments:write", Meet404, "ours".to_owned(), json!({ "add": [{ "id": member }] })),
        "create_event" => ("events:write", Meet404, none, json!({ "member": { "id": member }, "event": "review" })),
        "list_segment" => ("members:read", Meet404, "ours".to_owned(), Value::Null),
        "create_suspension" | "create_reinstatement" => {
            ("suspensions:write", Meet404, member, json!({ "reason": "mine" }))
        }
        "quote_order" | "settle_order" => ("orders:write", Meet404, none, order),
        "create_transfer" => ("transfers:write", Meet404, member, transfer),
        "create_merge" => ("merges:write", Meet404, member, json!({ "source": known_as("ours-19"), "reason": "mine" })),
        "claim_order" => ("orders:write", Meet404, "ours-guest".to_owned(), json!({ "member": { "id": member } })),
        "create_hold" => (
            "orders:write",
            Meet404,
            none,
            json!({ "reference": fresh("hold"), "member": { "id": member }, "points": { "spend": 1 } }),
        ),
        "get_hold" => ("orders:read", Meet404, ours.hold.clone(), Value::Null),
        "release_hold" => ("orders:write", Meet404, ours.hold.clone(), Value::Null),
        // Each line has a status of its own.
        "settle_batch" => ("orders:write", MeetTheirOwn, none, order),
        "get_order" => ("orders:read", Meet404, ours.order.clone(), Value::Null),
        "return_order" => (
            "orders:write",
            Meet404,
            ours.order.clone(),
            json!({ "reference": "r-1", "lines": [{ "id": "1", "quantity": 1 }] }),
        ),
        "get_program" | "get_draft" | "list_program_versions" => ("program:read", MeetTheirOwn, none, Value::Null),
        // A version's number is nobody's secret: everybody has a first one.
        "get_program_version" => ("program:read", MeetTheirOwn, "1".to_owned(), Value::Null),
        "get_program_changes" => ("program:read", MeetTheirOwn, "1/diff?with=1".to_owned(), Value::Null),
        "validate_draft" => ("program:read", MeetTheirOwn, none, json!({})),
        "write_draft" | "change_draft" => ("program:write", MeetTheirOwn, none, json!({ "goals": {} })),
        "discard_draft" => ("program:write", MeetTheirOwn, none, Value::Null),
        "publish_program" => ("program:write", MeetTheirOwn, none, json!({ "version": 1 })),
        "create_preview" => (
            "program:write",
            MeetTheirOwn,
            none,
            json!({ "from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z", "toml": EURO }),
        ),
        "get_job" => ("program:read", Meet404, ours.job.clone(), Value::Null),
        "cancel_job" => ("program:write", Meet404, ours.job.clone(), Value::Null),
        "get_integrity" => ("integrity:read", MeetTheirOwn, none, Value::Null),
        "list_api_keys" => ("keys:manage", MeetTheirOwn, none, Value::Null),
        "create_api_key" => ("keys:manage", MeetTheirOwn, none, json!({ "name": "more", "scopes": ["keys:manage"] })),
        "rotate_api_key" => ("keys:manage", Meet404, ours.key.clone(), json!({})),
        "revoke_api_key" => ("keys:manage", Meet404, ours.key.clone(), Value::Null),
        "list_audit" => ("audit:read", MeetTheirOwn, none, Value::Null),
        _ => return None,
    })
}
