//! What is answered where no handler is: 404, 405 with `Allow`, and the pages that describe problems.

use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::web::{Data, PathConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::PathItem;

use crate::platform::web::codes;
use crate::platform::web::problem::{Problem, ProblemType};

/// The methods of every path, read from the API's document, as `Data<Routes>`.
#[derive(Debug)]
pub struct Routes(Vec<Route>);

#[derive(Debug)]
struct Route {
    template: Vec<String>,
    methods: Vec<&'static str>,
}

impl Routes {
    /// The routes of a document.
    pub fn of(api: &OpenApi) -> Self {
        let route = |(path, item): (&String, &PathItem)| Route {
            template: path.split('/').map(ToOwned::to_owned).collect(),
            methods: methods_of(item),
        };
        Self(api.paths.paths.iter().map(route).collect())
    }

    /// The methods that a path has; empty when there is no such path. A path in plain words has its own alone:
    /// `/v1/members/lookups` is no member.
    fn allowed(&self, path: &str) -> Vec<&'static str> {
        let parts: Vec<_> = path.split('/').collect();
        let matching: Vec<_> = self.0.iter().filter(|route| route.matches(&parts)).collect();
        let plain = matching.iter().any(|route| route.is_plain());
        let meant = matching.into_iter().filter(|route| !plain || route.is_plain());
        let mut methods: Vec<_> = meant.flat_map(|route| route.methods.iter().copied()).collect();
        methods.sort_unstable();
        methods.dedup();
        methods
    }
}

impl Route {
    fn is_plain(&self) -> bool {
        !self.template.iter().any(|part| part.starts_with('{'))
    }

    fn matches(&self, parts: &[&str]) -> bool {
        let fits = |(template, part): (&String, &&str)| {
            if template.starts_with('{') { !part.is_empty() } else { template == part }
        };
        self.template.len() == parts.len() && self.template.iter().zip(parts).all(fits)
    }
}

fn methods_of(item: &PathItem) -> Vec<&'static str> {
    let all = [
        ("GET", &item.get),
        ("PUT", &item.put),
        ("POST", &item.post),
        ("DELETE", &item.delete),
        ("PATCH", &item.patch),
        ("HEAD", &item.head),
    ];
    all.iter().filter(|(_, operation)| operation.is_some()).map(|(name, _)| *name).collect()
}

/// The application's default service: `.default_service(web::to(fallback))`.
///
/// # Errors
/// 404 where there is nothing, 405 where the method is another.
pub async fn fallback(request: HttpRequest, routes: Data<Routes>) -> Result<HttpResponse, Problem> {
    let methods = routes.allowed(request.path());
    if methods.is_empty() {
        return Err(Problem::of(&codes::NOT_FOUND));
    }
    if request.method() == Method::OPTIONS {
        return Ok(HttpResponse::NoContent().insert_header((ALLOW, allow(&methods))).finish());
    }
    Err(Problem::of(&codes::METHOD_NOT_ALLOWED).header(ALLOW, allow(&methods)))
}

fn allow(methods: &[&str]) -> HeaderValue {
    HeaderValue::from_str(&methods.join(", ")).unwrap_or(HeaderValue::from_static(""))
}

/// Makes an id in a path that cannot be read a 404, as it names nothing: `.app_data(path_config())`. Where the path in
/// plain words belongs to another method, it is a 405.
pub fn path_config() -> PathConfig {
    PathConfig::default().error_handler(|_, request| {
        let methods =
            request.app_data::<Data<Routes>>().map(|routes| routes.allowed(request.path())).unwrap_or_default();
        if methods.is_empty() || methods.contains(&request.method().as_str()) {
            return Problem::of(&codes::NOT_FOUND).into();
        }
        Problem::of(&codes::METHOD_NOT_ALLOWED).header(ALLOW, allow(&methods)).into()
    })
}

/// Every kind of problem of the application, as `Data<ProblemCatalogue>`.
#[derive(Debug)]
pub struct ProblemCatalogue(Vec<&'static ProblemType>);

#[derive(Serialize)]
struct DescriptionView<'a> {
    code: &'a str,
    status: u16,
    title: &'a str,
    retryable: bool,
    description: &'a str,
}

impl ProblemCatalogue {
    /// The kinds of all rooms, `[codes::PROBLEMS, auth::PROBLEMS, …]`, in the order of their codes.
    pub fn new(rooms: &[&'static [ProblemType]]) -> Self {
        let mut kinds: Vec<_> = rooms.iter().flat_map(|room| room.iter()).collect();
        kinds.sort_by_key(|kind| kind.code);
        Self(kinds)
    }

    /// The kinds.
    pub fn kinds(&self) -> &[&'static ProblemType] {
        &self.0
    }

    /// A code that two kinds share, or that is not `snake_case`: a mistake that a test looks for.
    pub fn misfit(&self) -> Option<&'static str> {
        let twice = self.0.windows(2).find_map(|pair| match pair {
            [one, other] if one.code == other.code => Some(one.code),
            _ => None,
        });
        let shaped = |kind: &ProblemType| {
            let snake = kind.code.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
            snake && (400..600).contains(&kind.status) && kind.about.ends_with('.')
        };
        twice.or_else(|| self.0.iter().find(|kind| !shaped(kind)).map(|kind| kind.code))
    }

    /// All kinds as a Markdown table, for the documentation.
    pub fn markdown(&self) -> String {
        let rows = self.0.iter().map(|kind| {
            let retryable = if kind.retryable { "yes" } else { "no" };
            format!("| `{}` | {} | {} | {retryable} | {} |\n", kind.code, kind.status, kind.title, kind.about)
        });
        std::iter::once("| code | status | title | retryable | when |\n|---|---|---|---|---|\n".to_owned())
            .chain(rows)
            .collect()
    }
}

/// `GET /problems/{code}`: what a problem's `type` leads to.
///
/// # Errors
/// 404 when no problem has this code.
pub async fn describe_problem(
    code: actix_web::web::Path<String>,
    catalogue: Data<ProblemCatalogue>,
) -> Result<HttpResponse, Problem> {
    let kind = catalogue.kinds().iter().find(|kind| kind.code == code.as_str());
    let kind = kind.ok_or_else(|| Problem::of(&codes::NOT_FOUND))?;
    Ok(HttpResponse::Ok().json(DescriptionView {
        code: kind.code,
        status: kind.status,
        title: kind.title,
        retryable: kind.retryable,
        description: kind.about,
    }))
}
