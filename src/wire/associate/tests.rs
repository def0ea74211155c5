use super::*;
use crate::wire::AbortReason;
use proptest::prelude::*;

fn uid(text: &str) -> Uid {
    text.parse().unwrap()
}

fn request() -> AssociateRq {
    AssociateRq {
        protocol_version: 1,
        called: RawAeTitle(*b"PACS            "),
        calling: RawAeTitle(*b" CT             "),
        reserved: [7; 32],
        application_context: uid(APPLICATION_CONTEXT),
        contexts: vec![
            ProposedContext {
                id: 1,
                abstract_syntax: uid("1.2.3"),
                transfer_syntaxes: vec![uid("1.2.840.10008.1.2")],
            },
            ProposedContext {
                id: 255,
                abstract_syntax: uid("1.2.3"),
                transfer_syntaxes: vec![uid("9.9"), uid("8.8")],
            },
        ],
        user: UserInformation {
            maximum_length: Some(0),
            implementation_class_uid: Some(uid("1.2.276.0")),
            implementation_version_name: Some(b"OLD_MODALITY".to_vec()),
            asynchronous_operations_window: Some(AsynchronousOperationsWindow { invoked: 0, performed: 3 }),
            roles: vec![RoleSelection { sop_class: uid("1.2.3"), scu: 0, scp: 1 }],
            extended_negotiations: vec![ExtendedNegotiation {
                sop_class: uid("1.2.3"),
                information: vec![1, 0, 1],
            }],
            common_extended_negotiations: vec![CommonExtendedNegotiation {
                version: 0,
                sop_class: uid("1.2.3"),
                service_class: uid("1.2.840.10008.4.2"),
                related_general_sop_classes: vec![uid("1.4"), uid("1.5")],
            }],
            user_identity: Some(UserIdentity {
                kind: 2,
                positive_response_requested: true,
                primary: b"anna".to_vec().into(),
                secondary: b"secret".to_vec().into(),
            }),
            user_identity_response: None,
            opaque: vec![OpaqueItem { item_type: 0x5a, reserved: 3, value: vec![1, 2, 3] }],
        },
    }
}

#[test]
fn a_request_reads_back_as_it_was_written() {
    let bytes = request().encode().unwrap();
    assert_eq!(bytes[0], 1);
    assert_eq!(u32::from_be_bytes(bytes[2..6].try_into().unwrap()) as usize, bytes.len() - 6);
    assert_eq!(AssociateRq::decode(&bytes[6..]).unwrap(), request());
}

#[test]
fn an_answer_reads_back_and_a_refused_context_has_no_transfer_syntax() {
    let rq = request();
    let mut user = rq.user;
    (user.common_extended_negotiations, user.user_identity) = (Vec::new(), None);
    user.user_identity_response = Some(Vec::new());
    let accepted = AnsweredContext {
        id: 1,
        result: ContextResult::Acceptance,
        transfer_syntax: Some(uid("1.2.840.10008.1.2")),
    };
    let refused = AnsweredContext {
        id: 255,
        result: ContextResult::AbstractSyntaxNotSupported,
        transfer_syntax: Some(uid("9.9")),
    };
    let ac = AssociateAc {
        protocol_version: 1,
        called: rq.called,
        calling: rq.calling,
        reserved: rq.reserved,
        application_context: rq.application_context,
        contexts: vec![accepted, refused],
        user,
    };
    let mut expected = ac.clone();
    expected.contexts[1].transfer_syntax = None;
    assert_eq!(AssociateAc::decode(&ac.encode().unwrap()[6..]).unwrap(), expected);
}

#[test]
fn unknown_top_level_items_are_ignored_and_unknown_sub_items_kept() {
    let mut bytes = request().encode().unwrap();
    bytes.extend_from_slice(&[0x77, 0, 0, 2, 9, 9]);
    let read = AssociateRq::decode(&bytes[6..]).unwrap();
    assert_eq!(read, request());
    assert_eq!(read.user.opaque.len(), 1);
}

#[test]
fn whatever_two_readers_could_read_differently_is_refused() {
    let contexts: [fn(&mut AssociateRq); 4] = [
        |rq| rq.contexts[1].id = 1,
        |rq| rq.contexts[1].id = 2,
        |rq| rq.contexts.clear(),
        |rq| rq.contexts[0].transfer_syntaxes.clear(),
    ];
    for change in contexts {
        let mut rq = request();
        change(&mut rq);
        assert!(AssociateRq::decode(&rq.encode().unwrap()[6..]).is_err());
    }
    let mut twice = request().encode().unwrap();
    let user = {
        let mut out = Vec::new();
        super::user_information::encode(&request().user, &mut out).unwrap();
        out
    };
    twice.extend_from_slice(&user);
    let error = AssociateRq::decode(&twice[6..]).unwrap_err();
    assert_eq!(error.reason, AbortReason::UnexpectedParameter, "{error}");
}

#[test]
fn inner_lengths_longer_than_the_outer_item_are_refused() {
    let mut bytes = request().encode().unwrap();
    let at = bytes.windows(4).position(|w| w[0] == 0x56 && w[1] == 0 && w[2] == 0).unwrap();
    bytes[at + 4..at + 6].copy_from_slice(&[0xff, 0xff]);
    let error = AssociateRq::decode(&bytes[6..]).unwrap_err();
    assert_eq!(error.reason, AbortReason::InvalidParameterValue);
    assert!(error.to_string().contains("56H"), "{error}");
}

#[test]
fn sub_items_without_end_are_refused_before_they_cost_anything() {
    let mut rq = request();
    let role = |n: usize| RoleSelection { sop_class: uid(&format!("1.{n}")), scu: 1, scp: 0 };
    rq.user.roles = (0..512).map(role).collect();
    assert!(AssociateRq::decode(&rq.encode().unwrap()[6..]).is_ok());
    rq.user.roles.push(role(512));
    let error = AssociateRq::decode(&rq.encode().unwrap()[6..]).unwrap_err();
    assert!(error.to_string().contains("54H"), "{error}");
}

#[test]
fn a_user_identity_is_never_shown() {
    let shown = format!("{:?}", request());
    assert!(!shown.contains("secret") && !shown.contains("anna"), "{shown}");
}

proptest! {
    #[test]
    fn a_changed_byte_never_panics(at in 0usize..400, value: u8, cut in 0usize..400) {
        let mut bytes = request().encode().unwrap();
        let last = bytes.len() - 1;
        bytes[at.min(last)] = value;
        let _ = AssociateRq::decode(&bytes[6..]);
        let _ = AssociateRq::decode(&bytes[6..cut.clamp(6, last)]);
        let _ = AssociateAc::decode(&bytes[6..cut.clamp(6, last)]);
    }
}
