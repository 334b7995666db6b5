//! The self-check: whether Lifeguard and what it watches will work when they are needed, and how to mend what will not.
//!
//! Nothing is changed by looking. Each finding has a grade, one sentence, and where there is one the exact command
//! that mends it. [`fix::apply`] does the safe ones.

mod desktop;
mod files;
pub mod fix;
mod gateway;
mod lifeguard;
mod online;
mod rivals;
mod service;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::Config;
use crate::config::environment::Environment;
use crate::config::paths::Paths;
use crate::platform::desktop::login_item::LoginItem;
use crate::snapshot::Snapshot;
use crate::text::check::own::OwnRemark;
use crate::text::check::{CheckPhrase, Grade, Subject};
use crate::text::{Language, Phrase};

pub use fix::Fix;
pub use gateway::Watched;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub subject: Subject,
    /// Of which gateway, by its name; `None`: Lifeguard itself, or the machine.
    pub gateway: Option<String>,
    /// How it was found.
    #[serde(rename = "verdict")]
    pub grade: Grade,
    /// What that means, in one sentence.
    pub sentence: String,
    /// The command that mends it, for a shell.
    pub mend: Option<String>,
    /// What `--fix` does.
    #[serde(rename = "fixable", serialize_with = "is_there")]
    pub fix: Option<Fix>,
}

#[expect(clippy::ref_option, reason = "serde hands a field over like this")]
fn is_there<S: serde::Serializer>(fix: &Option<Fix>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(fix.is_some())
}

impl Finding {
    fn new(subject: Subject, grade: Grade, remark: &impl Phrase, language: Language) -> Self {
        Self { subject, gateway: None, grade, sentence: remark.say(language), mend: None, fix: None }
    }

    fn mend(self, command: impl Into<String>) -> Self {
        Self { mend: Some(command.into()), ..self }
    }

    fn fix(self, fix: Fix) -> Self {
        Self { mend: Some(fix.command()), fix: Some(fix), ..self }
    }
}

/// Whether a Lifeguard runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Running {
    /// One runs, and this is its picture.
    Answers(Box<Snapshot>),
    /// None runs.
    No,
    /// One runs and does not answer; why.
    Silent(String),
}

/// Programs of the system that are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    /// `crontab`.
    pub crontab: PathBuf,
    /// `timedatectl`.
    pub timedatectl: PathBuf,
}

impl Default for Tools {
    fn default() -> Self {
        Self { crontab: "crontab".into(), timedatectl: "timedatectl".into() }
    }
}

/// Where the self-check looks.
#[derive(Debug)]
pub struct Ground<'a> {
    /// The configuration, or what is wrong with it in one line.
    pub config: Result<&'a Config, String>,
    /// Where things are kept.
    pub paths: &'a Paths,
    /// The environment.
    pub environment: &'a Environment,
    /// Language of the sentences.
    pub language: Language,
    /// Whether a Lifeguard runs.
    pub running: Running,
    /// What the system does at the next login.
    pub login_item: LoginItem,
    /// The gateways; none while the configuration cannot be used.
    pub gateways: Vec<Watched>,
    /// Contact the addresses of the configuration.
    pub online: bool,
    /// Programs of the system.
    pub tools: Tools,
}

impl Ground<'_> {
    fn finding(&self, subject: Subject, grade: Grade, remark: &OwnRemark) -> Finding {
        Finding::new(subject, grade, remark, self.language)
    }

    /// The user's home folder.
    fn home(&self) -> PathBuf {
        self.environment.home().unwrap_or_else(|| PathBuf::from("/"))
    }
}

/// Version of the JSON of a report. Fields are only ever added to a version.
const SCHEMA: u32 = 1;

/// All that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Version of this form.
    pub schema: u32,
    /// When: Unix milliseconds.
    pub taken: i64,
    /// Version of the Lifeguard that looked.
    pub lifeguard_version: String,
    /// In the order in which they are shown.
    pub findings: Vec<Finding>,
}

impl Report {
    /// How many there are of a grade.
    #[must_use]
    pub fn count(&self, grade: Grade) -> usize {
        self.findings.iter().filter(|finding| finding.grade == grade).count()
    }

    /// The line that sums it up.
    #[must_use]
    pub fn summary(&self) -> CheckPhrase {
        CheckPhrase::Summary {
            problems: self.count(Grade::Problem),
            warnings: self.count(Grade::Warning),
            good: self.count(Grade::Ok),
            skipped: self.count(Grade::Skipped),
        }
    }

    /// What the menu and `status` say of it; `None` without a problem.
    #[must_use]
    pub fn notice(&self, language: Language) -> Option<String> {
        let first = self.findings.iter().find(|finding| finding.grade == Grade::Problem)?;
        let what = first.gateway.clone().unwrap_or_else(|| first.subject.say(language));
        let first = format!("{what}: {}", first.sentence.trim_end_matches('.'));
        Some(CheckPhrase::Found { first, problems: self.count(Grade::Problem) }.say(language))
    }
}

/// Looks at everything. Takes as long as the slowest look, about half a minute at most.
pub async fn examine(ground: &Ground<'_>) -> Report {
    let mut findings = vec![lifeguard::config_file(ground)];
    findings.extend([files::config_permissions(ground), files::secret_files(ground)]);
    findings.extend([files::folders(ground), files::state_files(ground), lifeguard::history(ground)]);
    findings.extend([files::log_sizes(ground), files::disk_space(ground)]);
    let gateways = async {
        let mut found = Vec::new();
        for watched in &ground.gateways {
            found.extend(Box::pin(gateway::examine(ground, watched)).await);
        }
        found
    };
    let (clock, notifications, webhook, deadman, rivals, gateways) = tokio::join!(
        lifeguard::clock(ground),
        desktop::notifications(ground),
        online::webhook(ground),
        online::deadman(ground),
        rivals::other_watchdogs(ground),
        gateways
    );
    findings.extend([clock, lifeguard::running(ground), lifeguard::version(ground), lifeguard::undelivered(ground)]);
    findings.extend([notifications, desktop::login_item(ground), webhook, deadman, rivals]);
    findings.extend(gateways);
    Report {
        schema: SCHEMA,
        taken: crate::platform::clock::wall(),
        lifeguard_version: env!("CARGO_PKG_VERSION").to_owned(),
        findings,
    }
}

/// A path as one word for a shell.
fn word(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |letter: char| letter.is_alphanumeric() || "/._-+@%:,=".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod sample;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_one_word() {
        assert_eq!(word(Path::new("/home/kim/.config/a")), "/home/kim/.config/a");
        assert_eq!(
            word(Path::new("/Users/kim/Library/Application Support/it's")),
            r"'/Users/kim/Library/Application Support/it'\''s'"
        );
    }

    #[tokio::test]
    async fn every_subject_is_looked_at_once_and_what_is_bad_says_how_to_mend_it() {
        let stage = sample::Stage::new();
        let report = examine(&stage.ground()).await;
        let mut subjects: Vec<Subject> = report.findings.iter().map(|finding| finding.subject).collect();
        assert_eq!(subjects.len(), 27, "{subjects:?}");
        subjects.dedup();
        assert_eq!(subjects.len(), 27);
        for finding in &report.findings {
            assert!(finding.grade < Grade::Warning || finding.mend.is_some(), "{finding:?}");
            assert!(!finding.sentence.is_empty() && !finding.sentence.contains('\n'), "{finding:?}");
        }
    }

    #[tokio::test]
    async fn without_a_good_configuration_what_needs_it_is_skipped() {
        let stage = sample::Stage::new();
        let ground = Ground { config: Err("line 1: broken".to_owned()), gateways: Vec::new(), ..stage.ground() };
        let report = examine(&ground).await;
        assert_eq!(report.findings[0].grade, Grade::Problem);
        assert_eq!(report.findings[0].sentence, "line 1: broken");
        for subject in [Subject::Notifications, Subject::Webhook, Subject::Deadman] {
            let finding = report.findings.iter().find(|finding| finding.subject == subject).unwrap();
            assert_eq!(finding.grade, Grade::Skipped);
        }
        assert!(report.notice(Language::English).unwrap().starts_with("Self-check: configuration: line 1: broken"));
    }
}
