//! The user information item 50H and its sub-items 51H to 59H (PS3.7 Annex D.3.3).

use zeroize::Zeroizing;

use super::items::{Item, Reader, put, put_counted, put_item};
use super::{
    AsynchronousOperationsWindow, CommonExtendedNegotiation, ExtendedNegotiation, OpaqueItem, RoleSelection,
    UserIdentity, UserInformation,
};
use crate::wire::Malformed;

/// A request has at most 128 presentation contexts, so that more sub-items by SOP class than this mean nothing; each is
/// compared with every other.
const MOST_OF_A_KIND: usize = 512;

/// Which of the two PDUs the item stands in: 57H and 58H belong to a request, 59H to an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Answer,
}

pub(super) fn decode(value: &[u8], side: Side) -> Result<UserInformation, Malformed> {
    let mut user = UserInformation::default();
    let mut items = Reader::new(value, "user information (50H)");
    while !items.is_empty() {
        add(&mut user, &items.item()?, side)?;
    }
    Ok(user)
}

fn add(user: &mut UserInformation, item: &Item<'_>, side: Side) -> Result<(), Malformed> {
    match (item.item_type, side) {
        (0x51, _) => once(&mut user.maximum_length, maximum_length(item)?, 0x51),
        (0x52, _) => {
            let read = Reader::new(&[], "implementation class UID (52H)");
            once(&mut user.implementation_class_uid, read.uid(item.value)?, 0x52)
        }
        (0x53, _) => once(&mut user.asynchronous_operations_window, window(item)?, 0x53),
        (0x54, _) => push_unique(&mut user.roles, role(item)?, |r| &r.sop_class, 0x54),
        (0x55, _) => once(&mut user.implementation_version_name, item.value.to_vec(), 0x55),
        (0x56, _) => push_unique(&mut user.extended_negotiations, extended(item)?, |e| &e.sop_class, 0x56),
        (0x57, Side::Request) => push_unique(
            &mut user.common_extended_negotiations,
            common_extended(item)?,
            |c| &c.sop_class,
            0x57,
        ),
        (0x58, Side::Request) => once(&mut user.user_identity, user_identity(item)?, 0x58),
        (0x59, Side::Answer) => once(&mut user.user_identity_response, identity_response(item)?, 0x59),
        (item_type, _) => {
            let (reserved, value) = (item.reserved, item.value.to_vec());
            user.opaque.push(OpaqueItem { item_type, reserved, value });
            Ok(())
        }
    }
}

/// A second sub-item of a kind that may be there once would be read one way here and another way upstream.
fn once<T>(slot: &mut Option<T>, value: T, item_type: u8) -> Result<(), Malformed> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Malformed::duplicate(format!("sub-item {item_type:02X}H is there twice"))),
    }
}

fn push_unique<T, K: PartialEq + std::fmt::Display>(
    list: &mut Vec<T>,
    value: T,
    key: impl Fn(&T) -> &K,
    item_type: u8,
) -> Result<(), Malformed> {
    if list.len() >= MOST_OF_A_KIND {
        let what = format!("more than {MOST_OF_A_KIND} sub-items {item_type:02X}H");
        return Err(Malformed::invalid(what));
    }
    if list.iter().any(|other| key(other) == key(&value)) {
        let uid = key(&value);
        return Err(Malformed::duplicate(format!("sub-item {item_type:02X}H is there twice for {uid}")));
    }
    list.push(value);
    Ok(())
}

fn maximum_length(item: &Item<'_>) -> Result<u32, Malformed> {
    let mut read = Reader::new(item.value, "maximum length (51H)");
    let value = u32::from_be_bytes(read.array()?);
    read.finish()?;
    Ok(value)
}

fn window(item: &Item<'_>) -> Result<AsynchronousOperationsWindow, Malformed> {
    let mut read = Reader::new(item.value, "asynchronous operations window (53H)");
    let window = AsynchronousOperationsWindow { invoked: read.u16()?, performed: read.u16()? };
    read.finish()?;
    Ok(window)
}

fn role(item: &Item<'_>) -> Result<RoleSelection, Malformed> {
    let mut read = Reader::new(item.value, "role selection (54H)");
    let uid = read.counted()?;
    let role = RoleSelection { sop_class: read.uid(uid)?, scu: read.u8()?, scp: read.u8()? };
    read.finish()?;
    Ok(role)
}

fn extended(item: &Item<'_>) -> Result<ExtendedNegotiation, Malformed> {
    let mut read = Reader::new(item.value, "SOP class extended negotiation (56H)");
    let uid = read.counted()?;
    Ok(ExtendedNegotiation { sop_class: read.uid(uid)?, information: read.rest().to_vec() })
}

fn common_extended(item: &Item<'_>) -> Result<CommonExtendedNegotiation, Malformed> {
    let mut read = Reader::new(item.value, "SOP class common extended negotiation (57H)");
    let (sop_class, service_class) = (read.counted()?, read.counted()?);
    let (sop_class, service_class) = (read.uid(sop_class)?, read.uid(service_class)?);
    let mut related = Reader::new(read.counted()?, "related general SOP classes (57H)");
    let mut related_general_sop_classes = Vec::new();
    while !related.is_empty() {
        let uid = related.counted()?;
        related_general_sop_classes.push(related.uid(uid)?);
    }
    // What a later version may put behind the list is reserved (PS3.7 Table D.3-12) and has no meaning to carry.
    Ok(CommonExtendedNegotiation {
        version: item.reserved,
        sop_class,
        service_class,
        related_general_sop_classes,
    })
}

fn user_identity(item: &Item<'_>) -> Result<UserIdentity, Malformed> {
    let mut read = Reader::new(item.value, "user identity (58H)");
    let (kind, response) = (read.u8()?, read.u8()?);
    let mut field = || read.counted().map(|field| Zeroizing::new(field.to_vec()));
    let (primary, secondary) = (field()?, field()?);
    read.finish()?;
    Ok(UserIdentity { kind, positive_response_requested: response == 1, primary, secondary })
}

fn identity_response(item: &Item<'_>) -> Result<Vec<u8>, Malformed> {
    let mut read = Reader::new(item.value, "user identity response (59H)");
    let response = read.counted()?.to_vec();
    read.finish()?;
    Ok(response)
}

pub(super) fn encode(user: &UserInformation, out: &mut Vec<u8>) -> Result<(), Malformed> {
    put_item(out, 0x50, |out| {
        if let Some(length) = user.maximum_length {
            put(out, 0x51, &length.to_be_bytes())?;
        }
        if let Some(uid) = &user.implementation_class_uid {
            put(out, 0x52, uid.as_str().as_bytes())?;
        }
        if let Some(window) = user.asynchronous_operations_window {
            put(out, 0x53, &[window.invoked.to_be_bytes(), window.performed.to_be_bytes()].concat())?;
        }
        encode_by_sop_class(user, out)?;
        if let Some(identity) = &user.user_identity {
            encode_identity(identity, out)?;
        }
        if let Some(response) = &user.user_identity_response {
            put_item(out, 0x59, |out| put_counted(out, response))?;
        }
        user.opaque.iter().try_for_each(|item| encode_opaque(item, out))
    })
}

fn encode_by_sop_class(user: &UserInformation, out: &mut Vec<u8>) -> Result<(), Malformed> {
    for role in &user.roles {
        put_item(out, 0x54, |out| {
            put_counted(out, role.sop_class.as_str().as_bytes())?;
            out.extend_from_slice(&[role.scu, role.scp]);
            Ok(())
        })?;
    }
    if let Some(name) = &user.implementation_version_name {
        put(out, 0x55, name)?;
    }
    for extended in &user.extended_negotiations {
        put_item(out, 0x56, |out| {
            put_counted(out, extended.sop_class.as_str().as_bytes())?;
            out.extend_from_slice(&extended.information);
            Ok(())
        })?;
    }
    user.common_extended_negotiations.iter().try_for_each(|common| encode_common_extended(common, out))
}

fn encode_common_extended(common: &CommonExtendedNegotiation, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let at = out.len();
    put_item(out, 0x57, |out| {
        put_counted(out, common.sop_class.as_str().as_bytes())?;
        put_counted(out, common.service_class.as_str().as_bytes())?;
        let mut related = Vec::new();
        for uid in &common.related_general_sop_classes {
            put_counted(&mut related, uid.as_str().as_bytes())?;
        }
        put_counted(out, &related)
    })?;
    set_second_byte(out, at, common.version);
    Ok(())
}

fn encode_identity(identity: &UserIdentity, out: &mut Vec<u8>) -> Result<(), Malformed> {
    put_item(out, 0x58, |out| {
        out.extend_from_slice(&[identity.kind, u8::from(identity.positive_response_requested)]);
        put_counted(out, &identity.primary)?;
        put_counted(out, &identity.secondary)
    })
}

fn encode_opaque(item: &OpaqueItem, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let at = out.len();
    put(out, item.item_type, &item.value)?;
    set_second_byte(out, at, item.reserved);
    Ok(())
}

fn set_second_byte(out: &mut [u8], item_start: usize, value: u8) {
    if let Some(byte) = out.get_mut(item_start + 1) {
        *byte = value;
    }
}
