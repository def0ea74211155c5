use super::{Contexts, MOST_SYNTAXES, OfUpstream, Role, Roles};
use crate::wire::associate::*;
use crate::wire::{RawAeTitle, Uid};

fn uid(text: &str) -> Uid {
    text.parse().unwrap()
}

fn proposed(id: u8, class: &str, syntaxes: &[&str]) -> ProposedContext {
    let transfer_syntaxes = syntaxes.iter().map(|syntax| uid(syntax)).collect();
    ProposedContext { id, abstract_syntax: uid(class), transfer_syntaxes }
}

fn request(contexts: Vec<ProposedContext>, roles: Vec<RoleSelection>) -> AssociateRq {
    let title = RawAeTitle(*b"PACS            ");
    let user = UserInformation { roles, ..UserInformation::default() };
    let application_context = uid(APPLICATION_CONTEXT);
    AssociateRq {
        protocol_version: 1,
        called: title,
        calling: title,
        reserved: [0; 32],
        application_context,
        contexts,
        user,
    }
}

fn answer(contexts: &[(u8, ContextResult)], roles: Vec<RoleSelection>) -> AssociateAc {
    let AssociateRq { called, calling, reserved, application_context, user, .. } = request(Vec::new(), roles);
    let answered = |(id, result): &(u8, ContextResult)| AnsweredContext {
        id: *id,
        result: *result,
        transfer_syntax: Some(uid("1.2.840.10008.1.2")),
    };
    let contexts = contexts.iter().map(answered).collect();
    AssociateAc { protocol_version: 1, called, calling, reserved, application_context, contexts, user }
}

fn role(scu: u8, scp: u8) -> RoleSelection {
    RoleSelection { sop_class: uid("1.2.1"), scu, scp }
}

#[test]
fn each_context_has_what_was_proposed_and_both_answers() {
    use ContextResult::{Acceptance, NoReason, TransferSyntaxesNotSupported, UserRejection};
    let implicit = "1.2.840.10008.1.2";
    let all = [("1.2.1", 1), ("1.2.3", 3), ("1.2.5", 5), ("1.2.7", 7)];
    let contexts: Vec<_> =
        all.iter().map(|(class, id)| proposed(*id, class, &[implicit, "1.2.9", implicit])).collect();
    let requested = request(contexts.clone(), vec![role(0, 1)]);
    let offered = request(contexts.into_iter().filter(|one| one.id != 3).collect(), vec![role(0, 1)]);
    let answered = answer(&[(1, Acceptance), (5, TransferSyntaxesNotSupported)], vec![role(0, 1)]);
    let got = [(1, Acceptance), (3, UserRejection), (5, TransferSyntaxesNotSupported), (7, NoReason)];
    let kept = Contexts::of([&requested, &offered], [&answered, &answer(&got, vec![role(0, 1)])]);
    let told: Vec<_> = kept.iter().map(|one| (one.id, one.upstream, one.requestor)).collect();
    let answered = |result| OfUpstream::Answered(result);
    assert_eq!(
        told,
        [
            (1, answered(Acceptance), Acceptance),
            (3, OfUpstream::NotOffered, UserRejection),
            (5, answered(TransferSyntaxesNotSupported), TransferSyntaxesNotSupported),
            (7, OfUpstream::NotAnswered, NoReason),
        ]
    );
    let [first, second, ..] = &*kept.all else { panic!("four contexts") };
    assert_eq!(kept.proposed(first).map(Uid::as_str).collect::<Vec<_>>(), [implicit, "1.2.9"]);
    assert_eq!((&first.transfer_syntax, &second.transfer_syntax), (&Some(uid(implicit)), &None));
    let scp = Role { scu: false, scp: true };
    assert_eq!(first.roles, Some(Roles { proposed: scp, answered: Some(scp) }));
    assert_eq!(second.roles, None);
}

#[test]
fn whatever_is_proposed_what_is_kept_is_small() {
    let syntaxes: Vec<_> = (0..1000).map(|number| format!("1.2.840.{number}")).collect();
    let syntaxes: Vec<_> = syntaxes.iter().map(String::as_str).collect();
    let contexts = (0..128).map(|number| proposed(number * 2 + 1, "1.2.1", &syntaxes)).collect();
    let requested = request(contexts, Vec::new());
    let got: Vec<_> = (0..128).map(|number| (number * 2 + 1, ContextResult::Acceptance)).collect();
    let got = answer(&got, Vec::new());
    let kept = Contexts::of([&requested, &requested], [&got, &got]);
    assert_eq!((kept.syntaxes.len(), kept.all.len()), (MOST_SYNTAXES, 128));
    assert!(kept.iter().all(|one| one.left_out == 936 && one.proposed.len() == MOST_SYNTAXES));
    assert!(size_of::<super::Context>() <= 72, "{}", size_of::<super::Context>());
}
