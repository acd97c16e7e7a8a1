//! Uploads as they should be, and what they refuse.

use std::sync::Arc;

use valetkey::transfer::{RetryPolicy, TransferError, TransferOptions};
use valetkey::{ObjectRequest, PostPolicy, PresignError, PresignOptions, PresignedPost, PresignedRequest, Presigner};
use valetkey_store::Cloud;

use crate::proxy::{Act, Answer};
use crate::stage::{Stage, bytes, stages};

fn put(key: &str) -> ObjectRequest {
    ObjectRequest::put(key.parse().unwrap())
}

#[tokio::test]
async fn objects_arrive_as_they_were_sent() {
    for stage in stages().await {
        let part = stage.part();
        for (size, parts, parallel) in [(0, 0, 1), (1, 0, 4), (part, 0, 4), (part + 1, 2, 4), (3 * part, 3, 2), (3 * part + 7, 4, 1)] {
            let content = bytes(size, size);
            let path = stage.file("source", &content);
            let key = format!("o/{size}");
            let request = put(&key).content_type("image/x-test").metadata("made-by", "test").cache_control("no-cache");
            let stored = stage.transfer.upload_file(stage.presigner.clone(), request.clone(), &path, stage.options().parallel(parallel)).await.unwrap();
            assert_eq!((stored.size, stored.parts), (size, parts));
            assert_eq!(stored.checked, (stage.cloud == Cloud::Oss).then_some("crc64ecma"));
            assert_eq!(stored.etag, stage.header(&key, "etag").await);
            assert!(stage.object(&key).await.unwrap() == content, "{:?} {size}", stage.cloud);
            let meta = if stage.cloud == Cloud::S3 { "x-amz-meta-made-by" } else { "x-oss-meta-made-by" };
            for (name, value) in [("content-type", "image/x-test"), (meta, "test"), ("cache-control", "no-cache")] {
                assert_eq!(stage.header(&key, name).await.as_deref(), Some(value), "{name}");
            }
            assert_eq!(stage.told.most(), size);
            // Every request that carries bytes says how many, and the signature covers that.
            for seen in stage.proxy.take().iter().filter(|seen| seen.method == "PUT") {
                assert!(seen.header("content-length").is_some() && seen.target.contains("content-length"), "{seen:?}");
            }

            // The very same of a file that has no name any more, and of bytes.
            let open = std::fs::File::open(&path).unwrap();
            std::fs::rename(&path, stage.path("elsewhere")).unwrap();
            let stored = stage.transfer.upload_open(stage.presigner.clone(), request.clone(), open, stage.options().resume(true)).await.unwrap();
            assert_eq!((stored.size, stored.parts), (size, parts));
            assert!(stage.object(&key).await.unwrap() == content);
            std::fs::remove_file(stage.path("elsewhere")).unwrap();
            let stored = stage.transfer.upload_bytes(stage.presigner.clone(), request, content.clone(), stage.options()).await.unwrap();
            assert_eq!((stored.size, stored.parts), (size, parts));
            assert!(stage.object(&key).await.unwrap() == content);
            stage.proxy.take();
        }
        assert!(stage.names().is_empty());
    }
}

#[tokio::test]
async fn create_only_is_kept_by_one_request_and_by_parts() {
    for stage in stages().await {
        for (key, size) in [("small", 10), ("large", stage.part() + 1)] {
            let send = |content: Vec<u8>| stage.transfer.upload_bytes(stage.presigner.clone(), put(key).create_only(), content, stage.options());
            send(bytes(1, size)).await.unwrap();
            let refused = send(bytes(2, size)).await.unwrap_err();
            let want = if stage.cloud == Cloud::S3 { (412, "PreconditionFailed") } else { (409, "FileAlreadyExists") };
            assert!(matches!(&refused, TransferError::Refused { status, code: Some(code), .. } if (*status, code.as_str()) == want), "{refused}");
            assert!(stage.object(key).await.unwrap() == bytes(1, size));
        }
        assert_eq!(stage.proxy.operations().last().unwrap(), "abort-multipart");
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_anything_is_sent() {
    for stage in stages().await {
        let part = stage.part();
        let small = stage.file("small", b"1234567");
        let large = stage.file("large", &bytes(1, part + 1));
        let huge = stage.path("huge");
        std::fs::File::create(&huge).unwrap().set_len((5 << 40) + 1).unwrap();
        let options = || stage.options();
        let md5 = valetkey::ContentMd5::from_bytes([0; 16]);
        let cases: Vec<(ObjectRequest, &std::path::Path, TransferOptions, &str, &str)> = vec![
            (put("k"), &huge, options(), "too_large", "5497558138881 bytes are more than an object may have, 5497558138880"),
            (put("k").content_md5(md5), &large, options(), "not_in_parts", "`content-md5` cannot be kept by an upload in parts"),
            (put("k").content_length(8), &small, options(), "invalid_request", "the request says 8 bytes and there are 7"),
            (put("k"), &small, options().part_size(part - 1), "invalid_request", "parts have"),
            (put("k"), &small, options().part_size((5 << 30) + 1), "invalid_request", "parts have"),
            (ObjectRequest::get("k".parse().unwrap()), &small, options(), "invalid_request", "this is `get`"),
            (put("k").download_name("x"), &small, options(), "not_applicable", "download-name"),
            (put("k").download_name("x"), &large, options(), "not_applicable", "download-name"),
            (put("k"), std::path::Path::new("/dev/null"), options(), "invalid_request", "is no regular file"),
            (put("k"), std::path::Path::new("/nowhere/at/all"), options(), "file", "cannot open /nowhere/at/all"),
        ];
        for (request, path, options, code, text) in cases {
            let error = stage.transfer.upload_file(stage.presigner.clone(), request, path, options).await.unwrap_err();
            assert!(error.code() == code && error.to_string().contains(text), "{}: {error}", error.code());
        }
        if stage.cloud == Cloud::Oss {
            // It would be found out after all parts were sent.
            let error = stage.transfer.upload_file(stage.presigner.clone(), put("k").if_match("\"e\""), &large, options()).await.unwrap_err();
            assert_eq!(error.code(), "unsupported");
        }
        assert!(stage.proxy.take().is_empty());
    }
}

#[tokio::test]
async fn a_file_that_changes_is_not_stored() {
    for stage in stages().await {
        let part = stage.part();
        for (change, what) in [(0, "its size"), (1, "its modification time"), (2, "its size")] {
            let path = stage.file("source", &bytes(1, 3 * part));
            let changed = path.clone();
            stage.proxy.next(
                "upload-part 2",
                Act::Before(Box::new(move || {
                    let file = std::fs::OpenOptions::new().write(true).open(&changed).unwrap();
                    match change {
                        0 => file.set_len(3 * part + 1).unwrap(),
                        1 => file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap(),
                        _ => file.set_len(2 * part).unwrap(),
                    }
                    Box::pin(std::future::ready(()))
                })),
            );
            let error = stage.transfer.upload_file(stage.presigner.clone(), put("k"), &path, stage.options()).await.unwrap_err();
            assert!(matches!(&error, TransferError::SourceChanged { what: is, .. } if *is == what), "{error}");
            assert_eq!(stage.object("k").await, None);
            let operations = stage.proxy.operations();
            assert!(!operations.contains(&"complete-multipart".to_owned()) && operations.last().unwrap() == "abort-multipart", "{operations:?}");
        }
    }
}

#[tokio::test]
async fn a_file_that_changes_between_two_tries_is_not_stored() {
    for stage in stages().await {
        let path = stage.file("source", b"1234567");
        stage.proxy.next("put", Act::Close);
        let changed = path.clone();
        let retry = RetryPolicy::new().wait_with(move |_| {
            std::fs::write(&changed, b"12345678").unwrap();
            std::future::ready(())
        });
        let error = stage.transfer.upload_file(stage.presigner.clone(), put("k"), &path, stage.options().retry(retry)).await.unwrap_err();
        assert!(matches!(error, TransferError::SourceChanged { .. }), "{error}");
        assert_eq!(stage.object("k").await, None);
    }
}

/// As a service that signs URLs for others has it.
struct OnlyUrls(Arc<dyn Presigner>);

#[async_trait::async_trait]
impl Presigner for OnlyUrls {
    async fn presign(&self, request: &ObjectRequest, options: &PresignOptions) -> Result<PresignedRequest, PresignError> {
        self.0.presign(request, options).await
    }

    async fn presign_post(&self, policy: &PostPolicy, options: &PresignOptions) -> Result<PresignedPost, PresignError> {
        self.0.presign_post(policy, options).await
    }
}

#[tokio::test]
async fn a_presigner_that_knows_only_urls_is_enough() {
    for stage in stages().await {
        let presigner: Arc<dyn Presigner> = Arc::new(OnlyUrls(stage.presigner.clone()));
        let content = bytes(1, stage.part() + 1);
        let path = stage.file("source", &content);
        stage.proxy.next("upload-part 2", Act::Answer(Answer::error(403, "AccessDenied", "")));
        stage.transfer.upload_file(presigner.clone(), put("k"), &path, stage.options().resume(true)).await.unwrap_err();
        stage.transfer.upload_file(presigner.clone(), put("k"), &path, stage.options().resume(true)).await.unwrap();
        let get = ObjectRequest::get("k".parse().unwrap());
        stage.transfer.download_file(presigner, get, stage.path("target"), stage.options()).await.unwrap();
        assert!(std::fs::read(stage.path("target")).unwrap() == content);
        assert!(stage.proxy.take().iter().all(|seen| seen.target.contains("ignature=") && seen.header("authorization").is_none()));
    }
}

/// Sends and gives what was compared, or what did not fit.
async fn checked(stage: &Stage, size: u64, md5: bool) -> Result<Option<&'static str>, &'static str> {
    let options = stage.options().check_md5(md5);
    match stage.transfer.upload_bytes(stage.presigner.clone(), put("k"), bytes(3, size), options).await {
        Ok(stored) => Ok(stored.checked),
        Err(TransferError::ChecksumMismatch { algorithm, .. }) => Err(algorithm),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn what_the_store_tells_is_compared() {
    let tell = |name: &'static str, value: &'static str| Act::Change(Box::new(move |answer| answer.set(name, value)));
    let etag = "\"900150983cd24fb0d6963f7d28e17f72\"";
    for stage in stages().await {
        let (part, proxy) = (stage.part(), &stage.proxy);
        let large = 2 * part + 1;
        match stage.cloud {
            Cloud::S3 => {
                assert_eq!(checked(&stage, 9, false).await, Ok(None));
                assert_eq!(checked(&stage, 9, true).await, Ok(Some("md5")));
                for (operation, size) in [("put", 9), ("upload-part 2", large)] {
                    proxy.next(operation, tell("x-amz-checksum-crc64nvme", "AAAAAAAAAAA="));
                    assert_eq!(checked(&stage, size, false).await, Err("crc64nvme"), "{operation}");
                    proxy.next(operation, tell("etag", etag));
                    assert_eq!(checked(&stage, size, true).await, Err("md5"), "{operation}");
                    // Encrypted with a key of the key service, the ETag is something else.
                    let change = move |answer: &mut Answer| {
                        answer.set("x-amz-server-side-encryption", "aws:kms");
                        if size == 9 {
                            answer.set("etag", etag);
                        }
                    };
                    proxy.next(operation, Act::Change(Box::new(change)));
                    assert!(checked(&stage, size, true).await.is_ok(), "{operation}");
                }
                // The true value, computed with the CRC of the catalogue.
                let crc = {
                    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme);
                    digest.update(&bytes(3, large));
                    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, digest.finalize().to_be_bytes())
                };
                let add = move |crc: String| {
                    Act::Change(Box::new(move |answer: &mut Answer| {
                        let body = String::from_utf8(answer.body.to_vec()).unwrap();
                        let body = body.replace(
                            "</CompleteMultipartUploadResult>",
                            &format!("<ChecksumCRC64NVME>{crc}</ChecksumCRC64NVME></CompleteMultipartUploadResult>"),
                        );
                        answer.set("content-length", &body.len().to_string());
                        answer.body = body.into();
                    }))
                };
                proxy.next("complete-multipart", add(crc));
                assert_eq!(checked(&stage, large, false).await, Ok(Some("crc64nvme")));
                proxy.next("complete-multipart", add("AAAAAAAAAAA=".to_owned()));
                assert_eq!(checked(&stage, large, false).await, Err("crc64nvme"));
            }
            Cloud::Oss => {
                assert_eq!(checked(&stage, large, true).await, Ok(Some("crc64ecma")));
                for (operation, size) in [("put", 9), ("upload-part 2", large), ("complete-multipart", large)] {
                    proxy.next(operation, tell("x-oss-hash-crc64ecma", "1"));
                    assert_eq!(checked(&stage, size, false).await, Err("crc64ecma"), "{operation}");
                }
            }
        }
        // A part that did not arrive well leaves no upload behind.
        assert!(proxy.operations().contains(&"abort-multipart".to_owned()));
    }
}

#[tokio::test]
async fn the_size_is_checked_where_the_store_tells_no_checksum() {
    let stage = Stage::new(Cloud::S3).await;
    let size = stage.part() + 1;
    let send = || stage.transfer.upload_bytes(stage.presigner.clone(), put("k"), bytes(3, size), stage.options());
    // Whoever may only write is not held up.
    stage.proxy.next("head", Act::Answer(Answer::new(403, "")));
    send().await.unwrap();
    stage.proxy.next("head", Act::Change(Box::new(|answer| answer.set("content-length", "5"))));
    let error = send().await.unwrap_err();
    assert!(matches!(error, TransferError::UnexpectedAnswer { .. }) && error.to_string().contains("has 5 bytes"), "{error}");
    // The store itself refuses to complete an object of another size.
    let completed = stage.proxy.take().into_iter().find(|seen| seen.operation() == "complete-multipart").unwrap();
    assert_eq!(completed.header("x-amz-mp-object-size"), Some(size.to_string().as_str()));
}
