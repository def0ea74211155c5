//! The conditions as a person writes them.

use std::path::PathBuf;

use ipnet::IpNet;
use time::OffsetDateTime;

use super::super::trail::Trail;
use super::super::{period, values};
use crate::audit::reading::{Filter, Hours, Pattern, Wanted};
use crate::cli::tenant::OfTenant;
use crate::config;

const EXAMPLE: &str = "Examples:
  dimsegate audit search audit --outcome refused --from 20:00 --to 06:00
  dimsegate audit search audit --operation C-STORE --study 1.2.840.99.7 --who
  dimsegate audit search audit --patient 4711 -c conf/dimsegate.toml --who
  dimsegate audit search audit --tls plain --who
  dimsegate audit search audit --issuer 'CN=Lyon CA*' --who
  dimsegate audit search audit --unrewritten
  dimsegate audit search audit --fault '(0010,0010)' --table
  dimsegate audit search audit --tolerated '*' --who
  dimsegate audit search audit --study 1.2.840.99.7 --json | jq .association

Values may hold * and ?. Times: 2026-03-01, 2026-03-01T08:30 (UTC), RFC 3339, today, how long ago (15m, 24h, 7d), or
the last time that a clock showed 20:00 (UTC); --to with a date is the end of that day. An operation has the peer, AE
titles, address and TLS of its association. A damaged line is told on standard error and skipped. Lines that a
condition rules out are not looked at closely: audit verify looks at all.

Exit status: 0 everything was read, 2 a condition that no record can meet, 65 something was damaged or is encrypted
(the rest was searched).";

/// Find records by time, peer, AE title, address, outcome, study and more
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Args {
    #[command(flatten)]
    pub trail: Trail,
    /// Not before this time
    #[arg(long, value_name = "TIME", value_parser = period::from)]
    pub from: Option<OffsetDateTime>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = period::to)]
    pub to: Option<OffsetDateTime>,
    /// In this hour of the day (UTC), or from the first to the last: 22-5
    #[arg(long, value_name = "HOUR")]
    pub hour: Option<Hours>,
    /// The [[peer]] that matched
    #[arg(long, value_name = "NAME")]
    pub peer: Option<Pattern>,
    /// Calling AE title
    #[arg(long, value_name = "AE")]
    pub calling: Option<Pattern>,
    /// Called AE title
    #[arg(long, value_name = "AE")]
    pub called: Option<Pattern>,
    /// Address of the requestor, or a network such as 203.0.113.0/24
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    pub address: Option<IpNet>,
    /// The [[listener]] that it came to
    #[arg(long, value_name = "NAME")]
    pub listener: Option<Pattern>,
    /// The [[upstream]] that it went to
    #[arg(long, value_name = "NAME")]
    pub upstream: Option<Pattern>,
    /// TLS version (1.2, 1.3), or plain
    #[arg(long, value_name = "VERSION", value_parser = values::tls)]
    pub tls: Option<Pattern>,
    /// TLS cipher suite
    #[arg(long, value_name = "NAME")]
    pub cipher: Option<Pattern>,
    /// SHA-256, subject or a name of the certificate that the requestor showed, accepted or not
    #[arg(long, value_name = "CERTIFICATE", value_parser = values::certificate)]
    pub certificate: Option<Pattern>,
    /// The user that the requestor names by a user identity, proven or not; of other records, who did it
    #[arg(long, value_name = "NAME")]
    pub user: Option<Pattern>,
    /// Who issued it: the CA that vouches for it, or whom it names
    #[arg(long, value_name = "NAME")]
    pub issuer: Option<Pattern>,
    /// Digest of the configuration that decided; * for the rest of it
    #[arg(long, value_name = "DIGEST")]
    pub configuration: Option<Pattern>,
    /// The rewrite that applies to the association
    #[arg(long, value_name = "NAME")]
    pub rewrite: Option<Pattern>,
    /// Id of the [[agreement]] by which the data travels
    #[arg(long, value_name = "ID")]
    pub agreement: Option<Pattern>,
    /// Objects that passed without the rewrite of their peer
    #[arg(long)]
    pub unrewritten: bool,
    /// operation, association-rejected, …; may be given more than once
    #[arg(long, value_name = "EVENT", value_delimiter = ',')]
    pub event: Vec<String>,
    /// success, warning, failure, refused, or how an association ended: ended=timeout
    #[arg(long, value_name = "OUTCOME", value_parser = values::outcome)]
    pub outcome: Option<Wanted>,
    /// Label of a refusal or failure, such as calling-ae-title-unknown: audit reasons lists them
    #[arg(long, value_name = "LABEL")]
    pub reason: Option<Pattern>,
    /// Id of an association, as records have it
    #[arg(long, value_name = "ID")]
    pub association: Option<String>,
    /// C-STORE, C-FIND, …
    #[arg(long, value_name = "NAME", value_parser = values::operation)]
    pub operation: Option<Pattern>,
    /// Status of an operation, as recorded: 0xA700
    #[arg(long, value_name = "STATUS", value_parser = values::status)]
    pub status: Option<Pattern>,
    /// What the standard does not allow, and was read all the same: data-set-order, command-*
    #[arg(long, value_name = "LABEL", value_parser = values::tolerated)]
    pub tolerated: Option<Pattern>,
    /// What a message was refused for: the element, by its path, or what is wrong with it; '*' for any
    #[arg(long, value_name = "ELEMENT")]
    pub fault: Option<Pattern>,
    /// SOP instance UID, as it came or as it was rewritten; with -c also as records have one that was replaced
    #[arg(long, value_name = "UID", value_parser = values::uid)]
    pub sop_instance: Option<Pattern>,
    /// Study instance UID, as it came or as it was rewritten; with -c also as records have one that was replaced
    #[arg(long, value_name = "UID", value_parser = values::uid)]
    pub study: Option<Pattern>,
    /// The patient as recorded; with -c the Patient ID, whatever records make of it
    #[arg(long, value_name = "PATIENT")]
    pub patient: Option<String>,
    /// The configuration whose key records name patients, and UIDs that were replaced, with
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    of: OfTenant,
    /// Who it was: one line for each requestor, instead of one for each record
    #[arg(long, conflicts_with_all = ["json", "limit"])]
    pub who: bool,
    /// At most so many, the newest; without it 200 on a terminal, and all in a pipe
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// The lines as they were written, which is what a pipe gets anyway
    #[arg(long)]
    pub json: bool,
    /// A table in a pipe too
    #[arg(long, conflicts_with = "json")]
    pub table: bool,
}

fn network(text: &str) -> Result<IpNet, String> {
    let whole = |text: &str| text.parse::<std::net::IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(|| whole(text)).ok_or_else(|| "is no address or network".to_owned())
}

impl Args {
    /// The conditions.
    ///
    /// # Errors
    /// One that no record can meet, in words.
    pub(crate) fn filter(&self) -> Result<Filter, String> {
        if self.from.zip(self.to).is_some_and(|(from, to)| from >= to) {
            return Err("--from is not before --to".into());
        }
        let mut filter = Filter {
            from: self.from,
            to: self.to,
            hours: self.hour,
            events: self.event.clone(),
            association: self.association.clone(),
            outcome: self.outcome.clone(),
            reason: self.reason.clone(),
            ..Filter::default()
        };
        let of = &mut filter.of_association;
        (of.listener, of.peer, of.upstream) =
            (self.listener.clone(), self.peer.clone(), self.upstream.clone());
        (of.calling, of.called, of.address) = (self.calling.clone(), self.called.clone(), self.address);
        (of.tls, of.cipher) = (self.tls.clone(), self.cipher.clone());
        (of.certificate, of.issuer) = (self.certificate.clone(), self.issuer.clone());
        (of.user, of.agreement) = (self.user.clone(), self.agreement.clone());
        (of.rewrite, of.configuration) = (self.rewrite.clone(), self.configuration.clone());
        if self.unrewritten && of.rewrite.is_none() {
            of.rewrite = Some(pattern("*"));
        }
        let of = &mut filter.of_operation;
        of.unrewritten = self.unrewritten;
        (of.tolerated, of.fault) = (self.tolerated.clone(), self.fault.clone());
        (of.operation, of.status, of.patient) =
            (self.operation.clone(), self.status.clone(), self.patient()?);
        (of.sop_instance, of.study) = (self.sop_instance.clone(), self.study.clone());
        (of.original_sop_instance, of.original_study) = self.originals()?;
        Ok(filter)
    }

    /// SOP instance and study as records have them where they were replaced; a part of a UID makes no hash.
    fn originals(&self) -> Result<(Option<Pattern>, Option<Pattern>), String> {
        let Some(file) = &self.config else { return Ok((None, None)) };
        if self.patient.is_none() && self.sop_instance.is_none() && self.study.is_none() {
            return Err("--config is for --patient, --sop-instance and --study".to_owned());
        }
        let identifiers =
            config::patient_identifiers(file, self.of.name()).map_err(|problems| problems.to_string())?;
        let of = |uid: &Option<Pattern>| {
            let uid = uid.as_ref()?.to_string();
            identifiers.of(&uid).map(|named| pattern(&named)).filter(|_| !uid.contains(['*', '?']))
        };
        Ok((of(&self.sop_instance), of(&self.study)))
    }

    /// As records have it.
    fn patient(&self) -> Result<Option<Pattern>, String> {
        let (Some(patient), Some(file)) = (&self.patient, &self.config) else {
            return Ok(self.patient.as_deref().map(pattern));
        };
        let identifiers =
            config::patient_identifiers(file, self.of.name()).map_err(|problems| problems.to_string())?;
        let named = identifiers.of(patient);
        let nobody = || format!("{}: records name no patients: patient-identifiers", file.display());
        named.map(|named| Some(pattern(&named))).ok_or_else(nobody)
    }
}

pub(super) fn pattern(text: &str) -> Pattern {
    text.parse().unwrap_or_else(|never: std::convert::Infallible| match never {})
}
