use std::net::IpAddr;
use std::sync::Arc;

use proptest::prelude::*;
use time::OffsetDateTime;

use crate::policy::query::tests::{allow_more, some_queries};
use crate::policy::*;
use crate::vocabulary::Reason;
use crate::wire::associate::ProposedContext;
use crate::wire::{RawAeTitle, Uid};

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
const SYNTAXES: [&str; 2] = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"];
const NAMES: [&str; 3] = ["one", "two", "three"];

fn role(name: &str, operations: &[Operation], classes: &[&str], syntaxes: &[&str]) -> Role {
    let (mut sop_classes, mut transfer_syntaxes) = (SopClassSet::default(), TransferSyntaxSet::default());
    classes.iter().for_each(|class| sop_classes.add(class).unwrap());
    syntaxes.iter().for_each(|syntax| transfer_syntaxes.add(syntax).unwrap());
    Role {
        name: name.into(),
        line: 1,
        keys: Default::default(),
        operations: operations.to_vec(),
        sop_classes,
        transfer_syntaxes,
        move_destinations: None,
        minimum_tls: None,
        hours: None,
        require: Factors::default(),
        queries: Default::default(),
    }
}

fn everything(name: &str) -> Role {
    role(name, &Operation::ALL, &[CT, FIND], &SYNTAXES)
}

/// One peer with a role of its own, and roles for users.
fn policy(peer: Role, roles: Vec<Role>) -> Policy {
    let peer = Peer {
        name: "lyon".into(),
        line: 1,
        keys: Default::default(),
        listeners: None,
        networks: vec!["10.0.0.0/8".parse().unwrap()],
        calling: vec!["*".parse().unwrap()],
        certificates: None,
        issuers: None,
        called: None,
        role: Arc::new(peer),
        upstream: None,
        rewrite: None,
        tenant: None,
        rewrite_direction: RewriteDirection::Both,
        two_way: false,
        consent: None,
        strip_asynchronous_window: false,
        response_timeout: None,
        max_associations: None,
        associations_per_minute: None,
        operations_per_second: None,
        scope: None,
        bytes_per_second: None,
    };
    Policy::new(
        vec![Arc::new(peer)],
        Vec::new(),
        [("remote".into(), Some("pacs".into()))].into(),
        roles.into_iter().map(|role| (Arc::from(&*role.name), Arc::new(role))).collect(),
    )
}

fn user(roles: &[&str], factors: &[Factor]) -> ProvenUser {
    ProvenUser {
        name: "anna".into(),
        factors: factors.iter().copied().collect(),
        roles: roles.iter().map(|&role| role.into()).collect(),
        peers: Vec::new(),
        ends: None,
    }
}

fn ask(policy: &Policy, user: Option<&ProvenUser>, blocks: &Blocks) -> Result<Grant, Refusal> {
    ask_at(policy, user, blocks, (None, OffsetDateTime::UNIX_EPOCH))
}

/// Over such a TLS, and then.
fn ask_at(
    policy: &Policy,
    user: Option<&ProvenUser>,
    blocks: &Blocks,
    (tls, now): (Option<TlsVersion>, OffsetDateTime),
) -> Result<Grant, Refusal> {
    let title = RawAeTitle(*b"SITE            ");
    let syntaxes: Vec<Uid> = SYNTAXES.iter().map(|uid| uid.parse().unwrap()).collect();
    let context = |(id, class): (u8, &str)| ProposedContext {
        id,
        abstract_syntax: class.parse().unwrap(),
        transfer_syntaxes: syntaxes.clone(),
    };
    let facts = Facts {
        listener: "remote",
        address: IpAddr::from([10, 0, 0, 1]),
        certificate: None,
        tls,
        authorities: &[],
        user,
        calling: &title,
        called: &title,
        contexts: &[(1, CT), (3, FIND)].map(context),
        blocks,
        now,
    };
    match decide(policy, &facts) {
        Verdict::Allow(grant) => Ok(grant),
        Verdict::Refuse(refusal) => Err(refusal),
    }
}

fn refusal(policy: &Policy, user: Option<&ProvenUser>) -> Refusal {
    ask(policy, user, &Blocks::default()).unwrap_err()
}

#[test]
fn a_user_gets_what_both_the_peer_and_one_of_the_roles_allow() {
    use Operation::{CEcho, CFind, CStore};
    let peer = role("site", &[CStore, CFind], &[CT, FIND], &SYNTAXES[..1]);
    let of_user = role("reader", &[CFind, CEcho], &[FIND], &SYNTAXES);
    let policy = policy(peer, vec![of_user]);
    let grant = ask(&policy, Some(&user(&["reader"], &[Factor::Passcode])), &Blocks::default()).unwrap();
    assert_eq!(grant.rights.operations(), [CFind]);
    let stripped = ContextVerdict::Strip(ContextRefusal::SopClass);
    let offered = ContextVerdict::Offer(vec![SYNTAXES[0].parse().unwrap()]);
    assert_eq!(grant.contexts, [(1, stripped), (3, offered)]);
    assert_eq!(grant.rights.named(), "\"site\" and \"reader\" of the user");
}

#[test]
fn who_has_no_role_or_may_not_come_through_the_peer_is_refused_by_name() {
    let policy = policy(everything("site"), vec![everything("reader")]);
    for roles in [&[][..], &["gone"][..]] {
        let refusal = refusal(&policy, Some(&user(roles, &[Factor::Passcode])));
        assert_eq!((refusal.reason, refusal.reason.rejection()), (Reason::UserNotAllowed, Some((1, 2, 1))));
        assert!(refusal.detail.contains("user \"anna\" has no role"), "{}", refusal.detail);
    }
    let elsewhere = ProvenUser { peers: vec!["oslo".into()], ..user(&["reader"], &[Factor::Passcode]) };
    let refusal = refusal(&policy, Some(&elsewhere));
    assert_eq!(refusal.reason, Reason::UserNotAllowed);
    assert!(refusal.detail.contains("through oslo, and not through peer \"lyon\""), "{}", refusal.detail);
    let here = ProvenUser { peers: vec!["oslo".into(), "lyon".into()], ..elsewhere };
    assert!(ask(&policy, Some(&here), &Blocks::default()).is_ok());
}

#[test]
fn the_first_factor_that_is_missing_is_told_with_what_would_prove_it() {
    use Factor::{Certificate, OneTimeCode, Passcode};
    let with = |require: &[Factor]| {
        let require = require.iter().copied().collect();
        policy(Role { require, ..everything("site") }, vec![everything("reader")])
    };
    let proven = |factors: &[Factor]| user(&["reader"], factors);
    for (require, factors, missing) in [
        (&[Passcode][..], None, "requires \"passcode\"; nothing is proven"),
        (&[Passcode, OneTimeCode], Some(&[Passcode][..]), "requires \"one-time-code\"; proven: passcode"),
        (&[Certificate, Passcode], Some(&[Passcode]), "requires \"certificate\"; proven: passcode"),
    ] {
        let user = factors.map(proven);
        let refusal = refusal(&with(require), user.as_ref());
        assert_eq!(refusal.reason, Reason::FactorMissing);
        assert!(refusal.detail.contains(missing), "{}", refusal.detail);
        assert!(refusal.remedy.contains("take"), "{}", refusal.remedy);
    }
    let both = proven(&[Passcode, OneTimeCode]);
    assert!(ask(&with(&[Passcode, OneTimeCode]), Some(&both), &Blocks::default()).is_ok());
}

#[test]
fn a_role_of_the_user_counts_only_with_the_factors_that_it_requires() {
    use Operation::{CEcho, CFind};
    let careful = Role { require: [Factor::OneTimeCode].into_iter().collect(), ..everything("careful") };
    let plain = role("plain", &[CEcho, CFind], &[FIND], &SYNTAXES);
    let policy = policy(everything("site"), vec![careful, plain]);
    let operations = |roles: &[&str], factors: &[Factor]| {
        ask(&policy, Some(&user(roles, factors)), &Blocks::default()).map(|grant| grant.rights.operations())
    };
    let (passcode, both) = (&[Factor::Passcode][..], &[Factor::Passcode, Factor::OneTimeCode][..]);
    assert_eq!(operations(&["careful", "plain"], passcode).unwrap(), [CEcho, CFind]);
    assert_eq!(operations(&["careful", "plain"], both).unwrap(), Operation::ALL);
    assert_eq!(operations(&["careful"], passcode).unwrap_err().reason, Reason::FactorMissing);
}

#[test]
fn a_role_of_the_user_counts_only_in_its_hours_and_over_the_tls_that_it_asks_for() {
    use Operation::{CEcho, CFind};
    let hours = Some(Hours::new(["thu 00:00-12:00 UTC"]).unwrap());
    let safe = Role { hours, minimum_tls: Some(TlsVersion::V1_3), ..everything("safe") };
    let plain = role("plain", &[CEcho, CFind], &[FIND], &SYNTAXES);
    let policy = policy(everything("site"), vec![safe, plain]);
    let ask = |roles: &[&str], tls, hour| {
        let then = OffsetDateTime::UNIX_EPOCH + time::Duration::hours(hour);
        let user = user(roles, &[Factor::Passcode]);
        ask_at(&policy, Some(&user), &Blocks::default(), (tls, then)).map(|grant| grant.rights.operations())
    };
    let (old, new) = (Some(TlsVersion::V1_2), Some(TlsVersion::V1_3));
    // The beginning of time is a Thursday.
    assert_eq!(ask(&["safe"], new, 11).unwrap(), Operation::ALL);
    assert_eq!(ask(&["safe"], new, 12).unwrap_err().reason, Reason::OutsideHours);
    assert_eq!(ask(&["safe"], old, 11).unwrap_err().reason, Reason::TlsTooOld);
    for (tls, hour) in [(new, 12), (old, 11), (None, 11)] {
        assert_eq!(ask(&["safe", "plain"], tls, hour).unwrap(), [CEcho, CFind]);
    }
}

#[test]
fn whose_token_has_ended_may_do_nothing_any_more() {
    let policy = policy(everything("site"), vec![everything("reader")]);
    // The question is asked at the beginning of time.
    let until = |seconds| ProvenUser {
        ends: Some(OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(seconds)),
        ..user(&["reader"], &[Factor::Token])
    };
    assert!(ask(&policy, Some(&until(1)), &Blocks::default()).is_ok());
    let refusal = refusal(&policy, Some(&until(0)));
    assert_eq!((refusal.reason, refusal.reason.rejection()), (Reason::TokenEnded, Some((1, 2, 1))));
    assert_eq!(refusal.detail, "the token of user \"anna\" has ended");
}

#[test]
fn a_block_of_a_user_shuts_out_that_user_alone() {
    let policy = policy(everything("site"), vec![everything("reader")]);
    let block = |of: &str| {
        let of = of.parse().unwrap();
        let (why, by) = ("lost".into(), "bert".into());
        Blocks::new(vec![Block {
            id: 1,
            of,
            until: None,
            why,
            by,
            since: OffsetDateTime::UNIX_EPOCH,
            automatic: false,
        }])
    };
    let anna = user(&["reader"], &[Factor::Passcode]);
    assert_eq!(ask(&policy, Some(&anna), &block("user:anna")).unwrap_err().reason, Reason::Blocked);
    assert!(ask(&policy, Some(&anna), &block("user:bert")).is_ok());
    assert!(ask(&policy, None, &block("user:anna")).is_ok());
}

const TLS: [Option<TlsVersion>; 3] = [None, Some(TlsVersion::V1_2), Some(TlsVersion::V1_3)];
const HOURS: [&str; 2] = ["thu 00:00-12:00 UTC", "mon-sun 06:00-24:00 UTC"];
const DESTINATIONS: [&str; 3] = ["READER", "REST", "OTHER"];

prop_compose! {
    fn some_role(name: &'static str)(
        operations in prop::sample::subsequence(Operation::ALL.to_vec(), 0..=Operation::ALL.len()),
        classes in prop::sample::subsequence(vec![CT, FIND], 0..=2),
        syntaxes in prop::sample::subsequence(SYNTAXES.to_vec(), 0..=2),
        require in prop::sample::subsequence(Factor::ALL.to_vec(), 0..=1),
        queries in some_queries(),
        minimum_tls in prop::sample::select(TLS.to_vec()),
        hours in prop::option::of(prop::sample::select(HOURS.to_vec())),
        destinations in prop::option::of(prop::sample::subsequence(vec!["READER", "RE*", "OTHER"], 0..=2)),
    ) -> Role {
        let require = require.into_iter().collect();
        let hours = hours.map(|text| Hours::new([text]).unwrap());
        let patterns = |all: Vec<&str>| all.into_iter().map(|pattern| pattern.parse().unwrap()).collect();
        let move_destinations = destinations.map(patterns);
        Role { require, queries, minimum_tls, hours, move_destinations, ..role(name, &operations, &classes, &syntaxes) }
    }
}

/// Whether whatever `less` gets, `more` gets too.
fn gets_no_more(less: &Result<Grant, Refusal>, more: &Result<Grant, Refusal>) -> bool {
    let Ok(less) = less else { return true };
    let Ok(more) = more else { return false };
    let offers = |grant: &Grant, at: usize, uid: &Uid| match &grant.contexts[at].1 {
        ContextVerdict::Offer(syntaxes) => syntaxes.contains(uid),
        ContextVerdict::Strip(_) => false,
    };
    let syntaxes: Vec<Uid> = SYNTAXES.iter().map(|uid| uid.parse().unwrap()).collect();
    let contexts =
        (0..2).all(|at| syntaxes.iter().all(|uid| !offers(less, at, uid) || offers(more, at, uid)));
    let permits = |grant: &Grant, operation, direction, class: &Uid, destination| {
        let request = Request {
            operation,
            direction,
            abstract_syntax: class,
            sop_class: None,
            move_destination: (operation == Operation::CMove).then_some(destination),
            retrieving: true,
        };
        grant.rights.permits_request(&request).is_ok()
    };
    let permits_more = |operation, direction, class: &Uid| {
        DESTINATIONS.iter().any(|destination| {
            permits(less, operation, direction, class, *destination)
                && !permits(more, operation, direction, class, destination)
        })
    };
    let permits = |grant, operation, direction, class: &Uid| {
        DESTINATIONS.iter().any(|destination| permits(grant, operation, direction, class, *destination))
    };
    // Neither of queries: of them, and of their answers.
    let asks_more = |operation, direction, class: &Uid| {
        let request = Request {
            operation,
            direction,
            abstract_syntax: class,
            sop_class: None,
            move_destination: Some("READER"),
            retrieving: true,
        };
        allow_more(&less.rights, &more.rights, &request)
    };
    let classes: [Uid; 2] = [CT, FIND].map(|class| class.parse().unwrap());
    contexts
        && Operation::ALL.into_iter().all(|operation| {
            [Direction::FromPeer, Direction::ToPeer].into_iter().all(|direction| {
                classes.iter().all(|class| {
                    !permits(less, operation, direction, class)
                        || !permits_more(operation, direction, class)
                            && !asks_more(operation, direction, class)
                })
            })
        })
}

proptest! {
    #[test]
    fn a_user_never_gets_more_than_the_peer_alone_nor_more_by_losing_a_role_or_a_factor(
        of_peer in some_role("site"),
        roles in (some_role("one"), some_role("two"), some_role("three")),
        had in prop::sample::subsequence(NAMES.to_vec(), 0..=3),
        taken in 0_usize..3,
        factors in prop::sample::subsequence(Factor::ALL.to_vec(), 0..=Factor::ALL.len()),
        came in prop::sample::select(TLS.to_vec()),
        hour in 0_i64..48,
    ) {
        let then = (came, OffsetDateTime::UNIX_EPOCH + time::Duration::hours(hour));
        let ask = |policy: &Policy, user: Option<&ProvenUser>, blocks: &Blocks| ask_at(policy, user, blocks, then);
        let nothing_required = Role { require: Factors::default(), ..of_peer.clone() };
        let roles = vec![roles.0, roles.1, roles.2];
        let (policy, lax) = (policy(of_peer, roles.clone()), policy(nothing_required, roles));
        let blocks = Blocks::default();
        let whole = user(&had, &factors);
        let granted = ask(&policy, Some(&whole), &blocks);
        // What the peer requires may be what only a user proves, so that it is compared with a peer that requires nothing.
        prop_assert!(gets_no_more(&granted, &ask(&lax, None, &blocks)));
        let mut without = whole.clone();
        if taken < without.roles.len() {
            without.roles.remove(taken);
        }
        prop_assert!(gets_no_more(&ask(&policy, Some(&without), &blocks), &granted));
        prop_assert!(gets_no_more(&ask_at(&policy, Some(&whole), &blocks, (None, then.1)), &granted));
        let weaker = ProvenUser { factors: Factors::default(), ..whole };
        prop_assert!(gets_no_more(&ask(&policy, Some(&weaker), &blocks), &granted));
    }
}
