//! How the bytes of a form may look: strictly as RFC 7578 has them, in pieces of any size, within limits.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use valetkey_core::PostPolicy;
use valetkey_store::Cloud;

use crate::support::{
    CLOUDS, Fixture, Reply, Wire,
    form::{BOUNDARY, PostForm, field},
    key,
};

fn policy() -> PostPolicy {
    PostPolicy::for_key(key("k"))
}

fn text(form: &PostForm) -> String {
    String::from_utf8(form.body()).unwrap()
}

/// Forms of both clouds, to which fields may be added that mean nothing.
fn forms(fixture: &Fixture) -> [(Cloud, PostForm); 2] {
    let open = r#"{"key":"k"},["starts-with","$x:a",""],["starts-with","$x:b",""],["starts-with","$x:c",""]"#;
    let oss = fixture.form_by_hand(Cloud::Oss, open, &[("key", "k"), ("x:a", ""), ("x:b", ""), ("x:c", "")], b"content");
    [(Cloud::S3, fixture.form(Cloud::S3, &policy(), b"content")), (Cloud::Oss, oss)]
}

const MALFORMED: (u16, &str) = (400, "MalformedPOSTRequest");

async fn refused(fixture: &Fixture, wire: &Wire, expected: (u16, &str), what: &str) -> Reply {
    let reply = fixture.send(wire).await;
    assert_eq!(reply.refusal(), (expected.0, expected.1.to_owned()), "{what}");
    assert!(fixture.keys().await.is_empty(), "{what}: it is there");
    reply
}

#[tokio::test]
async fn what_two_readers_could_read_differently() {
    let fixture = Fixture::memory().await;
    let (first, last) = (format!("--{BOUNDARY}\r\n"), format!("--{BOUNDARY}--\r\n"));
    let disposition = "Content-Disposition: form-data; name=\"key\"";
    for (cloud, form) in forms(&fixture) {
        let body = text(&form);
        let table: &[(&str, String)] = &[
            ("nothing", String::new()),
            ("line ends of Unix", body.replace("\r\n", "\n")),
            ("one line end of Unix after a delimiter", body.replacen("\r\n", "\n", 1)),
            ("one line end of Unix in a head", body.replacen("\r\n\r\nk", "\n\r\nk", 1)),
            ("a head that ends with one line end", body.replacen("\r\n\r\nk", "\r\nk", 1)),
            ("line ends of old Macs", body.replace("\r\n", "\r")),
            ("a delimiter after a line end of Unix", body.replacen("k\r\n--", "k\n--", 1)),
            ("a delimiter right after a head", body.replacen("\r\n\r\nk\r\n--", "\r\n\r\n--", 1)),
            ("a delimiter at the beginning of the file", body.replace("content", &format!("--{BOUNDARY}content"))),
            ("a preamble", format!("hello\r\n{body}")),
            ("a line end before it", format!("\r\n{body}")),
            ("a blank before it", format!(" {body}")),
            ("something after it", format!("{body}x")),
            ("an empty line after it", format!("{body}\r\n")),
            ("a line end of Unix after it", body.replace(&last, last.trim_end()) + "\n"),
            ("a second form after it", format!("{body}{body}")),
            ("more on the closing line", body.replace(&last, &format!("--{BOUNDARY}-- \r\n"))),
            ("no closing delimiter", body.replace(&last, "")),
            ("half a closing delimiter", body.replace(&last, &format!("--{BOUNDARY}-"))),
            ("a delimiter that closes nothing", body.replace(&last, &format!("--{BOUNDARY}\r\n"))),
            ("no line end before the closing delimiter", body.replace(&format!("content\r\n{last}"), &format!("content{last}"))),
            ("a blank after a delimiter", body.replacen(&first, &format!("--{BOUNDARY} \r\n"), 1)),
            ("a blank after a later delimiter", body.replacen(&format!("\r\n{first}"), &format!("\r\n--{BOUNDARY}\t\r\n"), 1)),
            ("a longer delimiter", body.replacen(&format!("\r\n{first}"), &format!("\r\n--{BOUNDARY}x\r\n"), 1)),
            ("another boundary", body.replace(BOUNDARY, "B")),
            ("cut in the head of a part", body[..60].to_owned()),
            ("cut in a field", body[..first.len() + disposition.len() + 4].to_owned()),
            ("cut in the file", body[..body.len() - last.len() - 5].to_owned()),
            ("a part without a head", body.replacen(disposition, "", 1)),
            ("a part without a disposition", body.replacen(disposition, "X: y", 1)),
            ("two dispositions", body.replacen(disposition, &format!("{disposition}\r\n{disposition}"), 1)),
            ("two names", body.replacen("name=\"key\"", "name=\"key\"; name=\"acl\"", 1)),
            ("a name of another kind", body.replacen("name=\"key\"", "name=\"key\"; name*=utf-8''acl", 1)),
            ("two names of the file", body.replacen("filename=\"a.png\"", "filename=\"a.png\"; filename=\"b.png\"", 1)),
            ("a name of the file of another kind", body.replacen("filename=\"a.png\"", "filename=\"a.png\"; filename*=utf-8''b.png", 1)),
            ("an attachment", body.replacen("form-data", "attachment", 1)),
            ("an encoding", body.replacen(disposition, &format!("{disposition}\r\nContent-Transfer-Encoding: base64"), 1)),
            ("a header that goes on", body.replacen("form-data; name=\"key\"", "form-data;\r\n name=\"key\"", 1)),
            ("NUL in a name", body.replacen("name=\"key\"", "name=\"k\0ey\"", 1)),
        ];
        for (what, changed) in table {
            assert_ne!(*changed, body, "{what} changes nothing");
            refused(&fixture, &form.wire_of(changed.as_bytes()), MALFORMED, &format!("{cloud:?}, {what}")).await;
        }
        let at = form.before_file().len() - 20;
        for (what, at) in [("bytes that are not UTF-8 in a field", first.len() + disposition.len() + 4), ("bytes that are not UTF-8 in a head", at)] {
            let mut changed = form.body();
            changed[at] = 0xff;
            refused(&fixture, &form.wire_of(&changed), MALFORMED, what).await;
        }
        assert_eq!(fixture.send(&form.wire_of(body.trim_end().as_bytes())).await.status, 204, "{cloud:?}: without the last line end");
        assert_eq!(fixture.get(cloud, "k").await.body, b"content");
        assert_eq!(fixture.call(cloud, &valetkey_core::ObjectRequest::delete(key("k")), b"").await.status, 204);
    }
}

#[tokio::test]
async fn boundaries() {
    let fixture = Fixture::memory().await;
    let (_, form) = forms(&fixture).into_iter().next().unwrap();
    for content_type in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"\"",
        &format!("multipart/form-data; boundary={BOUNDARY}; boundary={BOUNDARY}"),
        &format!("multipart/form-data; boundary=x; boundary={BOUNDARY}"),
        &format!("multipart/form-data; boundary={BOUNDARY}; boundary*=utf-8''x"),
        &format!("multipart/form-data; boundary=\"{BOUNDARY}"),
        &format!("multipart/form-data; boundary={BOUNDARY} x"),
        &format!("multipart/form-data; boundary={}", "a".repeat(71)),
    ] {
        refused(&fixture, &form.clone().header("content-type", content_type).wire(), MALFORMED, content_type).await;
    }
    let mut twice = form.wire();
    twice.headers.push(("content-type".into(), "multipart/form-data; boundary=x".into()));
    refused(&fixture, &twice, MALFORMED, "two types").await;
    for (content_type, boundary) in [
        (format!("Multipart/FORM-DATA;charset=utf-8 ; Boundary=\"{BOUNDARY}\""), BOUNDARY.to_owned()),
        (format!("multipart/form-data; boundary={}", "a".repeat(70)), "a".repeat(70)),
        ("multipart/form-data; boundary=\"a b'(c)+_,-./:=?d\"".into(), "a b'(c)+_,-./:=?d".into()),
        ("multipart/form-data; boundary=-".into(), "-".into()),
    ] {
        let body = text(&form).replace(BOUNDARY, &boundary);
        let reply = fixture.send(&form.clone().header("content-type", &content_type).wire_of(body.as_bytes())).await;
        assert_eq!(reply.status, 204, "{content_type}: {reply:?}");
    }
}

/// `body` in chunks of HTTP.
fn chunked(form: &PostForm, body: &[u8], size: usize) -> Wire {
    let mut chunks = Vec::new();
    for chunk in body.chunks(size) {
        chunks.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunks.extend_from_slice(chunk);
        chunks.extend_from_slice(b"\r\n");
    }
    chunks.extend_from_slice(b"0\r\n\r\n");
    form.wire_of(&chunks).without_length().header("transfer-encoding", "chunked")
}

#[tokio::test]
async fn pieces_of_any_size() {
    let fixture = Fixture::memory().await;
    let content: Vec<u8> = format!("\r\n--{}\r\n-", &BOUNDARY[..10]).bytes().cycle().take(20_000).collect();
    for (cloud, form) in forms(&fixture) {
        let form = form.bytes(&content);
        let body = form.body();
        for size in [1, 2, 7, 1000, 16_384, 1 << 20] {
            let reply = fixture.send(&chunked(&form, &body, size)).await;
            assert_eq!(reply.status, 204, "{cloud:?} {size} {reply:?}");
            assert!(fixture.get(cloud, "k").await.body == content, "{cloud:?} {size}");
        }
        let small = form.clone().bytes(b"x").wire();
        let mut stream = TcpStream::connect(fixture.store.address()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        for byte in small.bytes() {
            stream.write_all(&[byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.unwrap();
        assert_eq!(Reply::parse(&received).status, 204);
    }
}

#[tokio::test]
async fn lengths() {
    let fixture = Fixture::memory().await;
    for (_, form) in forms(&fixture) {
        refused(&fixture, &form.wire_of(b"").without_length(), (411, "MissingContentLength"), "no length").await;
        let twice = form.wire().header("content-length", "5").header("transfer-encoding", "chunked");
        assert_eq!(fixture.send(&twice).await.status, 400);
        // A connection that ends before the form does.
        let body = form.body();
        for cut in [10, form.before_file().len() - 3, form.before_file().len() + 3, body.len() - 5] {
            let wire = form.wire_of(&body[..cut]).header("content-length", &body.len().to_string());
            let mut stream = TcpStream::connect(fixture.store.address()).await.unwrap();
            stream.write_all(&wire.bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
        }
        assert!(fixture.keys().await.is_empty());
    }
}

#[tokio::test]
async fn a_client_that_waits_is_told_to_go_on() {
    let fixture = Fixture::memory().await;
    for (_, form) in forms(&fixture) {
        for (wire, starts) in
            [(form.wire(), "HTTP/1.1 100 "), (form.clone().path("/media/k").wire(), "HTTP/1.1 405 "), (form.clone().path("/").wire(), "HTTP/1.1 404 ")]
        {
            let wire = wire.header("expect", "100-continue");
            let mut stream = TcpStream::connect(fixture.store.address()).await.unwrap();
            stream.write_all(&wire.head()).await.unwrap();
            let mut begin = vec![0; starts.len()];
            stream.read_exact(&mut begin).await.unwrap();
            assert_eq!(String::from_utf8_lossy(&begin), starts);
            if starts.contains("100") {
                stream.write_all(&wire.body).await.unwrap();
                let mut rest = Vec::new();
                stream.read_to_end(&mut rest).await.unwrap();
                assert!(String::from_utf8_lossy(&rest).contains("HTTP/1.1 204 "));
            }
        }
    }
}

#[tokio::test]
async fn heads_and_parts_are_bounded() {
    let fixture = Fixture::memory().await;
    let (_, form) = forms(&fixture).into_iter().next().unwrap();
    let body = text(&form);
    let disposition = "Content-Disposition: form-data; name=\"key\"\r\n";
    let padded = |bytes: usize| body.replacen(disposition, &format!("{disposition}X: {}\r\n", "a".repeat(bytes - disposition.len() - 7)), 1);
    assert_eq!(fixture.send(&form.wire_of(padded(8192).as_bytes())).await.status, 204);
    assert_eq!(fixture.call(Cloud::S3, &valetkey_core::ObjectRequest::delete(key("k")), b"").await.status, 204);
    for bytes in [8193, 16_400, 65_536, 5_000_000] {
        refused(&fixture, &form.wire_of(padded(bytes).as_bytes()), MALFORMED, &format!("a head of {bytes} bytes")).await;
    }
    let endless = form.wire_of(format!("--{BOUNDARY}\r\n{}", "X: y\r\n".repeat(100_000)).as_bytes());
    refused(&fixture, &endless, MALFORMED, "a head without an end").await;
    let after = [form.body(), vec![b'a'; 5_000_000]].concat();
    refused(&fixture, &form.wire_of(&after), MALFORMED, "much after the end").await;
    let many = PostForm { after: vec![("a".repeat(5_000_000), String::new())], ..form.clone() };
    refused(&fixture, &many.wire(), MALFORMED, "a long head after the file").await;
    for (parts, status) in [(64, 204), (65, 400)] {
        let mut form = form.clone();
        while form.fields.len() < parts - 1 {
            let name = format!("x-ignore-{}", form.fields.len());
            form = form.add(&name, "");
        }
        assert_eq!(fixture.send(&form.wire()).await.status, status, "{parts} parts");
    }
}

#[tokio::test]
async fn bytes_before_the_file_are_counted_exactly() {
    let fixture = Fixture::memory().await;
    let [(_, s3), (_, oss)] = forms(&fixture);
    let empty = s3.clone().add("x-ignore-pad", "");
    let room = 20_480 - empty.before_file().len();
    let fits = empty.clone().set("x-ignore-pad", &"a".repeat(room)).bytes(&vec![7; 10_000]);
    assert_eq!(fits.before_file().len(), 20_480);
    for size in [1, 5000, 1 << 20] {
        assert_eq!(fixture.send(&chunked(&fits, &fits.body(), size)).await.status, 204);
    }
    assert_eq!(fixture.call(Cloud::S3, &valetkey_core::ObjectRequest::delete(key("k")), b"").await.status, 204);
    let too_much = (400, "MaxPostPreDataLengthExceeded");
    for pad in [room + 1, 50_000, 70_000, 5_000_000] {
        let reply = refused(&fixture, &empty.clone().set("x-ignore-pad", &"a".repeat(pad)).wire(), too_much, &format!("{pad} bytes of padding")).await;
        assert_eq!(reply.element("MaxPostPreDataLengthBytes"), "20480");
    }
    let no_file = PostForm { file: None, ..empty.set("x-ignore-pad", &"a".repeat(21_000)) };
    refused(&fixture, &no_file.wire(), too_much, "no file").await;

    let field_of = |a: usize, b: usize, c: usize| oss.clone().set("x:a", &"a".repeat(a)).set("x:b", &"b".repeat(b)).set("x:c", &"c".repeat(c));
    let room = (128 << 10) - field_of(60_000, 60_000, 0).before_file().len();
    assert_eq!(fixture.send(&field_of(65_536, 0, 0).wire()).await.status, 204);
    assert_eq!(fixture.send(&field_of(60_000, 60_000, room).wire()).await.status, 204);
    assert_eq!(fixture.call(Cloud::Oss, &valetkey_core::ObjectRequest::delete(key("k")), b"").await.status, 204);
    for (form, ec) in [
        (field_of(60_000, 60_000, room + 1), "0006-00000112"),
        (field_of(60_000, 60_000, 60_000), "0006-00000112"),
        (field_of(65_537, 0, 0), "0006-00000110"),
        (field_of(5_000_000, 0, 0), "0006-00000110"),
    ] {
        // Those of the signature come first, so that it is known whose form it is.
        let mut form = form;
        form.fields.sort_by_key(|(name, _)| !name.contains("oss"));
        let reply = refused(&fixture, &form.wire(), (400, "FieldItemTooLong"), ec).await;
        assert_eq!(reply.header("x-oss-ec"), Some(ec), "{reply:?}");
    }
    // Whose form it is may not be known yet: S3's words then.
    let unknown = [field("a", &"a".repeat(60_000)), field("b", &"a".repeat(60_000)), field("c", &"a".repeat(60_000))].concat();
    refused(&fixture, &oss.wire_of(unknown.as_bytes()), too_much, "fields of nobody").await;
}

/// A browser's form holds both clouds' strictest habits: a refused one is read on, so that the answer is.
#[tokio::test]
async fn a_refused_form_is_read_so_that_the_answer_is() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        let form = fixture.form(cloud, &policy().content_length(0..=10), &vec![7; 20 << 20]);
        refused(&fixture, &form.wire(), (400, "EntityTooLarge"), "a large file").await;
        refused(&fixture, &form.set("key", "other").wire(), (403, "AccessDenied"), "another key").await;
    }
}
