//! What a run found.

use std::collections::BTreeSet;
use std::fmt;

/// A promise, and the part of the suite that tries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Module {
    /// Known requests give known URLs.
    Vectors,
    /// A URL goes where it must, does what it says, and works until it ends.
    Urls,
    /// The reported headers are the whole contract.
    Headers,
    /// Life is honest.
    Ttl,
    /// Keys arrive literally.
    Keys,
    /// Nothing of a URL can be changed.
    Tamper,
    /// Every operation with every constraint: bound, or refused by name.
    Portable,
    /// A form takes what its policy says and nothing else.
    Posts,
    /// What is signed to be sent at once does what it says, for a quarter of an hour, and nothing else.
    Authorization,
}

impl Module {
    /// All of them, in the order of a run.
    pub const ALL: [Self; 9] =
        [Self::Vectors, Self::Urls, Self::Headers, Self::Ttl, Self::Keys, Self::Tamper, Self::Portable, Self::Posts, Self::Authorization];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vectors => "vectors",
            Self::Urls => "urls",
            Self::Headers => "headers",
            Self::Ttl => "ttl",
            Self::Keys => "keys",
            Self::Tamper => "tamper",
            Self::Portable => "portable",
            Self::Posts => "posts",
            Self::Authorization => "authorization",
        }
    }
}

impl fmt::Display for Module {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// How a case came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The promise held.
    Passed,
    /// It did not, and why.
    Failed(String),
    /// It could not be tried, and why. Never counted as passed.
    Skipped(String),
}

/// One case.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The promise.
    pub module: Module,
    /// What was tried.
    pub case: String,
    /// How it came out.
    pub outcome: Outcome,
}

/// `MODULE: CASE: passed | FAILED, why | skipped, why`
impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}: ", self.module, self.case)?;
        match &self.outcome {
            Outcome::Passed => formatter.write_str("passed"),
            Outcome::Failed(reason) => write!(formatter, "FAILED, {reason}"),
            Outcome::Skipped(reason) => write!(formatter, "skipped, {reason}"),
        }
    }
}

/// Everything that a run found, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// All findings.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The failed ones.
    pub fn failures(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| matches!(finding.outcome, Outcome::Failed(_)))
    }

    /// The ones that could not be tried.
    pub fn skipped(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| matches!(finding.outcome, Outcome::Skipped(_)))
    }

    /// The modules with a failure.
    #[must_use]
    pub fn failed_modules(&self) -> BTreeSet<Module> {
        self.failures().map(|finding| finding.module).collect()
    }

    /// Ends the test unless something was tried and nothing failed.
    ///
    /// # Panics
    /// With every failure, one on a line; and when no case passed, since a run that tried nothing proves nothing.
    pub fn assert_passed(&self) {
        let failures: Vec<String> = self.failures().map(ToString::to_string).collect();
        assert!(failures.is_empty(), "{} of {} cases failed:\n{}", failures.len(), self.findings.len(), failures.join("\n"));
        assert!(self.findings.iter().any(|finding| finding.outcome == Outcome::Passed), "no case passed");
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.findings.append(&mut other.findings);
    }
}

/// Where a module writes down what it finds.
pub(crate) struct Record {
    module: Module,
    report: Report,
}

impl Record {
    pub(crate) fn new(module: Module) -> Self {
        Self { module, report: Report::default() }
    }

    pub(crate) fn note(&mut self, case: impl Into<String>, result: Result<(), String>) {
        self.push(case, result.map_or_else(Outcome::Failed, |()| Outcome::Passed));
    }

    pub(crate) fn skip(&mut self, case: impl Into<String>, reason: impl Into<String>) {
        self.push(case, Outcome::Skipped(reason.into()));
    }

    fn push(&mut self, case: impl Into<String>, outcome: Outcome) {
        self.report.findings.push(Finding { module: self.module, case: case.into(), outcome });
    }

    pub(crate) fn finish(self) -> Report {
        self.report
    }
}

/// `Ok` when it holds, else the reason.
pub(crate) fn ensure(holds: bool, reason: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(reason()) }
}
