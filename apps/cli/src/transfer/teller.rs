//! What is told while bytes move: a bar on a terminal, and a line for what a user may want to know. Both go to standard error.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use valetkey::transfer::{Phase, TransferEvent};

use crate::args::TransferArgs;
use crate::output;

/// How a bar looks whose end is known, and one whose end is not.
const BAR: &str = "{msg:9} [{wide_bar}] {binary_bytes} of {binary_total_bytes}  {binary_bytes_per_sec}  {eta}";
const COUNTER: &str = "{msg} {binary_bytes}  {binary_bytes_per_sec}";

/// Is told of events by many threads, hundreds of times a second.
pub(super) struct Teller {
    bar: Option<ProgressBar>,
    /// What the bar says at the moment.
    shown: AtomicU8,
    has_remarks: bool,
    has_left_parts: AtomicBool,
    /// What happens to the bytes, as a word.
    moving: &'static str,
}

impl Teller {
    /// `shares_terminal`: the bytes themselves are shown there.
    pub(super) fn new(args: &TransferArgs, moving: &'static str, shares_terminal: bool) -> Self {
        let has_bar = !args.quiet && !args.no_progress && !shares_terminal && std::io::stderr().is_terminal();
        let bar = has_bar.then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style(COUNTER)));
        Self { bar, shown: AtomicU8::new(0), has_remarks: !args.quiet, has_left_parts: AtomicBool::new(false), moving }
    }

    /// Standard input has been read so far.
    pub(super) fn spooled(&self, bytes: u64) {
        let Some(bar) = &self.bar else { return };
        if self.changes_to(1) {
            bar.set_message("reading");
        }
        bar.set_position(bytes);
    }

    pub(super) fn hear(&self, event: &TransferEvent) {
        match event {
            TransferEvent::Progress(progress) => {
                let Some(bar) = &self.bar else { return };
                let (number, word) = match progress.phase {
                    Phase::Checking => (2, "checking"),
                    Phase::Finishing => (4, "finishing"),
                    _ => (3, self.moving),
                };
                if self.changes_to(number) {
                    bar.set_style(style(BAR));
                    bar.set_length(progress.total);
                    bar.set_message(word);
                    bar.set_position(progress.done);
                    // What an earlier run did is no speed of this one.
                    bar.reset_eta();
                }
                bar.set_position(progress.done);
            }
            TransferEvent::Retrying { operation, part, wait, reason, .. } => {
                let part = part.map(|part| format!(" (part {part})")).unwrap_or_default();
                self.remark(&format!("{operation}{part} is tried again in {:.1} s: {reason}", wait.as_secs_f64()));
            }
            TransferEvent::SignedAgain { operation } => self.remark(&format!("{operation} is signed again, because its signature had expired")),
            TransferEvent::Resumed { done, total, refused } => {
                let refused = if *refused > 0 { format!("; {refused} bytes did not match and are moved again") } else { String::new() };
                self.remark(&format!("resumed: {done} of {total} bytes are there already{refused}"));
            }
            TransferEvent::LeftUnnamed { reason } => {
                self.has_left_parts.store(true, Ordering::Relaxed);
                self.remark(&format!("an upload without parts may be left at the store, and its id is not known ({reason})"));
            }
            TransferEvent::LeftBehind { upload_id, reason } => {
                self.has_left_parts.store(true, Ordering::Relaxed);
                self.remark(&format!(
                    "the parts of the upload {upload_id} are left at the store ({reason}); `valetkey presign abort-multipart` signs their removal"
                ));
            }
            TransferEvent::BegunAnew { reason } => self.remark(&format!("begun anew: {reason}")),
            _ => {}
        }
    }

    /// A line above the bar.
    pub(super) fn remark(&self, text: &str) {
        if !self.has_remarks {
            return;
        }
        let line = format!("# {text}");
        match &self.bar {
            Some(bar) => bar.suspend(|| output::aside(&line)),
            None => output::aside(&line),
        }
    }

    /// Whether parts could not be removed from the store.
    pub(super) fn has_left_parts(&self) -> bool {
        self.has_left_parts.load(Ordering::Relaxed)
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn changes_to(&self, shown: u8) -> bool {
        self.shown.load(Ordering::Relaxed) != shown && self.shown.swap(shown, Ordering::Relaxed) != shown
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).map_or_else(|_| ProgressStyle::default_bar(), |style| style.progress_chars("=> "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_sound() {
        for template in [BAR, COUNTER] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
