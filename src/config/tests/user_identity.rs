//! `user-identity` of listeners and upstreams, `require` of roles, and the roles of users.

use super::material::{GOOD, Material};
use crate::config::{ForwardedIdentity, UserIdentity};
use crate::policy::Factor;
use crate::users::{Hash, Store, User};

const USERS: &str = "[users]\nfile = \"conf/people.toml\"\n";

fn material(roles: &[&str]) -> Material {
    let material = Material::new();
    let user = User {
        name: "anna".into(),
        hash: Hash::of("seven quiet herons").unwrap(),
        one_time: None,
        roles: roles.iter().map(|&role| role.into()).collect(),
        not_after: None,
        disabled: true,
        peers: Vec::new(),
    };
    Store::new(&material.path("conf/people.toml")).add(user).unwrap();
    material
}

/// With more keys of the listener, of the upstream and of the role.
fn with([listener, upstream, role]: [&str; 3], more: &str) -> String {
    let behind =
        |text: String, header: &str, keys: &str| text.replacen(header, &format!("{header}\n{keys}"), 1);
    let text = behind(GOOD.into(), "[[listener]]", listener);
    let text = behind(text, "[[upstream]]", upstream);
    format!("{}{more}", behind(text, "[[role]]", role))
}

#[test]
fn passcodes_in_clear_and_users_that_are_nowhere_are_errors() {
    let material = material(&["r"]);
    let errors = |listener: &str, more: &str| material.errors(&with([listener, "", ""], more));
    let accept = "user-identity = \"accept\"";
    let told = errors(accept, USERS);
    assert!(told.len() == 1 && told[0].contains("would have passcodes sent in clear"), "{told:?}");
    let told = errors(&format!("{accept}\nuser-identity-in-clear = true"), "");
    assert!(told.len() == 1 && told[0].contains("checks users, and there are none, add [users]"), "{told:?}");
    let told = errors("user-identity = \"accpet\"", USERS);
    assert!(told.len() == 1 && told[0].contains("did you mean \"accept\"?"), "{told:?}");
    assert_eq!(errors(&format!("{accept}\nuser-identity-in-clear = true"), USERS), Vec::<String>::new());
}

#[test]
fn what_is_allowed_and_risky_is_said() {
    let material = material(&["r", "operator"]);
    let risks = |keys: [&str; 3], more: &str| material.risks(&with(keys, more));
    let in_clear = "user-identity = \"require\"\nuser-identity-in-clear = true";
    let told = risks([in_clear, "", "require = [\"passcode\", \"one-time-code\"]"], USERS);
    assert!(told.len() == 1 && told[0].contains("lets everybody on the way read passcodes"), "{told:?}");
    let told = risks(["user-identity-in-clear = true", "", ""], USERS);
    assert!(told.len() == 1 && told[0].contains("has no effect: no passcode is read here"), "{told:?}");
    for factor in Factor::ALL {
        let require = format!("require = [\"{factor}\"]");
        let told = risks(["", "", &require], USERS);
        assert!(
            told.len() == 1 && told[0].contains(&format!("requires \"{factor}\", which none")),
            "{told:?}"
        );
    }
    let named = GOOD.replace("\"r\"", "\"operator\"");
    let told = material.risks(&format!("{named}{USERS}"));
    assert!(told.iter().any(|risk| risk.contains("no user can have it")), "{told:?}");
    assert!(
        told.iter().any(|risk| risk.contains("\"anna\": has a role that no [[role]] is called")),
        "{told:?}"
    );
}

#[test]
fn a_scope_before_an_upstream_that_gets_the_user_from_the_peer_is_risky() {
    let material = material(&["r"]);
    let told = |upstream: &str, peer: &str, more: &str| {
        let text = with(["", upstream, ""], more).replacen("[[peer]]", &format!("[[peer]]\n{peer}"), 1);
        let risks = material.risks(&text);
        risks.into_iter().filter(|risk| risk.contains("look-ups name no user")).count()
    };
    let scope = "scope = [{ tag = \"IssuerOfPatientID\", equals = [\"LYON\"] }]";
    let other = "[[upstream]]\nname = \"o\"\naddresses = [\"10.0.0.6:104\"]\nuser-identity = \"pass\"\n";
    let route = "[[route]]\ncalled-ae-title = \"O\"\nupstream = \"o\"\n";
    let (pass, replace) = ("user-identity = \"pass\"", "user-identity = \"replace\"");
    assert_eq!([told(pass, scope, ""), told(pass, "", "")], [1, 0]);
    assert_eq!([told(replace, scope, ""), told("", scope, "")], [0, 0]);
    assert_eq!([told("", scope, other), told("", scope, &format!("{other}{route}"))], [0, 1]);
    let own = |name: &str| format!("{scope}\nupstream = \"{name}\"");
    assert_eq!([told("", &own("o"), other), told(pass, &own("o"), &other.replace("pass", "strip"))], [1, 0]);
}

#[test]
fn a_role_that_only_a_user_has_is_used() {
    let material = material(&["mine"]);
    let role = "[[role]]\nname = \"mine\"\noperations = [\"C-STORE\"]\nsop-classes = [\"storage\"]\n";
    assert_eq!(material.risks(&format!("{GOOD}{role}{USERS}")), Vec::<String>::new());
}

#[test]
fn every_value_of_a_listener_and_of_an_upstream_is_known() {
    let material = material(&["r"]);
    for (value, expected) in [
        ("ignore", UserIdentity::Ignore),
        ("accept", UserIdentity::Accept),
        ("require", UserIdentity::Require),
    ] {
        let listener = format!("user-identity = \"{value}\"\nuser-identity-in-clear = true");
        let text = with([&listener, "user-identity = \"replace\"", ""], USERS);
        let settings = material.compile(&text).unwrap().settings;
        assert_eq!(settings.listeners[0].user_identity, expected);
        assert!(settings.upstreams.values().all(|one| one.user_identity == ForwardedIdentity::Replace));
    }
}

#[test]
fn a_ticket_that_is_let_through_for_nothing_or_in_clear_is_risky() {
    let material = material(&["r"]);
    let pass = "user-identity = \"pass\"";
    let told = |listens: &str, upstream: &str| {
        let listener = format!(
            "user-identity = \"{listens}\"\nuser-identity-in-clear = true\nuser-identity-pass = [\"kerberos\", \"saml\"]"
        );
        let risks = material.risks(&with([&listener, upstream, ""], USERS));
        risks.into_iter().filter(|risk| risk.contains("user-identity-pass")).collect::<Vec<_>>()
    };
    let says = |told: Vec<String>, what: &str| {
        assert!(told.len() == 1 && told[0].contains(what), "{what}: {told:?}")
    };
    says(told("ignore", pass), "has no effect: nobody looks");
    says(told("require", pass), "has no effect: what nobody checks proves nothing");
    says(told("accept", ""), "no upstream behind it has user-identity = \"pass\"");
    says(told("accept", pass), "goes on in clear: upstream");
    let material = &material;
    let listener =
        "user-identity = \"accept\"\nuser-identity-in-clear = true\nuser-identity-pass = [\"saml\"]";
    let text = with([listener, pass, ""], USERS);
    let settings = material.compile(&text).unwrap().settings;
    let passes = |kind| settings.listeners[0].passes(kind);
    assert_eq!([1, 2, 3, 4, 5].map(passes), [false, false, false, true, false]);
    let told = material.errors(&text.replace("[\"saml\"]", "[\"smal\"]"));
    assert!(told.len() == 1 && told[0].contains("did you mean \"saml\"?"), "{told:?}");
}

#[test]
fn claims_are_told_of_where_their_peers_are_led_and_nowhere_else() {
    let material = material(&["r"]);
    let listener =
        "user-identity = \"accept\"\nuser-identity-in-clear = true\nuser-identity-pass = [\"saml\"]";
    let here = "[[upstream]]\nname = \"here\"\naddresses = [\"127.0.0.1:104\"]\nuser-identity = \"pass\"\n";
    let told = |peer: &str, more: &str| {
        let text = with([listener, "user-identity = \"pass\"", ""], &format!("{USERS}{here}{more}"));
        let risks = material.risks(&text.replacen("[[peer]]", &format!("[[peer]]\n{peer}"), 1));
        risks.into_iter().filter(|risk| risk.contains("user-identity-pass")).collect::<Vec<_>>()
    };
    let in_clear = |told: Vec<String>| {
        told.len() == 1 && told[0].contains("goes on in clear: upstream \"u\" has no TLS")
    };
    let route = "[[route]]\ncalled-ae-title = \"X\"\nupstream = \"u\"\n";
    // The default of the listener is for a peer that has no upstream of its own, and so are routes.
    assert!(in_clear(told("", "")));
    assert_eq!(told("upstream = \"here\"", ""), Vec::<String>::new());
    assert_eq!(told("upstream = \"here\"", route), Vec::<String>::new());
    let other = "[[peer]]\nname = \"other\"\nnetworks = [\"10.0.0.0/8\"]\ncalling-ae-titles = [\"O\"]\nrole = \"r\"\n";
    assert!(in_clear(told("upstream = \"here\"", other)));
    assert!(in_clear(told("upstream = \"here\"", &format!("{other}upstream = \"u\"\n"))));
}

#[test]
fn what_a_counted_role_of_a_user_refuses_and_another_one_does_not_free_is_told() {
    const COUNTED: &str = "[[role]]\nname = \"few\"\noperations = [\"C-FIND\", \"N-DELETE\", \"N-SET\"]\nsop-classes = [\"all\"]\n\
                           max-patients-per-day = 5\n";
    let told = |roles: &[&str], more: &str| {
        let material = material(roles);
        let risks = material.risks(&format!("{GOOD}{COUNTED}{more}{USERS}"));
        risks
            .into_iter()
            .filter(|risk| risk.contains("\"anna\"") && risk.contains("role"))
            .collect::<Vec<_>>()
    };
    let other = |keys: &str, operations: &str| {
        format!("[[role]]\nname = \"open\"\noperations = [{operations}]\nsop-classes = [\"all\"]\n{keys}\n")
    };
    let alone = told(&["few"], "");
    assert!(
        alone.len() == 1 && alone[0].contains("few") && alone[0].contains("max-patients-per-day"),
        "{alone:?}"
    );
    assert!(alone[0].contains("by which N-SET, N-DELETE, C-FIND of worklists cannot be judged"), "{alone:?}");
    let both = told(&["few", "open"], &other("", "\"C-FIND\", \"N-DELETE\""));
    assert!(both.len() == 1 && both[0].contains("by which N-SET cannot be judged"), "{both:?}");
    assert_eq!(told(&["few", "open"], &other("", "\"all\"")), Vec::<String>::new());
    for keys in ["query-levels = [\"STUDY\"]", "query-keys = [\"PatientID\"]", "hide = [\"PatientName\"]"] {
        let judged = told(&["few", "open"], &other(keys, "\"all\""));
        assert!(judged.len() == 1 && judged[0].contains("are counted all the same"), "{keys}: {judged:?}");
    }
    assert_eq!(told(&["open"], &other("hide = [\"PatientName\"]", "\"all\"")), Vec::<String>::new());
}
