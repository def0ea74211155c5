//! A list of subject IDs: CSV (RFC 4180), a patient a line.

use std::collections::{HashMap, HashSet};

use crate::crosswalk::Assigned;
use crate::rewrite::{patient_id_of, patient_key};

/// Characters of a Patient ID and of an issuer (LO, PS3.5 Table 6.2-1).
const LONGEST: usize = 64;
const HEADER: &str = "name the columns in the first line: original,subject or original,issuer,subject";

/// A line of the list.
pub(super) struct Line {
    /// Counted from 1.
    pub(super) number: usize,
    pub(super) assigned: Assigned,
}

/// Where something is wrong, by its line, and what. Never a value.
type Problems = Vec<(usize, String)>;

/// Where the columns are.
struct Columns {
    original: usize,
    subject: usize,
    issuer: Option<usize>,
    count: usize,
}

/// What the lines of a list assign, or everything that is wrong with them.
pub(super) fn assignments(text: &str) -> Result<Vec<Line>, Problems> {
    let mut rows = text.trim_start_matches('\u{feff}').lines().enumerate();
    let header = rows.next().and_then(|(_, line)| cells(line)).unwrap_or_default();
    let columns = Columns::of(&header).ok_or_else(|| vec![(1, HEADER.to_owned())])?;
    let (mut lines, mut problems) = (Vec::new(), Vec::new());
    for (index, row) in rows.filter(|(_, row)| !row.trim().is_empty()) {
        match columns.assigned(row) {
            Ok(assigned) => lines.push(Line { number: index + 1, assigned }),
            Err(problem) => problems.push((index + 1, problem)),
        }
    }
    problems.extend(contradictions(&lines));
    problems.sort_by_key(|(line, _)| *line);
    if !problems.is_empty() {
        return Err(problems);
    }
    // What stands twice is one, for who only looks at it too.
    let mut patients = HashSet::new();
    lines.retain(|line| patients.insert(line.assigned.patient.clone()));
    Ok(lines)
}

impl Columns {
    fn of(header: &[String]) -> Option<Self> {
        let place = |name| header.iter().position(|cell| cell.trim().eq_ignore_ascii_case(name));
        let (original, subject, issuer) = (place("original")?, place("subject")?, place("issuer"));
        let count = header.len();
        (count == 2 + usize::from(issuer.is_some())).then_some(Self { original, subject, issuer, count })
    }

    fn assigned(&self, row: &str) -> Result<Assigned, String> {
        let cells = cells(row).ok_or("a quotation mark is open, or stands inside of a cell")?;
        if cells.len() != self.count {
            return Err(format!("has {} cells; the first line has {}", cells.len(), self.count));
        }
        let cell = |at: usize, name| value(cells.get(at).map_or("", String::as_str), name);
        let (original, subject) = (cell(self.original, "original")?, cell(self.subject, "subject")?);
        let issuer = self.issuer.map_or(Ok(""), |at| cell(at, "issuer"))?;
        if original.is_empty() || subject.is_empty() {
            return Err("original and subject must not be empty".to_owned());
        }
        let patient = patient_key(original.as_bytes(), issuer.as_bytes());
        Ok(Assigned { patient, subject: subject.as_bytes().to_vec() })
    }
}

/// A value that an LO can hold, without padding. Subject IDs are ASCII, whatever character set a data set has.
fn value<'a>(cell: &'a str, name: &str) -> Result<&'a str, String> {
    let cell = cell.trim();
    // In a query, some of these stand for any characters.
    let illegal =
        |c: char| c.is_control() || c == '\\' || name == "subject" && (!c.is_ascii() || "*?".contains(c));
    if cell.chars().count() > LONGEST || cell.contains(illegal) {
        let ascii = if name == "subject" { " ASCII" } else { "" };
        return Err(format!(
            "{name} is no value for a Patient ID: at most {LONGEST}{ascii} characters, no backslash, no control character{}",
            if name == "subject" { ", no * and no ?" } else { "" }
        ));
    }
    Ok(cell)
}

/// Lines that say something else than an earlier one.
fn contradictions(lines: &[Line]) -> Problems {
    let (mut patients, mut subjects) = (HashMap::new(), HashMap::new());
    let mut problems = Vec::new();
    for Line { number, assigned: Assigned { patient, subject } } in lines {
        let (first, called) = *patients.entry(patient).or_insert((*number, subject));
        if called != subject {
            problems.push((*number, format!("this patient has another subject in line {first}")));
        }
        let (first, whose) = *subjects.entry(subject).or_insert((*number, patient));
        if whose != patient {
            problems.push((*number, format!("this subject is another patient's in line {first}")));
        }
    }
    problems.extend(originals_among_subjects(lines));
    problems
}

/// Lines whose subject is the real Patient ID of a patient of the list: it would go out as it is.
fn originals_among_subjects(lines: &[Line]) -> impl Iterator<Item = (usize, String)> {
    let originals: HashSet<&[u8]> = lines.iter().map(|line| patient_id_of(&line.assigned.patient)).collect();
    let real = lines.iter().filter(move |line| originals.contains(line.assigned.subject.as_slice()));
    real.map(|line| (line.number, "this subject is the original of a patient in the list".to_owned()))
}

/// The cells of a line; `None` where quotation marks are not as they should be.
fn cells(line: &str) -> Option<Vec<String>> {
    let (mut cells, mut rest) = (Vec::new(), line);
    loop {
        let (cell, behind) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_cell(quoted)?,
            None => rest
                .split_once(',')
                .map_or((rest.to_owned(), None), |(cell, rest)| (cell.to_owned(), Some(rest))),
        };
        cells.push(cell);
        match behind {
            Some(behind) => rest = behind,
            None => return Some(cells),
        }
    }
}

/// What stands up to the closing quotation mark, and what is behind the comma that follows, where one does.
fn quoted_cell(quoted: &str) -> Option<(String, Option<&str>)> {
    let (mut cell, mut rest) = (String::new(), quoted);
    loop {
        let (before, behind) = rest.split_once('"')?;
        cell.push_str(before);
        if let Some(more) = behind.strip_prefix('"') {
            cell.push('"');
            rest = more;
        } else if behind.is_empty() {
            return Some((cell, None));
        } else {
            return Some((cell, Some(behind.strip_prefix(',')?)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{assignments, cells};
    use crate::rewrite::{issuer_of, patient_id_of};

    #[test]
    fn columns_stand_in_any_order_and_an_issuer_may_be_absent() {
        let read = |text: &str| -> Vec<(String, Option<String>, String)> {
            let text_of = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let lines = assignments(text).unwrap().into_iter();
            let of = lines.map(|line| line.assigned);
            of.map(|one| {
                let issuer = issuer_of(&one.patient).map(text_of);
                (text_of(patient_id_of(&one.patient)), issuer, text_of(&one.subject))
            })
            .collect()
        };
        let lyon = Some("LYON, \"Est\"".to_owned());
        let list = "\u{feff}Subject,ISSUER,original\r\nS-1,\"LYON, \"\"Est\"\"\",4711\r\n\r\nS-2,,4712 \r\n";
        let expected = [("4711".into(), lyon, "S-1".into()), ("4712".into(), None, "S-2".into())];
        assert_eq!(read(list), expected);
        let twice = "original,subject\n4711,S-1\n4711,S-1\n";
        assert_eq!(read(twice).len(), 1, "says the same");
    }

    #[test]
    fn everything_that_is_wrong_is_named_by_its_line_and_no_value() {
        let wrong = |text: &str| {
            let problems = assignments(text).err().unwrap();
            assert!(problems.iter().all(|(_, problem)| !problem.contains("4711")), "{problems:?}");
            problems
                .into_iter()
                .map(|(line, problem)| format!("{line} {problem}"))
                .collect::<Vec<_>>()
                .join("; ")
        };
        for header in ["", "4711,S-1", "original,subject,name", "original,issuer"] {
            assert!(wrong(&format!("{header}\n4711,S-1\n")).starts_with("1 name the columns"), "{header}");
        }
        let list = "original,subject\n4711,S-1\n4711,S-2\n4712,S-1\n4711\n\"4711,S-1\n,S-3\n4713,S\\3\n4711,Müller\n";
        assert_eq!(
            wrong(list),
            "3 this patient has another subject in line 2; 4 this subject is another patient's in line 2; \
             5 has 1 cells; the first line has 2; 6 a quotation mark is open, or stands inside of a cell; \
             7 original and subject must not be empty; \
             8 subject is no value for a Patient ID: at most 64 ASCII characters, no backslash, no control character, no * and no ?; \
             9 subject is no value for a Patient ID: at most 64 ASCII characters, no backslash, no control character, no * and no ?"
        );
    }

    #[test]
    fn a_subject_that_names_a_patient_or_stands_for_many_is_refused() {
        let wrong = |text: &str| {
            let problems = assignments(text).err().unwrap().into_iter();
            problems.map(|(line, _)| line).collect::<Vec<_>>()
        };
        assert_eq!(wrong("original,subject\n4711,4711\n"), [2]);
        assert_eq!(wrong("original,issuer,subject\n4711,LYON,S-1\n4712,,4711\n"), [3]);
        assert_eq!(wrong("original,subject\n4711,S*\n4712,S?\n"), [2, 3]);
    }

    #[test]
    fn cells_are_those_of_rfc_4180() {
        let of = |line| cells(line).map(|cells| cells.join("|"));
        assert_eq!(of("a,\"b,\"\"c\",").as_deref(), Some("a|b,\"c|"));
        assert_eq!(of("").as_deref(), Some(""));
        assert_eq!((of("\"a\"b"), of("\"a")), (None, None));
    }
}
