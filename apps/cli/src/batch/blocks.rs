//! Lines, read in blocks: enough of them at a time to be worth handing to another thread, and no more than are there.

use std::io::{self, BufRead, Read};

/// The longest line that is read.
pub(super) const MAX_LINE: usize = 1024 * 1024;
/// A block ends with the line that reaches this many bytes.
const BLOCK: usize = 64 * 1024;
/// What some editors write before UTF-8.
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Consecutive lines. It is used again when its lines are done, so that a batch of any length needs the memory of a few.
#[derive(Default)]
pub(super) struct Block {
    /// The number of its first line, from 1.
    first: u64,
    text: Vec<u8>,
    /// Where each line ends; `None` for one that is too long and was not kept.
    ends: Vec<Option<usize>>,
}

impl Block {
    /// Reads lines until there are enough, or until reading on would wait while somebody may wait for the answer to what is here.
    pub(super) fn fill(&mut self, first: u64, input: &mut impl BufferedRead) -> io::Result<()> {
        self.first = first;
        self.text.clear();
        self.ends.clear();
        // A line of the greatest length, once seen, is no reason to keep its room.
        self.text.shrink_to(2 * BLOCK);
        while self.text.len() < BLOCK && (self.ends.is_empty() || input.has_more()) {
            let before = self.text.len();
            match read_line(input, &mut self.text)? {
                LineRead::End => break,
                LineRead::TooLong => {
                    self.text.truncate(before);
                    self.ends.push(None);
                }
                LineRead::Line => self.ends.push(Some(self.text.len())),
            }
        }
        Ok(())
    }

    /// How many lines.
    pub(super) fn len(&self) -> u64 {
        self.ends.len() as u64
    }

    /// The number of each line, and the line without its end; `None` for one that is too long.
    pub(super) fn lines(&self) -> impl Iterator<Item = (u64, Option<&[u8]>)> {
        let mut start = 0;
        (self.first..).zip(&self.ends).map(move |(number, end)| {
            let line = end.and_then(|end| self.text.get(std::mem::replace(&mut start, end)..end));
            (number, line)
        })
    }
}

/// Input that says whether more of it can be had without waiting.
pub(super) trait BufferedRead: BufRead {
    /// Whether a line is (at least in part) already read ahead.
    fn has_more(&self) -> bool;
}

impl<R: Read> BufferedRead for io::BufReader<R> {
    fn has_more(&self) -> bool {
        !self.buffer().is_empty()
    }
}

/// The input without a byte order mark at its beginning.
pub(super) fn without_mark(mut input: impl Read) -> io::Result<impl Read> {
    let mut start = Vec::new();
    input.by_ref().take(BYTE_ORDER_MARK.len() as u64).read_to_end(&mut start)?;
    if start == BYTE_ORDER_MARK {
        start.clear();
    }
    Ok(io::Cursor::new(start).chain(input))
}

/// What came of reading a line.
enum LineRead {
    Line,
    TooLong,
    End,
}

/// Appends what stands before the next line end; the rest of a line that is too long is skipped without being kept.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<LineRead> {
    let begin = line.len();
    let mut too_long = false;
    let mut anything = false;
    loop {
        let available = match input.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() {
            return Ok(if too_long {
                LineRead::TooLong
            } else if anything {
                LineRead::Line
            } else {
                LineRead::End
            });
        }
        anything = true;
        let end = available.iter().position(|byte| *byte == b'\n');
        let piece = available.get(..end.unwrap_or(available.len())).unwrap_or(available);
        if line.len().saturating_sub(begin) + piece.len() > MAX_LINE {
            too_long = true;
            line.truncate(begin);
        } else if !too_long {
            line.extend_from_slice(piece);
        }
        let used = piece.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            return Ok(if too_long { LineRead::TooLong } else { LineRead::Line });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_any_length_are_read_in_bounded_memory() {
        let long = vec![b'x'; 3 * MAX_LINE];
        let exact = vec![b'y'; MAX_LINE];
        let text = [b"a\n\n".as_slice(), &long, b"\n", &exact, b"\nlast"].concat();
        for capacity in [1, 7, 64 * 1024] {
            let mut input = io::BufReader::with_capacity(capacity, text.as_slice());
            let mut block = Block::default();
            let (mut seen, mut next) = (Vec::new(), 1);
            loop {
                block.fill(next, &mut input).unwrap();
                if block.len() == 0 {
                    break;
                }
                seen.extend(block.lines().map(|(number, line)| (number, line.map(<[u8]>::len))));
                next += block.len();
                assert!(block.text.capacity() <= 2 * (MAX_LINE + BLOCK));
            }
            assert_eq!(seen, [(1, Some(1)), (2, Some(0)), (3, None), (4, Some(MAX_LINE)), (5, Some(4))]);
        }
    }

    /// Gives one line and then waits for ever.
    struct OneLine(bool);

    impl Read for OneLine {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            assert!(!std::mem::replace(&mut self.0, true), "read on although there was a line to answer");
            out[..2].copy_from_slice(b"a\n");
            Ok(2)
        }
    }

    #[test]
    fn a_line_that_is_there_does_not_wait_for_the_next() {
        let mut block = Block::default();
        block.fill(1, &mut io::BufReader::new(OneLine(false))).unwrap();
        assert_eq!(block.lines().collect::<Vec<_>>(), [(1, Some(b"a".as_slice()))]);
    }
}
