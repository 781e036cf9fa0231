//! `perennial openapi`: the document of the API, as `/openapi.json` answers it.

use super::http::api;
use super::terminal::say;
use crate::platform::web::openapi::written;

/// Prints the document. Needs no database.
pub fn run() {
    say(written(&api()).trim_end());
}
