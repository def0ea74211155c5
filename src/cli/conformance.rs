//! `dimsegate conformance`: the DICOM conformance statement of a configuration, in the order of PS3.2 Annex A.

mod annexes;
mod block;
mod entities;
mod frame;
mod interfaces;
mod networking;
mod overview;
mod security;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::process::ExitCode;

use time::OffsetDateTime;

use super::audit::complain;
use super::audit::report::html::Html;
use super::audit::report::write;
use super::shell::{self, Own};
use super::tenant::OfTenant;
use super::{exit, load, print};
use crate::config::Settings;
use crate::files::full;

const EXAMPLE: &str = "Example:
  dimsegate conformance -c conf/dimsegate.toml -o statement.html

The statement has the sections of PS3.2 Annex A in their order. Everything in it comes from the settings as they are compiled:
what a peer's role allows, what listeners offer, how long what is waited for, which rewrite is applied. Secrets, passcodes,
names of files and addresses of users are not in it. It is written anew whenever the configuration changes. What the PACS behind
the proxy supports, its own statement says. The page loads nothing and runs nothing.

Exit status: 0, 69 the page cannot be written, 78 bad configuration.";

/// Write the DICOM conformance statement of a configuration
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Args {
    /// The configuration
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    of: OfTenant,
    /// The page to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// A section: its place on the page, its title, and what writes it.
type Section = (&'static str, &'static str, fn(&mut Html, &Settings));

/// The sections of PS3.2 Annex A behind the cover page, in their order.
const SECTIONS: [Section; 8] = [
    ("overview", "1 Conformance statement overview", overview::section),
    ("contents", "2 Table of contents", frame::contents),
    ("introduction", "3 Introduction", frame::introduction),
    ("networking", "4 Networking", networking::section),
    ("media", "5 Media interchange", frame::media),
    ("characters", "6 Support of character sets", frame::characters),
    ("security", "7 Security", security::section),
    ("annexes", "8 Annexes", annexes::section),
];

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    let settings = match load(&args.config, args.of.name()) {
        Ok(loaded) => loaded.settings,
        Err(status) => return status,
    };
    let page = statement(&settings, OffsetDateTime::now_utc());
    if let Err(error) = write(&args.output, page.as_bytes()) {
        return complain(&format!("{}: cannot be written: {error}", full(&args.output)), exit::UNAVAILABLE);
    }
    // A reader that has gone away has read enough.
    let _ = print(
        format!("{}: {}\n", args.output.display(), super::words::counted(SECTIONS.len(), "section"))
            .as_bytes(),
    );
    ExitCode::SUCCESS
}

/// One self-contained page, which may run nothing and fetch nothing.
fn statement(settings: &Settings, written: OffsetDateTime) -> String {
    let mut html = Html::default();
    let own = Own { style: include_str!("conformance/style.css"), ..Own::default() };
    shell::begin(&mut html, "DICOM conformance statement", own);
    frame::cover(&mut html, settings, written);
    html.raw("<main>");
    for (id, title, body) in SECTIONS {
        shell::section(&mut html, id, title, |html| body(html, settings));
    }
    html.raw("</main></body></html>\n");
    html.finish()
}
