//! Whether a study is within the scope of a peer.

use time::Date;

use super::line;
use crate::policy::Peer;
use crate::policy::scope::{Attribute, WITHOUT};

/// One attribute of the study that is asked about, `Keyword=value`.
pub(super) fn said(text: &str) -> Result<(Attribute, String), String> {
    let (keyword, value) =
        text.split_once('=').ok_or("is not Keyword=value, as in IssuerOfPatientID=LYON")?;
    Ok((Attribute::named(keyword)?, value.to_owned()))
}

/// Says what the scope asks, and what becomes of the study, where one is asked about: whether the peer may see it.
pub(super) fn told(text: &mut String, peer: &Peer, study: &[(Attribute, String)], today: Date) -> bool {
    let Some(scope) = &peer.scope else {
        if !study.is_empty() {
            line(text, "study", WITHOUT);
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
    line(text, "study", &judged.to_string());
    judged.is_inside()
}
