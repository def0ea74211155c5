//! The fields of an operation's record. There is one for each object, so these are written without the detours of a
//! serializer that knows no record: byte for byte what the derived form of [`Operation`] gives.

use super::{Direction, Operation};
use crate::audit::json::{STRING_LIMIT, body_of};
use serde::Serialize;
use std::io::Write;

/// The fields as a JSON object.
#[allow(clippy::too_many_lines, reason = "one line for each field")]
pub(in crate::audit) fn body(to: &mut Vec<u8>, operation: &Operation) -> serde_json::Result<()> {
    // Named one by one, so that none that is added is forgotten here.
    let Operation {
        association,
        operation,
        message_id,
        direction,
        agreement,
        sop_class,
        sop_instance,
        new_sop_instance,
        data_set_sop_class,
        data_set_sop_instance,
        study,
        new_study,
        rewritten,
        originals: _,
        patient,
        query,
        move_destination,
        status,
        bytes,
        duration_ms,
        reason,
        fault,
        tolerated,
        withheld,
        count,
    } = operation;
    text(to, b"{\"association\":", association)?;
    text(to, b",\"operation\":", operation)?;
    number(to, b",\"message-id\":", (*message_id).into());
    to.extend_from_slice(match direction {
        Direction::FromPeer => b",\"direction\":\"from-peer\"",
        Direction::ToPeer => b",\"direction\":\"to-peer\"",
    });
    text_if_any(to, b",\"agreement\":", agreement.as_deref())?;
    text_if_any(to, b",\"sop-class\":", sop_class.as_deref())?;
    text_if_any(to, b",\"sop-instance\":", sop_instance.as_deref())?;
    text_if_any(to, b",\"new-sop-instance\":", new_sop_instance.as_deref())?;
    text_if_any(to, b",\"data-set-sop-class\":", data_set_sop_class.as_deref())?;
    text_if_any(to, b",\"data-set-sop-instance\":", data_set_sop_instance.as_deref())?;
    text_if_any(to, b",\"study\":", study.as_deref())?;
    text_if_any(to, b",\"new-study\":", new_study.as_deref())?;
    if let Some(elements) = *rewritten {
        number(to, b",\"rewritten\":", elements);
    }
    match patient.as_ref().map(|patient| patient.rendered().ok_or(patient)) {
        Some(Ok(rendered)) => text(to, b",\"patient\":", rendered)?,
        // It refuses to be written.
        Some(Err(patient)) => any(to, b",\"patient\":", patient)?,
        None => (),
    }
    if let Some(query) = query {
        any(to, b",\"query\":", query)?;
    }
    text_if_any(to, b",\"move-destination\":", move_destination.as_deref())?;
    if let Some(status) = *status {
        // Writing to a vector cannot fail.
        let _ = write!(to, ",\"status\":\"0x{status:04X}\"");
    }
    number(to, b",\"bytes\":", *bytes);
    number(to, b",\"duration-ms\":", *duration_ms);
    text_if_any(to, b",\"reason\":", reason.as_deref())?;
    if let Some(fault) = fault {
        any(to, b",\"fault\":", fault)?;
    }
    if !tolerated.is_empty() {
        any(to, b",\"tolerated\":", tolerated)?;
    }
    if let Some(withheld) = *withheld {
        number(to, b",\"withheld\":", withheld);
    }
    if let Some(count) = *count {
        number(to, b",\"count\":", count);
    }
    to.push(b'}');
    Ok(())
}

fn text_if_any(to: &mut Vec<u8>, key: &[u8], value: Option<&str>) -> serde_json::Result<()> {
    value.map_or(Ok(()), |value| text(to, key, value))
}

/// A string, which is mostly plain.
fn text(to: &mut Vec<u8>, key: &[u8], value: &str) -> serde_json::Result<()> {
    let plain = |byte: u8| matches!(byte, b' '..=b'~') & (byte != b'"') & (byte != b'\\');
    // Without a way out of the loop it is done many bytes at a time.
    if value.len() > STRING_LIMIT || !value.bytes().fold(true, |all, byte| all & plain(byte)) {
        return any(to, key, value);
    }
    for part in [key, b"\"", value.as_bytes(), b"\""] {
        to.extend_from_slice(part);
    }
    Ok(())
}

fn any(to: &mut Vec<u8>, key: &[u8], value: &(impl Serialize + ?Sized)) -> serde_json::Result<()> {
    to.extend_from_slice(key);
    body_of(to, value)
}

fn number(to: &mut Vec<u8>, key: &[u8], value: u64) {
    to.extend_from_slice(key);
    crate::audit::json::number(to, value);
}

#[cfg(test)]
mod tests {
    use super::body;
    use crate::audit::json::{self, STRING_LIMIT, body_of};
    use crate::audit::record::operation::Originals;
    use crate::audit::record::patient::Renderer;
    use crate::audit::record::{Record, association_of_operation};
    use crate::audit::{Direction, Fault, LineHash, Operation, PatientIdentifier, PatientIdentifiers, Query};
    use proptest::prelude::*;

    /// Plain ones, such that need escapes, and such that are cut.
    fn string() -> impl Strategy<Value = String> {
        let cut = (STRING_LIMIT - 2..STRING_LIMIT + 3).prop_map(|length| "x".repeat(length));
        prop_oneof![4 => "[0-9.]{0,64}", 2 => "[ -~]{0,16}", 2 => "\\PC{0,12}|.{0,12}", 1 => "[\u{0}-\u{2fff}]{0,12}", 1 => cut]
    }

    fn maybe() -> impl Strategy<Value = Option<String>> {
        prop::option::of(string())
    }

    prop_compose! {
        fn operation()(
            (association, operation, message_id, to_peer) in (string(), string(), any::<u16>(), any::<bool>()),
            (sop_class, sop_instance, new_sop_instance) in (maybe(), maybe(), maybe()),
            (data_set_sop_class, data_set_sop_instance) in (maybe(), maybe()),
            tolerated in prop::collection::vec(string(), 0..3),
            (study, new_study, patient, agreement) in (maybe(), maybe(), maybe(), maybe()),
            rewritten in any::<Option<u64>>(),
            keys in prop::option::of(prop::collection::vec(string(), 0..3)),
            (move_destination, status, reason, count) in (maybe(), any::<Option<u16>>(), maybe(), any::<Option<u64>>()),
            withheld in any::<Option<u64>>(),
            (bytes, duration_ms) in (any::<u64>(), prop_oneof![0..20_u64, Just(u64::MAX)]),
            (element, offset, problem, expected) in (maybe(), any::<Option<u64>>(), maybe(), maybe()),
        ) -> Operation {
            let patient = patient.map(|patient| PatientIdentifier::new(patient.into_bytes()));
            Operation {
                association: association.into(),
                operation: operation.into(),
                message_id,
                direction: if to_peer { Direction::ToPeer } else { Direction::FromPeer },
                agreement,
                sop_class,
                sop_instance,
                new_sop_instance,
                data_set_sop_class,
                data_set_sop_instance,
                study,
                new_study,
                rewritten,
                originals: Originals::default(),
                patient: patient.and_then(|patient| Renderer::new(PatientIdentifiers::Clear).render(patient)),
                query: keys.map(|keys| Box::new(Query::new("1.2.840.10008.1.2", keys, None))),
                move_destination,
                status,
                bytes,
                duration_ms,
                reason: reason.map(Into::into),
                fault: problem.map(|problem| {
                    let (problem, expected) = (problem.into(), expected.map(Into::into));
                    Box::new(Fault { element, offset, problem, expected })
                }),
                tolerated: tolerated.into_iter().map(Into::into).collect(),
                withheld,
                count,
            }
        }
    }

    proptest! {
        #[test]
        fn it_is_the_derived_form(operation in operation()) {
            let (mut derived, mut written) = (Vec::new(), Vec::new());
            body_of(&mut derived, &operation).unwrap();
            body(&mut written, &operation).unwrap();
            prop_assert_eq!(String::from_utf8(written).unwrap(), String::from_utf8(derived).unwrap());
        }

        #[test]
        fn its_association_is_found_in_the_bytes_as_it_is_read_or_not_at_all(operation in operation()) {
            let (mut written, mut line) = (Vec::new(), Vec::new());
            body(&mut written, &operation).unwrap();
            let time = time::OffsetDateTime::UNIX_EPOCH;
            json::line(&mut line, time, "operation", (7, LineHash::NONE), (b"", &written));
            if let Some(found) = association_of_operation(&line) {
                let read = Record::read(&line).unwrap();
                prop_assert_eq!(read.association(), Some(found));
            } else {
                let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\\\"".contains(&byte);
                let id = &operation.association;
                prop_assert!(id.is_empty() || id.len() >= 64 || !id.bytes().all(is_plain), "{}", id);
            }
        }

        #[test]
        fn a_patient_identifier_that_was_not_rendered_is_not_written(operation in operation()) {
            let patient = Some(PatientIdentifier::new(b"P1".to_vec()));
            let written = body(&mut Vec::new(), &Operation { patient, ..operation });
            prop_assert!(written.is_err());
        }
    }
}
