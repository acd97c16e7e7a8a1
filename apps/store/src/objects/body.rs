//! A body on its way in: received and checked first, visible later or never.

use std::sync::Arc;

use bytes::Bytes;

use super::backend::{Blob, Stage};
use crate::{
    StoreError,
    digest::{Digests, Hasher, Promises},
};

/// The largest body of one request on both clouds: 5 GiB.
pub(crate) const MAX_BODY: u64 = 5 << 30;

/// A body that is being received. Dropping it, because the client went away or a promise was broken, leaves no trace.
pub(crate) struct IncomingBody {
    stage: Box<dyn Stage>,
    hasher: Hasher,
    limit: u64,
}

impl IncomingBody {
    pub(crate) fn check_promises(promises: &Promises, limit: u64) -> Result<(), StoreError> {
        match promises.promised_length() {
            Some(length) if length > limit => Err(StoreError::EntityTooLarge { limit }),
            _ => Ok(()),
        }
    }

    pub(crate) fn new(stage: Box<dyn Stage>, promises: Promises, limit: u64) -> Self {
        Self { stage, hasher: Hasher::new(promises), limit }
    }

    /// Takes the next bytes. After an error the body is lost: drop it.
    pub(crate) async fn write(&mut self, chunk: Bytes) -> Result<(), StoreError> {
        self.hasher.update(&chunk)?;
        if self.hasher.size() > self.limit {
            return Err(StoreError::EntityTooLarge { limit: self.limit });
        }
        self.stage.write(chunk).await.map_err(StoreError::io("received a body"))
    }

    /// Ends the body and checks every promise. What comes out is on the disk, if the store has one, and still invisible.
    pub(crate) async fn finish(self) -> Result<Staged, StoreError> {
        let digests = self.hasher.finish()?;
        let blob = self.stage.seal(digests.crc64_ecma).await.map_err(StoreError::io("received a body"))?;
        Ok(Staged { digests, blob })
    }
}

/// A body that is complete and kept its promises. Dropping it leaves no trace.
pub(crate) struct Staged {
    pub(crate) digests: Digests,
    pub(crate) blob: Arc<dyn Blob>,
}

#[cfg(test)]
impl Staged {
    /// The body's digests.
    pub(crate) fn digests(&self) -> &Digests {
        &self.digests
    }
}
