//! `dimsegate explain`: the decision about an association, replayed offline.

use std::fmt::Write as _;
use std::io::Write as _;
use std::iter::{once, repeat};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use rustls::pki_types::CertificateDer;
use time::OffsetDateTime;

mod frames;
mod proof;
mod study;
mod user;

use super::exit::BAD_CONFIGURATION;
use super::tenant::OfTenant;
use crate::audit::reading::{Edge, parse_when};
use crate::config::{self, ListenerSettings, Settings};
use crate::daemon::{BlockError, blocks_in};
use crate::policy::scope::{self, Attribute};
use crate::policy::sop_class::{keyword, sop_class_uid};
use crate::policy::{
    Agreement, Blocks, ConsentWanted, ContextVerdict, Denial, Direction, Factor, Facts, Grant, Operation,
    Refusal, Request, RewriteDirection, Role, TlsVersion, UnknownOperation, Verdict, recognised,
};
use crate::relay::{Ending, borne, borne_verdict, proven_by};
use crate::vocabulary::Rejection;
use crate::wire::associate::ProposedContext;
use crate::wire::{AeTitle, Uid};
use proof::{proof, read_chain};

const EXAMPLE: &str = "Example:
  dimsegate explain -c conf/modality-to-pacs.toml --listener remote --from 203.0.113.7 \\
    --calling LYON_CT1 --called PACS --certificate certs/lyon.pem \\
    --operation C-STORE --sop-class CTImageStorage

The certificate is verified as the listener would verify it at that time; that the requestor has its key is taken for granted, \
 and so are the factors of a user; a token is verified. \
Whoever is blocked (dimsegate block) is known from state-directory of the configuration.

Exit status: 0 allowed, 3 refused, 78 bad configuration.";

/// Replay the decision about an association without a network
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Args {
    /// The configuration file
    #[arg(short, long, value_name = "FILE")]
    pub config: PathBuf,
    #[command(flatten)]
    pub of: OfTenant,
    /// The listener that the requestor connects to
    #[arg(long, value_name = "NAME")]
    pub listener: String,
    /// The requestor's IP address
    #[arg(long, value_name = "IP")]
    pub from: IpAddr,
    /// The calling AE title
    #[arg(long, value_name = "AE")]
    pub calling: AeTitle,
    /// The called AE title
    #[arg(long, value_name = "AE")]
    pub called: AeTitle,
    /// The certificate that the requestor shows, with the intermediate CAs that it shows after it, PEM
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// The version of TLS that the requestor speaks, where the listener speaks TLS: 1.2 or 1.3 [default: 1.3]
    #[arg(long, value_name = "VERSION", value_parser = tls_version)]
    pub tls: Option<TlsVersion>,
    /// When it asks, as in 2026-03-29T07:30:00+02:00; what has no offset is UTC [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub at: Option<OffsetDateTime>,
    /// The user that the requestor names, of the file of users
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// What the requestor proves of the user: passcode, one-time-code; the default is all that the user has. A certificate
    /// is shown with --certificate
    #[arg(long, value_name = "FACTOR", value_delimiter = ',', value_parser = user::factor, requires = "user")]
    pub factors: Vec<Factor>,
    /// A file with the token that the requestor sends (user identity, type 5). It is verified as the listener would, and not taken
    #[arg(long, value_name = "FILE", conflicts_with_all = ["user", "factors"])]
    pub token: Option<PathBuf>,
    /// An operation to ask for once the association is open, such as C-STORE
    #[arg(long, value_name = "OPERATION", value_parser = operation)]
    pub operation: Option<Operation>,
    /// The SOP class to propose, a UID or a keyword such as CTImageStorage
    #[arg(long, value_name = "UID", value_parser = sop_class)]
    pub sop_class: Option<Uid>,
    /// Where a C-MOVE is to send to
    #[arg(long, value_name = "AE")]
    pub move_destination: Option<AeTitle>,
    /// What an archive says of a study, as in IssuerOfPatientID=LYON, once for each attribute: whether the peer may see it
    #[arg(long, value_name = "KEYWORD=VALUE", value_parser = study::said)]
    pub study: Vec<(Attribute, String)>,
}

const REFUSED: u8 = 3;
/// EX_USAGE and EX_NOINPUT of sysexits.
const BAD_USAGE: u8 = 64;
const NO_INPUT: u8 = 66;
/// What a requestor proposes nearly always.
const TRANSFER_SYNTAXES: [&str; 2] = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"];

fn operation(text: &str) -> Result<Operation, String> {
    text.to_ascii_uppercase().parse().map_err(|error: UnknownOperation| error.to_string())
}

fn tls_version(text: &str) -> Result<TlsVersion, String> {
    TlsVersion::of(text).ok_or_else(|| "is neither 1.2 nor 1.3".into())
}

fn moment(text: &str) -> Result<OffsetDateTime, String> {
    parse_when(text, OffsetDateTime::now_utc(), Edge::From).map_err(|error| error.to_string())
}

fn sop_class(text: &str) -> Result<Uid, String> {
    sop_class_uid(text).ok_or_else(|| "is neither a UID nor a keyword such as CTImageStorage".into())
}

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    let loaded = match config::load_of(&args.config, args.of.name()) {
        Ok(loaded) => loaded,
        Err(problems) => return complain(&problems.to_string(), BAD_CONFIGURATION),
    };
    let settings = &loaded.settings;
    let Some(listener) = settings.listeners.iter().find(|listener| *listener.name == *args.listener) else {
        let names: Vec<&str> = settings.listeners.iter().map(|listener| &*listener.name).collect();
        let text = format!("no listener is called {:?}, write one of {}", args.listener, names.join(", "));
        return complain(&text, BAD_USAGE);
    };
    let chain = match args.certificate.as_deref().map(read_chain).transpose() {
        Ok(chain) => chain,
        Err(problem) => return complain(&problem, NO_INPUT),
    };
    let token = match args.token.as_deref().map(user::read_token).transpose() {
        Ok(token) => token,
        Err(problem) => return complain(&problem, NO_INPUT),
    };
    if let Err(problem) = user::can_be_asked(settings, args) {
        return complain(&problem, BAD_USAGE);
    }
    if token.is_some() {
        user::recall_keys(settings);
    }
    let kept = blocks_in(&settings.state_directory);
    let shown = Shown { chain: chain.as_deref(), token: token.as_deref().map(Vec::as_slice) };
    let (text, allowed) = explain(settings, listener, args, &shown, &kept);
    // A reader that has gone away has read enough.
    let _ = write!(std::io::stdout().lock(), "{text}");
    if allowed { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) }
}

fn complain(text: &str, status: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
    ExitCode::from(status)
}

/// What the requestor shows, read from the files that the arguments name.
#[derive(Clone, Copy, Default)]
pub(super) struct Shown<'a> {
    chain: Option<&'a [CertificateDer<'a>]>,
    token: Option<&'a [u8]>,
}

/// What `explain` prints, and whether everything asked for is allowed. Where it cannot be known who is blocked, that is said
/// behind the rest.
pub(super) fn explain(
    settings: &Settings,
    listener: &ListenerSettings,
    args: &Args,
    given: &Shown<'_>,
    kept: &Result<Blocks, BlockError>,
) -> (String, bool) {
    let nobody = Blocks::default();
    let (mut text, allowed) = decided(settings, listener, args, given, kept.as_ref().unwrap_or(&nobody));
    if let Err(error) = kept {
        line(&mut text, "not known", &error.to_string());
    }
    (text, allowed)
}

fn decided(
    settings: &Settings,
    listener: &ListenerSettings,
    args: &Args,
    given: &Shown<'_>,
    blocks: &Blocks,
) -> (String, bool) {
    let now = args.at.unwrap_or_else(OffsetDateTime::now_utc);
    if let Some(block) = blocks.of_address(args.from, now) {
        return (refused(settings, &block.refusal(), &what_the_requestor_sees(None, &Ending::Closed)), false);
    }
    if let Err(refusal) = settings.policy.admits_address(&listener.name, args.from) {
        return (refused(settings, &refusal, &what_the_requestor_sees(None, &Ending::Closed)), false);
    }
    let shown = match proven_by(listener, given.chain, now) {
        Ok(shown) => shown,
        Err((refusal, ending)) => {
            let seen = what_the_requestor_sees(refusal.reason.rejection(), &ending);
            return (refused(settings, &refusal, &seen), false);
        }
    };
    let contexts: Vec<ProposedContext> = args.sop_class.iter().map(proposed).collect();
    let facts = Facts {
        listener: &listener.name,
        address: args.from,
        certificate: shown.as_ref().map(|shown| &shown.certificate),
        tls: listener.tls.as_ref().map(|_| args.tls.unwrap_or(TlsVersion::V1_3)),
        authorities: shown.as_ref().map_or(&[], |shown| &shown.authorities),
        user: None,
        calling: &args.calling.to_raw(),
        called: &args.called.to_raw(),
        contexts: &contexts,
        blocks,
        now,
    };
    // In the order of `run`: who it is comes before which user.
    let user = recognised(&settings.policy, &facts).and_then(|_| match given.token {
        Some(token) => Ok(borne(listener, settings, &facts, token)?.unzip()),
        None => Ok((user::proven(settings, listener, args, now)?, None)),
    });
    let (user, once) = match user {
        Ok(proven) => proven,
        Err(refusal) => {
            let seen = what_the_requestor_sees(refusal.reason.rejection(), &Ending::Closed);
            return (refused(settings, &refusal, &seen), false);
        }
    };
    match borne_verdict(settings, &Facts { user: user.as_ref(), ..facts }, once.flatten().as_ref()) {
        Verdict::Refuse(refusal) => {
            let seen = what_the_requestor_sees(refusal.reason.rejection(), &Ending::Closed);
            (refused(settings, &refusal, &seen), false)
        }
        Verdict::Allow(grant) => {
            let proof = proof(shown.as_ref(), given.chain.is_some());
            let user = user::told(listener, args, user.as_ref());
            granted(settings, args, &grant, now, (&proof, &user))
        }
    }
}

fn proposed(abstract_syntax: &Uid) -> ProposedContext {
    let transfer_syntaxes = TRANSFER_SYNTAXES.iter().filter_map(|uid| uid.parse().ok()).collect();
    ProposedContext { id: 1, abstract_syntax: abstract_syntax.clone(), transfer_syntaxes }
}

fn refused(settings: &Settings, refusal: &Refusal, seen: &str) -> String {
    let mut text = format!("refused: {} ({})\n", refusal.reason, refusal.reason.label());
    line(&mut text, "why", &refusal.detail);
    if let Some((peer, condition)) = &refusal.nearest {
        let path = settings.path.display();
        line(
            &mut text,
            "nearest",
            &format!("peer \"{}\" ({path}:{}), {}", peer.name, peer.line, condition.key()),
        );
    }
    if let Some(stated) = refusal.stated {
        line(&mut text, "stated", &format!("{} ({}:{})", stated.key, settings.path.display(), stated.line));
    }
    line(&mut text, "to change", &refusal.remedy);
    line(&mut text, "requestor", seen);
    if refusal.reason.is_security_alert() {
        let rejected = refusal.reason.rejection().is_some();
        let event = if rejected { "association-rejected" } else { "connection-refused" };
        line(&mut text, "record", &format!("{event}, and a security-alert"));
    }
    text
}

/// Before its request was read, nothing is rejected.
fn what_the_requestor_sees(rejection: Option<Rejection>, ending: &Ending) -> String {
    match (rejection, ending) {
        (Some(rejection), _) => rejection_text(rejection),
        (None, Ending::Alert(alert)) => format!("a TLS alert, {alert}"),
        (None, Ending::Closed) => "the connection closed, before TLS".into(),
    }
}

/// PS3.8 Table 9-21.
fn rejection_text((result, source, reason): Rejection) -> String {
    crate::wire::pdu::Rejection { result, source, reason }.to_string()
}

fn granted(
    settings: &Settings,
    args: &Args,
    grant: &Grant,
    now: OffsetDateTime,
    (proof, user): (&str, &str),
) -> (String, bool) {
    let path = settings.path.display();
    let (peer, role) = (&grant.peer, &grant.peer.role);
    let mut text = format!("allowed: peer \"{}\" ({path}:{})\n", peer.name, peer.line);
    let operations: Vec<&str> = role.operations.iter().map(|operation| operation.name()).collect();
    line(&mut text, "role", &format!("\"{}\" ({path}:{}): {}", role.name, role.line, operations.join(", ")));
    if let Some(hours) = &role.hours {
        line(&mut text, "hours", &hours.to_string());
    }
    if let Some(minimum) = role.minimum_tls {
        line(&mut text, "tls", &format!("{minimum} at least"));
    }
    queries(&mut text, role);
    for role in grant.rights.of_user().unwrap_or_default() {
        let operations: Vec<&str> = role.operations.iter().map(|operation| operation.name()).collect();
        let of_user =
            format!("of the user: \"{}\" ({path}:{}): {}", role.name, role.line, operations.join(", "));
        line(&mut text, "and role", &of_user);
        queries(&mut text, role);
    }
    line(&mut text, "proof", proof);
    if !user.is_empty() {
        line(&mut text, "user", user);
    }
    upstream(&mut text, settings, grant);
    if let Some(agreement) = grant.rights.agreement() {
        line(&mut text, "agreement", &agreed(agreement, &path));
    }
    line(&mut text, "rewrite", &rewrite(grant));
    if let Some(ConsentWanted { source, scope }) = grant.peer.consent.as_deref() {
        let scope = scope.as_ref().map_or("everything".into(), |scope| format!("{scope:?}"));
        line(&mut text, "consent", &format!("to {scope}, as \"{source}\" knows it"));
    }
    crosswalk(&mut text, settings, grant);
    if let Some(frames) = frames::frames(settings, peer) {
        line(&mut text, "frames", &frames);
    }
    limits(&mut text, grant);
    let contexts = contexts(&mut text, grant, args);
    let operation = asked(&mut text, grant, args);
    let study = study::told(&mut text, peer, &args.study, now.to_offset(time::UtcOffset::UTC).date());
    (text, contexts && operation && study)
}

/// By which data may travel, until when, and what of it.
fn agreed(agreement: &Agreement, path: &dyn std::fmt::Display) -> String {
    let Agreement { id, line, country, mechanism, until, allows, .. } = agreement;
    let operations: Vec<&str> = allows.operations.iter().map(|operation| operation.name()).collect();
    let until = until.to_offset(time::UtcOffset::UTC);
    let until = format!("{} {:02}:{:02} (UTC)", until.date(), until.hour(), until.minute());
    format!(
        "\"{id}\" ({path}:{line}): with {country} by {mechanism}, until {until}: {}",
        operations.join(", ")
    )
}

/// What a role says of queries and retrievals, a line for each key.
fn queries(text: &mut String, role: &Role) {
    for ((key, said), label) in role.queries.said().into_iter().zip(once("queries").chain(repeat(""))) {
        line(text, label, &format!("{key}: {said}"));
    }
}

fn upstream(text: &mut String, settings: &Settings, grant: &Grant) {
    let Some(upstream) = settings.upstreams.get(&grant.upstream) else { return };
    let tls = upstream.tls.as_ref();
    let how = tls.map_or_else(|| "plain".into(), |tls| format!("TLS as {}", tls.settings.server_name));
    let addresses = upstream.addresses.join(", ");
    line(
        text,
        "upstream",
        &format!(
            "\"{}\" ({}:{}) at {addresses}, {how}",
            upstream.name,
            settings.path.display(),
            upstream.line
        ),
    );
    let title = |own: &Option<AeTitle>, asked: &AeTitle| match own {
        Some(own) if own != asked => format!("{asked}, upstream {own}"),
        _ => asked.to_string(),
    };
    line(text, "calling", &title(&upstream.calling_ae_title, &grant.calling));
    line(text, "called", &title(&upstream.called_ae_title, &grant.called));
}

fn rewrite(grant: &Grant) -> String {
    let Some(name) = &grant.peer.rewrite else { return "none, data sets pass as they come".into() };
    match grant.peer.rewrite_direction {
        RewriteDirection::ToPeer if grant.peer.two_way => {
            format!("\"{name}\", two ways: the peer sees and uses pseudonyms only")
        }
        _ if grant.peer.two_way => {
            format!("\"{name}\", two ways: the upstream sees and uses pseudonyms only")
        }
        RewriteDirection::Both => format!("\"{name}\", both ways"),
        RewriteDirection::FromPeer => format!("\"{name}\", on what the peer sends"),
        RewriteDirection::ToPeer => format!("\"{name}\", on what the peer receives"),
    }
}

fn crosswalk(text: &mut String, settings: &Settings, grant: &Grant) {
    let named = grant.peer.rewrite.as_ref().and_then(|rewrite| settings.remembered.get(rewrite));
    let Some((name, crosswalk)) = named.and_then(|name| settings.crosswalks.get_key_value(name)) else {
        return;
    };
    let (path, file) = (settings.path.display(), crosswalk.path.display());
    line(text, "crosswalk", &format!("\"{name}\" ({path}:{}) in {file}", crosswalk.line));
}

fn limits(text: &mut String, grant: &Grant) {
    let peer = &grant.peer;
    let limits = [
        ("associations", peer.max_associations.map(u64::from)),
        ("associations a minute", peer.associations_per_minute.map(u64::from)),
        ("operations a second", peer.operations_per_second.map(u64::from)),
        ("bytes a second", peer.bytes_per_second),
    ];
    let set: Vec<String> = limits.iter().filter_map(|(what, n)| n.map(|n| format!("{n} {what}"))).collect();
    if !set.is_empty() {
        line(text, "limits", &set.join(", "));
    }
}

fn contexts(text: &mut String, grant: &Grant, args: &Args) -> bool {
    let Some(class) = &args.sop_class else { return true };
    let class = named(class);
    for (_, verdict) in &grant.contexts {
        let answer = match verdict {
            ContextVerdict::Offer(syntaxes) => {
                let syntaxes: Vec<String> = syntaxes.iter().map(named).collect();
                format!("{class} is offered upstream with {}", syntaxes.join(", "))
            }
            ContextVerdict::Strip(why) => {
                format!("{class} is refused, result 1 (user-rejection): {}", why.label())
            }
        };
        line(text, "context", &answer);
    }
    grant.offers_any()
}

fn asked(text: &mut String, grant: &Grant, args: &Args) -> bool {
    let Some(operation) = args.operation else { return true };
    let class = args.sop_class.as_ref().map(Uid::as_str);
    let counts = || match &args.sop_class {
        Some(class) => grant.rights.counts_patients_of(&request_of(args, operation, class)),
        None => grant.rights.counts_patients(),
    };
    let is_judged = grant.peer.scope.is_some() || grant.peer.consent.is_some() || counts();
    let denied = match denial(grant, args, operation) {
        None if is_judged && !scope::can_judge(operation, class) => {
            let why = match grant.peer.scope {
                Some(_) => "the scope of the peer cannot judge it",
                None if grant.peer.consent.is_some() => {
                    "patients have to consent, and it cannot be told which ones this would show"
                }
                None => {
                    "patients are counted (max-patients-per-day), and it cannot be told which ones this would show"
                }
            };
            line(text, "operation", &format!("{operation} is refused, status 0x0124: {why}"));
            return false;
        }
        None => {
            line(text, "operation", &format!("{operation} is allowed"));
            return true;
        }
        Some(denied) => denied,
    };
    let status = denied.status();
    line(text, "operation", &format!("{operation} is refused, status 0x{status:04X}: {denied}"));
    false
}

fn denial(grant: &Grant, args: &Args, operation: Operation) -> Option<Denial> {
    let role = &grant.rights;
    let Some(abstract_syntax) = &args.sop_class else {
        let permitted = role.permits_operation(operation, Direction::FromPeer);
        return (!permitted).then_some(Denial::Operation);
    };
    role.permits_request(&request_of(args, operation, abstract_syntax)).err()
}

fn request_of<'a>(args: &'a Args, operation: Operation, abstract_syntax: &'a Uid) -> Request<'a> {
    Request {
        operation,
        direction: Direction::FromPeer,
        abstract_syntax,
        sop_class: Some(abstract_syntax),
        move_destination: args.move_destination.as_ref().map(AeTitle::as_str),
        retrieving: false,
    }
}

fn named(uid: &Uid) -> String {
    keyword(uid.as_str()).map_or_else(|| uid.to_string(), |keyword| format!("{keyword} ({uid})"))
}

fn line(text: &mut String, label: &str, value: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "  {label:<10} {value}");
}

#[cfg(test)]
mod tests;
