//! Why no job is taken in.

use crate::platform::web::problem::{ProblemType, problems};

problems! {
    JOBS_TOO_MANY = 409 retryable "jobs_too_many", "Too many jobs",
        "The programme has as many jobs waiting and running as it may have; wait for one to end, or cancel one.";
}
