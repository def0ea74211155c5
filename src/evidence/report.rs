//! A report: some controls, and what was found of each.

use super::check;
use super::control::{Control, Controls};
use super::facts::Facts;
use super::finding::{Finding, Missing};

/// What a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// 45 CFR 164.308 to 164.514.
    Hipaa,
    /// Regulation (EU) 2016/679.
    Gdpr,
    /// Input for an impact assessment under GDPR Art. 35.
    Dpia,
    /// The guide to securing PACS.
    Nist1800,
    /// Cybersecurity Framework 2.0.
    NistCsf,
    /// Annex A of 2022.
    Iso27001,
    /// Trust Services Criteria.
    Soc2,
    /// ANSI/NEMA HN 1-2019.
    Mds2,
    /// PS3.15, and the profiles of IHE that rest on it.
    Dicom,
    /// What holds besides in single countries, for data that leave or reach them.
    Others,
}

impl Report {
    /// Every one, with the word for it.
    pub const ALL: [(&'static str, Self); 10] = [
        ("hipaa", Self::Hipaa),
        ("gdpr", Self::Gdpr),
        ("dpia", Self::Dpia),
        ("nist-1800-24", Self::Nist1800),
        ("nist-csf", Self::NistCsf),
        ("iso-27001", Self::Iso27001),
        ("soc-2", Self::Soc2),
        ("mds2", Self::Mds2),
        ("dicom", Self::Dicom),
        ("others", Self::Others),
    ];

    /// The word for it.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, one)| *one == self).map_or("", |(name, _)| name)
    }

    /// For a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Hipaa => "HIPAA, 45 CFR Part 164",
            Self::Gdpr => "GDPR, Regulation (EU) 2016/679",
            Self::Dpia => "Input for a data protection impact assessment, GDPR Art. 35",
            Self::Nist1800 => "NIST SP 1800-24, Securing PACS",
            Self::NistCsf => "NIST Cybersecurity Framework 2.0",
            Self::Iso27001 => "ISO/IEC 27001:2022, Annex A",
            Self::Soc2 => "SOC 2, Trust Services Criteria",
            Self::Mds2 => "MDS2, ANSI/NEMA HN 1-2019",
            Self::Dicom => "DICOM PS3.15 and IHE ITI TF-2",
            Self::Others => "Other rules, to be named with care",
        }
    }

    /// What the frameworks of its controls begin with.
    fn frameworks(self) -> &'static [&'static str] {
        match self {
            Self::Hipaa => &["HIPAA "],
            Self::Gdpr => &["GDPR (EU) "],
            Self::Dpia => &["DPIA "],
            Self::Nist1800 => &["NIST SP 1800-24"],
            Self::NistCsf => &["NIST Cybersecurity Framework"],
            Self::Iso27001 => &["ISO/IEC 27001"],
            Self::Soc2 => &["SOC 2 "],
            Self::Mds2 => &["MDS2 "],
            Self::Dicom => &["DICOM PS3.15", "IHE ITI TF-2"],
            Self::Others => &["Other rules"],
        }
    }

    /// Its controls, in the order of the data.
    pub fn of(self, controls: &Controls) -> impl Iterator<Item = &Control> {
        let is_of = |control: &Control, begin: &&str| control.framework.starts_with(*begin);
        controls.all.iter().filter(move |control| self.frameworks().iter().any(|begin| is_of(control, begin)))
    }
}

/// A control with what its checks found.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What was asked for.
    pub control: Control,
    /// By the name of each check; empty: no machine can show it.
    pub findings: Vec<(String, Finding)>,
}

/// What there is of a control in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Nothing, where there should be something.
    Missing,
    /// Of some of its checks.
    Partly,
    /// Of each of its checks that a machine can make.
    Found,
    /// No machine can show it.
    NotByProxy,
}

impl Standing {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Partly => "partly",
            Self::Found => "evidence found",
            Self::NotByProxy => "not by a proxy",
        }
    }
}

impl Judged {
    /// What there is in all.
    pub fn standing(&self) -> Standing {
        let found = self.findings.iter().filter(|(_, finding)| matches!(finding, Finding::Found(_))).count();
        let missing =
            self.findings.iter().filter(|(_, finding)| matches!(finding, Finding::Missing(_))).count();
        match (found, missing) {
            (0, 0) => Standing::NotByProxy,
            (0, _) => Standing::Missing,
            (_, 0) => Standing::Found,
            _ => Standing::Partly,
        }
    }
}

/// Every control of a report with its findings.
pub fn judged(report: Report, controls: &Controls, facts: &Facts<'_>) -> Vec<Judged> {
    let one = |control: &Control| {
        let finding = |name: &String| (name.clone(), in_force(check::of(name, facts), facts));
        Judged { control: control.clone(), findings: control.checks.iter().map(finding).collect() }
    };
    report.of(controls).map(one).collect()
}

/// A finding stands only where records of the period, in a trail that holds, say that this configuration was in force.
fn in_force(finding: Finding, facts: &Facts<'_>) -> Finding {
    let Finding::Found(found) = &finding else { return finding };
    let recorded = &facts.recorded;
    let is_broken = facts.trail.breaks > 0;
    if !is_broken && recorded.configurations.contains(&facts.settings.digest) {
        return finding;
    }
    let why = match recorded.records {
        _ if is_broken => "the trail is broken, so that its records show nothing",
        0 => "no record is of this period, so nothing shows that it was in force",
        _ => "no record of this period names this configuration",
    };
    Finding::Missing(Missing {
        why: format!("{why}; the configuration itself: {}", found.said),
        remedy: match is_broken {
            true => "dimsegate audit verify says where; find out who could write the files",
            false => {
                "choose a period in which the proxy ran with it, and give the file as the proxy is given it"
            }
        }
        .to_owned(),
    })
}
