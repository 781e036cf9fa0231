//! What every answer goes through: its id and safe headers, problems completed, time measured, a line in the log.

use std::time::Instant;

use actix_web::Error;
use actix_web::HttpMessage;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;

use crate::platform::web::codes;
use crate::platform::web::problem::Problem;
use crate::platform::web::rate::RateState;
use crate::platform::web::trace::RequestId;

/// Histogram of answers in seconds, by method, route and status.
pub const REQUEST_DURATION: &str = "http_request_duration_seconds";
/// Gauge of requests under way.
pub const REQUESTS_IN_FLIGHT: &str = "http_requests_in_flight";
/// A request that takes longer is logged as a warning, in milliseconds.
pub const SLOW_REQUEST_MS: f64 = 1_000.0;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const PAGELESS: &str = "default-src 'none'; frame-ancestors 'none'";

/// The outermost middleware but one: `.wrap(from_fn(edge)).wrap(TracingLogger::<RequestSpan>::new())`.
///
/// # Errors
/// Passes on what a middleware inside of it failed with.
pub async fn edge(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let method = name_of(request.method());
    let under_way = UnderWay::enter();
    let answer = next.call(request).await?.map_into_boxed_body();
    drop(under_way);
    let mut answer = completed(answer);
    write_headers(&mut answer);
    report(&answer, method, started.elapsed().as_secs_f64());
    Ok(answer)
}

/// Counts a request until it is answered, or its caller has gone.
struct UnderWay;

impl UnderWay {
    fn enter() -> Self {
        metrics::gauge!(REQUESTS_IN_FLIGHT).increment(1.0);
        Self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        metrics::gauge!(REQUESTS_IN_FLIGHT).decrement(1.0);
    }
}

/// Writes problems again, now that the request is known, and makes problems of the framework's own errors.
fn completed(answer: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let Some(error) = answer.response().error() else { return answer };
    let id = RequestId::of(answer.request());
    let id = id.as_ref().map(RequestId::as_str);
    let response = match error.as_error::<Problem>() {
        Some(problem) => {
            log_cause(problem);
            problem.response(id)
        }
        None => {
            let problem = of_framework(answer.status(), &error.to_string());
            log_cause(&problem);
            problem.response(id)
        }
    };
    answer.into_response(response)
}

fn of_framework(status: StatusCode, message: &str) -> Problem {
    match status {
        StatusCode::NOT_FOUND => Problem::of(&codes::NOT_FOUND),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::of(&codes::BODY_TOO_LARGE),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::of(&codes::UNSUPPORTED_MEDIA_TYPE),
        status if status.is_client_error() => Problem::of(&codes::MALFORMED_REQUEST).detail(message),
        _ => Problem::of(&codes::INTERNAL).because(message),
    }
}

/// Logs what went wrong inside, if anything did; once for each problem.
pub fn log_cause(problem: &Problem) {
    let Some(causes) = problem.causes() else { return };
    let kind = problem.kind();
    if kind.retryable {
        tracing::warn!(code = kind.code, error = causes, "a request could not be served");
    } else {
        tracing::error!(code = kind.code, error = causes, "a request failed");
    }
}

fn write_headers(answer: &mut ServiceResponse<BoxBody>) {
    let (id, rate) = {
        let extensions = answer.request().extensions();
        (extensions.get::<RequestId>().cloned(), extensions.get::<RateState>().cloned())
    };
    let headers = answer.headers_mut();
    if let Some(id) = id.and_then(|id| HeaderValue::from_str(id.as_str()).ok()) {
        headers.insert(X_REQUEST_ID, id);
    }
    if let Some(rate) = rate {
        rate.write(headers);
    }
    // A page or an asset may have said otherwise for itself.
    default_header(headers, CACHE_CONTROL, "no-store");
    default_header(headers, CONTENT_SECURITY_POLICY, PAGELESS);
    default_header(headers, REFERRER_POLICY, "no-referrer");
    default_header(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    default_header(headers, X_FRAME_OPTIONS, "DENY");
}

fn default_header(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    if !headers.contains_key(&name) {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn report(answer: &ServiceResponse<BoxBody>, method: &'static str, seconds: f64) {
    let status = answer.status();
    // The pattern, never the path: paths carry ids, and metrics would grow without end.
    let route = answer.request().match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    let duration_ms = (seconds * 1_000_000.0).round() / 1_000.0;
    if duration_ms >= SLOW_REQUEST_MS {
        tracing::warn!(method, route, status = status.as_u16(), duration_ms, "answered slowly");
    } else {
        // Metrics count them all; a line each would cost more than to read the order.
        tracing::debug!(method, route, status = status.as_u16(), duration_ms, "answered");
    }
    let status = status.as_str().to_owned();
    metrics::histogram!(REQUEST_DURATION, "method" => method, "route" => route, "status" => status).record(seconds);
}

fn name_of(method: &Method) -> &'static str {
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    known.iter().copied().find(|name| *name == method.as_str()).unwrap_or("OTHER")
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{ALLOW, CONTENT_TYPE};
    use actix_web::middleware::from_fn;
    use actix_web::web::{self, Data, Json};
    use actix_web::{App, get, post, test as web_test};
    use serde::{Deserialize, Serialize};
    use serde_json::{Value, json};
    use tracing_actix_web::TracingLogger;
    use utoipa::ToSchema;
    use utoipa_actix_web::AppExt;
    use utoipa_actix_web::service_config::ServiceConfig;
    use uuid::Uuid;

    use crate::platform::web::body::{BODY_BYTES_MAX, Body};
    use crate::platform::web::fallback::{ProblemCatalogue, Routes, describe_problem, fallback, path_config};
    use crate::platform::web::idempotency::IdempotencyKey;
    use crate::platform::web::openapi::{browsable, document};
    use crate::platform::web::paging::Limit;
    use crate::platform::web::query::Query;
    use crate::platform::web::trace::RequestSpan;

    use super::*;

    #[derive(Serialize, Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        name: String,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct ThingsQuery {
        #[serde(default)]
        limit: Limit,
    }

    #[utoipa::path(responses((status = 200, description = "The number asked for.")))]
    #[get("/v1/things")]
    async fn list_things(query: Query<ThingsQuery>) -> Json<u16> {
        Json(query.0.limit.get())
    }

    #[utoipa::path(request_body = Thing, responses((status = 200, description = "The thing.", body = Thing)))]
    #[post("/v1/things")]
    async fn create_thing(_key: IdempotencyKey, body: Body<Thing>) -> Json<Thing> {
        Json(body.0)
    }

    #[utoipa::path(security(()), responses((status = 204, description = "It is.")))]
    #[get("/v1/things/{id}")]
    async fn get_thing(_id: web::Path<Uuid>) -> Result<Json<Thing>, Problem> {
        Err(Problem::of(&codes::INTERNAL).because("secret inside"))
    }

    fn things(config: &mut ServiceConfig) {
        config.service(list_things).service(create_thing).service(get_thing);
    }

    struct Answer {
        status: u16,
        headers: HeaderMap,
        text: String,
    }

    impl Answer {
        fn json(&self) -> Value {
            serde_json::from_str(&self.text).unwrap()
        }

        fn header(&self, name: &str) -> &str {
            self.headers.get(name).map_or("", |value| value.to_str().unwrap())
        }
    }

    async fn call(request: web_test::TestRequest) -> Answer {
        let api = document(things);
        let app = App::new()
            .into_utoipa_app()
            .configure(things)
            .into_app()
            .app_data(path_config())
            .app_data(Data::new(Routes::of(&api)))
            .app_data(Data::new(ProblemCatalogue::new(&[codes::PROBLEMS])))
            .configure(browsable(&api))
            .route("/problems/{code}", web::get().to(describe_problem))
            .default_service(web::to(fallback))
            .wrap(from_fn(edge))
            .wrap(TracingLogger::<RequestSpan>::new());
        let app = web_test::init_service(app).await;
        let response = web_test::call_service(&app, request.to_request()).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = String::from_utf8_lossy(&web_test::read_body(response).await).into_owned();
        Answer { status, headers, text }
    }

    fn get_of(uri: &str) -> web_test::TestRequest {
        web_test::TestRequest::get().uri(uri)
    }

    fn post_of(body: impl Into<web::Bytes>) -> web_test::TestRequest {
        let request = web_test::TestRequest::post().uri("/v1/things").insert_header(("idempotency-key", "a.b_c:d~e-1"));
        request.insert_header((CONTENT_TYPE, "application/json")).set_payload(body)
    }

    #[actix_web::test]
    async fn a_request_id_is_echoed_when_sane_and_made_when_not() {
        let sane = call(get_of("/v1/things").insert_header(("x-request-id", "cart/7"))).await;
        assert_eq!(sane.header("x-request-id"), "cart/7");
        let odd = call(get_of("/v1/things").insert_header(("x-request-id", "a b"))).await;
        assert_eq!(odd.header("x-request-id").len(), 32);
        let missing = call(get_of("/nowhere").insert_header(("x-request-id", "r1"))).await;
        assert_eq!((missing.status, missing.json()["request_id"].as_str()), (404, Some("r1")));
        assert_eq!(missing.header("content-type"), "application/problem+json");
    }

    #[actix_web::test]
    async fn every_answer_has_safe_headers() {
        for uri in ["/v1/things", "/nowhere", "/openapi.json"] {
            let answer = call(get_of(uri)).await;
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{uri}");
            assert_eq!(answer.header("cache-control"), "no-store", "{uri}");
            assert_eq!(answer.header("content-security-policy"), PAGELESS, "{uri}");
        }
    }

    #[actix_web::test]
    async fn what_goes_wrong_inside_stays_inside() {
        let answer = call(get_of(&format!("/v1/things/{}", Uuid::nil()))).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (500, Some("internal")));
        assert!(!answer.text.contains("secret inside"), "{}", answer.text);
    }

    #[actix_web::test]
    async fn another_method_is_405_with_the_right_ones_and_an_odd_id_is_404() {
        let answer = call(web_test::TestRequest::delete().uri("/v1/things")).await;
        assert_eq!((answer.status, answer.header(ALLOW.as_str())), (405, "GET, POST"));
        let options = call(web_test::TestRequest::default().method(Method::OPTIONS).uri("/v1/things")).await;
        assert_eq!((options.status, options.header(ALLOW.as_str())), (204, "GET, POST"));
        let odd = call(get_of("/v1/things/seven")).await;
        assert_eq!((odd.status, odd.json()["code"].as_str()), (404, Some("not_found")));
    }

    #[actix_web::test]
    async fn bodies_are_json_and_not_too_large() {
        let good = call(post_of(r#"{"name":"a"}"#)).await;
        assert_eq!((good.status, good.json()), (200, json!({ "name": "a" })));
        let plain = call(post_of("{}").insert_header((CONTENT_TYPE, "text/plain"))).await;
        assert_eq!((plain.status, plain.json()["code"].as_str()), (415, Some("unsupported_media_type")));
        let latin = call(post_of("{}").insert_header((CONTENT_TYPE, "application/json; charset=latin1"))).await;
        assert_eq!(latin.status, 415);
        let zipped = call(post_of("{}").insert_header(("content-encoding", "gzip"))).await;
        assert_eq!(zipped.status, 415);
        let large = call(post_of(vec![b' '; BODY_BYTES_MAX + 1])).await;
        assert_eq!((large.status, large.json()["bytes_max"].as_u64()), (413, Some(1_048_576)));
        let broken = call(post_of(vec![b'"', 0xff, b'"'])).await;
        assert_eq!((broken.status, broken.json()["code"].as_str()), (400, Some("malformed_json")));
    }

    #[actix_web::test]
    async fn a_write_without_a_key_is_told_so() {
        let request = web_test::TestRequest::post().uri("/v1/things").set_json(json!({ "name": "a" }));
        let answer = call(request).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (400, Some("idempotency_key_required")));
        for bad in ["", "a b", "ä", &"x".repeat(65)] {
            let answer = call(post_of("{}").insert_header(("idempotency-key", bad))).await;
            assert_eq!(
                (answer.status, answer.json()["code"].as_str()),
                (400, Some("idempotency_key_invalid")),
                "{bad}"
            );
        }
    }

    #[actix_web::test]
    async fn queries_are_strict() {
        assert_eq!(call(get_of("/v1/things")).await.text, "50");
        assert_eq!(call(get_of("/v1/things?limit=200")).await.text, "200");
        for (query, code) in [
            ("limit=0", "invalid_parameter"),
            ("limit=201", "invalid_parameter"),
            ("limit=x", "invalid_parameter"),
            ("limit=1&limit=2", "duplicate_parameter"),
            ("limits=1", "unknown_parameter"),
        ] {
            let answer = call(get_of(&format!("/v1/things?{query}"))).await;
            assert_eq!((answer.status, answer.json()["code"].as_str()), (422, Some(code)), "{}", answer.text);
            assert!(answer.json()["parameter"].as_str().is_some_and(|name| query.starts_with(name)), "{}", answer.text);
        }
    }

    #[actix_web::test]
    async fn a_problems_type_leads_to_its_description() {
        let answer = call(get_of("/problems/rate_limited")).await;
        assert_eq!((answer.status, answer.json()["retryable"].as_bool()), (200, Some(true)));
        assert_eq!(call(get_of("/problems/nonsense")).await.status, 404);
        assert_eq!(ProblemCatalogue::new(&[codes::PROBLEMS]).misfit(), None);
        assert_eq!(ProblemCatalogue::new(&[codes::PROBLEMS, codes::PROBLEMS]).misfit(), Some("body_too_large"));
    }

    #[actix_web::test]
    async fn the_document_names_every_refusal_and_can_be_browsed() {
        let api = call(get_of("/openapi.json")).await.json();
        assert_eq!(api["openapi"], "3.1.0");
        let created = &api["paths"]["/v1/things"]["post"];
        assert_eq!(created["operationId"], "create_thing");
        let statuses: Vec<_> = created["responses"].as_object().unwrap().keys().collect();
        assert_eq!(statuses, ["200", "400", "401", "403", "404", "409", "413", "415", "422", "429", "500", "503"]);
        let public = api["paths"]["/v1/things/{id}"]["get"]["responses"].as_object().unwrap();
        assert!(!public.contains_key("401"));
        assert!(api["components"]["schemas"]["Problem"].is_object());
        let page = call(get_of("/docs/")).await;
        assert_eq!((page.status, page.header("content-type")), (200, "text/html"));
        assert!(page.header("content-security-policy").contains("script-src 'self'"));
        assert_eq!(call(get_of("/docs")).await.header("location"), "/docs/");
    }
}
