//! Why a document is not taken.

use crate::platform::web::problem::{ProblemType, problems};

problems! {
    PROGRAM_INVALID = 422 "program_invalid", "Programme not valid",
        "The document has mistakes; each is named with its pointer, its line and column, and what is wrong.";
    PROGRAM_OUTDATED = 409 "program_outdated", "Outdated",
        "A version was published after the one that this draft changes: discard the draft and begin from the newest.";
    DRAFT_MISSING = 409 "draft_missing", "No draft", "There is no draft to publish: write one, or name a version.";
}
