//! The DICOM audit message in XML (PS3.15 A.5.1.1), on one line, without a prologue.

use super::codes::Code;
use super::message::{Description, Message, Object, Participant};
use super::source::Source;
use super::text::{ae_titles, base64, escape, is_uid, token};
use std::fmt::Write;

/// Application server process, among the types of audit sources.
const APPLICATION_SERVER: &str = "4";

/// A message as `source` tells it.
pub fn write(message: &Message, source: &Source) -> String {
    let mut xml = Xml(String::with_capacity(2048));
    xml.open("AuditMessage", &[]);
    event(&mut xml, message);
    for participant in &message.participants {
        write_participant(&mut xml, participant);
    }
    write_source(&mut xml, source);
    for object in &message.objects {
        write_object(&mut xml, object);
    }
    xml.close("AuditMessage");
    xml.0
}

fn event(xml: &mut Xml, message: &Message) {
    let time = message.timestamp();
    xml.open(
        "EventIdentification",
        &[
            ("EventActionCode", message.action.code()),
            ("EventDateTime", &time),
            ("EventOutcomeIndicator", message.outcome.code()),
        ],
    );
    xml.code("EventID", &message.event);
    if let Some(kind) = &message.kind {
        xml.code("EventTypeCode", kind);
    }
    if let Some(description) = &message.outcome_description {
        xml.text("EventOutcomeDescription", description);
    }
    xml.close("EventIdentification");
}

fn write_participant(xml: &mut Xml, participant: &Participant) {
    let user = token(&participant.user);
    let titles = ae_titles(&participant.ae_titles);
    let name = participant.name.as_deref().map(token);
    let requestor = if participant.requestor { "true" } else { "false" };
    let network = participant.network.as_ref().map(|network| network.parts());
    let point = network.map(|(_, point)| token(point));
    let mut attributes = vec![("UserID", user.as_str())];
    attributes.extend(titles.as_deref().map(|titles| ("AlternativeUserID", titles)));
    attributes.extend(name.as_deref().map(|name| ("UserName", name)));
    attributes.push(("UserIsRequestor", requestor));
    attributes.extend(point.as_deref().map(|point| ("NetworkAccessPointID", point)));
    attributes.extend(network.map(|(kind, _)| ("NetworkAccessPointTypeCode", kind)));
    match &participant.role {
        None => xml.empty("ActiveParticipant", &attributes),
        Some(role) => {
            xml.open("ActiveParticipant", &attributes);
            xml.code("RoleIDCode", role);
            xml.close("ActiveParticipant");
        }
    }
}

fn write_source(xml: &mut Xml, source: &Source) {
    let id = token(&source.id);
    let site = source.enterprise_site.as_deref().map(token);
    let mut attributes = Vec::new();
    attributes.extend(site.as_deref().map(|site| ("AuditEnterpriseSiteID", site)));
    attributes.push(("AuditSourceID", &id));
    xml.open("AuditSourceIdentification", &attributes);
    xml.empty("AuditSourceTypeCode", &[("csd-code", APPLICATION_SERVER)]);
    xml.close("AuditSourceIdentification");
}

fn write_object(xml: &mut Xml, object: &Object) {
    let id = token(&object.id);
    let (kind, role) = (object.type_code.to_string(), object.role.to_string());
    let life_cycle = object.life_cycle.map(|cycle| cycle.to_string());
    let mut attributes = vec![
        ("ParticipantObjectID", id.as_str()),
        ("ParticipantObjectTypeCode", &kind),
        ("ParticipantObjectTypeCodeRole", &role),
    ];
    attributes.extend(life_cycle.as_deref().map(|cycle| ("ParticipantObjectDataLifeCycle", cycle)));
    xml.open("ParticipantObjectIdentification", &attributes);
    xml.code("ParticipantObjectIDTypeCode", &object.id_type);
    match &object.query {
        Some(query) => xml.text("ParticipantObjectQuery", query),
        None => xml.text("ParticipantObjectName", &object.name),
    }
    for (kind, value) in object.details.iter().filter(|(_, value)| !value.is_empty()) {
        let value = base64(value.as_bytes());
        xml.empty("ParticipantObjectDetail", &[("type", kind), ("value", &value)]);
    }
    if let Some(description) = &object.description {
        write_description(xml, description);
    }
    xml.close("ParticipantObjectIdentification");
}

fn write_description(xml: &mut Xml, description: &Description) {
    xml.open("ParticipantObjectDescription", &[]);
    if let Some(mpps) = description.mpps.as_deref().filter(|uid| is_uid(uid)) {
        xml.empty("MPPS", &[("UID", mpps)]);
    }
    for (class, count) in &description.sop_classes {
        let count = count.to_string();
        let mut attributes = Vec::new();
        attributes.extend(Some(("UID", class.as_str())).filter(|(_, class)| is_uid(class)));
        attributes.push(("NumberOfInstances", &count));
        xml.empty("SOPClass", &attributes);
    }
    if let Some(anonymized) = description.anonymized {
        xml.text("Anonymized", if anonymized { "true" } else { "false" });
    }
    xml.close("ParticipantObjectDescription");
}

/// What has been written. Every value passes [`escape`].
struct Xml(String);

impl Xml {
    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.0.push('>');
    }

    fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.0.push_str("/>");
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.0.push('<');
        self.0.push_str(name);
        for (key, value) in attributes {
            // Writing to a string cannot fail.
            let _ = write!(self.0, " {key}=\"{}\"", escape(value));
        }
    }

    fn close(&mut self, name: &str) {
        let _ = write!(self.0, "</{name}>");
    }

    fn text(&mut self, name: &str, text: &str) {
        let _ = write!(self.0, "<{name}>{}</{name}>", escape(&token(text)));
    }

    fn code(&mut self, name: &str, code: &Code) {
        let attributes =
            [("csd-code", code.code), ("codeSystemName", code.scheme), ("originalText", code.meaning)];
        self.empty(name, &attributes);
    }
}
