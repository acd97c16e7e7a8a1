//! What the demo did: one row for each step, expected beside got.

use crate::error::CliError;
use crate::output;

/// One step.
struct Row {
    store: String,
    step: String,
    expected: String,
    got: String,
}

impl Row {
    fn is_as_expected(&self) -> bool {
        self.expected == self.got
    }
}

/// All steps so far.
pub(super) struct Table(Vec<Row>);

impl Table {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a step.
    pub(super) fn row(&mut self, store: &str, step: &str, expected: impl Into<String>, got: impl Into<String>) {
        let got = output::one_line(&got.into());
        self.0.push(Row { store: store.to_owned(), step: step.to_owned(), expected: expected.into(), got });
    }

    /// Prints the table; an error unless every row is as it must be.
    pub(super) fn print(&self) -> Result<(), CliError> {
        let header = ["store", "step", "expected", "got"];
        let cells = |row: &Row| [row.store.chars().count(), row.step.chars().count(), row.expected.chars().count(), row.got.chars().count()];
        let mut widths = header.map(str::len);
        for row in &self.0 {
            for (width, cell) in widths.iter_mut().zip(cells(row)) {
                *width = cell.max(*width);
            }
        }
        let [a, b, c, d] = widths;
        let line = |[store, step, expected, got]: [&str; 4], ok: &str| format!("{store:a$}  {step:b$}  {expected:c$}  {got:d$}  {ok}\n");
        let mut text = line(header, "ok");
        text.push_str(&line([&"-".repeat(a), &"-".repeat(b), &"-".repeat(c), &"-".repeat(d)], "--"));
        for row in &self.0 {
            text.push_str(&line([&row.store, &row.step, &row.expected, &row.got], if row.is_as_expected() { "yes" } else { "NO" }));
        }
        let (all, good) = (self.0.len(), self.0.iter().filter(|row| row.is_as_expected()).count());
        text.push_str(&format!("\n{good} of {all} steps came out as they must.\n"));
        output::text(&text)?;
        if good == all { Ok(()) } else { Err(CliError::failure("demo_failed", format!("{} steps came out otherwise than they must", all - good))) }
    }
}
