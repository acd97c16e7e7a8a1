//! Blocks in, answers out, in the order in which the blocks came: threads sign, and memory is that of a few blocks.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::blocks::Block;

/// More threads than this only wait for one another.
const MAX_THREADS: usize = 16;
/// How much is read at a time.
const READ: usize = 256 * 1024;

/// The answers to one block.
#[derive(Default)]
pub(super) struct Answers {
    /// What to write.
    pub(super) text: Vec<u8>,
    /// How many lines were signed.
    pub(super) signed: u64,
    /// How many lines were not.
    pub(super) failed: u64,
}

/// Blocks and answers that are used again.
type Used = (Block, Answers);

struct Work {
    sequence: u64,
    block: Block,
    answers: Answers,
}

/// What comes back: a block that is done, or the line at which reading failed.
enum Done {
    Block(Work),
    Unreadable {
        sequence: u64,
        line: u64,
        error: io::Error,
    },
    /// The input has ended; so many blocks were read.
    End {
        blocks: u64,
    },
}

/// Why a run ended before its input did.
pub(super) enum Ended<E> {
    /// Input could not be read at this line.
    Unreadable(u64, io::Error),
    /// What was to be written could not be.
    Unwritten(E),
    /// A thread broke off.
    Broken,
}

/// Runs every block of the input through `answer`, on as many threads as there are processors, and `write`s the answers in the order of the blocks.
///
/// The threads are not waited for when the run ends early: one of them may be reading a terminal.
pub(super) fn run<E>(
    input: impl Read + Send + 'static,
    answer: impl Fn(&Block, &mut Answers) + Send + Sync + 'static,
    mut write: impl FnMut(&Answers) -> Result<(), E>,
) -> Result<(), Ended<E>> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    let (done, finished) = channel::<Done>();
    let (work, waiting) = sync_channel::<Work>(threads);
    // As many as there can be under way; the reader waits for one to come back.
    let (give_back, used) = channel::<Used>();
    for _ in 0..threads.saturating_mul(4) {
        let _ = give_back.send(Used::default());
    }
    let (answer, waiting) = (Arc::new(answer), Arc::new(Mutex::new(waiting)));
    for _ in 0..threads {
        let (answer, waiting, done) = (Arc::clone(&answer), Arc::clone(&waiting), done.clone());
        thread::spawn(move || {
            while let Some(mut work) = next(&waiting) {
                answer(&work.block, &mut work.answers);
                if done.send(Done::Block(work)).is_err() {
                    break;
                }
            }
        });
    }
    thread::spawn(move || read(input, &used, &work, &done));

    let mut early = BTreeMap::new();
    let mut turn = 0;
    let mut total = u64::MAX;
    for arrived in finished {
        match arrived {
            Done::Block(work) => drop(early.insert(work.sequence, Ok((work.block, work.answers)))),
            Done::End { blocks } => {
                total = blocks;
                continue;
            }
            Done::Unreadable { sequence, line, error } => drop(early.insert(sequence, Err((line, error)))),
        }
        while let Some(next) = early.remove(&turn) {
            let (block, mut answers) = next.map_err(|(line, error)| Ended::Unreadable(line, error))?;
            write(&answers).map_err(Ended::Unwritten)?;
            answers.text.clear();
            let _ = give_back.send((block, Answers { text: answers.text, ..Answers::default() }));
            turn += 1;
        }
    }
    // Every block has come back, or its thread is gone.
    if turn == total { Ok(()) } else { Err(Ended::Broken) }
}

fn next(waiting: &Mutex<Receiver<Work>>) -> Option<Work> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn read(input: impl Read, used: &Receiver<Used>, work: &SyncSender<Work>, done: &Sender<Done>) {
    let mut input = BufReader::with_capacity(READ, input);
    let mut line = 1;
    for sequence in 0.. {
        let Ok((mut block, answers)) = used.recv() else { return };
        let filled = block.fill(line, &mut input);
        line += block.len();
        match filled {
            Ok(()) if block.len() == 0 => {
                let _ = done.send(Done::End { blocks: sequence });
                return;
            }
            Ok(()) => {
                if work.send(Work { sequence, block, answers }).is_err() {
                    return;
                }
            }
            Err(error) => {
                let _ = done.send(Done::Unreadable { sequence, line, error });
                return;
            }
        }
    }
}
