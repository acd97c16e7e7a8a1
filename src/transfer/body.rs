//! What is sent: bytes or a stream, with a length that is known first.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;

pub(super) type Cause = Box<dyn std::error::Error + Send + Sync>;
pub(super) type Pieces = Box<dyn Stream<Item = Result<Bytes, Cause>> + Send + Unpin>;

/// What is sent.
pub struct Body(pub(super) BodyKind);

pub(super) enum BodyKind {
    Empty,
    Bytes(Bytes),
    Stream { length: u64, stream: Pieces },
}

impl Body {
    /// No body.
    #[must_use]
    pub const fn empty() -> Self {
        Self(BodyKind::Empty)
    }

    /// A stream of exactly `length` bytes: stores refuse bodies whose length is not said first.
    #[must_use]
    pub fn stream<S, E>(length: u64, stream: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        Self(BodyKind::Stream { length, stream: Box::new(AnyCause(Box::pin(stream))) })
    }

    /// How many bytes.
    pub(super) const fn length(&self) -> u64 {
        match &self.0 {
            BodyKind::Empty => 0,
            BodyKind::Bytes(bytes) => bytes.len() as u64,
            BodyKind::Stream { length, .. } => *length,
        }
    }

    pub(super) fn into_pieces(self) -> Pieces {
        match self.0 {
            BodyKind::Empty => Box::new(Once(None)),
            BodyKind::Bytes(bytes) => Box::new(Once(Some(bytes))),
            BodyKind::Stream { stream, .. } => stream,
        }
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            BodyKind::Empty => formatter.write_str("Body(empty)"),
            BodyKind::Bytes(bytes) => write!(formatter, "Body({} bytes)", bytes.len()),
            BodyKind::Stream { length, .. } => write!(formatter, "Body(stream of {length} bytes)"),
        }
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self(BodyKind::Bytes(bytes.into()))
    }
}

/// A stream whose errors are of one type.
struct AnyCause<S>(Pin<Box<S>>);

impl<S: Stream<Item = Result<Bytes, E>>, E: Into<Cause>> Stream for AnyCause<S> {
    type Item = Result<Bytes, Cause>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context).map(|piece| piece.map(|piece| piece.map_err(Into::into)))
    }
}

struct Once(Option<Bytes>);

impl Stream for Once {
    type Item = Result<Bytes, Cause>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.take().map(Ok))
    }
}
