//! Browser forms over HTTP: what is taken, what is refused and leaves nothing, and how the bytes of a form may look.

#[path = "../support/mod.rs"]
mod support;

mod hostile;
mod objects;
mod public;
mod refused;
mod taken;
mod wire;
