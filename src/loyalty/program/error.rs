//! Why a document is not taken.

use crate::platform::web::problem::{ProblemType, problems};

problems! {
    PROGRAM_INVALID = 422 "program_invalid", "Programme not valid",
        "The document has mistakes; each is named with its pointer, its line and column, and what is wrong.";
}
