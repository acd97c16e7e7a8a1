//! The body of a verified request: plain or in chunks, into the store or into memory, and as it was promised.

use bytes::{Bytes, BytesMut};
use valetkey_core::verify::Payload;

use super::{
    Call,
    body::{RequestBody, check_framing, framing},
};
use crate::{
    StoreError,
    chunked::Decoder,
    digest::{Hasher, Promises},
    objects::{IncomingBody, ObjectStore, Staged},
};

/// Receives the body as an object's bytes.
pub(super) async fn object(store: &ObjectStore, call: &Call<'_>, body: &mut RequestBody, promises: Promises) -> Result<Staged, StoreError> {
    let length = check_framing(call)?;
    match call.headers.chunks(call.verified.payload())? {
        None => {
            let promises = length.into_iter().fold(promises, Promises::length);
            let mut into = store.receive(call.bucket(), promises).await?;
            let filled = plain(&mut into, body, length).await;
            end(into, filled).await
        }
        Some(decoder) => {
            let mut into = store.receive(call.bucket(), promises.length(decoder.promised())).await?;
            let filled = chunks(&mut into, body, decoder, length).await;
            end(into, filled).await
        }
    }
}

/// Ends a body that came whole; of one that did not, nothing is left when the answer is given.
pub(super) async fn end<E: From<StoreError>>(into: IncomingBody, filled: Result<(), E>) -> Result<Staged, E> {
    match filled {
        Ok(()) => Ok(into.finish().await?),
        Err(error) => {
            into.discard().await;
            Err(error)
        }
    }
}

async fn plain(into: &mut IncomingBody, body: &mut RequestBody, length: Option<u64>) -> Result<(), StoreError> {
    let mut received = 0_u64;
    while let Some(chunk) = body.chunk(received, length).await? {
        received = received.saturating_add(chunk.len() as u64);
        into.write(chunk).await?;
    }
    Ok(())
}

async fn chunks(into: &mut IncomingBody, body: &mut RequestBody, mut decoder: Decoder, length: Option<u64>) -> Result<(), StoreError> {
    let mut received = 0_u64;
    while let Some(mut raw) = body.chunk(received, length).await? {
        received = received.saturating_add(raw.len() as u64);
        while let Some(data) = decoder.next(&mut raw)? {
            into.write(data).await?;
        }
    }
    if let Some((algorithm, value)) = decoder.finish()? {
        into.promise_late(algorithm, &value)?;
    }
    Ok(())
}

/// Receives a body of at most `limit` bytes in memory.
pub(super) async fn document(call: &Call<'_>, body: &mut RequestBody, promises: Promises, limit: usize) -> Result<Bytes, StoreError> {
    if call.headers.chunks(call.verified.payload())?.is_some() {
        return Err(StoreError::NotImplemented { what: "aws-chunked bodies of this operation" });
    }
    collect(body, promises, check_framing(call)?, limit).await
}

async fn collect(body: &mut RequestBody, promises: Promises, length: Option<u64>, limit: usize) -> Result<Bytes, StoreError> {
    let too_large = || StoreError::EntityTooLarge { limit: limit as u64 };
    if length.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let mut hasher = Hasher::new(length.into_iter().fold(promises, Promises::length));
    let mut bytes = BytesMut::new();
    while let Some(chunk) = body.chunk(hasher.size(), length).await? {
        hasher.update(&chunk)?;
        if hasher.size() > limit as u64 {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    hasher.finish()?;
    Ok(bytes.freeze())
}

/// The body of an operation that has none. What a signature says of it holds all the same.
pub(super) async fn nothing(call: &Call<'_>, body: &mut RequestBody) -> Result<(), StoreError> {
    /// What is read of a body that says nothing.
    const LIMIT: usize = 64 << 10;
    match call.verified.payload() {
        Payload::Sha256(_) => {}
        Payload::Chunked { .. } => return Err(StoreError::InvalidRequest { reason: "this operation has no body, and an aws-chunked one is announced" }),
        _ => return Ok(()),
    }
    let length = match framing(call.headers.map) {
        // No length and no chunks: HTTP says that there is no body.
        Err(StoreError::MissingContentLength) => Some(0),
        other => other?,
    };
    collect(body, call.headers.body_promises(call.verified.payload())?, length, LIMIT).await.map(|_| ())
}
