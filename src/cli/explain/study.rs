//! Whether a study is within the scope of a peer.

use time::Date;

use super::line;
use crate::policy::Peer;
use crate::policy::scope::{Attribute, Judged};

/// One attribute of the study that is asked about, `Keyword=value`.
pub(super) fn said(text: &str) -> Result<(Attribute, String), String> {
    let (keyword, value) =
        text.split_once('=').ok_or("is not Keyword=value, as in IssuerOfPatientID=LYON")?;
    let known = || Attribute::ALL.map(Attribute::keyword).join(", ");
    let attribute = Attribute::of(keyword).ok_or_else(|| {
        format!("{keyword:?} is no attribute that a scope speaks of: write one of {}", known())
    })?;
    Ok((attribute, value.to_owned()))
}

/// Says what the scope asks, and what becomes of the study, where one is asked about: whether the peer may see it.
pub(super) fn told(text: &mut String, peer: &Peer, study: &[(Attribute, String)], today: Date) -> bool {
    let Some(scope) = &peer.scope else {
        if !study.is_empty() {
            line(text, "study", "inside: the peer has no scope, and sees every study");
        }
        return true;
    };
    line(text, "scope", &format!("{scope}; remembered for {:?}", scope.remembered));
    if study.is_empty() {
        return true;
    }
    let value = |attribute| {
        let said = study.iter().find(|(said, _)| *said == attribute);
        said.map(|(_, value)| value.as_bytes())
    };
    let judged = scope.judge(today, value);
    let answer = match judged {
        Judged::Inside => "inside: every condition holds".to_owned(),
        Judged::Outside(condition) => format!("outside: {condition} does not hold"),
        Judged::Unknown(condition) => {
            format!("outside: {condition} cannot be judged by what is said of {}", condition.attribute())
        }
    };
    line(text, "study", &answer);
    judged.is_inside()
}
