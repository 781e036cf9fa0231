//! Query strings, read strictly: an unknown parameter is a mistake, not a wish.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;

use crate::platform::web::codes;
use crate::platform::web::invalid::{Wrong, finding};
use crate::platform::web::paging::NOT_A_CURSOR;
use crate::platform::web::problem::Problem;

/// The parameters of a call. `T` says `deny_unknown_fields`.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request.query_string()).map(Self))
    }
}

fn read<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(pairs).map_err(|error| {
        let found = finding(error.path(), &error.inner().to_string());
        let kind = match found.wrong {
            Wrong::Unknown => &codes::UNKNOWN_PARAMETER,
            Wrong::Missing => &codes::MISSING_PARAMETER,
            Wrong::Duplicate => &codes::DUPLICATE_PARAMETER,
            Wrong::Invalid if found.says == NOT_A_CURSOR => &codes::INVALID_CURSOR,
            Wrong::Invalid => &codes::INVALID_PARAMETER,
        };
        let parameter = found.pointer.trim_start_matches('/').to_owned();
        let problem = Problem::of(kind).detail(found.says);
        if parameter.is_empty() { problem } else { problem.with("parameter", parameter) }
    })
}
