//! `dimsegate user one-time-code`, and how a one-time secret comes into an app.

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use time::OffsetDateTime;

use super::{Place, Which, failed, refused, unanswered};
use crate::cli::terminal;
use crate::users::{self, OneTimeSecret, Sealed};

const TRIES: usize = 3;

/// Give a user another second factor: a secret for an authenticator app (RFC 6238)
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dimsegate user one-time-code anna -c conf/dimsegate.toml
  dimsegate user one-time-code anna -c conf/dimsegate.toml --remove

The secret is shown once, as a QR code and as a URI, and counts from when the app's first code is typed; without a
terminal, at once. A code is of six digits, for 30 seconds, and works once.")]
pub(super) struct Args {
    /// As in the file
    name: String,
    #[command(flatten)]
    which: Which,
    /// Let the passcode alone do
    #[arg(long, conflicts_with = "issuer")]
    remove: bool,
    #[command(flatten)]
    issuer: Issuer,
}

/// How an app calls what the codes are for.
#[derive(Debug, clap::Args)]
pub(super) struct Issuer {
    /// What the app calls this proxy
    #[arg(long, value_name = "TEXT", default_value = "dimsegate", value_parser = issuer)]
    issuer: String,
}

impl Default for Issuer {
    fn default() -> Self {
        Self { issuer: "dimsegate".into() }
    }
}

/// A secret that was shown, and confirmed where somebody was there. It is nowhere else yet.
pub(in crate::cli) struct Confirmed {
    secret: OneTimeSecret,
    /// Of the code that confirmed it, which is used with that.
    step: Option<i64>,
}

/// Runs `one-time-code`.
pub(super) fn run(args: &Args) -> Result<(), ExitCode> {
    let place = args.which.place()?;
    let store = place.store();
    if args.remove {
        store.change(&args.name, |user| user.one_time = None).map_err(|error| failed(&error))?;
        println!("{} has no second factor; the passcode alone will do", args.name);
        return Ok(());
    }
    place.expect(&args.name)?;
    place.key()?;
    let confirmed = confirmed(&args.name, &args.issuer)?;
    let sealed = confirmed.sealed(&place, &args.name)?;
    store.change(&args.name, |user| user.one_time = Some(sealed)).map_err(|error| failed(&error))?;
    confirmed.use_code(&place, &args.name)?;
    println!("{} has another second factor", args.name);
    Ok(())
}

/// Makes a secret, shows it, and has it confirmed.
pub(super) fn confirmed(name: &str, issuer: &Issuer) -> Result<Confirmed, ExitCode> {
    let secret = OneTimeSecret::generate().map_err(|error| failed(&error))?;
    let uri = secret.uri(&issuer.issuer, name);
    if io::stdout().is_terminal() {
        println!("{}", drawn(&uri));
    }
    println!("one-time secret of {name}, shown this once, for an authenticator app:\n{}", uri.as_str());
    let step = if terminal::is_there() { Some(confirm(&secret)?) } else { None };
    Ok(Confirmed { secret, step })
}

impl Confirmed {
    /// As it is kept in a file of users.
    pub(super) fn sealed(&self, place: &Place, name: &str) -> Result<Sealed, ExitCode> {
        let sealed = place.key()?.seal(name, &self.secret);
        sealed.map_err(|_| failed(&users::UsersError::System("random numbers")))
    }

    /// The code was seen by whoever looked over a shoulder: it does not count again.
    pub(super) fn use_code(&self, place: &Place, name: &str) -> Result<(), ExitCode> {
        let Some(step) = self.step else { return Ok(()) };
        place.store().take_step(name, step).map(drop).map_err(|error| failed(&error))
    }
}

fn confirm(secret: &OneTimeSecret) -> Result<i64, ExitCode> {
    for _ in 0..TRIES {
        let code = terminal::ask("code that the app shows now: ").map_err(|error| unanswered(&error))?;
        if let Some(step) = users::matching(secret, &code, OffsetDateTime::now_utc()) {
            return Ok(step);
        }
        eprintln!("that is not the code of now; is the clock right, here and there?");
    }
    Err(refused("not confirmed; nothing was changed"))
}

/// Dark on light whatever the terminal's colours are, as a camera wants it. Empty where it does not fit a QR code.
fn drawn(uri: &str) -> String {
    let Ok(code) = QrCode::new(uri) else { return String::new() };
    let image = code.render::<Dense1x2>().build();
    let lines = image.lines().map(|line| format!("\x1b[38;5;16;48;5;231m{line}\x1b[0m"));
    lines.collect::<Vec<_>>().join("\n")
}

fn issuer(text: &str) -> Result<String, String> {
    let good =
        (1..=64).contains(&text.chars().count()) && !text.contains([':']) && !text.contains(char::is_control);
    if good {
        Ok(text.to_owned())
    } else {
        Err("expected 1 to 64 characters, none of them a colon".to_owned())
    }
}
