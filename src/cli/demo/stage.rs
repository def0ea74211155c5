//! The demonstration itself: the stage is set, the study goes through, what came out is looked at.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use dicom_object::DefaultDicomObject;

use super::archive::Archive;
use super::changes::compare;
use super::failure::Failure;
use super::kept::Kept;
use super::proxy::Proxy;
use super::records::{self, Account};
use super::requestor::{StoreOutcome, secure, send_study};
use super::site::{ARCHIVE, LISTENER, MODALITY, MODALITY_NAME, Site};
use super::story::{Story, amount};
use super::{certificates, phantom, stranger};

const RECORDING: Duration = Duration::from_secs(10);
const GLANCE: Duration = Duration::from_millis(20);
/// The object whose changes are shown: the first with a reference to another.
const SHOWN: usize = 1;

/// The archive and the proxy in front of it.
pub(super) struct Stage {
    archive: Archive,
    proxy: Proxy,
}

impl Stage {
    /// Certificates, archive, configuration, proxy, in the order in which they need each other.
    pub(super) async fn set<W: Write>(site: &Site, story: &mut Story<W>) -> Result<Self, Failure> {
        let folder = site.certificates();
        certificates::make(&folder, MODALITY_NAME)
            .map_err(|error| Failure::Certificates(error.to_string()))?;
        story.done("development CA, a certificate for each side", Some(&folder));

        let folder = site.archive();
        let archive = Archive::start(folder.clone())
            .await
            .map_err(|error| Failure::io("starting the archive", error))?;
        story.done(&format!("archive on {}, plain DICOM", archive.address()), Some(&folder));

        let configuration = site.configuration();
        site.write_configuration(archive.address())
            .map_err(|error| Failure::io("writing the configuration", error))?;
        story.done("configuration: who may connect, what is rewritten", Some(&configuration));

        let proxy = Proxy::start(&configuration, LISTENER).await.map_err(Failure::Proxy)?;
        story.done(&format!("proxy on {}, mutual TLS", proxy.address()), Some(&site.records()));
        story.done(&format!("page of the proxy: {}", proxy.page()), None);
        Ok(Self { archive, proxy })
    }

    /// Where the proxy listens.
    pub(super) fn listener(&self) -> SocketAddr {
        self.proxy.address()
    }

    /// Where the page of the proxy is.
    pub(super) fn page(&self) -> String {
        self.proxy.page()
    }

    /// Sends the study and tells what became of it.
    pub(super) async fn perform<W: Write>(&self, site: &Site, story: &mut Story<W>) -> Result<(), Failure> {
        let study = phantom::study().map_err(Failure::Study)?;
        site.write_study(&study).map_err(|error| Failure::io("writing the study", error))?;
        story.done(&format!("CT study of a phantom, {} slices", study.len()), Some(&site.study()));

        let connecting = |error| Failure::io("connecting to the proxy", error);
        let stream = secure::connect(self.listener(), &site.modality()).await.map_err(connecting)?;
        let (session, requestor) =
            (secure::session(&stream), stream.socket().local_addr().map_err(connecting)?);
        let outcomes = send_study(stream, MODALITY, ARCHIVE, &study).await?;
        story.done(&sent(&outcomes, &session)?, None);

        self.tell_changes(&study, story)?;
        story.records(&recorded(site, requestor).await?, &site.records());
        Ok(())
    }

    /// Has somebody refused, and tells what they got.
    pub(super) async fn refuse<W: Write>(&self, site: &Site, story: &mut Story<W>) -> Result<(), Failure> {
        let rejection = stranger::refused(self.listener(), &site.modality()).await?;
        story.refusal(stranger::STRANGER, &rejection.to_string(), stranger::EVERY);
        Ok(())
    }

    fn tell_changes<W: Write>(
        &self,
        study: &[DefaultDicomObject],
        story: &mut Story<W>,
    ) -> Result<(), Failure> {
        let files = self.archive.files().map_err(|error| Failure::io("looking into the archive", error))?;
        let kept = Kept::of(study, &files)?;
        kept.hold_no_traces()?;
        kept.refer_to_each_other()?;
        let Some((sent, stored)) = study.get(SHOWN).zip(kept.object(SHOWN)) else { return Ok(()) };
        let which = format!("instance {} of {}", SHOWN + 1, study.len());
        let notes = [
            format!("In none of the {} files is anything left of the patient's name or number.", kept.len()),
            "References hold: what points to another object of the study points to its new UID.".to_owned(),
        ];
        story.changes(&which, &compare(sent, stored), &notes);
        Ok(())
    }

    /// Ends the proxy, then the archive.
    pub(super) async fn strike(self) {
        self.proxy.stop().await;
    }
}

fn sent(outcomes: &[StoreOutcome], session: &str) -> Result<String, Failure> {
    if let Some(failed) = outcomes.iter().find(|outcome| !outcome.stored()) {
        return Err(Failure::NotStored { instance: failed.sop_instance.clone(), status: failed.status });
    }
    let length: usize = outcomes.iter().map(|outcome| outcome.length).sum();
    Ok(format!(
        "C-ECHO, then {} objects ({}) sent over {session}, all stored",
        outcomes.len(),
        amount(length as u64)
    ))
}

/// Waits for the closing record, which the proxy writes after it has answered the release.
async fn recorded(site: &Site, requestor: SocketAddr) -> Result<Account, Failure> {
    let folder = site.records();
    let looking = async {
        loop {
            match records::of_association_from(&folder, requestor) {
                Ok(Some(told)) => return Ok(told),
                Ok(None) => tokio::time::sleep(GLANCE).await,
                Err(error) => return Err(Failure::io("reading the records", error)),
            }
        }
    };
    tokio::time::timeout(RECORDING, looking).await.unwrap_or_else(|_| {
        Err(Failure::NotRecorded { folder: folder.display().to_string(), seconds: RECORDING.as_secs() })
    })
}
