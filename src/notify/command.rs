//! A command that somebody is told by: no shell, an empty environment, the message on its standard input.

use std::io;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Where commands look for others.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A command and all that it started, ended when this is dropped.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended in this moment.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Runs a command until it ends; it is killed, with what it started, where the caller no longer waits.
///
/// # Errors
/// It cannot be run, does not take the message, or ends with a status other than 0.
pub(super) async fn run(words: &[String], body: &[u8]) -> io::Result<()> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(io::Error::other("no command is named"));
    };
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    let mut group = Group(id.and_then(Pid::from_raw));
    let written = match child.stdin.take() {
        Some(mut input) => input.write_all(body).await,
        None => Ok(()),
    };
    let status = child.wait().await?;
    // What it leaves running is its own affair.
    group.0 = None;
    match (status.success(), written) {
        // Whoever succeeds without reading all of it has read enough.
        (true, _) => Ok(()),
        (false, _) => Err(io::Error::other(format!("the command ended with {status}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::run;
    use crate::scratch::Scratch;

    fn shell(script: &str) -> Vec<String> {
        ["/bin/sh", "-c", script].map(str::to_owned).into()
    }

    #[tokio::test]
    async fn a_command_has_the_message_on_its_standard_input_and_nothing_of_the_proxys_environment() {
        let home = Scratch::new();
        let file = home.path().join("told");
        let words = shell(&format!("cat > {0}; /usr/bin/env >> {0}", file.display()));
        run(&words, b"{\"occasion\":\"disk\"}\n").await.unwrap();
        let told = std::fs::read_to_string(file).unwrap();
        let environment = told.strip_prefix("{\"occasion\":\"disk\"}\n").unwrap();
        assert!(environment.contains("PATH=/usr/local/bin:/usr/bin:/bin\n"), "{environment}");
        assert!(!environment.contains("CARGO"), "{environment}");
    }

    #[tokio::test]
    async fn what_a_command_started_ends_with_it_where_nobody_waits_any_more() {
        let home = Scratch::new();
        let fifo = home.path().join("alive");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        // The child of the command holds the pipe open for as long as it lives.
        let words = shell(&format!("(echo begun; sleep 600) > {} & wait", fifo.display()));
        let running = tokio::spawn(async move { run(&words, b"").await });
        let mut pipe = tokio::net::unix::pipe::OpenOptions::new().open_receiver(&fifo).unwrap();
        let mut text = Vec::new();
        while !text.ends_with(b"begun\n") {
            // Before anybody writes, it reads as at its end.
            tokio::io::AsyncReadExt::read_buf(&mut pipe, &mut text).await.unwrap();
            tokio::task::yield_now().await;
        }
        running.abort();
        // The end of the pipe is the end of whoever wrote to it.
        tokio::io::AsyncReadExt::read_to_end(&mut pipe, &mut text).await.unwrap();
        assert_eq!(text, b"begun\n");
    }

    #[tokio::test]
    async fn what_goes_wrong_is_said() {
        let told = |words: Vec<String>| async move { run(&words, b"x").await.unwrap_err().to_string() };
        assert_eq!(told(shell("exit 3")).await, "the command ended with exit status: 3");
        assert!(told(vec!["/nowhere/at-all".into()]).await.contains("No such file"));
    }
}
