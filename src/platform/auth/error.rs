//! Why a credential is not let in, or a key not issued.

use crate::platform::web::problem::{ProblemType, problems};

problems! {
    CREDENTIAL_MISSING = 401 "credential_missing", "Credential missing",
        "This call wants an API key: Authorization: Bearer prn_ID_SECRET.";
    CREDENTIAL_INVALID = 401 "credential_invalid", "Credential not valid",
        "The API key is unknown, wrong, expired or revoked.";
    SCOPE_MISSING = 403 "scope_missing", "Scope missing",
        "The credential is good, and lacks the scope that the problem names.";
    KEY_NOT_ACTIVE = 409 "key_not_active", "Key not active", "The key is expired, revoked or rotated already.";
    KEYS_TOO_MANY = 409 "keys_too_many", "Too many keys",
        "The programme has as many active keys as it may have; revoke one.";
    EXPIRY_PASSED = 422 "expiry_passed", "Expiry in the past", "A key's expiry lies in the future.";
}
