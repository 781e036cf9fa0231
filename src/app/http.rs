//! The API's assembly: every service of every room, in one place.

use actix_web::web::ServiceConfig;

use super::health;

/// Adds all services; the caller adds the data that they take (`Db`).
pub fn configure(config: &mut ServiceConfig) {
    config.service(health::livez).service(health::readyz);
}
