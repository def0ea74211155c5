//! Inside the big rooms too, arrows point down only: each module stands on a floor, and names what lies below it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::LazyLock;

use super::names::{Paths, absolute, module_of, paths_of};
use super::{code_of, source_folder, sources, text_of};

/// Folders of src/, each with its modules from the ground up. Those of one floor do not name each other; `mod` is what
/// mod.rs itself declares. A new module goes where what it names is below it, and what names it above.
const FLOORS: [(&str, &[&[&str]]); 14] = [
    (
        "rewrite",
        &[
            &[
                "change",
                "character_set",
                "correspondence",
                "creator",
                "decay",
                "dummy",
                "error",
                "fitting",
                "instances",
                "keyed",
                "output",
                "patient_id",
                "regular",
                "schedule",
                "subject",
                "suggest",
                "value",
                "way",
            ],
            &[
                "dates",
                "instance",
                "levels",
                "mode",
                "pixels",
                "planting",
                "restored",
                "scope",
                "tag_pattern",
                "template",
                "words",
            ],
            &["action", "identifiers", "notes", "pseudonyms", "step"],
            &["facts", "rule"],
            &["owner", "profile"],
            &["applying", "lookahead", "spec", "table"],
            &["boundary", "canary", "compile", "current", "statement", "versions"],
            &["rewriting"],
            &["deflated"],
            &["transform"],
        ],
    ),
    (
        "rewrite/words",
        &[
            &["endings", "fold", "marks", "number", "pieces", "sense"],
            &["shipped", "text"],
            &["site"],
            &["vocabulary"],
            &["parts"],
            &["judging"],
            &["cleaning"],
        ],
    ),
    ("rewrite/applying", &[&["filling", "outcome"], &["each"], &["back", "forward"], &["keys"]]),
    (
        "rewrite/pixels",
        &[
            &["frames", "overlay", "rectangle", "shape", "tags", "wanted"],
            &["area", "extent", "jpeg", "jpeg2000", "regions", "rle"],
            &["memory"],
            &["asides", "description"],
            &["layout", "mask"],
            &["codec", "known_devices"],
            &["decoding", "picture"],
            &["blanking"],
            &["masking"],
        ],
    ),
    (
        "rewrite/profile",
        &[
            &["beyond", "burned_in", "declared", "method", "option", "references", "rows", "signs"],
            &["attributes", "concepts", "safe_private", "spec"],
            &["content", "fit", "policy"],
            &["decision"],
            &["compile"],
        ],
    ),
    (
        "relay",
        &[
            &["in_turn"],
            &[
                "asking",
                "caught",
                "counting",
                "decoding",
                "identified",
                "ids",
                "leg",
                "live",
                "people",
                "proof",
                "proving",
                "proxy_protocol",
                "refusals",
                "repeated",
                "seldom",
                "slots",
                "tokens",
            ],
            &["alarm", "assumed", "borne", "handshake", "machine", "proxy_header", "recent"],
            &["associate", "consenting", "parting", "upstream"],
            &["in_force", "looking_up"],
            &["brought"],
            &["gate"],
            &["drive", "judging"],
            &["arrival"],
            &["early", "threshold", "traced"],
            &["established"],
            &["records"],
            &["farewell"],
            &["opened"],
            &["handed_on", "nothing_allowed", "user_identity"],
            &["entrance"],
            &["session"],
            &["listener", "verification"],
            &["listeners"],
        ],
    ),
    (
        "relay/machine",
        &[
            &["answer", "ended", "outlet", "progress", "tally"],
            &["deadlines", "granted", "release", "terms"],
            &["exchange"],
            &["books"],
            &["want"],
            &["desk"],
            &[
                "admitted",
                "as_it_came",
                "command_set",
                "compared",
                "consented",
                "crossing",
                "examined",
                "passage",
                "queried",
                "request",
                "response",
                "rewritten",
                "scoped",
                "state",
                "stepping",
                "swallowed",
            ],
            &["half"],
            &["mod"],
            &["played"],
        ],
    ),
    (
        "relay/upstream",
        &[
            &["breaker", "lookup", "not_reached", "shown"],
            &["answer", "entry"],
            &["book"],
            &["standing"],
            &["place"],
            &["checks", "mod", "names"],
            &["dial", "keeping"],
        ],
    ),
    (
        "dataset",
        &[
            &["encoding", "error", "mod", "unnamed", "vr"],
            &["characters", "dictionary", "inflating"],
            &["header", "tolerated"],
            &["scanner"],
            &["mending"],
            &["identifier", "names", "observer", "small"],
            &["keys"],
        ],
    ),
    (
        "policy",
        &[
            &[
                "ae_pattern",
                "factors",
                "hours",
                "one_site",
                "operation",
                "sop_class",
                "stated",
                "tls_version",
            ],
            &["proven", "request", "scope"],
            &["query"],
            &["role"],
            &["answers", "border", "covers"],
            &["peer"],
            &["index", "refusal", "rights"],
            &["block", "routing"],
            &["facts"],
            &["admission"],
            &["user"],
            &["decide"],
            &["comparison", "limits", "treatment"],
            &["repeated"],
        ],
    ),
    (
        "admin",
        &[
            &["begun", "client", "groups", "reports", "seen", "sessions", "streams"],
            &["access"],
            &["credential", "record"],
            &["known", "mod"],
            &["asking", "may", "page"],
            &["guard"],
            &["api"],
        ],
    ),
    (
        "audit",
        &[
            &["days", "hold", "inbox", "regular", "reserve", "room", "tap"],
            &["line_hash", "reviewers", "signing"],
            &["files"],
            &["file", "json", "lines"],
            &["record"],
            &["head", "link", "messages", "reading", "settings"],
            &["chain"],
            &["clock", "closing", "gathering", "marker"],
            &["queue", "survey", "unsent", "verify"],
            &["export", "keeper", "recovery", "used"],
            &["end", "forward", "lock"],
            &["writer"],
            &["sink"],
        ],
    ),
    (
        "config",
        &[
            &["diagnostic", "keys", "places", "shadow", "shape", "share", "suggest"],
            &["report", "settings"],
            &["addresses", "folder", "secret", "spelling", "units"],
            &["section", "syntax"],
            &["admission", "descriptors", "mask", "metrics", "names", "secrets", "tls", "url", "words"],
            &["automatic_blocks", "crosswalk", "limits", "upstream", "user_identity"],
            &["listener", "notify", "policy", "queries", "repository", "rewrite", "shown"],
            &["role"],
            &["audit", "certificates", "loops", "scope", "two_way"],
            &["consent", "counted", "factors", "issuer", "sharing"],
            &["peer"],
            &["admin", "agreement", "claims", "users"],
            &["backup"],
            &["compiling"],
            &["tenants"],
            &["load"],
            &["part"],
        ],
    ),
    (
        "tls",
        &[
            &["authority", "end", "hello", "in_place", "protocol", "recent", "settings"],
            &["facts", "verified"],
            &["unfit"],
            &["error", "refusal"],
            &["handshake", "material"],
            &["trust"],
            &["private_key", "session", "show", "stream"],
            &["config", "inspect"],
            &["offered"],
            &["common"],
        ],
    ),
];

/// Modules that name each other in a circle, and stand on one floor all the same. None is to come in here, only to go.
///
/// What is left are the states of a message: a state that consumes itself names those that it leads to, and a message ends
/// where the next one begins. Without names of each other they would have to say what comes next in words that somebody turns
/// into states again, and whether each is a state that can follow would no longer be the compiler's to check.
const CIRCLES: [(&str, &[&str]); 1] = [(
    "relay/machine",
    &[
        "admitted",
        "as_it_came",
        "command_set",
        "compared",
        "consented",
        "crossing",
        "examined",
        "passage",
        "queried",
        "request",
        "response",
        "rewritten",
        "scoped",
        "state",
        "stepping",
        "swallowed",
    ],
)];

/// Which module of a folder names which.
type Arrows = BTreeSet<(String, String)>;

#[test]
fn inside_the_big_rooms_every_module_names_only_what_lies_below_it() {
    let mut wrong = Vec::new();
    for (folder, floors) in FLOORS {
        let arrows = arrows_in(folder);
        let floor_of = |module: &str| floors.iter().position(|floor| floor.contains(&module));
        let declared = arrows.iter().any(|(_, to)| to == "mod").then(|| "mod".to_owned());
        let modules = modules_of(&segments_of(folder)).into_iter().chain(declared);
        for module in modules.filter(|module| floor_of(module).is_none()) {
            let above: Vec<_> = arrows.iter().filter(|(_, to)| *to == module).map(|(from, _)| from).collect();
            let below: Vec<_> = arrows.iter().filter(|(from, _)| *from == module).map(|(_, to)| to).collect();
            wrong.push(format!("{folder}/{module} is on no floor: above {below:?}, below {above:?}"));
        }
        let is_circle = |(from, to): &(String, String)| {
            let both = |names: &[&str]| names.contains(&from.as_str()) && names.contains(&to.as_str());
            CIRCLES.iter().any(|(of, names)| *of == folder && both(names))
        };
        let upward = arrows
            .iter()
            .filter(|arrow| !is_circle(arrow))
            .filter(|(from, to)| floor_of(from).zip(floor_of(to)).is_some_and(|(from, to)| from <= to));
        wrong.extend(upward.map(|(from, to)| format!("{folder}/{from} names {to}, which is not below it")));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_circle_that_is_listed_is_one_and_every_module_on_a_floor_is_there() {
    for (folder, names) in CIRCLES {
        let arrows = arrows_in(folder);
        for from in names {
            let reached = reached(from, names, &arrows);
            assert!(names.iter().all(|name| reached.contains(name)), "{folder}: {from} is in no such circle");
        }
    }
    for (folder, floors) in FLOORS {
        let listed: BTreeSet<String> =
            floors.iter().flat_map(|floor| floor.iter()).map(|name| (*name).to_owned()).collect();
        let there = modules_of(&segments_of(folder));
        assert!(listed.iter().all(|name| name == "mod" || there.contains(name)), "{folder}: {listed:?}");
    }
}

#[test]
fn the_documentation_of_a_rewrite_has_its_floors() {
    let text = text_of(&source_folder().join("rewrite/mod.rs"));
    let rows =
        text.lines().filter_map(|line| line.strip_prefix("//! | ")?.strip_suffix(" |")?.split_once(" | `"));
    let told: Vec<BTreeSet<&str>> =
        rows.map(|(_, modules)| modules.split(", ").map(|name| name.trim_matches('`')).collect()).collect();
    let (_, floors) = FLOORS[0];
    assert_eq!(told, floors.iter().map(|floor| floor.iter().copied().collect()).collect::<Vec<_>>());
}

/// What can be reached from a module within some modules, itself only where a circle leads back.
fn reached<'a>(from: &'a str, within: &[&'a str], arrows: &Arrows) -> BTreeSet<&'a str> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(from) = open.pop() {
        for to in within.iter().filter(|to| arrows.contains(&(from.to_owned(), (**to).to_owned()))) {
            if found.insert(*to) {
                open.push(to);
            }
        }
    }
    found
}

/// The path of each module of the crate, with the paths that it names.
static NAMED: LazyLock<Vec<(Vec<String>, Paths)>> = LazyLock::new(|| {
    let named = |file: PathBuf| (module_of(&file), paths_of(&code_of(&text_of(&file))));
    sources().into_iter().map(named).collect()
});

/// Modules of a folder, in files or folders of their own.
fn modules_of(folder: &[String]) -> BTreeSet<String> {
    let within = NAMED.iter().filter(|(module, _)| module.starts_with(folder));
    within.filter_map(|(module, _)| module.get(folder.len()).cloned()).collect()
}

/// What a module names through mod.rs, it names where that is declared. What mod.rs passes on, it does not use.
fn arrows_in(folder: &str) -> Arrows {
    let folder = segments_of(folder);
    let modules = modules_of(&folder);
    let passed = passed_on(&folder, &modules);
    let mut arrows = Arrows::new();
    for (module, paths) in NAMED.iter().filter(|(module, _)| module.starts_with(&folder)) {
        let from = module.get(folder.len()).map_or("mod", String::as_str);
        let own = (*module == folder).then_some(&modules);
        for (path, _) in paths.iter().filter(|(_, is_public)| !(from == "mod" && *is_public)) {
            let Some(named) = absolute(path, module, own).filter(|named| named.starts_with(&folder)) else {
                continue;
            };
            let Some(name) = named.get(folder.len()) else { continue };
            let to =
                if modules.contains(name) { name } else { passed.get(name).map_or("mod", String::as_str) };
            if from != to {
                arrows.insert((from.to_owned(), to.to_owned()));
            }
        }
    }
    arrows
}

/// Names that the mod.rs of a folder takes from its modules, each with its module.
fn passed_on(folder: &[String], modules: &BTreeSet<String>) -> BTreeMap<String, String> {
    let paths = NAMED.iter().filter(|(module, _)| module == folder).flat_map(|(_, paths)| paths);
    let from_below = paths.filter_map(|(path, _)| {
        let (module, name) = path.split_once("::")?;
        let name = name.trim_end_matches("::self").rsplit("::").next()?.to_owned();
        modules.contains(module).then(|| (name, module.to_owned()))
    });
    from_below.collect()
}

fn segments_of(folder: &str) -> Vec<String> {
    folder.split('/').map(str::to_owned).collect()
}
