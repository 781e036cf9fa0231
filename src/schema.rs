//! The tables that are queried through diesel's builder, as `diesel.toml` lists them.
//!
//! Generated from the catalog: `PERENNIAL_BLESS=1 cargo test --test it schema` writes it.

diesel::table! {
    api_keys (key_id) {
        key_id -> Text,
        program_id -> Uuid,
        name -> Text,
        scopes -> Text,
        secret_hash -> Bytea,
        created_at -> Timestamptz,
        created_by -> Text,
        expires_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
        successor_id -> Nullable<Text>,
    }
}

diesel::table! {
    audit_log (program_id, audit_id) {
        program_id -> Uuid,
        audit_id -> Uuid,
        at -> Timestamptz,
        principal -> Text,
        action -> Text,
        subject -> Text,
        detail -> Text,
    }
}

diesel::table! {
    logins (lane, member_id) {
        lane -> Int2,
        member_id -> Uuid,
        program_id -> Uuid,
        password_hash -> Nullable<Text>,
        failures -> Int4,
        failed_at -> Nullable<Timestamptz>,
        reset_hash -> Nullable<Bytea>,
        reset_expires_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    sessions (lane, member_id, session_id) {
        lane -> Int2,
        member_id -> Uuid,
        session_id -> Uuid,
        program_id -> Uuid,
        secret_hash -> Bytea,
        created_at -> Timestamptz,
        refreshed_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}
