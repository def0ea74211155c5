//! How it ended, and what alerts were about it.

use super::Chapters;
use super::values::text;
use crate::audit::record::{AssociationClosed, Record};
use crate::cli::table::visible;
use crate::cli::words::amount;
use crate::vocabulary::{Ended, of_ending, of_reason};

impl Chapters {
    pub(super) fn alert(&mut self, alert: &Record) {
        self.chapter("Security alert");
        let label = text(alert.reason());
        self.say(&format!("{}: {}", self.style.red(&label), text(alert.explanation())));
        if let Some(meaning) = of_reason(&label) {
            self.say(&format!("look at: {}", meaning.look));
        }
    }

    pub(super) fn end(&mut self, closed: Option<&AssociationClosed>) {
        self.chapter("How it ended");
        let Some(closed) = closed else {
            self.say("no closing record: it is still open, or the proxy was killed before it could say");
            return self.say("look at: the next \"started\" record, and whether it follows a \"stopped\"");
        };
        let ended = visible(closed.ended.label());
        let meaning = of_ending(&ended);
        self.say(&format!(
            "{ended}: {}",
            meaning.map_or("an ending that this version does not know", |m| m.what)
        ));
        if let Some(reason) = &closed.reason {
            self.say(&format!("reason: {}", visible(reason)));
        }
        self.say(&format!(
            "{} came from the requestor, {} went to it",
            amount(closed.bytes.r#in),
            amount(closed.bytes.out)
        ));
        if let Some(meaning) = meaning.filter(|_| ended != Ended::Released.label()) {
            self.say(&format!("look at: {}", meaning.look));
        }
    }
}
