//! Moving bytes, against the embedded store and a proxy before it that misbehaves as it is told.
#![cfg(all(feature = "s3", feature = "oss", feature = "transfer"))]

#[path = "transfer/download.rs"]
mod download;
#[path = "transfer/download_resume.rs"]
mod download_resume;
#[path = "transfer/faults.rs"]
mod faults;
#[path = "transfer/proxy.rs"]
mod proxy;
#[path = "transfer/resume.rs"]
mod resume;
#[path = "transfer/stage.rs"]
mod stage;
#[path = "transfer/upload.rs"]
mod upload;
