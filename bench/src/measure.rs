//! Time and allocations of columns that take turns.

use std::time::Duration;

use crate::allocations;
use crate::columns::Run;
use crate::job::{KEYS, Random};

/// How long it measures.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    pub rounds: usize,
    pub slices: usize,
    pub slice: Duration,
}

impl Effort {
    pub const FULL: Self = Self { rounds: 15, slices: 5, slice: Duration::from_millis(8) };
    pub const QUICK: Self = Self { rounds: 5, slices: 2, slice: Duration::from_millis(2) };
}

#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Nanoseconds per call: the median of the rounds, the least and the most.
    pub median: f64,
    pub least: f64,
    pub most: f64,
    /// Calls of the allocator and bytes asked for, per call; `None` of another process.
    pub allocations: Option<(f64, f64)>,
}

/// Measures all `signers`, each once in every round, in another order in each.
pub fn all(signers: &[&dyn Run], effort: Effort) -> Vec<Measured> {
    let count = |signer: &&dyn Run| signer.is_here().then(|| allocations::count(|| signer.run(KEYS)));
    let counted: Vec<_> = signers.iter().map(count).collect();
    let calls: Vec<_> = signers.iter().map(|signer| calls_in(*signer, effort.slice)).collect();
    let mut order: Vec<usize> = (0..signers.len()).collect();
    let mut random = Random::new();
    let mut rounds = vec![Vec::with_capacity(effort.rounds); signers.len()];
    for _ in 0..effort.rounds {
        random.shuffle(&mut order);
        for &index in &order {
            let slices = (0..effort.slices).map(|_| nanoseconds(signers[index], calls[index]));
            rounds[index].push(slices.fold(f64::INFINITY, f64::min));
        }
    }
    let per_call = |(allocations, bytes): (u64, u64)| (allocations as f64 / KEYS as f64, bytes as f64 / KEYS as f64);
    let measured = |(mut rounds, counted): (Vec<f64>, Option<(u64, u64)>)| {
        rounds.sort_unstable_by(f64::total_cmp);
        Measured {
            median: rounds[rounds.len() / 2],
            least: rounds[0],
            most: rounds[rounds.len() - 1],
            allocations: counted.map(per_call),
        }
    };
    rounds.into_iter().zip(counted).map(measured).collect()
}

/// How many calls fill a slice; finding out warms the column up.
fn calls_in(signer: &dyn Run, slice: Duration) -> usize {
    let mut calls = KEYS;
    loop {
        let taken = nanoseconds(signer, calls) * calls as f64;
        let wanted = slice.as_nanos() as f64;
        if taken >= wanted / 4.0 {
            return ((calls as f64 * wanted / taken) as usize).max(1);
        }
        calls *= 2;
    }
}

fn nanoseconds(signer: &dyn Run, calls: usize) -> f64 {
    signer.nanoseconds(calls) as f64 / calls as f64
}
