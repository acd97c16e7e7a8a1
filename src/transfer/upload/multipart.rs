//! The course of an upload in parts: begun or gone on with, sent, completed; thrown away or kept when it ends early.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use valetkey_core::{PresignOptions, SignedHeaders};

use super::parts::Multipart;
use super::plan::Cut;
use super::state::{Part, Record, State};
use super::{Stored, Upload};
use crate::transfer::checksum::hex;
use crate::transfer::engine::Site;
use crate::transfer::error::TransferError;
use crate::transfer::event::{Meter, Phase, TransferEvent};
use crate::transfer::files::{self, blocking};
use crate::transfer::options::{Stop, unless_stopped};
use crate::transfer::source::{Snapshot, Source};

/// How long an upload that ends early may take to throw its parts away.
const ABORT_TIMEOUT: Duration = Duration::from_secs(5);

impl Upload {
    pub(super) async fn send_parts(self, site: Site, cut: Option<Cut>, stop: &mut Stop) -> Result<Stored, TransferError> {
        self.requests.check_parts()?;
        let attributes = self.check_requests(&site).await?;
        let (mut state, begun) = match (unless_stopped(stop, self.earlier(&site, &attributes)).await?, cut) {
            (Some(found), _) => found,
            (None, Some(cut)) => self.begin(&site, cut, attributes, stop).await?,
            (None, None) => return self.send_whole(site.cloud, stop).await,
        };
        let mut guard = AbortOnDrop(state.path().is_none().then(|| begun.clone()));
        match unless_stopped(stop, self.finish(&begun, &mut state)).await {
            Ok(stored) => {
                guard.0 = None;
                state.forget().await?;
                Ok(stored)
            }
            Err(error) => {
                if guard.0.take().is_some() {
                    begun.abort(ABORT_TIMEOUT).await;
                }
                Err(error)
            }
        }
    }

    /// Signs what will be sent later: what cannot be bound shall not be found out after all parts were sent. Gives a digest of what is said of the object.
    async fn check_requests(&self, site: &Site) -> Result<String, TransferError> {
        let sign = async |request| self.engine.presigner.presign(&request, &PresignOptions::new()).await;
        sign(self.requests.part("0", 1, 1)).await?;
        sign(self.requests.complete(site.cloud, "0", 1)).await?;
        Ok(digest(&sign(self.requests.create()).await?.signed_headers))
    }

    /// A new upload, with its state written before any part is sent.
    async fn begin(&self, site: &Site, cut: Cut, attributes: String, stop: &mut Stop) -> Result<(State, Multipart), TransferError> {
        let mut creating = Box::pin(Multipart::create(&self.engine, &self.requests));
        let created = tokio::select! {
            biased;
            created = &mut creating => created?,
            () = stop => {
                // The store may have begun it already.
                match tokio::time::timeout(ABORT_TIMEOUT, creating).await {
                    Ok(Ok(upload_id)) => self.multipart(site, cut, &upload_id).abort(ABORT_TIMEOUT).await,
                    // Refused, or told of already.
                    Ok(Err(_)) => {}
                    Err(_) => {
                        let reason = format!("no answer within {} seconds", ABORT_TIMEOUT.as_secs());
                        self.engine.observer.tell(&TransferEvent::LeftUnnamed { reason });
                    }
                }
                return Err(TransferError::Cancelled);
            }
        };
        drop(creating);
        let begun = self.multipart(site, cut, &created);
        // Only files are resumed; bytes have no state.
        let snapshot = match &*self.source {
            Source::File { snapshot, .. } => *snapshot,
            Source::Bytes(_) => Snapshot::default(),
        };
        let record = Record::new(site.location.clone(), created, snapshot, cut, attributes);
        let mut state = State::new(record, self.state.clone());
        match state.save().await {
            Ok(()) => Ok((state, begun)),
            Err(error) => {
                begun.abort(ABORT_TIMEOUT).await;
                Err(error)
            }
        }
    }

    /// The upload that an earlier run began, if it can be gone on with.
    async fn earlier(&self, site: &Site, attributes: &str) -> Result<Option<(State, Multipart)>, TransferError> {
        let (Some(path), Source::File { snapshot, .. }) = (&self.state, &*self.source) else { return Ok(None) };
        let Some(mut record) = Record::read(path).await? else { return Ok(None) };
        if record.location != site.location {
            let reason = format!("is the record of an upload to {}; complete that one, or remove the record to give it up", record.location);
            return Err(TransferError::State { path: path.clone(), reason });
        }
        let changed = match Cut::resumed(snapshot.size, record.part_size) {
            _ if record.source != *snapshot => Err("the file has changed"),
            _ if record.attributes != attributes => Err("the object is described in another way"),
            // An upload keeps the part size that it began with.
            Some(earlier) => Ok(earlier),
            None => Err("the record does not fit the file"),
        };
        let cut = match changed {
            Ok(earlier) => earlier,
            Err(reason) => {
                self.multipart(site, Cut::whole(snapshot.size), &record.upload_id).abort(ABORT_TIMEOUT).await;
                return self.begin_anew(path, reason).await;
            }
        };
        let begun = self.multipart(site, cut, &record.upload_id);
        let Some(listed) = begun.list().await? else {
            return self.begin_anew(path, "the store no longer knows the upload").await;
        };
        let refused = keep_listed(&mut record.parts, cut, listed);
        let done = sum(&record.parts);
        self.engine.observer.tell(&TransferEvent::Resumed { done, total: snapshot.size, refused });
        Ok(Some((State::new(record, Some(path.clone())), begun)))
    }

    async fn begin_anew(&self, path: &Path, reason: &str) -> Result<Option<(State, Multipart)>, TransferError> {
        self.engine.observer.tell(&TransferEvent::BegunAnew { reason: reason.to_owned() });
        let path = path.to_owned();
        blocking(move || files::remove(&path).map_err(TransferError::file("remove", &path))).await?;
        Ok(None)
    }

    fn multipart(&self, site: &Site, cut: Cut, upload_id: &str) -> Multipart {
        let (engine, requests) = (Arc::clone(&self.engine), Arc::clone(&self.requests));
        Multipart { engine, requests, cloud: site.cloud, cut, upload_id: upload_id.into() }
    }

    /// Sends what is missing and completes.
    async fn finish(&self, begun: &Multipart, state: &mut State) -> Result<Stored, TransferError> {
        let size = self.source.size();
        let meter = Arc::new(Meter::new(self.engine.observer.clone(), Phase::Transferring, size));
        meter.begin(Phase::Transferring, sum(&state.record.parts));
        let there: HashSet<u32> = state.record.parts.iter().map(|part| part.number).collect();
        let missing = (1..=begun.cut.count()).filter(|number| !there.contains(number));
        begun.send(&self.source, missing, self.parallel, self.check_md5, &meter, state).await?;
        self.source.check()?;
        meter.begin(Phase::Finishing, size);
        let (etag, checked) = begun.complete(size, state.record.parts.clone()).await?;
        Ok(Stored { size, etag, parts: begun.cut.count(), checked })
    }
}

/// Keeps the recorded parts that the store has just so, and says how many bytes the others have.
fn keep_listed(parts: &mut Vec<Part>, cut: Cut, listed: Vec<(u32, String, u64)>) -> u64 {
    let listed: HashMap<u32, (String, u64)> = listed.into_iter().map(|(number, etag, size)| (number, (etag, size))).collect();
    let plain = |etag: &str| etag.trim_matches('"').to_ascii_lowercase();
    let before = sum(parts);
    let mut seen = HashSet::new();
    parts.retain(|part| {
        let there = listed.get(&part.number).is_some_and(|(etag, size)| *size == part.size && plain(etag) == plain(&part.etag));
        there && (1..=cut.count()).contains(&part.number) && part.size == cut.part(part.number).1 && seen.insert(part.number)
    });
    before.saturating_sub(sum(parts))
}

fn sum(parts: &[Part]) -> u64 {
    parts.iter().map(|part| part.size).fold(0, u64::saturating_add)
}

fn digest(headers: &SignedHeaders) -> String {
    let mut sha256 = Sha256::new();
    for (name, value) in headers.iter() {
        for text in [name, ":", value, "\n"] {
            sha256.update(text);
        }
    }
    hex(&sha256.finalize())
}

/// Throws an upload away that nobody waits for any more, as long as there is a runtime to do it.
struct AbortOnDrop(Option<Multipart>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let (Some(begun), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move { begun.abort(ABORT_TIMEOUT).await });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parts_that_the_store_has_just_so_are_kept() {
        let cut = Cut::resumed(25, 10).unwrap();
        let part = |number, etag: &str, size| Part { number, etag: etag.to_owned(), size, crc: 0 };
        let mut parts = vec![part(1, "\"a\"", 10), part(2, "\"b\"", 10), part(3, "\"c\"", 5), part(3, "\"c\"", 5), part(4, "\"d\"", 10)];
        let listed = vec![(1, "\"A\"".to_owned(), 10), (2, "\"x\"".to_owned(), 10), (3, "c".to_owned(), 5), (4, "d".to_owned(), 10)];
        assert_eq!(keep_listed(&mut parts, cut, listed), 25);
        assert_eq!(parts, [part(1, "\"a\"", 10), part(3, "\"c\"", 5)]);

        let mut parts = vec![part(1, "\"a\"", 10), part(3, "\"c\"", 5)];
        assert_eq!(keep_listed(&mut parts, cut, vec![(1, "a".to_owned(), 9)]), 15);
        assert!(parts.is_empty());
    }
}
