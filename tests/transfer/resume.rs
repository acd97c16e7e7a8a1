//! Uploads that end early: thrown away, or kept and gone on with.

use std::path::PathBuf;

use valetkey::ObjectRequest;
use valetkey::transfer::{Body, Stored, TransferError};

use crate::proxy::{Act, Answer};
use crate::stage::{Stage, bytes, stages};

fn put() -> ObjectRequest {
    ObjectRequest::put("k".parse().unwrap()).content_type("a/b")
}

async fn send(stage: &Stage, request: ObjectRequest, path: &std::path::Path) -> Result<Stored, TransferError> {
    stage.transfer.upload_file(stage.presigner.clone(), request, path, stage.options().resume(true)).await
}

/// A file of four parts of which the first two were sent.
async fn interrupted(stage: &Stage) -> (PathBuf, Vec<u8>, String) {
    let content = bytes(7, 3 * stage.part() + 11);
    let path = stage.file("source", &content);
    stage.proxy.next("upload-part 3", Act::Answer(Answer::error(400, "InvalidArgument", "for the test")));
    let error = send(stage, put(), &path).await.unwrap_err();
    assert!(matches!(error, TransferError::Refused { status: 400, .. }), "{error}");
    assert_eq!(stage.names(), ["source", "source.valetkey-upload"]);
    assert_eq!(stage.proxy.operations(), ["create-multipart", "upload-part 1", "upload-part 2", "upload-part 3"]);
    assert!(stage.told.take().is_empty());
    let state: serde_json::Value = serde_json::from_slice(&std::fs::read(state(stage)).unwrap()).unwrap();
    (path, content, state["upload_id"].as_str().unwrap().to_owned())
}

fn state(stage: &Stage) -> PathBuf {
    stage.path("source.valetkey-upload")
}

#[tokio::test]
async fn only_what_is_missing_is_sent() {
    for stage in stages().await {
        let (path, content, upload_id) = interrupted(&stage).await;
        let text = std::fs::read_to_string(state(&stage)).unwrap();
        for secret in ["://", "TESTACCESSKEYID", "test-secret", "ignature"] {
            assert!(!text.contains(secret), "{text}");
        }
        // The part size of the beginning stays, whatever is asked for now.
        let options = stage.options().resume(true).part_size(2 * stage.part());
        let stored = stage.transfer.upload_file(stage.presigner.clone(), put(), &path, options).await.unwrap();
        assert_eq!(stored.parts, 4);
        assert_eq!(stage.proxy.operations()[..4], ["list-parts", "upload-part 3", "upload-part 4", "complete-multipart"]);
        assert_eq!(stage.told.take(), [format!("resumed {} of {}, 0 refused", 2 * stage.part(), content.len())]);
        assert!(stage.object("k").await.unwrap() == content);
        assert_eq!(stage.names(), ["source"]);
        assert!(!stage.knows("k", &upload_id).await);
    }
}

#[tokio::test]
async fn parts_that_are_not_as_recorded_are_sent_again() {
    for stage in stages().await {
        let part = stage.part();
        // Somebody sent another part; the list of the store leaves one out, and tells another size.
        for change in 0..4 {
            let (path, content, upload_id) = interrupted(&stage).await;
            let (before, after) = match change {
                0 => {
                    stage.direct(&ObjectRequest::upload_part("k".parse().unwrap(), &upload_id, 1), bytes(99, part)).await.unwrap();
                    (1, "upload-part 1")
                }
                1 => {
                    stage.proxy.next(
                        "list-parts",
                        Act::Change(Box::new(|answer| {
                            let body = String::from_utf8(answer.body.to_vec()).unwrap().replace("<PartNumber>2<", "<PartNumber>9<");
                            answer.body = body.into();
                        })),
                    );
                    (1, "upload-part 2")
                }
                2 => {
                    stage.proxy.next(
                        "list-parts",
                        Act::Change(Box::new(move |answer| {
                            let body = String::from_utf8(answer.body.to_vec()).unwrap().replacen(&format!("<Size>{part}<"), &format!("<Size>{}<", part - 1), 1);
                            answer.set("content-length", &body.len().to_string());
                            answer.body = body.into();
                        })),
                    );
                    (1, "upload-part 1")
                }
                _ => {
                    // The record itself was changed.
                    let text = std::fs::read_to_string(state(&stage)).unwrap().replacen("\"number\":1,", "\"number\":4,", 1);
                    std::fs::write(state(&stage), text).unwrap();
                    (1, "upload-part 1")
                }
            };
            send(&stage, put(), &path).await.unwrap();
            assert_eq!(stage.told.take(), [format!("resumed {} of {}, {} refused", before * part, content.len(), part)], "{change}");
            let operations = stage.proxy.operations();
            assert!(operations[..4].contains(&after.to_owned()) && operations[4] == "complete-multipart", "{operations:?}");
            assert!(stage.object("k").await.unwrap() == content);
        }
    }
}

#[tokio::test]
async fn a_list_of_several_pages_is_read_to_its_end() {
    for stage in stages().await {
        let (path, content, _) = interrupted(&stage).await;
        // As if a page had one part.
        stage.proxy.always(|seen| {
            (seen.operation() == "list-parts" && !seen.target.contains("part-number-marker=2")).then(|| {
                let first = !seen.target.contains("part-number-marker");
                Act::Change(Box::new(move |answer| {
                    let body = String::from_utf8(answer.body.to_vec()).unwrap();
                    let next = if first { 1 } else { 2 };
                    let body = body.replace("<IsTruncated>false<", "<IsTruncated>true<");
                    let body = body.replace("<NextPartNumberMarker>2<", &format!("<NextPartNumberMarker>{next}<"));
                    let body = if first { body.replace("<PartNumber>2<", "<PartNumber>77<") } else { body };
                    answer.set("content-length", &body.len().to_string());
                    answer.body = body.into();
                }))
            })
        });
        send(&stage, put(), &path).await.unwrap();
        let operations = stage.proxy.operations();
        assert_eq!(operations[..5], ["list-parts", "list-parts", "list-parts", "upload-part 3", "upload-part 4"]);
        assert!(stage.object("k").await.unwrap() == content);
        stage.proxy.behave();
        stage.told.take();
        stage.proxy.take();

        // A store that turns round and round.
        let (path, ..) = interrupted(&stage).await;
        stage.proxy.next(
            "list-parts",
            Act::Change(Box::new(|answer| {
                let body = String::from_utf8(answer.body.to_vec()).unwrap();
                let body = body.replace("<IsTruncated>false<", "<IsTruncated>true<").replace("<NextPartNumberMarker>2<", "<NextPartNumberMarker>0<");
                answer.set("content-length", &body.len().to_string());
                answer.body = body.into();
            })),
        );
        let error = send(&stage, put(), &path).await.unwrap_err();
        assert!(error.to_string().contains("where its next page begins"), "{error}");
    }
}

#[tokio::test]
async fn what_cannot_be_gone_on_with_is_begun_anew() {
    for stage in stages().await {
        for (case, reason) in [
            ("gone", "the store no longer knows the upload"),
            ("changed", "the file has changed"),
            ("described", "the object is described in another way"),
            ("cut", "the record does not fit the file"),
        ] {
            let (path, mut content, upload_id) = interrupted(&stage).await;
            let mut request = put();
            match case {
                "gone" => drop(stage.direct(&ObjectRequest::abort_multipart("k".parse().unwrap(), &upload_id), Body::empty()).await.unwrap()),
                "changed" => {
                    content.push(1);
                    std::fs::write(&path, &content).unwrap();
                }
                "described" => request = request.metadata("a", "b"),
                _ => {
                    let text = std::fs::read_to_string(state(&stage)).unwrap();
                    std::fs::write(state(&stage), text.replacen(&format!("\"part_size\":{}", stage.part()), "\"part_size\":0", 1)).unwrap();
                }
            }
            send(&stage, request, &path).await.unwrap();
            assert_eq!(stage.told.take(), [format!("anew: {reason}")]);
            assert!(stage.object("k").await.unwrap() == content);
            // Nothing is left that would be paid for.
            assert!(!stage.knows("k", &upload_id).await, "{case}");
            assert_eq!(stage.names(), ["source"]);
            stage.proxy.take();
        }
    }
}

#[tokio::test]
async fn an_upload_in_parts_is_not_forgotten_where_one_request_would_do() {
    for stage in stages().await {
        let (path, content, _) = interrupted(&stage).await;
        let large = || stage.options().resume(true).part_size(1 << 30);
        stage.transfer.upload_file(stage.presigner.clone(), put(), &path, large()).await.unwrap();
        assert!(stage.told.take()[0].starts_with("resumed "));
        assert!(stage.object("k").await.unwrap() == content && stage.names() == ["source"]);
        stage.proxy.take();

        let (path, _, upload_id) = interrupted(&stage).await;
        std::fs::write(&path, b"small").unwrap();
        let stored = stage.transfer.upload_file(stage.presigner.clone(), put(), &path, large()).await.unwrap();
        assert_eq!((stored.parts, stage.told.take()), (0, vec!["anew: the file has changed".to_owned()]));
        assert!(stage.object("k").await.unwrap() == b"small" && stage.names() == ["source"]);
        assert!(!stage.knows("k", &upload_id).await);
    }
}

#[tokio::test]
async fn a_record_of_something_else_is_left_alone() {
    for stage in stages().await {
        let (path, _, upload_id) = interrupted(&stage).await;
        let error = send(&stage, ObjectRequest::put("other".parse().unwrap()), &path).await.unwrap_err();
        assert!(matches!(error, TransferError::State { .. }) && error.to_string().contains("is the record of an upload to 127.0.0.1"), "{error}");
        assert!(error.to_string().contains("/media/k;") && stage.knows("k", &upload_id).await && state(&stage).exists());

        for text in ["", "important", "{}", "{\"version\":9}"] {
            std::fs::write(state(&stage), text).unwrap();
            let error = send(&stage, put(), &path).await.unwrap_err();
            assert!(matches!(error, TransferError::State { .. }) && error.to_string().contains("is no record of an upload"), "{error}");
            assert_eq!(std::fs::read_to_string(state(&stage)).unwrap(), text);
        }
        assert!(stage.proxy.take().is_empty());
        // It can be kept elsewhere.
        let options = stage.options().resume(true).state_file(stage.path("elsewhere"));
        stage.proxy.next("upload-part 2", Act::Answer(Answer::error(403, "AccessDenied", "")));
        stage.transfer.upload_file(stage.presigner.clone(), put(), &path, options).await.unwrap_err();
        assert!(stage.path("elsewhere").exists());
    }
}

#[tokio::test]
async fn an_upload_that_is_stopped_is_thrown_away_or_kept() {
    for stage in stages().await {
        for resume in [false, true] {
            let content = bytes(7, 3 * stage.part());
            let path = stage.file("source", &content);
            stage.proxy.next("upload-part 3", Act::Hang);
            let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
            let options = stage.options().resume(resume).stop_when(async { drop(stopped.await) });
            let upload = stage.transfer.upload_file(stage.presigner.clone(), put(), &path, options);
            let (ended, ()) = tokio::join!(upload, async {
                stage.proxy.wait_for("upload-part 3").await;
                stop.send(()).unwrap();
            });
            assert!(matches!(ended.unwrap_err(), TransferError::Cancelled));
            let operations = stage.proxy.operations();
            assert_eq!(operations.contains(&"abort-multipart".to_owned()), !resume, "{operations:?}");
            assert_eq!(state(&stage).exists(), resume);
        }
        send(&stage, put(), &stage.path("source")).await.unwrap();
        assert_eq!(stage.told.take(), [format!("resumed {} of {}, 0 refused", 2 * stage.part(), 3 * stage.part())]);
        assert!(stage.object("k").await.unwrap() == bytes(7, 3 * stage.part()));
    }
}

#[tokio::test]
async fn an_upload_that_is_dropped_is_thrown_away_or_kept() {
    for stage in stages().await {
        for resume in [false, true] {
            let path = stage.file("source", &bytes(7, 3 * stage.part()));
            stage.proxy.next("upload-part 3", Act::Hang);
            let (transfer, presigner, options) = (stage.transfer.clone(), stage.presigner.clone(), stage.options().resume(resume));
            let upload = tokio::spawn(async move { transfer.upload_file(presigner, put(), path, options).await });
            stage.proxy.wait_for("upload-part 3").await;
            upload.abort();
            assert!(upload.await.unwrap_err().is_cancelled());
            if resume {
                assert!(state(&stage).exists());
                send(&stage, put(), &stage.path("source")).await.unwrap();
                assert!(stage.told.take()[0].starts_with("resumed"));
            } else {
                stage.proxy.wait_for("abort-multipart").await;
            }
            stage.proxy.take();
        }
    }
}

#[tokio::test]
async fn an_upload_that_is_stopped_while_it_begins_is_thrown_away() {
    for stage in stages().await {
        let path = stage.file("source", &bytes(7, 3 * stage.part()));
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (seen, begun) = tokio::sync::oneshot::channel::<()>();
        stage.proxy.next(
            "create-multipart",
            Act::Before(Box::new(move || {
                stop.send(()).unwrap();
                Box::pin(async { begun.await.unwrap() })
            })),
        );
        // The answer comes only after the stop was seen.
        let options = stage.options().resume(true).stop_when(async {
            stopped.await.unwrap();
            seen.send(()).unwrap();
        });
        let error = stage.transfer.upload_file(stage.presigner.clone(), put(), &path, options).await.unwrap_err();
        assert!(matches!(error, TransferError::Cancelled), "{error}");
        assert_eq!(stage.proxy.operations(), ["create-multipart", "abort-multipart"]);
        assert_eq!(stage.names(), ["source"]);
    }
}

#[tokio::test]
async fn parts_that_cannot_be_thrown_away_are_told_of() {
    for stage in stages().await {
        stage.proxy.next("upload-part 2", Act::Answer(Answer::error(403, "AccessDenied", "for the test")));
        stage.proxy.next("abort-multipart", Act::Answer(Answer::error(403, "AccessDenied", "for the test")));
        let error = stage.transfer.upload_bytes(stage.presigner.clone(), put(), bytes(1, stage.part() + 1), stage.options()).await.unwrap_err();
        assert!(matches!(error, TransferError::Refused { status: 403, .. }), "{error}");
        let events = stage.told.take();
        assert!(events.len() == 1 && events[0].starts_with("LeftBehind { upload_id: "), "{events:?}");
    }
}

#[tokio::test]
async fn two_runs_of_one_upload_are_refused() {
    for stage in stages().await {
        let content = bytes(7, stage.part() + 11);
        let path = stage.file("source", &content);
        stage.proxy.next("upload-part 2", Act::Hang);
        let second = async {
            stage.proxy.wait_for("upload-part 2").await;
            let record = std::fs::read(state(&stage)).unwrap();
            stage.proxy.take();
            let error = send(&stage, put().cache_control("no-store"), &path).await.unwrap_err();
            assert!(matches!(&error, TransferError::State { reason, .. } if reason.contains("is being sent by another upload")), "{error}");
            assert!(stage.proxy.operations().is_empty());
            assert!(std::fs::read(state(&stage)).unwrap() == record);
        };
        tokio::select! {
            first = send(&stage, put(), &path) => panic!("{first:?}"),
            () = second => {}
        }
        // The first one is gone, and nothing holds the file any more.
        send(&stage, put(), &path).await.unwrap();
        assert!(stage.object("k").await.unwrap() == content);
    }
}
