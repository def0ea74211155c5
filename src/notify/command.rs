//! A command that somebody is told by: no shell, an empty environment, the message on its standard input.

use std::io;
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Where commands look for others.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Runs a command until it ends; it is killed where the caller no longer waits.
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
        .kill_on_drop(true)
        .spawn()?;
    let written = match child.stdin.take() {
        Some(mut input) => input.write_all(body).await,
        None => Ok(()),
    };
    let status = child.wait().await?;
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
    async fn what_goes_wrong_is_said() {
        let told = |words: Vec<String>| async move { run(&words, b"x").await.unwrap_err().to_string() };
        assert_eq!(told(shell("exit 3")).await, "the command ended with exit status: 3");
        assert!(told(vec!["/nowhere/at-all".into()]).await.contains("No such file"));
    }
}
