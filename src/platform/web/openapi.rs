//! The OpenAPI 3.1 document, assembled from the handlers, and the pages to browse it.

use actix_web::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use actix_web::web::{Bytes, Data, ServiceConfig as ActixConfig};
use actix_web::{App, HttpResponse, web};
use utoipa::openapi::path::{Operation, Parameter, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, ContentBuilder, Header, Info, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::platform::web::problem::{PROBLEM_JSON, ProblemView};

/// The name of the API key among the document's security schemes.
pub const API_KEY: &str = "api_key";

/// The name of a member's access token among them.
pub const MEMBER_TOKEN: &str = "member_token";

const ABOUT: &str = "Points, tiers and rewards of one loyalty programme; the credential decides which.\n\n\
    Amounts are decimal strings, points whole numbers, times RFC 3339 in UTC, days ISO dates in the programme's time \
    zone. Unknown fields are refused. Lists are paged by `limit` and `cursor`. Refusals are RFC 9457 problems with a \
    stable `code`; `type` leads to its description. Answers to a limited credential carry `RateLimit` and \
    `RateLimit-Policy`. `X-Request-Id` is taken over and echoed.";
// Swagger UI builds its styles at run time.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; font-src 'self'; frame-ancestors 'none'";

/// Refusals that any operation may meet, by status: where they are documented and what they say.
const COMMON: [(&str, &str, &str); 13] = [
    ("400", "Malformed", "The request could not be understood."),
    ("401", "Unauthorized", "There is no credential, or it is not valid."),
    ("403", "Forbidden", "The credential lacks the scope that the problem names."),
    ("404", "NotFound", "There is nothing at this address, or nothing that this credential may know of."),
    ("409", "Conflict", "The present state refuses; the problem says what is missing."),
    ("412", "Changed", "It is not as it was when it was read; the problem says what it is now."),
    ("413", "TooLarge", "The body is larger than this call takes."),
    ("415", "UnsupportedMediaType", "The body is not of the media type that the call takes, in UTF-8."),
    ("422", "Unprocessable", "The request is never valid as sent; `pointer` names the field."),
    ("428", "PreconditionRequired", "The call wants an `If-Match` header."),
    ("429", "TooManyRequests", "The rate of the credential, or of the address that tries to come in, is used up."),
    ("500", "Internal", "Something went wrong inside; it is logged under the request's id."),
    ("503", "Unavailable", "The database is busy or away."),
];

/// The document of what `configure` registers. Needs no server and no database.
pub fn document(configure: impl FnOnce(&mut ServiceConfig)) -> OpenApi {
    let (_, mut api) = App::new().into_utoipa_app().openapi(frame()).configure(configure).split_for_parts();
    for item in api.paths.paths.values_mut() {
        for (writes, operation) in operations(item) {
            document_refusals(operation, writes);
        }
    }
    api
}

fn frame() -> OpenApi {
    let mut info = Info::new("Perennial", env!("CARGO_PKG_VERSION"));
    info.description = Some(ABOUT.to_owned());
    let mut components = Components::new();
    let mut key = Http::new(HttpAuthScheme::Bearer);
    key.bearer_format = Some("prn_<id>_<secret>".to_owned());
    key.description = Some("An API key. Each operation names the scope that it wants.".to_owned());
    components.security_schemes.insert(API_KEY.to_owned(), RefOr::T(SecurityScheme::Http(key)));
    let mut token = Http::new(HttpAuthScheme::Bearer);
    token.bearer_format = Some("JWT".to_owned());
    token.description = Some("The access token of a member who is signed in.".to_owned());
    components.security_schemes.insert(MEMBER_TOKEN.to_owned(), RefOr::T(SecurityScheme::Http(token)));
    components.schemas.insert(ProblemView::name().into_owned(), ProblemView::schema());
    for (status, name, about) in COMMON {
        components.responses.insert(name.to_owned(), RefOr::T(refusal(status, about)));
    }
    let mut api = OpenApi::new(info, utoipa::openapi::Paths::new());
    api.components = Some(components);
    api.security = Some(vec![SecurityRequirement::new(API_KEY, Vec::<String>::new())]);
    api
}

fn refusal(status: &str, about: &str) -> Response {
    let schema = Ref::from_schema_name(ProblemView::name());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response = ResponseBuilder::new().description(about).content(PROBLEM_JSON, content);
    let text = |about: &str| {
        let mut header = Header::new(ObjectBuilder::new().schema_type(Type::String));
        header.description = Some(about.to_owned());
        header
    };
    match status {
        "401" => response.header("WWW-Authenticate", text("How to authenticate.")).build(),
        "429" | "503" => response.header("Retry-After", text("Seconds to wait.")).build(),
        _ => response.build(),
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (bool, &mut Operation)> {
    let writes = [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
    let reads = item.get.as_mut().map(|operation| (false, operation));
    reads.into_iter().chain(writes.into_iter().flatten().map(|operation| (true, operation)))
}

/// Adds the common refusals to an operation, unless it says something of its own for that status.
fn document_refusals(operation: &mut Operation, writes: bool) {
    let nobody = SecurityRequirement::default();
    let public = operation.security.as_ref().is_some_and(|wanted| wanted.iter().all(|one| *one == nobody));
    // A key has scopes; a member has what is their own.
    let keyed = operation.security.is_none();
    let has_body = operation.request_body.is_some();
    let guards = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(one) if one.name == "If-Match");
    let is_guarded = operation.parameters.iter().flatten().any(guards);
    for (status, name, _) in COMMON {
        let applies = match status {
            "401" => !public,
            // Whoever has no credential yet is counted by address.
            "429" => !public || writes,
            "403" => keyed,
            "412" | "428" => is_guarded,
            "413" | "415" => has_body,
            "409" => writes,
            _ => true,
        };
        if applies {
            let responses = &mut operation.responses.responses;
            responses.entry(status.to_owned()).or_insert_with(|| RefOr::Ref(Ref::from_response_name(name)));
        }
    }
}

/// A document as the bytes that `/openapi.json` and the file in the repository hold: indented, ending in a newline.
pub fn written(api: &OpenApi) -> String {
    let mut text = api.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// `/openapi.json`, and `/docs` to browse it, without the internet.
pub fn browsable(api: &OpenApi) -> impl FnOnce(&mut ActixConfig) + use<> {
    let text = Bytes::from(written(api));
    move |config| {
        config
            .app_data(Data::new(Document(text)))
            .route("/openapi.json", web::get().to(get_document))
            .route("/docs", web::get().to(go_to_docs))
            .service(
                web::scope("/docs")
                    .wrap(actix_web::middleware::DefaultHeaders::new().add((CONTENT_SECURITY_POLICY, DOCS_POLICY)))
                    .service(SwaggerUi::new("/{_:.*}").config(Config::from("/openapi.json"))),
            );
    }
}

struct Document(Bytes);

async fn get_document(document: Data<Document>) -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/json")).body(document.0.clone())
}

async fn go_to_docs() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/docs/")).finish()
}
