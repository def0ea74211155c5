//! `dimsegate trace`: associations as they go over both legs, written down for whoever has to find out what does not work.

mod output;
mod story;

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::output::{NotWritten, Output};
use super::answer::{number, text};
use super::{NotAsked, Which};
use crate::admin::client::Stream;
use crate::cli::{exit, words};
use crate::config;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dimsegate trace -c conf/dimsegate.toml --peer lyon --for 10m -o lyon.txt
  dimsegate trace -c conf/dimsegate.toml --address 203.0.113.7 --json -o lyon.jsonl

It shows associations that begin after the command does, refused ones too: TLS, both A-ASSOCIATE exchanges with every \
presentation context, each command set, the length of each data set, when and how fast all of it went over both legs, and who \
was waited for. Never a value of a data set; of a user identity the type alone, and of a refusal for a user identity the \
reason alone. SOP instances are numbers, and Error Comments are not shown, unless the \
configuration has patient-identifiers = \"as-recorded\" in [admin].

Begin the command, have the device send again, and read the file. Ctrl-C ends it earlier, and what was seen stays. A \
refused association is of the peer that came nearest, and of each that has a network with its address; one that was refused \
before its A-ASSOCIATE-RQ was read is in no trace by --calling.

The proxy waits for no trace: what comes faster than it is written is lost, and the trace says where, and how much.

Exit status: 0 when the trace came to its end, 69 when no proxy answers, or it refuses, or it stopped meanwhile, 73 when \
the file is there already or cannot be written, 78 for a configuration that does not say where to ask.")]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    which: Which,
    /// Associations of this [[peer]]
    #[arg(long, value_name = "NAME")]
    peer: Option<String>,
    /// Associations from this address or network
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,
    /// Associations of this calling AE title
    #[arg(long, value_name = "TITLE")]
    calling: Option<String>,
    /// How long, up to 1h
    #[arg(long = "for", value_name = "TIME", default_value = "10m")]
    lasting: String,
    /// Where to write, readable by its owner only; standard output where absent
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long, requires = "output")]
    overwrite: bool,
    /// Write one JSON object a line
    #[arg(long)]
    json: bool,
    /// End with the first event that would make it longer
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = config::size)]
    max_size: u64,
}

/// Why a trace ended.
enum Ended {
    /// In these words, which are its last line.
    For(String),
    NotAsked(NotAsked),
    NotWritten(NotWritten),
}

/// Runs the command.
pub(in crate::cli) fn run(args: &Args) -> ExitCode {
    let mut output = match Output::open(args.output.as_deref(), args.overwrite, args.json, args.max_size) {
        Ok(output) => output,
        Err(error) => return failed(&error, exit::CANNOT_CREATE),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match (args.which.client(), runtime) {
        (Ok(client), Ok(runtime)) => runtime.block_on(async {
            let stream = client.post_stream("/api/v1/trace", &args.wanted()).await;
            match stream {
                Ok(stream) => follow(stream, &mut output).await,
                Err(error) => Ended::NotAsked(error.into()),
            }
        }),
        (Err(error), _) => Ended::NotAsked(error),
        (_, Err(error)) => Ended::NotAsked(NotAsked::NoSocket(error.to_string())),
    };
    match ended {
        Ended::For(why) => {
            if args.output.is_some() {
                eprintln!("dimsegate: the trace ended: {why}");
            }
            if why == STOPPED { ExitCode::from(exit::UNAVAILABLE) } else { ExitCode::SUCCESS }
        }
        Ended::NotAsked(error) => {
            output.end("the connection to the proxy broke off");
            failed(&error, error.status())
        }
        // Whoever reads it has seen enough.
        Ended::NotWritten(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Ended::NotWritten(error) => failed(&error, exit::CANNOT_CREATE),
    }
}

const STOPPED: &str = "the proxy stopped";

fn failed(error: &dyn std::fmt::Display, status: u8) -> ExitCode {
    eprintln!("dimsegate: {error}");
    ExitCode::from(status)
}

impl Args {
    /// What the interface is asked for.
    fn wanted(&self) -> Value {
        let mut wanted = json!({ "for": self.lasting });
        let given = [("peer", &self.peer), ("address", &self.address), ("calling-ae-title", &self.calling)];
        for (key, value) in given {
            if let Some(value) = value {
                wanted[key] = json!(value);
            }
        }
        wanted
    }
}

/// Writes down what comes, until it ends or somebody ends it. The last line says why.
async fn follow(mut stream: Stream, output: &mut Output) -> Ended {
    let (mut interrupt, mut terminate) =
        match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
            (Ok(interrupt), Ok(terminate)) => (interrupt, terminate),
            (Err(error), _) | (_, Err(error)) => {
                return Ended::NotAsked(NotAsked::NoSocket(error.to_string()));
            }
        };
    loop {
        let next = tokio::select! {
            () = either(&mut interrupt, &mut terminate) => return output.ended("it was interrupted"),
            next = stream.next() => next,
        };
        let (event, data) = match next {
            Ok(Some(next)) => next,
            Ok(None) => return output.ended(STOPPED),
            Err(error) => return Ended::NotAsked(error.into()),
        };
        let data: Value = serde_json::from_str(&data).unwrap_or_default();
        let written = match event.as_str() {
            "trace" => output.begin(&data),
            "seen" => output.event(&data),
            "lost" => output.lost(data.as_u64().unwrap_or_default()),
            "ended" => return output.ended(&told(&data)),
            _ => Ok(()),
        };
        match written {
            Ok(()) => {}
            Err(NotWritten::Full) => return output.ended("it is as long as --max-size lets it be"),
            Err(error) => return Ended::NotWritten(error),
        }
    }
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// What the proxy says of the end.
fn told(ended: &Value) -> String {
    let events = words::counted(number(ended, "/events"), "event");
    match (text(ended, "/why"), number(ended, "/lost")) {
        ("the proxy stops", _) => STOPPED.into(),
        (why, 0) => format!("{why}; {events}"),
        (why, lost) => format!("{why}; {events}, {lost} lost"),
    }
}

impl Output {
    fn ended(&mut self, why: &str) -> Ended {
        self.end(why);
        Ended::For(why.to_owned())
    }
}
