//! Endings: the forms that one word takes, and the ends that only terms of medicine have.
//!
//! The lists of the Romance languages hold a word once. `hepático`, `hepática` and `hepáticos` differ in an ending of one set,
//! and a word of such a list brings in the others: what is before the ending is remembered together with the set. So a
//! look-up is one for each set that has the ending, and no list of all forms has to be held.

/// Letters that a word has before its ending at least. With fewer, endings would make given names of each other.
const SHORTEST: usize = 4;
/// Letters before the end of a term: `gastr-ectomie`.
const SHORTEST_OF_TERM: usize = 3;

/// Endings of a language that stand for one another, set by set, folded.
pub(super) type Endings = &'static [&'static [&'static [u8]]];

pub(super) const NONE: Endings = &[];

/// Gender and number, the classes of adjectives, and the forms of verbs that reports have.
pub(super) const FRENCH: Endings = &[
    &[b"", b"e", b"s", b"es", b"ement"],
    &[b"al", b"ale", b"ales", b"aux"],
    &[b"if", b"ive", b"ifs", b"ives"],
    &[b"eux", b"euse", b"euses"],
    &[b"el", b"elle", b"els", b"elles"],
    &[b"en", b"enne", b"ens", b"ennes"],
    &[b"er", b"ere", b"ers", b"eres", b"e", b"ee", b"es", b"ees", b"ent", b"ant"],
    &[b"teur", b"trice", b"teurs", b"trices"],
];

pub(super) const SPANISH: Endings = &[
    &[b"o", b"a", b"os", b"as", b"amente"],
    &[b"l", b"les", b"lmente"],
    &[b"", b"s", b"es", b"as"],
    &[b"or", b"ora", b"ores", b"oras"],
    &[b"ar", b"a", b"an", b"o", b"ado", b"ada", b"ados", b"adas", b"ando"],
    &[b"er", b"ir", b"e", b"en", b"ido", b"ida", b"idos", b"idas", b"iendo"],
];

pub(super) const ITALIAN: Endings = &[
    &[b"o", b"a", b"i", b"e", b"hi", b"he", b"amente"],
    &[b"e", b"i", b"mente"],
    &[b"are", b"a", b"ano", b"ato", b"ata", b"ati", b"ate", b"ando"],
    &[
        b"ere", b"ire", b"e", b"ono", b"uto", b"uta", b"uti", b"ute", b"ito", b"ita", b"iti", b"ite",
        b"ente", b"enti", b"endo",
    ],
];

/// Ends that Greek and Latin lend to terms of medicine in each of the languages, and to no name.
const OF_TERMS: [&[u8]; 62] = [
    b"ectomie",
    b"ectomia",
    b"ectomy",
    b"ektomie",
    b"ostomie",
    b"ostomia",
    b"ostomy",
    b"scopie",
    b"scopia",
    b"scopy",
    b"skopie",
    b"graphie",
    b"grafia",
    b"grafie",
    b"graphy",
    b"graphique",
    b"grafico",
    b"grafica",
    b"pathie",
    b"patia",
    b"pathy",
    b"plastie",
    b"plastia",
    b"plastiek",
    b"plastik",
    b"plasty",
    b"algie",
    b"algia",
    b"plegie",
    b"plegia",
    b"paresie",
    b"paresia",
    b"megalie",
    b"megalia",
    b"megaly",
    b"sclerose",
    b"sclerosi",
    b"sclerosis",
    b"sklerose",
    b"stenose",
    b"stenosi",
    b"stenosis",
    b"therapie",
    b"terapia",
    b"therapy",
    b"metrie",
    b"metria",
    b"centesis",
    b"lithiase",
    b"litiasi",
    b"litiasis",
    b"trophie",
    b"trofia",
    b"plasie",
    b"plasia",
    b"malacia",
    b"rragie",
    b"rragia",
    b"carcinom",
    b"sarcom",
    b"blastom",
    b"ectasia",
];

/// What is before each ending of a word, and the set that the ending is of.
pub(super) fn stems(word: &[u8], endings: Endings) -> impl Iterator<Item = (usize, &[u8])> {
    endings.iter().enumerate().flat_map(move |(set, endings)| {
        let stems = endings.iter().filter_map(|ending| word.strip_suffix(*ending));
        stems.filter(|stem| stem.len() >= SHORTEST).map(move |stem| (set, stem))
    })
}

/// Whether a word ends as a term of medicine does.
pub(super) fn is_term(word: &[u8]) -> bool {
    let stem = OF_TERMS.iter().find_map(|end| word.strip_suffix(*end));
    stem.is_some_and(|stem| stem.len() >= SHORTEST_OF_TERM && stem.iter().all(u8::is_ascii_lowercase))
}
