//! What is true of all routes, in the document that is made of what each says of itself.

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response, ResponseBuilder};

/// The media type of RFC 9457.
const PROBLEM: &str = "application/problem+json";

/// Every answer that is no success is a problem, whichever of them a route tells of.
pub(super) fn with_problems(mut document: OpenApi) -> OpenApi {
    let operations = document.paths.paths.values_mut().flat_map(operations);
    for operation in operations {
        let responses = &mut operation.responses.responses;
        for (status, response) in responses.iter_mut() {
            if let (false, RefOr::T(response)) = (status.starts_with('2'), response) {
                name_media_type(response);
            }
        }
        responses.entry("default".to_owned()).or_insert_with(|| RefOr::T(problem()));
    }
    document
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut path.get, &mut path.put, &mut path.post, &mut path.delete].into_iter().flatten()
}

fn name_media_type(response: &mut Response) {
    if let Some(content) = response.content.swap_remove("application/json") {
        response.content.insert(PROBLEM.to_owned(), content);
    }
}

/// What may come of any request: nobody is logged in, the role is another, the request is not HTTP as it is taken here.
fn problem() -> Response {
    let content = Content::new(Some(Ref::from_schema_name("ProblemDocument")));
    let description = "The request was not done: 401 without a session or a token or with one that is over, 403 for another role";
    ResponseBuilder::new().description(description).content(PROBLEM, content).build()
}
