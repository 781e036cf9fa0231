//! The part of the API's document that has what webhooks are told.

use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Components, ContentBuilder, PathItem, Paths, Ref, Required, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

use crate::loyalty::events::event_view::{EVENT_TYPES, EventView};

/// What webhooks are told, by type.
pub fn told(components: &mut Option<Components>) -> Paths {
    let mut schemas = vec![(EventView::name().into_owned(), EventView::schema())];
    EventView::schemas(&mut schemas);
    if let Some(components) = components {
        components.schemas.extend(schemas);
    }
    let body = || {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(EventView::name()))).build();
        RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True)).build()
    };
    let header = |name: &str, about: &str| {
        let text = ObjectBuilder::new().schema_type(Type::String);
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .description(Some(about))
            .schema(Some(text))
            .build()
    };
    let operation = |name: &str, about: &str| {
        let taken = ResponseBuilder::new().description("It was taken; anything else is tried again.").build();
        OperationBuilder::new()
            .tag("webhooks")
            .operation_id(Some(format!("tell_{}", name.replace('.', "_"))))
            .summary(Some(name))
            .description(Some(about))
            .security(SecurityRequirement::default())
            .parameter(header("webhook-id", "The same each time it is sent: by it repetitions are told."))
            .parameter(header("webhook-timestamp", "When it is sent, in seconds since 1970."))
            .parameter(header(
                "webhook-signature",
                "`v1,` and HMAC-SHA256 over id, timestamp and body in Base64, by Standard \
                Webhooks; several, by blanks, while a secret is rotated.",
            ))
            .request_body(Some(body()))
            .response("2XX", taken)
            .build()
    };
    let paths = EVENT_TYPES
        .iter()
        .map(|(name, about)| ((*name).to_owned(), PathItem::new(HttpMethod::Post, operation(name, about))));
    let mut told = Paths::new();
    told.paths.extend(paths);
    told
}
