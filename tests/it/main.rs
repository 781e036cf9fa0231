//! Tests against a real Postgres: one private cluster for the process, one database for each test.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the harness, too: a test that lost its ground has to fail"
)]

mod audit;
mod auth;
mod backup;
mod bad_input;
mod batch;
mod catalog;
mod commands;
mod counters;
mod crash;
mod days;
mod demo;
mod discounts;
mod drafts;
mod due;
mod embedded;
mod events;
mod export;
mod failover;
mod harness;
mod histories;
mod holds;
mod identities;
mod import;
mod jobs;
mod members;
mod merges;
mod migrations;
mod openapi;
mod operating;
mod orders;
mod passwords;
mod personal;
mod previews;
mod programs;
mod publishing;
mod readers;
mod rewards;
mod segments;
mod shutdown;
mod sign_in;
mod spending;
mod statements;
mod storms;
mod suspensions;
mod tenancy;
mod tiers;
mod transfers;
mod verify;
mod webhooks;
mod why;
