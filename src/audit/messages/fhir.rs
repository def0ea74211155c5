//! The FHIR R4 AuditEvent of a message, by the correspondence that the resource itself has with PS3.15 A.5
//! (hl7.org/fhir/R4/auditevent-mappings.html).

use super::codes::Code;
use super::message::{Message, Object, Participant};
use super::source::Source;
use super::text::{ae_titles, base64, is_uid, token};
use serde_json::{Map, Value, json};

const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const TERMINOLOGY: &str = "http://terminology.hl7.org/CodeSystem";

/// The resource as `source` tells it.
pub fn write(message: &Message, source: &Source) -> Value {
    let mut event = object(json!({
        "resourceType": "AuditEvent",
        "type": coding(&message.event),
        "action": message.action.code(),
        "recorded": message.timestamp(),
        "outcome": message.outcome.code(),
        "agent": message.participants.iter().map(agent).collect::<Vec<_>>(),
        "source": observer(source),
    }));
    put(&mut event, "subtype", message.kind.as_ref().map(|kind| json!([coding(kind)])));
    put(&mut event, "outcomeDesc", message.outcome_description.as_deref().map(|text| json!(token(text))));
    let entities: Vec<Value> = message.objects.iter().map(entity).collect();
    put(&mut event, "entity", (!entities.is_empty()).then_some(Value::Array(entities)));
    Value::Object(event)
}

fn agent(participant: &Participant) -> Value {
    let mut agent = object(json!({
        "who": {"identifier": {"value": token(&participant.user)}, "display": token(&participant.user)},
        "requestor": participant.requestor,
    }));
    put(&mut agent, "type", participant.role.as_ref().map(|role| json!({"coding": [coding(role)]})));
    put(&mut agent, "altId", ae_titles(&participant.ae_titles).map(Value::from));
    put(&mut agent, "name", participant.name.as_deref().map(|name| json!(token(name))));
    let network = participant.network.as_ref().map(|network| {
        let (kind, point) = network.parts();
        json!({"address": token(point), "type": kind})
    });
    put(&mut agent, "network", network);
    Value::Object(agent)
}

fn observer(source: &Source) -> Value {
    let mut observer = object(json!({
        "observer": {"identifier": {"value": token(&source.id)}, "display": token(&source.id)},
        "type": [{
            "system": format!("{TERMINOLOGY}/security-source-type"), "code": "4", "display": "Application Server",
        }],
    }));
    put(&mut observer, "site", source.enterprise_site.as_deref().map(|site| json!(token(site))));
    Value::Object(observer)
}

fn entity(part: &Object) -> Value {
    let mut entity = object(json!({
        "what": {"identifier": identifier(part)},
        "type": {
            "system": format!("{TERMINOLOGY}/audit-entity-type"), "code": part.type_code.to_string(),
            "display": if part.type_code == 1 { "Person" } else { "System Object" },
        },
        "role": {"system": format!("{TERMINOLOGY}/object-role"), "code": part.role.to_string()},
    }));
    // Either a name or a query, never both (FHIR R4, AuditEvent sev-1).
    match &part.query {
        Some(query) => entity.insert("query".into(), json!(query)),
        None => entity.insert("name".into(), json!(token(&part.name))),
    };
    let life_cycle = part.life_cycle.map(
        |cycle| json!({"system": format!("{TERMINOLOGY}/dicom-audit-lifecycle"), "code": cycle.to_string()}),
    );
    put(&mut entity, "lifecycle", life_cycle);
    let details: Vec<Value> = details(part)
        .into_iter()
        .map(|(kind, value)| json!({"type": kind, "valueBase64Binary": base64(value.as_bytes())}))
        .collect();
    put(&mut entity, "detail", (!details.is_empty()).then_some(Value::Array(details)));
    Value::Object(entity)
}

fn identifier(part: &Object) -> Value {
    let id = token(&part.id);
    // FHIR R4, ImagingStudy: UIDs are URNs of the system urn:dicom:uid.
    if part.id_type.scheme == "DCM" && is_uid(&id) {
        return json!({"system": "urn:dicom:uid", "value": format!("urn:oid:{id}")});
    }
    json!({"type": {"coding": [coding(&part.id_type)]}, "value": id})
}

/// The details, and what ParticipantObjectDescription holds, for which the resource has no place of its own.
fn details(part: &Object) -> Vec<(String, String)> {
    let mut details: Vec<(String, String)> = (part.details.iter().filter(|(_, value)| !value.is_empty()))
        .map(|(kind, value)| ((*kind).to_owned(), value.clone()))
        .collect();
    let Some(description) = &part.description else { return details };
    details.extend(description.mpps.iter().map(|uid| ("MPPS".to_owned(), uid.clone())));
    details.extend(description.sop_classes.iter().map(|(class, count)| {
        let class = if is_uid(class) { class } else { "-" };
        ("SOPClass".to_owned(), format!("{class} {count}"))
    }));
    details.extend(description.anonymized.map(|done| ("Anonymized".to_owned(), done.to_string())));
    details
}

fn coding(code: &Code) -> Value {
    let system = match code.scheme {
        "DCM" => DCM.to_owned(),
        _ => format!("{TERMINOLOGY}/audit-entity-type"),
    };
    json!({"system": system, "code": code.code, "display": code.meaning})
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn put(map: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    map.extend(value.map(|value| (key.to_owned(), value)));
}
