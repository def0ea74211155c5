//! What an N-GET, a request for storage commitment and its report name: instances, and none of their studies.

use super::super::granted::{By, Granted};
use super::super::want::{Below, LookUp};
use crate::dataset::{Encoding, SOP_CLASS_UID, SOP_INSTANCE_UID, Small, Tag};
use crate::wire::Uid;

/// (0008,1195) Transaction UID.
const TRANSACTION_UID: Tag = Tag(0x0008, 0x1195);
/// (0008,1198) Failed SOP Sequence.
const FAILED_SOP_SEQUENCE: Tag = Tag(0x0008, 0x1198);
/// (0008,1199) Referenced SOP Sequence.
const REFERENCED_SOP_SEQUENCE: Tag = Tag(0x0008, 0x1199);
/// (0008,1150) Referenced SOP Class UID.
const REFERENCED_SOP_CLASS_UID: Tag = Tag(0x0008, 0x1150);
/// (0008,1155) Referenced SOP Instance UID.
const REFERENCED_SOP_INSTANCE_UID: Tag = Tag(0x0008, 0x1155);

/// Instances that one request for storage commitment may name.
const MOST_INSTANCES: usize = 20_000;

/// What a request for storage commitment or its report is about (PS3.4 Tables J.3-1 and J.3-2).
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Commitment {
    pub transaction: String,
    /// Each that it names, at least one.
    pub instances: Vec<String>,
}

/// Reads a request or a report. `None` where it has no reading or more than one, or names what cannot be judged.
pub(super) fn commitment(encoding: Encoding, data: &[u8], is_report: bool) -> Option<Commitment> {
    let small = Small::read(encoding, data)?;
    let listed: &[Tag] =
        if is_report { &[FAILED_SOP_SEQUENCE, REFERENCED_SOP_SEQUENCE] } else { &[REFERENCED_SOP_SEQUENCE] };
    // Whoever takes what another sequence names, or what the top does as if it were an object, would be asked about that.
    let names_others = small.sequences().any(|tag| !listed.contains(&tag));
    let is_object = [SOP_CLASS_UID, SOP_INSTANCE_UID].into_iter().any(|tag| small.has(tag));
    if names_others || is_object {
        return None;
    }
    let transaction = uid(small.value(TRANSACTION_UID)?)?;
    let mut instances = Vec::new();
    for tag in listed.iter().filter(|tag| small.has(**tag)) {
        small.each_item(*tag, |item| {
            uid(item.value(REFERENCED_SOP_CLASS_UID)?)?;
            instances.push(uid(item.value(REFERENCED_SOP_INSTANCE_UID)?)?);
            let names_one = item.sequences().next().is_none() && instances.len() <= MOST_INSTANCES;
            names_one.then_some(())
        })?;
    }
    (!instances.is_empty()).then_some(Commitment { transaction, instances })
}

/// What an instance of an N-GET is looked up by: its answer says of which study it is, and that is looked up, too.
pub(super) fn of_one(instance: &str) -> Option<(LookUp, Granted)> {
    let instance = uid(instance.as_bytes())?;
    Some((alone(vec![instance]), Granted::new(By::TheirStudies, Vec::new())))
}

pub(super) fn alone(instances: Vec<String>) -> LookUp {
    LookUp { studies: Vec::new(), below: Some(Below::Alone(instances)) }
}

fn uid(value: &[u8]) -> Option<String> {
    Uid::from_bytes(value).ok().map(|uid| uid.as_str().to_owned())
}
