//! Reading a form as a stream.
//!
//! `multer` takes the parts out of the body. It is lenient where two readers could differ, so what it skips is judged here: every byte before the file is
//! kept (there are few) and each part's head is read again from it, from one known position to the next.

use std::{
    convert::Infallible,
    mem,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::HeaderMap;
use multer::{Field, Multipart};
use valetkey_core::verify::FormError;

use super::head::{self, PartHead};
use crate::{
    Cloud, StoreError,
    server::{Fault, body::RequestBody, gate::cloud_of_form},
};

/// The most parts of a form, the file included.
const MAX_PARTS: usize = 64;
/// The most bytes of a part's head, the blank line included.
const MAX_HEAD: usize = 8 << 10;
/// The most bytes of one field.
const MAX_FIELD: usize = 64 << 10;
/// How many bytes multer is given at a time. Less is gathered first, so that a body that comes byte by byte costs no more than another.
const SLICE: usize = 16 << 10;

/// A form that is being read: first [`fields`](Self::fields), then [`file_chunk`](Self::file_chunk) until there is none, then [`end`](Self::end).
pub(super) struct FormReader<'b> {
    body: &'b mut RequestBody,
    length: Option<u64>,
    received: u64,
    has_ended: bool,
    /// What was received and not given to multer yet.
    ahead: BytesMut,
    multipart: Multipart<'static>,
    slot: Slot,
    given: u64,
    is_before_file: bool,
    /// What multer was given before the file came; the last two bytes of what it was given from then on.
    kept: Vec<u8>,
    /// Where the content of the latest part begins or, when it was read, ends.
    at: u64,
    delimiter: Vec<u8>,
    parts: usize,
    fields: Vec<(String, String)>,
}

/// The file of a form, its content not read yet.
pub(super) struct FilePart {
    /// Its name, which may be none.
    pub(super) name: String,
    /// What the client says of its type.
    pub(super) content_type: Option<String>,
    field: Field<'static>,
    opening: Vec<u8>,
}

impl<'b> FormReader<'b> {
    /// `length` is what the request says of its body.
    pub(super) fn new(body: &'b mut RequestBody, headers: &HeaderMap, length: Option<u64>) -> Result<Self, FormError> {
        let boundary = head::boundary(headers)?;
        let slot = Slot::default();
        Ok(Self {
            body,
            length,
            received: 0,
            has_ended: false,
            ahead: BytesMut::new(),
            delimiter: [b"--", boundary.as_bytes()].concat(),
            multipart: Multipart::new(slot.clone(), boundary),
            slot,
            given: 0,
            is_before_file: true,
            kept: Vec::new(),
            at: 0,
            parts: 0,
            fields: Vec::new(),
        })
    }

    /// The fields that were read so far.
    pub(super) fn so_far(&self) -> &[(String, String)] {
        &self.fields
    }

    /// Reads the fields, up to the file or the end of a form that has none.
    pub(super) async fn fields(&mut self) -> Result<Option<FilePart>, Fault> {
        while let Some(mut field) = self.next_part().await? {
            self.parts = self.parts.saturating_add(1);
            if self.parts > MAX_PARTS {
                return Err(malformed("it has more than 64 parts"));
            }
            let PartHead { name, file_name, content_type } = self.head()?;
            if name.eq_ignore_ascii_case("file") {
                self.close_fields()?;
                return Ok(Some(FilePart { name: file_name.unwrap_or_default(), content_type, field, opening: Vec::new() }));
            }
            let value = self.value(&mut field, &name).await?;
            self.fields.push((name, value));
        }
        self.close_fields()?;
        self.end().await?;
        Ok(None)
    }

    /// The next bytes of the file.
    pub(super) async fn file_chunk(&mut self, file: &mut FilePart) -> Result<Option<Bytes>, Fault> {
        let chunk = self.chunk(&mut file.field).await?;
        if let Some(chunk) = &chunk {
            self.at = self.at.saturating_add(chunk.len() as u64);
            let room = self.delimiter.len().saturating_sub(file.opening.len());
            file.opening.extend(chunk.iter().take(room));
        }
        if file.opening == self.delimiter {
            return Err(malformed(UNCLEAR_BORDER));
        }
        Ok(chunk)
    }

    /// Reads the rest of the form: the closing delimiter and at most a line end.
    pub(super) async fn end(&mut self) -> Result<(), Fault> {
        match self.next_part().await? {
            None => {}
            Some(part) if part.name().is_some_and(|name| name.eq_ignore_ascii_case("file")) => return Err(FormError::FileCount { count: 2 }.into()),
            Some(_) => return Err(malformed("something follows the file")),
        }
        let line_end: u64 = if self.parts == 0 { 0 } else { 2 };
        let closed_at = self.at.saturating_add(line_end).saturating_add(self.delimiter.len() as u64).saturating_add(2);
        while self.given.saturating_sub(closed_at) <= 2 {
            if self.slice().await?.is_none() {
                return match (self.given.saturating_sub(closed_at), self.kept.as_slice()) {
                    (0, _) | (2, [.., b'\r', b'\n']) => Ok(()),
                    _ => break,
                };
            }
        }
        Err(malformed("something follows the closing delimiter"))
    }

    async fn next_part(&mut self) -> Result<Option<Field<'static>>, Fault> {
        loop {
            let asked = self.multipart.poll_next_field(&mut Context::from_waker(Waker::noop()));
            match asked {
                Poll::Ready(part) => return part.map_err(|_| malformed("its parts cannot be told apart")),
                // All that it was given and did not take is a delimiter between two line ends, and the part's head.
                Poll::Pending if self.given.saturating_sub(self.at) > MAX_HEAD.saturating_add(self.delimiter.len()).saturating_add(4) as u64 => {
                    return Err(malformed("the head of a part is longer than 8192 bytes"));
                }
                Poll::Pending => self.feed().await?,
            }
        }
    }

    async fn chunk(&mut self, field: &mut Field<'static>) -> Result<Option<Bytes>, Fault> {
        loop {
            let asked = Pin::new(&mut *field).poll_next(&mut Context::from_waker(Waker::noop()));
            match asked {
                Poll::Ready(chunk) => return chunk.transpose().map_err(|_| malformed("it ends before its closing delimiter")),
                Poll::Pending => self.feed().await?,
            }
        }
    }

    async fn value(&mut self, field: &mut Field<'static>, name: &str) -> Result<String, Fault> {
        let mut value = Vec::new();
        while let Some(chunk) = self.chunk(field).await? {
            value.extend_from_slice(&chunk);
            if value.len() > MAX_FIELD {
                return Err(match self.cloud() {
                    Cloud::S3 => self.too_much(),
                    Cloud::Oss => FormError::FieldTooLong { name: name.into(), max: MAX_FIELD }.into(),
                });
            }
        }
        self.at = self.at.saturating_add(value.len() as u64);
        // A delimiter without its line end, or with another one, is none; some readers take it for one.
        if value.split(|byte| matches!(byte, b'\r' | b'\n')).any(|line| line.starts_with(&self.delimiter)) {
            return Err(malformed(UNCLEAR_BORDER));
        }
        String::from_utf8(value).map_err(|_| malformed("a field is not UTF-8"))
    }

    /// Reads the head of the part that multer just came to, and moves on to where its content begins.
    fn head(&mut self) -> Result<PartHead, Fault> {
        let from = usize::try_from(self.at).unwrap_or(usize::MAX);
        let rest = self.kept.get(from..).unwrap_or_default();
        let line = if self.parts == 1 { Some(rest) } else { rest.strip_prefix(b"\r\n") };
        let lines = line.and_then(|line| line.strip_prefix(self.delimiter.as_slice())).and_then(|line| line.strip_prefix(b"\r\n"));
        let lines = lines.ok_or(malformed("a delimiter is not alone on its line"))?;
        let end = lines.windows(4).take(MAX_HEAD.saturating_sub(3)).position(|window| window == b"\r\n\r\n");
        let (head, content) = end.and_then(|end| lines.split_at_checked(end)).ok_or(malformed("the head of a part is empty or longer than 8192 bytes"))?;
        let head = PartHead::read(head)?;
        self.at = (self.kept.len() as u64).saturating_sub(content.len() as u64).saturating_add(4);
        Ok(head)
    }

    /// Gives multer the next bytes, or the end. It has taken all others.
    async fn feed(&mut self) -> Result<(), Fault> {
        if self.slot.has_ended() {
            return Err(malformed("it ends before its closing delimiter"));
        }
        if self.is_before_file && self.given > Cloud::Oss.max_before_file() {
            return Err(self.too_much());
        }
        let slice = self.slice().await?;
        if self.is_before_file && !self.kept.starts_with(&self.delimiter) {
            return Err(malformed("it does not begin with a delimiter"));
        }
        self.slot.put(slice);
        Ok(())
    }

    async fn slice(&mut self) -> Result<Option<Bytes>, StoreError> {
        while self.ahead.len() < SLICE && !self.has_ended {
            match self.body.chunk(self.received, self.length).await? {
                Some(chunk) => {
                    self.received = self.received.saturating_add(chunk.len() as u64);
                    self.ahead.extend_from_slice(&chunk);
                }
                None => self.has_ended = true,
            }
        }
        if self.ahead.is_empty() {
            return Ok(None);
        }
        let slice = self.ahead.split_to(self.ahead.len().min(SLICE)).freeze();
        self.given = self.given.saturating_add(slice.len() as u64);
        self.kept.extend_from_slice(&slice);
        if !self.is_before_file {
            self.forget();
        }
        Ok(Some(slice))
    }

    /// Judges how much stands before the file, once it is known whose form it is.
    fn close_fields(&mut self) -> Result<(), Fault> {
        self.is_before_file = false;
        self.forget();
        if self.at > self.cloud().max_before_file() { Err(self.too_much()) } else { Ok(()) }
    }

    fn forget(&mut self) {
        let last_two = self.kept.len().saturating_sub(2);
        self.kept.drain(..last_two);
    }

    fn cloud(&self) -> Cloud {
        cloud_of_form(&self.fields)
    }

    fn too_much(&self) -> Fault {
        FormError::TooMuchBeforeFile { max: self.cloud().max_before_file() }.into()
    }
}

/// A delimiter in the content of a part, where this reader sees none.
const UNCLEAR_BORDER: &str = "the content of a part begins as a delimiter does";

fn malformed(what: &'static str) -> Fault {
    FormError::Malformed { what }.into()
}

/// What multer reads from: one slice at a time, and only when it has nothing left, so that it never holds more than it needs.
#[derive(Clone, Default)]
struct Slot(Arc<Mutex<Waiting>>);

#[derive(Default)]
enum Waiting {
    #[default]
    Nothing,
    Slice(Bytes),
    End,
}

impl Slot {
    fn put(&self, slice: Option<Bytes>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = slice.map_or(Waiting::End, Waiting::Slice);
    }

    fn has_ended(&self) -> bool {
        matches!(*self.0.lock().unwrap_or_else(PoisonError::into_inner), Waiting::End)
    }
}

impl Stream for Slot {
    type Item = Result<Bytes, Infallible>;

    /// Wakes nobody: who puts the next slice in here asks again.
    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match mem::take(&mut *waiting) {
            Waiting::Nothing => Poll::Pending,
            Waiting::Slice(slice) => Poll::Ready(Some(Ok(slice))),
            Waiting::End => {
                *waiting = Waiting::End;
                Poll::Ready(None)
            }
        }
    }
}
