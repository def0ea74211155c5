//! How it ended, and what alerts were about it.

use serde_json::Value;

use super::Told;
use super::values::{find, text};
use crate::cli::words::amount;
use crate::vocabulary::{Ended, of_ending, of_reason};

impl Told {
    pub(super) fn alert(&mut self, alert: &Value) {
        self.chapter("Security alert");
        let label = text(alert, "/reason");
        self.say(&format!("{}: {}", self.style.red(&label), text(alert, "/explanation")));
        if let Some(meaning) = of_reason(&label) {
            self.say(&format!("look at: {}", meaning.look));
        }
    }

    pub(super) fn end(&mut self, closed: Option<&Value>) {
        self.chapter("How it ended");
        let Some(closed) = closed else {
            self.say("no closing record: it is still open, or the proxy was killed before it could say");
            return self.say("look at: the next \"started\" record, and whether it follows a \"stopped\"");
        };
        let ended = text(closed, "/ended");
        let meaning = of_ending(&ended);
        self.say(&format!(
            "{ended}: {}",
            meaning.map_or("an ending that this version does not know", |m| m.what)
        ));
        if let Some(reason) = find(closed, "/reason") {
            self.say(&format!("reason: {reason}"));
        }
        let bytes =
            |pointer: &str| closed.pointer(pointer).and_then(Value::as_u64).map_or_else(String::new, amount);
        self.say(&format!(
            "{} came from the requestor, {} went to it",
            bytes("/bytes/in"),
            bytes("/bytes/out")
        ));
        if let Some(meaning) = meaning.filter(|_| ended != Ended::Released.label()) {
            self.say(&format!("look at: {}", meaning.look));
        }
    }
}
