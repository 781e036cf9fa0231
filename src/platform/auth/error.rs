//! Why a credential is not let in, or a key not issued.

use crate::platform::web::problem::{ProblemType, problems};

problems! {
    CREDENTIAL_MISSING = 401 "credential_missing", "Credential missing",
        "This call wants an API key: Authorization: Bearer prn_ID_SECRET.";
    CREDENTIAL_INVALID = 401 "credential_invalid", "Credential not valid",
        "The API key is unknown, wrong, expired or revoked.";
    TOKEN_MISSING = 401 "token_missing", "Token missing",
        "This call is for members who are signed in: Authorization: Bearer ACCESS_TOKEN.";
    TOKEN_INVALID = 401 "token_invalid", "Token not valid",
        "The access token is wrong or expired, or its session is over: refresh it, or sign in again.";
    REFRESH_TOKEN_INVALID = 401 "refresh_token_invalid", "Refresh token not valid",
        "The refresh token is wrong or used, or its session is over: sign in again.";
    SIGN_IN_FAILED = 401 "sign_in_failed", "Not signed in",
        "The e-mail or the password is wrong, or there were too many wrong ones: try again in a while, or ask the shop for a new one.";
    RESET_TOKEN_INVALID = 401 "reset_token_invalid", "Reset token not valid",
        "The token to set a password is wrong, used or over: ask the shop for another.";
    SCOPE_MISSING = 403 "scope_missing", "Scope missing",
        "The credential is good, and lacks the scope that the problem names.";
    KEY_NOT_ACTIVE = 409 "key_not_active", "Key not active", "The key is expired, revoked or rotated already.";
    KEYS_TOO_MANY = 409 "keys_too_many", "Too many keys",
        "The programme has as many active keys as it may have; revoke one.";
    SIGN_IN_BUSY = 503 retryable "sign_in_busy", "Too many sign in",
        "More passwords wait to be checked than can be at once; try again after Retry-After.";
    TOKENS_NOT_SET_UP = 503 "tokens_not_set_up", "No keys for tokens",
        "The server has no keys to sign tokens with: its operator sets PERENNIAL_TOKEN_KEYS.";
    PASSWORD_WRONG = 422 "password_wrong", "Another password",
        "The current password is another one, or there were too many wrong ones just now.";
    EXPIRY_PASSED = 422 "expiry_passed", "Expiry in the past", "A key's expiry lies in the future.";
}
