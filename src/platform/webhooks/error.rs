//! What is refused of webhooks.

use crate::platform::web::problem::{ProblemType, problems};

problems! {
    WEBHOOKS_TOO_MANY = 409 "webhooks_too_many", "Too many webhooks", "The programme has as many webhooks as it can have.";
    WEBHOOK_UNKNOWN = 404 "webhook_unknown", "Webhook not known", "The programme has no such webhook.";
    URL_REFUSED = 422 "url_refused", "Address not allowed",
        "Deliveries go to public addresses over https; `detail` says what this one is not.";
}
