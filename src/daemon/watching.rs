//! Files that the configuration in force names, and that somebody replaces: certificates, keys, lists, secrets.
//!
//! # Why
//!
//! - **Why looks and no inotify**: files come by rename, through links to links (as containers mount them) and over networks,
//!   where the system tells nobody. A look is a stat(2) for each, off the runtime's threads.
//! - **Why only what two looks found alike**: a certificate and its key are two files, written one after the other.
//! - **Why not the configuration itself**: whoever edits it saves it half done. What is read again is the text in force.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::audit::ReloadedBy;
use crate::audit::used::name_of;
use crate::config::Settings;
use crate::files::{Content, Stamp};

/// Files that a record lists.
const LISTED: usize = 200;

/// What is known of a file.
#[derive(Clone, Copy)]
struct Known {
    /// When it was last read.
    read: Option<Stamp>,
    /// What was in it then; `None` until a look has found it as it was when it was read.
    content: Option<Option<Content>>,
    /// At the last look.
    seen: Option<Stamp>,
}

/// The files of one configuration.
struct Watched {
    files: BTreeMap<PathBuf, Known>,
}

impl Watched {
    /// With how long it is between two looks; `None` where nobody is to look.
    fn new(settings: &Settings) -> Option<(Duration, Self)> {
        let known = |read: &Option<Stamp>| Known { read: *read, content: None, seen: *read };
        let watched =
            Self { files: settings.watched.iter().map(|(file, read)| (file.clone(), known(read))).collect() };
        settings.limits.reload_files.map(|between| (between, watched))
    }

    /// Looks at each. Gives those that hold something else than when they were last read, once all of them are as they were
    /// at the look before; they count as read then.
    fn look(&mut self) -> Vec<PathBuf> {
        let mut settled = true;
        for (file, known) in &mut self.files {
            let now = Stamp::of(file);
            settled &= now == known.seen;
            known.seen = now;
            if now == known.read && known.content.is_none() {
                known.content = Some(Content::of(file));
            }
        }
        if !settled {
            return Vec::new();
        }
        let mut changed = Vec::new();
        for (file, known) in self.files.iter_mut().filter(|(_, known)| known.seen != known.read) {
            let content = Content::of(file);
            if known.content != Some(content) {
                changed.push(file.clone());
            }
            *known = Known { read: known.seen, content: Some(content), seen: known.seen };
        }
        changed
    }
}

/// Looks at the files of the settings in force, for as long as somebody listens. Gives whose word a reload is that is asked for.
pub(super) fn watch(settings: watch::Receiver<Arc<Settings>>) -> mpsc::Receiver<ReloadedBy> {
    let (told, changes) = mpsc::channel(1);
    tokio::spawn(look_again_and_again(settings, told));
    changes
}

async fn look_again_and_again(mut settings: watch::Receiver<Arc<Settings>>, told: mpsc::Sender<ReloadedBy>) {
    loop {
        let current = settings.borrow_and_update().clone();
        let mut watching = Watched::new(&current);
        loop {
            tokio::select! {
                () = pause(watching.as_ref().map(|(between, _)| *between)) => {}
                () = told.closed() => return,
                changed = settings.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return,
                },
            }
            // Without it, the pause has no end.
            let Some((between, mut watched)) = watching else { return };
            let looked = tokio::task::spawn_blocking(move || (watched.look(), watched)).await;
            let Ok((changed, kept)) = looked else { return };
            watching = Some((between, kept));
            if !changed.is_empty() && told.send(by(&changed)).await.is_err() {
                return;
            }
        }
    }
}

async fn pause(between: Option<Duration>) {
    match between {
        Some(between) => tokio::time::sleep(between).await,
        None => std::future::pending().await,
    }
}

/// The proxy itself.
fn by(changed: &[PathBuf]) -> ReloadedBy {
    let user_id = rustix::process::getuid().as_raw();
    ReloadedBy {
        user: name_of(user_id),
        user_id: Some(user_id),
        process_id: Some(std::process::id()),
        through: None,
        watched_files: changed.iter().take(LISTED).map(|file| file.display().to_string()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Known, Watched};
    use crate::files::Stamp;
    use crate::scratch::Scratch;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    fn watch(files: &[&Path]) -> Watched {
        let known = |file: &Path| Known { read: Stamp::of(file), content: None, seen: Stamp::of(file) };
        Watched { files: files.iter().map(|file| (file.to_path_buf(), known(file))).collect() }
    }

    /// As certificates are replaced.
    fn put(file: &Path, text: &str) {
        let next = file.with_extension("next");
        fs::write(&next, text).unwrap();
        fs::rename(&next, file).unwrap();
    }

    #[test]
    fn nobody_looks_where_that_is_switched_off() {
        let home = Scratch::new();
        let file = home.path().join("dimsegate.toml");
        let between = |limits: &str| {
            let text = "[[listener]]\nname = \"l\"\naddress = \"127.0.0.1:11112\"\nupstream = \"u\"\n\
                        [[upstream]]\nname = \"u\"\naddresses = [\"10.0.0.5:104\"]\ncalled-ae-title = \"PACS\"\n\
                        [[role]]\nname = \"r\"\noperations = [\"C-STORE\"]\nsop-classes = [\"storage\"]\n\
                        [[peer]]\nname = \"p\"\nnetworks = [\"10.0.0.0/8\"]\ncalling-ae-titles = [\"CT*\"]\nrole = \"r\"\n";
            fs::write(&file, format!("{text}[limits]\n{limits}\n")).unwrap();
            let settings = crate::config::load(&file).unwrap().settings;
            Watched::new(&settings).map(|(between, _)| between)
        };
        assert_eq!(between("reload-files = \"off\""), None);
        assert_eq!(between("reload-files = \"50ms\""), Some(Duration::from_millis(50)));
    }

    #[test]
    fn a_pair_that_is_written_one_after_the_other_is_taken_as_one() {
        let home = Scratch::new();
        let [chain, key] = ["server.pem", "server.key"].map(|name| home.path().join(name));
        put(&chain, "chain 1");
        put(&key, "key 1");
        let mut watched = watch(&[&chain, &key]);
        let none: [PathBuf; 0] = [];
        assert_eq!(watched.look(), none);
        put(&chain, "chain 2");
        assert_eq!(watched.look(), none);
        put(&key, "key 2");
        assert_eq!(watched.look(), none, "something has changed since the last look");
        assert_eq!(watched.look(), [key.clone(), chain.clone()]);
        assert_eq!(watched.look(), none, "once");
        put(&chain, "chain 2");
        assert_eq!((watched.look(), watched.look()), (vec![], vec![]), "the same again");
        fs::remove_file(&key).unwrap();
        assert_eq!(watched.look(), none);
        assert_eq!((watched.look(), watched.look()), (vec![key.clone()], vec![]), "it is gone");
        put(&key, "key 2");
        assert_eq!((watched.look(), watched.look()), (vec![], vec![key]), "it is back");
    }
}
