//! `dimsegate review`: who may come, held against who came: the access review that auditors ask for.

mod findings;
mod model;
mod page;
mod rights;
mod text;
mod who;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::process::ExitCode;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::audit::certificates::{self, Ending};
use super::audit::report::write;
use super::audit::trail::Trail;
use super::audit::verify::read_keys;
use super::audit::{complain, period, tell_damage, used};
use super::tenant::OfTenant;
use super::words::counted;
use super::{exit, load, print};
use crate::audit::reading::access::{Access, access};
use crate::audit::reading::figures::Period;
use crate::audit::reading::{Kept, RecordFile};
use crate::audit::reviewers::read_identities;
use crate::audit::verify::{Known, Verification, verify};
use crate::config::Settings;
use crate::daemon::blocks_in;
use crate::files::full;
use crate::users::{self, User};
use model::{Account, Change, End, Guess, InForce, Review, Reviewed, moment};
use who::Names;

const EXAMPLE: &str = "Examples:
  dimsegate review -c conf/dimsegate.toml
  dimsegate review -c conf/dimsegate.toml --from 90d -o review.html
  dimsegate review -c conf/dimsegate.toml --from 2026-01-01 --to 2026-03-31 --json

It reads the configuration, its file of users, the blocks that are in force and the records, which it verifies: for each peer
and user when they last came, what they may do and did not do in that time, what of theirs ends within 30 days, who was
locked out or blocked. It changes nothing; what to take away, somebody decides. The page loads nothing and runs nothing.
Who reads the records so is a record itself.

Exit status: 0, 4 the records are broken, 65 some could not be read (both are said, and the rest is shown), 69 the page cannot
be written, 78 bad configuration, or users or blocks that cannot be read.";

/// Hold who may come against who came: last seen, rights never used, what ends, lock-outs, blocks
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Args {
    /// The configuration
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    of: OfTenant,
    /// Begin of the span; 90 days before its end, if it is not given
    #[arg(long, value_name = "TIME", value_parser = period::from)]
    from: Option<OffsetDateTime>,
    /// End of the span; now, if it is not given
    #[arg(long, value_name = "TIME", value_parser = period::to)]
    to: Option<OffsetDateTime>,
    /// Write one HTML page
    #[arg(short, long, value_name = "FILE", conflicts_with = "json")]
    output: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// The public half of a key that signed the records in earlier times; may be repeated
    #[arg(long = "public-key", value_name = "FILE")]
    public_keys: Vec<PathBuf>,
    /// A reviewer's identity, for encrypted days; may be repeated
    #[arg(long = "identity", value_name = "FILE")]
    identities: Vec<PathBuf>,
}

const SPAN: Duration = Duration::days(90);

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    reviewed(args).unwrap_or_else(|status| status)
}

fn reviewed(args: &Args) -> Result<ExitCode, ExitCode> {
    let settings = load(&args.config, args.of.name())?.settings;
    let now = OffsetDateTime::now_utc();
    let to = args.to.unwrap_or(now);
    let from = args.from.or_else(|| to.checked_sub(SPAN)).unwrap_or(to);
    if from >= to {
        return Err(complain("--from is not before --to", 2));
    }
    let folder = &settings.audit.directory;
    used::note("review", folder);
    let files = Trail::of(folder.clone(), args.identities.clone()).files()?;
    let verification = verified(&settings, &args.public_keys, &args.identities)?;
    let people = people(&settings)?;
    let names = Names::of(&settings, &people);
    let access = access(&files, Period { from, to }, &names.all());
    let found = (&access, &verification, &*files);
    let review = review(args, &settings, Period { from, to }, now, (&people, &names), found)?;
    shown(args, &review, now)?;
    let status = tell_damage(&access.kept);
    Ok(if verification.breaks.is_empty() { status } else { ExitCode::from(exit::BROKEN_CHAIN) })
}

/// By the key that signs now, and by those of earlier times.
pub(super) fn verified(
    settings: &Settings,
    public_keys: &[PathBuf],
    readers: &[PathBuf],
) -> Result<Verification, ExitCode> {
    let unreadable =
        |(file, error): (PathBuf, String)| complain(&format!("{}: {error}", full(&file)), exit::UNREADABLE);
    let mut keys = read_keys(public_keys).map_err(unreadable)?;
    keys.extend(settings.audit.checkpoints.iter().map(|checkpoints| checkpoints.key.public_key()));
    let mut identities = Vec::new();
    for file in readers {
        identities
            .extend(read_identities(file).map_err(|error| unreadable((file.clone(), error.to_string())))?);
    }
    let known = Known { keys: &keys, identities: &identities, since: &[] };
    let folder = &settings.audit.directory;
    verify(folder, known, &mut |_| ()).map_err(|error| unreadable((folder.clone(), error.to_string())))
}

/// The users of the file, where there is one.
fn people(settings: &Settings) -> Result<Vec<User>, ExitCode> {
    let Some(named) = &settings.users else { return Ok(Vec::new()) };
    users::read(&named.file).map_err(|error| complain(&error.to_string(), exit::BAD_CONFIGURATION))
}

fn review(
    args: &Args,
    settings: &Settings,
    period: Period,
    now: OffsetDateTime,
    (people, names): (&[User], &Names<'_>),
    (access, verification, files): (&Access, &Verification, &[RecordFile]),
) -> Result<Review, ExitCode> {
    let blocks = blocks_in(&settings.state_directory)
        .map_err(|error| complain(&error.to_string(), exit::BAD_CONFIGURATION))?;
    let mut review = Review {
        configuration: args.config.display().to_string(),
        digest: settings.digest.clone(),
        from: moment(period.from),
        to: moment(period.to),
        trail: trail(settings, period, access, verification),
        findings: Vec::new(),
        peers: settings.policy.peers.iter().map(|peer| Reviewed::of(peer, access)).collect(),
        users: people.iter().map(|user| Account::of(user, settings, access, now)).collect(),
        issuers: names.issuers(access),
        gone: names.gone(access),
        ends: ends(files, certificates::configured(settings), period, now),
        guesses: guesses(access),
        blocks: blocks.iter().filter(|block| block.is_in_force(now)).map(InForce::of).collect(),
        block_changes: changes(access),
        period,
    };
    review.findings = findings::findings(&review, now);
    Ok(review)
}

/// Of files, and of those who came in the span: whoever came before needs no new certificate.
fn ends(files: &[RecordFile], configured: Vec<Ending>, period: Period, now: OffsetDateTime) -> Vec<End> {
    let (shown, _) = certificates::shown(files, Some(period.from));
    End::all(shown.into_iter().chain(configured).collect(), now)
}

fn trail(settings: &Settings, period: Period, access: &Access, found: &Verification) -> model::Trail {
    let Kept { damaged, encrypted, .. } = &access.kept;
    let places = found.more_breaks.saturating_add(found.breaks.len() as u64);
    let signed = match (found.signed_up_to, settings.audit.checkpoints.is_some()) {
        (Some(up_to), _) => format!("signed up to record {up_to}"),
        (None, true) => "not signed yet".to_owned(),
        (None, false) => "not signed: whoever can write the files can write them anew".to_owned(),
    };
    let verdict = match places {
        0 if !found.adopted.is_empty() => {
            format!("intact but for records that were not signed in their time; {signed}")
        }
        0 if !found.unread.is_empty() => format!("intact as far as it was read; {signed}"),
        0 => format!("intact, {signed}"),
        _ => format!("BROKEN in {}; dimsegate audit verify says where", counted(places, "place")),
    };
    model::Trail {
        directory: settings.audit.directory.display().to_string(),
        records: access.records,
        begins: found.first.as_ref().map(|first| first.time.clone()),
        covers_span: found.first.as_ref().is_some_and(|first| begins_before(period.from, &first.time)),
        is_intact: places == 0 && found.adopted.is_empty(),
        verdict,
        unread: damaged.saturating_add(encrypted.len() as u64),
        left_out: access.left_out,
    }
}

/// A time that cannot be read is that of no beginning.
fn begins_before(from: OffsetDateTime, first: &str) -> bool {
    OffsetDateTime::parse(first, &Rfc3339).is_ok_and(|begins| begins <= from)
}

fn guesses(access: &Access) -> Vec<Guess> {
    let mut all: Vec<Guess> = access
        .wrong
        .iter()
        .map(|(user, wrong)| Guess {
            user: user.clone(),
            times: wrong.times,
            locked_out: wrong.locked,
            last: wrong.last.map(moment),
        })
        .collect();
    all.sort_by_key(|guess| std::cmp::Reverse((guess.locked_out, guess.times)));
    all
}

fn changes(access: &Access) -> Vec<Change> {
    let change = |one: &crate::audit::reading::access::Blocked| Change {
        at: one.at.clone(),
        by: one.by.clone(),
        what: one.what.clone(),
    };
    access.blocked.iter().map(change).collect()
}

fn shown(args: &Args, review: &Review, now: OffsetDateTime) -> Result<(), ExitCode> {
    // A reader that has gone away has read enough.
    let said = |text: String| drop(print(text.as_bytes()));
    match &args.output {
        Some(file) => {
            write(file, page::page(review, now).as_bytes()).map_err(|error| {
                complain(&format!("{}: cannot be written: {error}", full(file)), exit::UNAVAILABLE)
            })?;
            said(format!("{}: {}\n", file.display(), counted(review.findings.len(), "finding")));
        }
        None if args.json => said(serde_json::to_string_pretty(review).unwrap_or_default() + "\n"),
        None => said(text::text(review)),
    }
    Ok(())
}
