//! Who is shut out while the proxy runs: seen, added, taken back.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::told::{Failed, ProblemDocument, Segment, content, moment, told};
use crate::admin::Shared;
use crate::admin::access::Who;
use crate::config::{duration, nearest};
use crate::daemon::BlockError;
use crate::http::Problem;
use crate::policy::{Blocked, Policy};

/// Somebody who is shut out.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Block {
    id: u64,
    /// `ae-title:…`, `address:…`, `certificate:sha256:…`, `certificate:spki-sha256:…`, `peer:…`, `user:…`,
    /// `user-at:…` (a user at one address) or `agreement:…`.
    of: String,
    /// Absent: until it is taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    reason: String,
    by: String,
    since: String,
    /// Nobody decided on it: there were too many refusals (`[automatic-blocks]`).
    automatic: bool,
}

/// Whom to shut out.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schema(as = WantedBlock)]
pub(super) struct Wanted {
    /// `ae-title:LYON_CT1` (calling), `address:203.0.113.9`, `address:203.0.113.0/24`, `certificate:sha256:…`,
    /// `certificate:spki-sha256:…`, `peer:lyon`, `user:anna` (who has proven to be that user over DIMSE),
    /// `user-at:203.0.113.9/anna` (the same, from one address) or
    /// `agreement:lyon-2026` (every route that is open by it).
    of: String,
    /// How long, such as `1h`; absent: until it is taken back.
    #[serde(default)]
    r#for: Option<String>,
    /// Why, in up to 500 bytes: whoever reads the records sees it.
    reason: String,
}

/// Who is shut out now, the oldest block first
#[utoipa::path(get, path = "/api/v1/blocks", responses((status = 200, body = Vec<Block>)))]
pub(super) async fn list(State(shared): State<Shared>) -> Json<Vec<Block>> {
    Json(shared.proxy.blocking().list().iter().map(Block::of).collect())
}

/// Shut somebody out: new associations at once, open ones between two messages
#[utoipa::path(
    post,
    path = "/api/v1/blocks",
    request_body = Wanted,
    responses(
        (status = 201, body = Block, description = "On the disk, and in force"),
        (status = 400, body = ProblemDocument),
        (status = 403, body = ProblemDocument),
        (status = 409, body = ProblemDocument, description = "There are as many as are kept"),
        (status = 507, body = ProblemDocument, description = "The disk did not take it; it is in force in memory, and the detail says that a restart would forget it")
    )
)]
pub(super) async fn add(
    State(shared): State<Shared>,
    Extension(who): Extension<Who>,
    body: Bytes,
) -> Result<Response, Failed> {
    let Wanted { of, r#for, reason } = content(&body)?;
    let bad = |detail: String| Problem::new(StatusCode::BAD_REQUEST, detail);
    let of: Blocked = of.parse().map_err(|error: crate::policy::BlockedError| bad(error.to_string()))?;
    let settings = shared.proxy.settings();
    configured(&of, &settings.policy).map_err(bad)?;
    if let Blocked::User(name) | Blocked::UserAt(name, _) = &of {
        let users = shared.proxy.gate().people.present(settings.clone()).await;
        // Those of an issuer are behind its name, and nobody lists them.
        let issuer = name.split_once('/').map(|(issuer, _)| issuer);
        let is_of_token = settings.issuers.iter().any(|one| Some(&*one.name) == issuer);
        // Whoever is there can be shut out, whatever the file and the configuration say by now.
        let mut open = shared.proxy.gate().live.list().into_iter();
        let is_there = open.any(|entry| entry.facts.user.as_deref() == Some(&**name));
        if !is_of_token && !is_there && !users.is_some_and(|users| users.knows(name)) {
            return Err(bad(format!("{of}: the file of users has nobody of this name")).into());
        }
    }
    let lasting = r#for.as_deref().map(duration).transpose();
    let lasting = lasting.map_err(|problem| bad(format!("for: {problem}")))?;
    let made = shared.proxy.blocking().block(of, lasting, &reason, &who.user).await;
    let block = Block::of(&made.map_err(|error| problem(&error))?);
    let what = format!("block {}: {}", block.id, block.of);
    Ok(told((StatusCode::CREATED, Json(block)), what))
}

/// Take a block back
#[utoipa::path(
    delete,
    path = "/api/v1/blocks/{id}",
    params(("id" = u64, Path, description = "Number of the block")),
    responses(
        (status = 200, body = Block, description = "As it was"),
        (status = 400, body = ProblemDocument),
        (status = 403, body = ProblemDocument),
        (status = 404, body = ProblemDocument),
        (status = 507, body = ProblemDocument, description = "The disk did not take it; it is still in force, unless the detail says that the change is")
    )
)]
pub(super) async fn remove(State(shared): State<Shared>, Segment(id): Segment) -> Result<Response, Failed> {
    let number = id.parse::<u64>();
    let number =
        number.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "a block is named by its number"))?;
    let removed = shared.proxy.blocking().unblock(number).await;
    let block = Block::of(&removed.map_err(|error| problem(&error))?);
    let what = format!("block {}: {}", block.id, block.of);
    Ok(told(Json(block), what))
}

/// Whether a peer or an agreement that is named is one: shutting out a name that nobody has would shut out nobody.
fn configured(of: &Blocked, policy: &Policy) -> Result<(), String> {
    match of {
        Blocked::Peer(name) => {
            known(of, name, ("peer", "[[peer]] of this name"), policy.peers.iter().map(|peer| &*peer.name))
        }
        Blocked::Agreement(id) => {
            let ids = policy.borders.agreements().iter().map(|agreement| &*agreement.id);
            known(of, id, ("agreement", "[[agreement]] with this id"), ids)
        }
        _ => Ok(()),
    }
}

fn known<'n>(
    of: &Blocked,
    name: &str,
    (kind, what): (&str, &str),
    names: impl Iterator<Item = &'n str> + Clone,
) -> Result<(), String> {
    if names.clone().any(|one| one == name) {
        return Ok(());
    }
    let meant = nearest(name, names).map(|near| format!("; did you mean {kind}:{near}?")).unwrap_or_default();
    Err(format!("{of}: the configuration in force has no {what}{meant}"))
}

fn problem(error: &BlockError) -> Problem {
    let status = match error {
        BlockError::Reason | BlockError::Lasting => StatusCode::BAD_REQUEST,
        BlockError::Unknown(_) => StatusCode::NOT_FOUND,
        BlockError::TooMany | BlockError::Full => StatusCode::CONFLICT,
        BlockError::NotKept { .. } | BlockError::NotSure { .. } | BlockError::OnlyInMemory { .. } => {
            StatusCode::INSUFFICIENT_STORAGE
        }
        BlockError::Unreadable { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Problem::new(status, error.to_string())
}

impl Block {
    fn of(block: &crate::policy::Block) -> Self {
        Self {
            id: block.id,
            of: block.of.to_string(),
            until: block.until.map(moment),
            reason: block.why.clone(),
            by: block.by.clone(),
            since: moment(block.since),
            automatic: block.automatic,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::known;

    #[test]
    fn a_peer_or_an_agreement_that_is_blocked_is_one_of_the_configuration() {
        let of = |text: &str, name: &str, words| {
            known(&text.parse().unwrap(), name, words, ["lyon", "oslo"].into_iter())
        };
        let peer = ("peer", "[[peer]] of this name");
        assert_eq!(of("peer:lyon", "lyon", peer), Ok(()));
        let told =
            "peer:lyno: the configuration in force has no [[peer]] of this name; did you mean peer:lyon?";
        assert_eq!(of("peer:lyno", "lyno", peer), Err(told.into()));
        let told = "agreement:hamburg: the configuration in force has no [[agreement]] with this id";
        assert_eq!(
            of("agreement:hamburg", "hamburg", ("agreement", "[[agreement]] with this id")),
            Err(told.into())
        );
    }
}
