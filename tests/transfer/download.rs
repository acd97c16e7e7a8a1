//! Downloads as they should be, and what they refuse.

use std::io::Write;
use std::sync::{Arc, Mutex};

use valetkey::transfer::{Fetched, TransferError, TransferOptions};
use valetkey::{ByteRange, ObjectRequest};
use valetkey_store::Cloud;

use crate::proxy::{Act, Answer};
use crate::stage::{Stage, bytes, stages};

pub(crate) fn get() -> ObjectRequest {
    ObjectRequest::get("k".parse().unwrap())
}

pub(crate) async fn fetch(stage: &Stage, options: TransferOptions) -> Result<Fetched, TransferError> {
    stage.transfer.download_file(stage.presigner.clone(), get(), stage.path("target"), options).await
}

/// What was written, to look at it after the writer is gone.
#[derive(Clone, Default)]
pub(crate) struct Shared(pub(crate) Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(crate) fn target(stage: &Stage) -> Vec<u8> {
    std::fs::read(stage.path("target")).unwrap()
}

#[tokio::test]
async fn objects_arrive_as_they_are() {
    for stage in stages().await {
        let part = stage.part();
        for (size, parallel) in [(0, 4), (1, 4), (part, 1), (part + 1, 4), (3 * part, 2), (3 * part + 7, 1)] {
            let content = bytes(size, size);
            stage.direct(&ObjectRequest::put("k".parse().unwrap()).content_type("a/b"), content.clone()).await.unwrap();
            let fetched = fetch(&stage, stage.options().parallel(parallel)).await.unwrap();
            assert_eq!((fetched.size, fetched.content_type.as_deref()), (size, Some("a/b")));
            assert_eq!(fetched.checked, (stage.cloud == Cloud::Oss).then_some("crc64ecma"));
            assert_eq!(fetched.etag, stage.header("k", "etag").await);
            assert!(target(&stage) == content && stage.told.most() == size, "{:?} {size}", stage.cloud);
            // Every request for bytes is for this very object.
            let seen = stage.proxy.take();
            let gets: Vec<_> = seen.iter().filter(|seen| seen.method == "GET").collect();
            assert!(gets.iter().all(|seen| seen.header("if-match") == fetched.etag.as_deref()));
            assert_eq!(gets.len() as u64, size.div_ceil(part));

            let writer = Shared::default();
            let fetched = stage.transfer.download_to(stage.presigner.clone(), get(), writer.clone(), stage.options().check_md5(true)).await.unwrap();
            assert!(*writer.0.lock().unwrap() == content && stage.told.most() == size);
            assert_eq!(fetched.checked, Some(if stage.cloud == Cloud::Oss { "crc64ecma" } else { "md5" }));
            stage.proxy.take();
        }
        assert_eq!(stage.names(), ["target"]);
        assert!(stage.told.take().is_empty());
    }
}

#[tokio::test]
async fn checksums_that_the_store_keeps_are_compared() {
    let stage = Stage::new(Cloud::S3).await;
    let content = bytes(1, 2 * stage.part() + 1);
    let digest = |algorithm| {
        let mut digest = crc_fast::Digest::new(algorithm);
        digest.update(&content);
        digest.finalize().to_be_bytes()
    };
    let base64 = |bytes: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    use crc_fast::CrcAlgorithm::{Crc32Iscsi, Crc32IsoHdlc, Crc64Nvme};
    let sha256 = <sha2::Sha256 as sha2::Digest>::digest(&content);
    for (name, value) in [
        ("crc64nvme", base64(&digest(Crc64Nvme))),
        ("crc32c", base64(&digest(Crc32Iscsi)[4..])),
        ("crc32", base64(&digest(Crc32IsoHdlc)[4..])),
        ("sha256", base64(&sha256)),
    ] {
        let checksum = format!("{name}={value}").parse().unwrap();
        stage.direct(&ObjectRequest::put("k".parse().unwrap()).checksum(checksum), content.clone()).await.unwrap();
        for options in [stage.options(), stage.options().resume(true), stage.options().check_md5(true)] {
            assert_eq!(fetch(&stage, options).await.unwrap().checked, Some(name));
        }
        assert!(target(&stage) == content);
        stage.proxy.next(
            "head",
            Act::Change(Box::new(move |answer| {
                let header = format!("x-amz-checksum-{name}");
                let wrong = if name == "sha256" { "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=" } else { "AAAAAA==" };
                answer.set(&header, wrong);
            })),
        );
        let error = fetch(&stage, stage.options().resume(true)).await.unwrap_err();
        assert!(matches!(error, TransferError::ChecksumMismatch { algorithm, .. } if algorithm == name), "{error}");
        assert_eq!(stage.names(), ["target"]);
    }
}

#[tokio::test]
async fn a_file_keeps_its_place_until_all_is_there_and_right() {
    for stage in stages().await {
        let part = stage.part();
        stage.store("k", &bytes(1, 3 * part)).await;
        let old = b"what was there before".to_vec();
        for case in ["refused", "wrong checksum", "other object", "stopped", "no such object"] {
            std::fs::write(stage.path("target"), &old).unwrap();
            let mut options = stage.options().check_md5(true);
            let mut request = get();
            match case {
                "refused" => {
                    stage.proxy.next("get", Act::Cut(5));
                    stage.proxy.next("get", Act::Answer(Answer::error(403, "AccessDenied", "")));
                }
                "wrong checksum" => stage.proxy.next(
                    "head",
                    Act::Change(Box::new(|answer| {
                        let name = if answer.headers.iter().any(|(name, _)| name == "x-oss-hash-crc64ecma") {
                            "x-oss-hash-crc64ecma"
                        } else {
                            "x-amz-checksum-crc64nvme"
                        };
                        answer.set(name, "1");
                    })),
                ),
                "other object" => stage.proxy.next("get", Act::Change(Box::new(|answer| answer.set("etag", "\"another\"")))),
                "stopped" => {
                    stage.proxy.next("get", Act::Hang);
                    options = options.stop_when(std::future::ready(()));
                }
                _ => request = ObjectRequest::get("nothing".parse().unwrap()),
            }
            let error = stage.transfer.download_file(stage.presigner.clone(), request, stage.path("target"), options).await.unwrap_err();
            let want = match case {
                "wrong checksum" => "checksum_mismatch",
                "other object" => "object_changed",
                "stopped" => "interrupted",
                _ => "refused",
            };
            assert_eq!(error.code(), want, "{case}: {error}");
            assert!(target(&stage) == old && stage.names() == ["target"], "{case}: {:?}", stage.names());
            stage.proxy.behave();
        }
    }
}

#[tokio::test]
async fn bytes_of_two_objects_are_never_mixed() {
    for stage in stages().await {
        let part = stage.part();
        for to_writer in [false, true] {
            stage.store("k", &bytes(1, 3 * part)).await;
            let direct = stage.direct_put(bytes(2, 3 * part));
            stage.proxy.next("get", Act::Cut(7));
            stage.proxy.next("get", Act::Before(Box::new(move || Box::pin(direct))));
            let error = if to_writer {
                stage.transfer.download_to(stage.presigner.clone(), get(), std::io::sink(), stage.options()).await.map(drop).unwrap_err()
            } else {
                fetch(&stage, stage.options()).await.map(drop).unwrap_err()
            };
            assert!(matches!(error, TransferError::ObjectChanged), "{error}");
        }
        assert!(stage.names().is_empty());
    }
}

#[tokio::test]
async fn answers_that_are_of_other_bytes_are_refused() {
    for stage in stages().await {
        let size = 2 * stage.part();
        stage.store("k", &bytes(1, size)).await;
        let whole = Answer::new(200, bytes(1, size));
        let cases: Vec<(&str, Act)> = vec![
            ("it has the whole object where a range was asked for", Act::Answer(whole)),
            ("was asked for", Act::Change(Box::new(|answer| answer.set("content-range", "bytes 0-0/1")))),
            ("it has the range ``", Act::Change(Box::new(|answer| answer.headers.retain(|(name, _)| name != "content-range")))),
            ("its status is 204", Act::Answer(Answer::new(204, ""))),
            (
                "it has 3 bytes",
                Act::Change(Box::new(|answer| {
                    answer.body = answer.body.slice(..3);
                    answer.set("content-length", "3");
                })),
            ),
        ];
        for (text, act) in cases {
            stage.proxy.next("get", act);
            let error = fetch(&stage, stage.options()).await.unwrap_err();
            assert!(matches!(error, TransferError::UnexpectedAnswer { .. }) && error.to_string().contains(text), "{error}");
        }
        stage.proxy.next("head", Act::Answer(Answer::new(200, "")));
        stage.proxy.next("head", Act::Change(Box::new(|answer| answer.set("content-length", "many"))));
        for _ in 0..2 {
            let ended = fetch(&stage, stage.options()).await;
            assert!(ended.is_err() || target(&stage).is_empty());
        }
    }
}

#[tokio::test]
async fn places_that_are_no_files_are_refused() {
    let stage = Stage::new(Cloud::S3).await;
    stage.store("k", b"new").await;
    std::fs::create_dir(stage.path("folder")).unwrap();
    for (path, text) in [
        (stage.path("folder"), "it is a folder"),
        ("/dev/null".into(), "it is no regular file"),
        ("".into(), "it names no file"),
        (stage.path("nowhere/file"), "cannot create a file in"),
    ] {
        let error = stage.transfer.download_file(stage.presigner.clone(), get(), &path, stage.options()).await.unwrap_err();
        assert!(matches!(error, TransferError::File { .. }) && error.to_string().contains(text), "{error}");
    }
    assert!(!std::path::Path::new("/dev/null").is_file());
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_and_not_its_link_is_replaced_and_stays_as_closed_as_it_was() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::new(Cloud::Oss).await;
    stage.store("k", b"new").await;
    let file = stage.file("file", b"old");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink("file", stage.path("target")).unwrap();
    fetch(&stage, stage.options()).await.unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), b"new");
    assert!(std::fs::symlink_metadata(stage.path("target")).unwrap().is_symlink());
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    // A link in the place of the file that grows leads to somebody else's file.
    let precious = stage.file("precious", b"precious");
    std::os::unix::fs::symlink(&precious, stage.path(".file.valetkey-part")).unwrap();
    let error = fetch(&stage, stage.options().resume(true)).await.unwrap_err();
    assert!(error.to_string().contains("is no regular file; remove it"), "{error}");
    assert_eq!(std::fs::read(precious).unwrap(), b"precious");
}

#[tokio::test]
async fn what_only_one_request_can_mean_is_refused() {
    let stage = Stage::new(Cloud::S3).await;
    for (request, text) in [
        (get().range(ByteRange::From(1)), "makes its ranges itself"),
        (get().header("Range", "bytes=1-"), "sets the header `Range` itself"),
        (get().header("If-None-Match", "\"e\""), "sets the header `If-None-Match` itself"),
        (get().process("image/resize,w_100"), "another object than the one that is checked"),
        (get().query("partNumber", "1"), "leave the parameter `partNumber` out"),
        (ObjectRequest::head("k".parse().unwrap()), "this is `head`"),
    ] {
        let error = stage.transfer.open(stage.presigner.clone(), request, stage.options()).await.unwrap_err();
        assert!(matches!(error, TransferError::InvalidRequest { .. }) && error.to_string().contains(text), "{error}");
    }
    assert!(stage.proxy.take().is_empty());
    // The caller's own condition is kept too.
    stage.store("k", b"new").await;
    let error = stage.transfer.open(stage.presigner.clone(), get().if_match("\"old\""), stage.options()).await.unwrap_err();
    assert!(matches!(error, TransferError::Refused { status: 412, .. }), "{error}");
    let etag = stage.header("k", "etag").await.unwrap();
    let mut reader = stage.transfer.open(stage.presigner.clone(), get().if_match(etag), stage.options()).await.unwrap();
    assert_eq!(reader.chunk().await.unwrap().unwrap(), "new");
    assert_eq!(reader.fetched().checked, None);
    assert_eq!(reader.chunk().await.unwrap(), None);
}

#[tokio::test]
async fn a_writer_that_fails_ends_the_download() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let stage = Stage::new(Cloud::Oss).await;
    stage.store("k", &bytes(1, 3 << 20)).await;
    let error = stage.transfer.download_to(stage.presigner.clone(), get(), Full, stage.options()).await.unwrap_err();
    assert!(matches!(&error, TransferError::Write(error) if error.kind() == std::io::ErrorKind::StorageFull), "{error}");
}

#[tokio::test]
async fn what_is_not_there_is_told_in_the_words_of_the_store() {
    for stage in stages().await {
        for (request, want) in [(ObjectRequest::get("nothing".parse().unwrap()), (404, "NoSuchKey")), (get().if_match("\"old\""), (412, "PreconditionFailed"))]
        {
            stage.store("k", b"new").await;
            let error = fetch_of(&stage, request).await.unwrap_err();
            assert!(matches!(&error, TransferError::Refused { status, code: Some(code), .. } if (*status, code.as_str()) == want), "{error}");
            assert!(stage.told.take().is_empty() && stage.names().is_empty());
        }
        // Where GET knows no better, what HEAD said stands.
        stage.proxy.next("head", Act::Answer(Answer::new(404, "")));
        stage.proxy.next("get", Act::Close);
        let error = fetch_of(&stage, get()).await.unwrap_err();
        assert!(matches!(error, TransferError::Refused { status: 404, code: None, .. }), "{error}");
    }
}

async fn fetch_of(stage: &Stage, request: ObjectRequest) -> Result<Fetched, TransferError> {
    stage.transfer.download_file(stage.presigner.clone(), request, stage.path("target"), stage.options()).await
}
