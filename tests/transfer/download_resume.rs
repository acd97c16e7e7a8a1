//! Downloads that break off: gone on with, in the same run and in another one.

use valetkey::ObjectRequest;
use valetkey::transfer::TransferError;

use crate::download::{Shared, fetch, get, target};
use crate::proxy::{Act, Answer};
use crate::stage::{Stage, bytes, stages};

#[tokio::test]
async fn an_answer_that_breaks_off_is_gone_on_with() {
    for stage in stages().await {
        let part = stage.part();
        let content = bytes(1, 2 * part);
        stage.store("k", &content).await;
        let ranges = |stage: &Stage| -> Vec<String> {
            let seen = stage.proxy.take();
            seen.iter().filter(|seen| seen.method == "GET").map(|seen| seen.header("range").unwrap_or("all").to_owned()).collect()
        };
        let cut = |stage: &Stage| [10, 1000].into_iter().for_each(|after| stage.proxy.next("get", Act::Cut(after)));
        let (last, end) = (part - 1, 2 * part - 1);

        cut(&stage);
        fetch(&stage, stage.options()).await.unwrap();
        assert!(target(&stage) == content);
        assert_eq!(ranges(&stage), [format!("bytes=0-{last}"), format!("bytes=10-{last}"), format!("bytes=1010-{last}"), format!("bytes={part}-{end}")]);
        assert_eq!(stage.told.take(), ["retry get 1", "retry get 1"]);

        cut(&stage);
        let writer = Shared::default();
        stage.transfer.download_to(stage.presigner.clone(), get(), writer.clone(), stage.options()).await.unwrap();
        assert!(*writer.0.lock().unwrap() == content);
        assert_eq!(ranges(&stage), ["all".to_owned(), format!("bytes=10-{end}"), format!("bytes=1010-{end}")]);
        assert_eq!(stage.told.take(), ["retry get", "retry get"]);
    }
}

#[tokio::test]
async fn only_what_is_missing_is_fetched() {
    for stage in stages().await {
        let part = stage.part();
        let content = bytes(1, 3 * part);
        stage.store("k", &content).await;
        let interrupt = async || {
            stage.proxy.next("get", Act::Change(Box::new(|_| {})));
            stage.proxy.next("get", Act::Cut(100));
            stage.proxy.next("get", Act::Answer(Answer::error(400, "InvalidArgument", "for the test")));
            let error = fetch(&stage, stage.options().resume(true)).await.unwrap_err();
            assert!(matches!(error, TransferError::Refused { status: 400, .. }), "{error}");
            assert_eq!(stage.names(), [".target.valetkey-download", ".target.valetkey-part"]);
            stage.proxy.take();
            stage.told.take();
        };
        let again = async || {
            fetch(&stage, stage.options().resume(true)).await.unwrap();
            assert!(target(&stage) == content);
            assert_eq!(stage.names(), ["target"]);
            std::fs::remove_file(stage.path("target")).unwrap();
            let seen = stage.proxy.take();
            seen.iter().filter_map(|seen| seen.header("range").map(str::to_owned)).collect::<Vec<_>>()
        };
        let (state, part_file) = (stage.path(".target.valetkey-download"), stage.path(".target.valetkey-part"));

        interrupt().await;
        let text = std::fs::read_to_string(&state).unwrap();
        for secret in ["://", "TESTACCESSKEYID", "test-secret", "ignature"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert_eq!(again().await, [format!("bytes={}-{}", part + 100, 2 * part - 1), format!("bytes={}-{}", 2 * part, 3 * part - 1)]);
        assert_eq!(stage.told.take(), [format!("resumed {} of {}, 0 refused", part + 100, 3 * part)]);

        // The disk does not have what the record says.
        interrupt().await;
        let mut kept = std::fs::read(&part_file).unwrap();
        kept[9] ^= 1;
        std::fs::write(&part_file, kept).unwrap();
        assert_eq!(again().await[0], format!("bytes=0-{}", part - 1));
        assert_eq!(stage.told.take(), [format!("resumed 100 of {}, {part} refused", 3 * part)]);

        for (case, reason) in [("gone", "the bytes that were fetched are gone"), ("cut", "the bytes that were fetched are gone")] {
            interrupt().await;
            match case {
                "gone" => std::fs::remove_file(&part_file).unwrap(),
                _ => std::fs::write(&part_file, b"short").unwrap(),
            }
            assert_eq!(again().await.len(), 3);
            assert_eq!(stage.told.take(), [format!("anew: {reason}")], "{case}");
        }

        // Another object now.
        interrupt().await;
        stage.store("k", &bytes(2, 3 * part)).await;
        fetch(&stage, stage.options().resume(true)).await.unwrap();
        assert!(target(&stage) == bytes(2, 3 * part));
        assert_eq!(stage.told.take(), ["anew: the object has changed"]);
        std::fs::remove_file(stage.path("target")).unwrap();
        stage.store("k", &content).await;

        // A record of something else.
        interrupt().await;
        stage.store("other", &content).await;
        let other = ObjectRequest::get("other".parse().unwrap());
        let error = stage.transfer.download_file(stage.presigner.clone(), other, stage.path("target"), stage.options().resume(true)).await.unwrap_err();
        assert!(matches!(error, TransferError::State { .. }) && error.to_string().contains("/media/k;"), "{error}");
        std::fs::write(&state, "important").unwrap();
        let error = fetch(&stage, stage.options().resume(true)).await.unwrap_err();
        assert!(error.to_string().contains("is no record of a download"), "{error}");
        assert_eq!(std::fs::read_to_string(&state).unwrap(), "important");
        std::fs::remove_file(&state).unwrap();

        // Another run has it.
        let other = std::fs::File::options().write(true).open(&part_file).unwrap();
        other.lock().unwrap();
        let error = fetch(&stage, stage.options().resume(true)).await.unwrap_err();
        assert!(error.to_string().contains("is being written by another download"), "{error}");
    }
}

#[tokio::test]
async fn a_download_that_is_stopped_is_kept_only_if_it_shall_be() {
    for stage in stages().await {
        let part = stage.part();
        stage.store("k", &bytes(1, 3 * part)).await;
        for resume in [false, true] {
            stage.proxy.always(move |seen| seen.header("range").is_some_and(|range| range.starts_with(&format!("bytes={}-", 2 * part))).then_some(Act::Hang));
            let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
            let options = stage.options().resume(resume).stop_when(async { drop(stopped.await) });
            let (ended, ()) = tokio::join!(fetch(&stage, options), async {
                while stage.told.most() < 2 * part {
                    tokio::task::yield_now().await;
                }
                stop.send(()).unwrap();
            });
            assert!(matches!(ended.unwrap_err(), TransferError::Cancelled));
            assert_eq!(stage.names().len(), if resume { 2 } else { 0 });
            stage.proxy.behave();
        }
        fetch(&stage, stage.options().resume(true)).await.unwrap();
        let events = stage.told.take();
        assert!(events.len() == 1 && events[0].starts_with("resumed ") && events[0].ends_with(", 0 refused"), "{events:?}");
        assert!(target(&stage) == bytes(1, 3 * part));
    }
}

#[tokio::test]
async fn a_length_that_cannot_be_is_refused() {
    for stage in stages().await {
        stage.store("k", b"short").await;
        for resume in [false, true] {
            stage.proxy.next("head", Act::Change(Box::new(|answer| answer.set("content-length", "9223372036854775807"))));
            let error = fetch(&stage, stage.options().part_size(1).resume(resume)).await.unwrap_err();
            assert!(matches!(error, TransferError::TooLarge { size: 9_223_372_036_854_775_807, max: 5_497_558_138_880 }), "{error}");
            assert!(stage.names().is_empty());
        }
    }
}
