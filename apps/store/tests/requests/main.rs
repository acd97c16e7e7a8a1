//! Requests as the clouds' own clients send them: buckets, listings, deletions, copies, bodies in chunks, cross-origin rules.

#[path = "../support/mod.rs"]
mod support;

mod bodies;
mod buckets;
mod chunked;
mod copies;
mod cors;
mod listings;
mod many;
