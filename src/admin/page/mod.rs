//! The page: what an administrator sees first. It holds nothing: what it shows it asks the interface for, which decides.

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Shared;

use crate::notation::hex;

const HTML: &str = include_str!("index.html");
/// It has the manner of the report on the records.
const STYLE: &str = concat!(include_str!("../../cli/audit/report/style.css"), "\n", include_str!("page.css"));
/// One script, as a browser asks for it once: what a file defines all of them have.
const SCRIPT: &str = concat!(
    include_str!("script/markup.js"),
    "\n",
    include_str!("script/table.js"),
    "\n",
    include_str!("script/words.js"),
    "\n",
    include_str!("script/asking.js"),
    "\n",
    include_str!("script/session.js"),
    "\n",
    include_str!("script/dialogs.js"),
    "\n",
    include_str!("script/status.js"),
    "\n",
    include_str!("script/refusals.js"),
    "\n",
    include_str!("script/associations.js"),
    "\n",
    include_str!("script/story.js"),
    "\n",
    include_str!("script/throughput.js"),
    "\n",
    include_str!("script/configured.js"),
    "\n",
    include_str!("script/people.js"),
    "\n",
    include_str!("script/blocks.js"),
    "\n",
    include_str!("script/records.js"),
    "\n",
    include_str!("script/rounds.js"),
);

/// Nothing from elsewhere, nothing within the markup, nothing sent elsewhere, and no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The files of the page, for everybody who reaches the interface.
pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route("/", file(HTML, "text/html; charset=utf-8", "no-store"))
        .route("/page.css", file(STYLE, "text/css; charset=utf-8", "no-cache"))
        .route("/page.js", file(SCRIPT, "text/javascript; charset=utf-8", "no-cache"))
}

fn file(
    content: &'static str,
    kind: &'static str,
    keep: &'static str,
) -> axum::routing::MethodRouter<Shared> {
    let tag = tag(content);
    get(move |headers: HeaderMap| async move { answer(content, kind, keep, &tag, &headers) })
}

/// A browser that has this content already is told so.
fn answer(
    content: &'static str,
    kind: &'static str,
    keep: &'static str,
    tag: &HeaderValue,
    asked: &HeaderMap,
) -> Response {
    let fields = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static(keep)),
        (header::ETAG, tag.clone()),
    ];
    if asked.get(header::IF_NONE_MATCH) == Some(tag) {
        return (StatusCode::NOT_MODIFIED, fields).into_response();
    }
    (fields, [(header::CONTENT_TYPE, HeaderValue::from_static(kind))], content).into_response()
}

/// The beginning of its SHA-256: another content is another file.
fn tag(content: &str) -> HeaderValue {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content.as_bytes());
    let digits = hex::encode(digest.as_ref().get(..12).unwrap_or_default());
    HeaderValue::try_from(format!("\"{digits}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

#[cfg(test)]
mod tests {
    use super::{HTML, POLICY, SCRIPT, STYLE, answer, tag};
    use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

    #[test]
    fn a_browser_that_has_it_is_sent_nothing_again() {
        let tag = tag(SCRIPT);
        let of = |asked: &HeaderMap| answer(SCRIPT, "text/javascript", "no-cache", &tag, asked);
        let first = of(&HeaderMap::new());
        assert_eq!((first.status(), &first.headers()[header::ETAG]), (StatusCode::OK, &tag));
        assert_eq!(first.headers()[header::CONTENT_SECURITY_POLICY], POLICY);
        let again = of(&[(header::IF_NONE_MATCH, tag.clone())].into_iter().collect());
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let other = of(&[(header::IF_NONE_MATCH, HeaderValue::from_static("\"x\""))].into_iter().collect());
        assert_eq!(other.status(), StatusCode::OK);
    }

    #[test]
    fn it_is_small_and_holds_neither_script_nor_style_nor_anything_from_elsewhere() {
        assert!(HTML.len() + STYLE.len() + SCRIPT.len() < 90_000);
        for word in ["style=", " onclick", "<style", "http:", "https:", "//"] {
            assert!(!HTML.contains(word), "{word}");
        }
        assert_eq!(
            HTML.matches("<script").count(),
            HTML.matches("<script type=\"module\" src=\"page.js\">").count()
        );
        for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!SCRIPT.contains(word), "{word}");
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }
}
