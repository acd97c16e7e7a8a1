//! The course of a download into a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Fetched;
use super::object::Object;
use super::part_file::{PartFile, target};
use super::ranges::Ranges;
use super::state::{Record, State};
use crate::transfer::MAX_OBJECT;
use crate::transfer::checksum::{Algorithm, Running, Told};
use crate::transfer::error::TransferError;
use crate::transfer::event::{Meter, Phase, TransferEvent};
use crate::transfer::files::{self, beside, blocking};
use crate::transfer::options::{Stop, TransferOptions, unless_stopped};

/// How much is read at a time where a checksum needs all bytes in order.
const PIECE: usize = 1 << 20;

/// Fetches an object into a file.
pub(super) async fn download(object: Object, path: &Path, options: TransferOptions, mut stop: Stop) -> Result<Fetched, TransferError> {
    let TransferOptions { part_size, parallel, resume, state_file, observer, sync, .. } = options;
    let path = path.to_owned();
    let prepared = {
        let object = object.clone();
        blocking(move || {
            let target = target(&path)?;
            let state = state_file.unwrap_or_else(|| beside(&target, ".", ".valetkey-download"));
            let meter = Meter::new(observer.clone(), Phase::Transferring, object.size);
            let mut prepared = prepare(object, &target, resume.then_some(state), part_size, meter)?;
            prepared.ranges.sync = sync;
            let tell = |event: Option<TransferEvent>| event.iter().for_each(|event| observer.tell(event));
            tell(prepared.event);
            Ok((prepared.ranges, target))
        })
        .await
    };
    let (ranges, target) = prepared?;
    let ranges = Arc::new(ranges);
    ranges.meter.begin(Phase::Transferring, ranges.state.record().done());
    let mut under_way = JoinSet::new();
    if let Err(error) = unless_stopped(&mut stop, ranges.fetch(parallel.get(), &mut under_way)).await {
        // What was begun ends first, so that the record is right and the file is free when the caller goes on.
        under_way.shutdown().await;
        ranges.written().await;
        blocking(move || ranges.state.save()).await?;
        return Err(error);
    }
    ranges.meter.begin(Phase::Finishing, object.size);
    // Every task has ended, and with it every other holder.
    let ranges = Arc::into_inner(ranges).ok_or(TransferError::Cancelled)?;
    blocking(move || finish(ranges, &target)).await?;
    Ok(object.fetched(true))
}

struct Prepared {
    ranges: Ranges,
    event: Option<TransferEvent>,
}

/// Opens the file to write to and finds what is there already.
fn prepare(object: Object, target: &Path, state: Option<PathBuf>, part_size: u64, meter: Meter) -> Result<Prepared, TransferError> {
    // A length is what a store says: neither a file nor the list of ranges is made for one that cannot be.
    if object.size > MAX_OBJECT {
        return Err(TransferError::TooLarge { size: object.size, max: MAX_OBJECT });
    }
    let told = object.told.as_ref().map(|told| told.algorithm).filter(|algorithm| algorithm.combines());
    let algorithm = told.unwrap_or(Algorithm::of(object.site.cloud));
    // Without an ETag nothing says that two answers are of the same object.
    let (range, state) = match &object.etag {
        Some(_) => (part_size, state),
        None => (object.size, None),
    };
    let etag = object.etag.clone().unwrap_or_default();
    let fresh = Record::new(object.site.location.clone(), etag, object.size, algorithm, range);
    let Some(path) = state else {
        let part = PartFile::temporary(target)?;
        return Ok(Prepared { ranges: ranges(object, part, State::new(fresh, None), meter)?, event: None });
    };
    // Judged before the file is touched: it may belong to another download.
    let earlier = Record::read(&path)?;
    if let Some(record) = earlier.as_ref().filter(|record| record.location != fresh.location) {
        let reason = format!("is the record of a download of {}; complete that one, or remove the record to give it up", record.location);
        return Err(TransferError::State { path, reason });
    }
    let part = PartFile::kept(target)?;
    let (record, event) = match earlier {
        None => (fresh, None),
        Some(mut record) => match is_usable(&record, &fresh, &part) {
            Ok(()) => {
                meter.begin(Phase::Checking, 0);
                let refused = record.check(&part.file, &meter).map_err(TransferError::file("read", part.path()))?;
                let event = TransferEvent::Resumed { done: record.done(), total: record.size, refused };
                (record, Some(event))
            }
            Err(reason) => (fresh, Some(TransferEvent::BegunAnew { reason: reason.to_owned() })),
        },
    };
    let state = State::new(record, Some(path));
    let ranges = ranges(object, part, state, meter)?;
    ranges.state.save()?;
    Ok(Prepared { ranges, event })
}

/// Whether what an earlier run fetched belongs to the object as it is now.
fn is_usable(record: &Record, fresh: &Record, part: &PartFile) -> Result<(), &'static str> {
    if (&record.etag, record.size) != (&fresh.etag, fresh.size) {
        return Err("the object has changed");
    }
    if record.algorithm != fresh.algorithm {
        return Err("the store tells another checksum than before");
    }
    if part.file.metadata().map(|metadata| metadata.len()).ok() != Some(fresh.size) {
        return Err("the bytes that were fetched are gone");
    }
    Ok(())
}

fn ranges(object: Object, part: PartFile, state: State, meter: Meter) -> Result<Ranges, TransferError> {
    part.file.set_len(object.size).map_err(TransferError::file("write", part.path()))?;
    Ok(Ranges { object, part, state, meter, sync: true, syncing: Arc::new(Semaphore::new(1)), writes: Arc::default() })
}

/// Compares what came with what the store tells, and puts the file in its place.
fn finish(ranges: Ranges, target: &Path) -> Result<(), TransferError> {
    let Ranges { object, part, state, sync, .. } = ranges;
    if let Some(Err(error)) = object.told.as_ref().map(|told| compare(told, &state.record(), &part)) {
        // There is nothing in it to go on with.
        part.discard();
        state.forget()?;
        return Err(error);
    }
    part.finish(target, sync)?;
    state.forget()
}

fn compare(told: &Told, record: &Record, part: &PartFile) -> Result<(), TransferError> {
    if told.algorithm == record.algorithm {
        return told.check(told.algorithm.text_of_crc(record.crc()));
    }
    let mut running = Running::new(told.algorithm);
    let mut next = 0;
    while next < record.size {
        let piece = files::read_at(&part.file, next, PIECE).map_err(TransferError::file("read", part.path()))?;
        if piece.is_empty() {
            break;
        }
        running.update(&piece);
        next = next.saturating_add(piece.len() as u64);
    }
    told.check(running.text())
}
