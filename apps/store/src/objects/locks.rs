//! Locks by name: two names may share one, which costs a wait and nothing else.
//!
//! Who needs several takes them in this order: the bucket's, the upload's, the object's.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

/// Held while the named thing changes.
pub(super) struct Locks {
    hasher: RandomState,
    locks: [Mutex<()>; 64],
}

impl Locks {
    pub(super) fn new() -> Self {
        Self { hasher: RandomState::new(), locks: [const { Mutex::new(()) }; 64] }
    }

    pub(super) fn hold(&self, bucket: &str, name: &str) -> Option<MutexGuard<'_, ()>> {
        self.locks.get(slot(&self.hasher, (bucket, name), self.locks.len())).map(|lock| lock.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Locks of many names at once, each taken once, in one order for all who do this.
    pub(super) fn hold_all<'a>(&self, bucket: &str, names: impl Iterator<Item = &'a str>) -> Vec<MutexGuard<'_, ()>> {
        let mut slots: Vec<usize> = names.map(|name| slot(&self.hasher, (bucket, name), self.locks.len())).collect();
        slots.sort_unstable();
        slots.dedup();
        slots.into_iter().filter_map(|slot| self.locks.get(slot)).map(|lock| lock.lock().unwrap_or_else(PoisonError::into_inner)).collect()
    }
}

/// Of buckets: what writes into one shares the lock, what makes, configures or deletes one has it alone.
pub(super) struct BucketLocks {
    hasher: RandomState,
    locks: [RwLock<()>; 16],
}

impl BucketLocks {
    pub(super) fn new() -> Self {
        Self { hasher: RandomState::new(), locks: [const { RwLock::new(()) }; 16] }
    }

    pub(super) fn share(&self, bucket: &str) -> Option<RwLockReadGuard<'_, ()>> {
        self.locks.get(slot(&self.hasher, bucket, self.locks.len())).map(|lock| lock.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn change(&self, bucket: &str) -> Option<RwLockWriteGuard<'_, ()>> {
        self.locks.get(slot(&self.hasher, bucket, self.locks.len())).map(|lock| lock.write().unwrap_or_else(PoisonError::into_inner))
    }
}

fn slot(hasher: &RandomState, name: impl std::hash::Hash, slots: usize) -> usize {
    usize::try_from(hasher.hash_one(name) % slots as u64).unwrap_or_default()
}
