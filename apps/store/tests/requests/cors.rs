//! Cross-origin rules: configured, obeyed, and never a way around a signature.

use valetkey_core::ObjectRequest;
use valetkey_store::{Cloud, CorsRule};

use crate::support::{CLOUDS, Fixture, Reply, Wire, key};

const RULES: &str = "<CORSConfiguration><CORSRule><AllowedOrigin>https://app.example.com</AllowedOrigin><AllowedOrigin>http://*.test</AllowedOrigin>\
    <AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod><AllowedHeader>content-type</AllowedHeader><AllowedHeader>X-Amz-*</AllowedHeader>\
    <ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>600</MaxAgeSeconds></CORSRule>\
    <CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>HEAD</AllowedMethod></CORSRule></CORSConfiguration>";

async fn configured() -> Fixture {
    let fixture = Fixture::memory().await;
    fixture.put(Cloud::S3, "k", b"content").await;
    let reply = fixture.ask(Cloud::S3, "PUT", "/media?cors", RULES.as_bytes()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    fixture
}

fn preflight(fixture: &Fixture, target: &str, headers: &[(&str, &str)]) -> Wire {
    headers.iter().fold(fixture.raw("OPTIONS", target), |wire, (name, value)| wire.header(name, value))
}

/// Whether an answer tells a browser anything.
fn tells(reply: &Reply) -> bool {
    reply.headers.iter().any(|(name, _)| name.starts_with("access-control-") || name == "vary")
}

#[tokio::test]
async fn preflights_are_answered_or_refused() {
    let fixture = configured().await;
    let (app, test) = ("https://app.example.com", "http://a.test");
    let table: &[(&str, &str, Option<&str>, bool)] = &[
        (app, "GET", None, true),
        (app, "PUT", Some("content-type"), true),
        (app, "PUT", Some("Content-Type, x-amz-meta-a,X-AMZ-DATE"), true),
        (test, "PUT", Some(""), true),
        ("https://any.where", "HEAD", None, true),
        ("null", "HEAD", None, true),
        (app, "DELETE", None, false),
        (app, "put", None, false),
        (app, "OPTIONS", None, false),
        (app, "PUT", Some("content-type,x-other"), false),
        (app, "HEAD", Some("content-type"), false),
        ("https://app.example.com.evil.net", "GET", None, false),
        ("http://app.example.com", "GET", None, false),
        ("https://app.example.com:444", "GET", None, false),
        ("http://a.test.evil.net", "GET", None, false),
        ("null", "GET", None, false),
    ];
    for target in ["/media/k", "/media", "/media/absent?X-Amz-Signature=0", "/media/k?x-oss-signature=0"] {
        for (origin, method, headers, allowed) in table {
            let mut sent = vec![("origin", *origin), ("access-control-request-method", *method)];
            sent.extend(headers.map(|headers| ("access-control-request-headers", headers)));
            let reply = fixture.send(&preflight(&fixture, target, &sent)).await;
            let case = format!("{target} {sent:?}: {reply:?}");
            if !allowed {
                assert_eq!((reply.refusal(), tells(&reply)), ((403, "AccessForbidden".into()), false), "{case}");
                assert!(reply.element("Message").starts_with("CORSResponse: This CORS request is not allowed."), "{case}");
                continue;
            }
            assert_eq!((reply.status, reply.body.len()), (200, 0), "{case}");
            let everybody = *method == "HEAD";
            assert_eq!(reply.header("access-control-allow-origin"), Some(if everybody { "*" } else { origin }), "{case}");
            assert_eq!(reply.header("access-control-allow-methods"), Some(if everybody { "HEAD" } else { "GET, PUT" }), "{case}");
            assert_eq!(reply.header("access-control-max-age"), (!everybody).then_some("600"), "{case}");
            assert!(reply.header("vary").unwrap().starts_with("Origin"), "{case}");
            let allowed = headers.filter(|headers| !headers.is_empty()).map(|headers| headers.to_ascii_lowercase().replace(", ", ",").replace(',', ", "));
            assert_eq!(reply.header("access-control-allow-headers"), allowed.as_deref(), "{case}");
        }
    }
}

#[tokio::test]
async fn preflights_that_are_none() {
    let fixture = configured().await;
    for (headers, code) in
        [(&[][..], "BadRequest"), (&[("access-control-request-method", "GET")], "BadRequest"), (&[("origin", "https://app.example.com")], "BadRequest")]
    {
        assert_eq!(fixture.send(&preflight(&fixture, "/media/k", headers)).await.refusal(), (400, code.into()), "{headers:?}");
    }
    let ask = [("origin", "https://app.example.com"), ("access-control-request-method", "GET")];
    for target in ["/other/k", "/nobody/k", "/", "/media%2fk", "/media/%zz"] {
        let reply = fixture.send(&preflight(&fixture, target, &ask)).await;
        assert_eq!((reply.refusal(), tells(&reply)), ((403, "AccessForbidden".into()), false), "{target}");
        assert_eq!(reply.element("Message"), "CORSResponse: CORS is not enabled for this bucket.", "an unknown bucket is told from no other one");
    }
    let elsewhere = preflight(&fixture, "/media/k", &ask).header("host", "evil.example");
    assert_eq!(fixture.send(&elsewhere).await.status, 403);
    let two = Wire {
        headers: [preflight(&fixture, "/media/k", &ask).headers, vec![("origin".into(), "https://evil".into())]].concat(),
        ..fixture.raw("OPTIONS", "/media/k")
    };
    assert_eq!(fixture.send(&two).await.status, 400, "two origins are none");
    let with_body = preflight(&fixture, "/media/k", &ask).body(b"new content");
    assert_eq!(fixture.send(&with_body).await.status, 200);
    assert_eq!(fixture.get(Cloud::S3, "k").await.body, b"content", "a preflight reaches no object");
}

#[tokio::test]
async fn answers_tell_the_origin_that_a_rule_allows_and_no_other() {
    let fixture = configured().await;
    for cloud in CLOUDS {
        let get = |name: &str| Wire::of(&fixture.sign(cloud, &ObjectRequest::get(key(name))));
        let put = Wire::of(&fixture.sign(cloud, &ObjectRequest::put(key("new")))).body(b"x");
        let delete = Wire::of(&fixture.sign(cloud, &ObjectRequest::delete(key("new"))));
        let unsigned = fixture.raw("GET", "/media/k");
        for (what, wire, status, allowed) in [
            ("a read", get("k"), 200, true),
            ("a write", put, 200, true),
            ("an object that is not there", get("absent"), 404, true),
            ("no signature", unsigned, 403, true),
            ("a method of no rule", delete, 204, false),
        ] {
            let case = format!("{cloud:?} {what}");
            let with = fixture.send(&wire.clone().header("origin", "http://a.test")).await;
            assert_eq!((with.status, tells(&with)), (status, allowed), "{case}: {with:?}");
            if allowed {
                assert_eq!(with.header("access-control-allow-origin"), Some("http://a.test"), "{case}");
                assert_eq!(with.header("access-control-expose-headers"), Some("ETag"), "{case}");
                assert!(with.header("vary").unwrap().contains("Origin"), "{case}");
            }
            for origin in [None, Some("http://evil.example"), Some("null"), Some("")] {
                let wire = origin.into_iter().fold(wire.clone(), |wire, origin| wire.header("origin", origin));
                let reply = fixture.send(&wire).await;
                assert_eq!((reply.status, tells(&reply)), (status, false), "{case} {origin:?}: {reply:?}");
            }
        }
        let other = fixture.ask_with(cloud, "GET", "/other?list-type=2", &[("origin", "http://a.test")], b"").await;
        assert_eq!((other.status, tells(&other)), (200, false), "a bucket without rules");
    }
}

#[tokio::test]
async fn oss_may_say_vary_in_every_answer() {
    let fixture = configured().await;
    let rules = RULES.replace("</CORSConfiguration>", "<ResponseVary>true</ResponseVary></CORSConfiguration>");
    assert_eq!(fixture.ask(Cloud::Oss, "PUT", "/media/?cors", rules.as_bytes()).await.status, 200);
    for headers in [&[][..], &[("origin", "http://evil.example")]] {
        let reply = fixture.ask_with(Cloud::Oss, "GET", "/media/k", headers, b"").await;
        assert_eq!((reply.header("vary"), reply.header("access-control-allow-origin")), (Some("Origin"), None), "{headers:?}");
    }
    assert_eq!(fixture.ask(Cloud::Oss, "GET", "/media/?cors", b"").await.element("ResponseVary"), "true");
}

#[tokio::test]
async fn a_configuration_comes_back_and_goes() {
    let fixture = Fixture::memory().await;
    for cloud in CLOUDS {
        assert_eq!(fixture.ask(cloud, "GET", "/media?cors", b"").await.refusal(), (404, "NoSuchCORSConfiguration".into()));
        assert_eq!(fixture.ask(cloud, "PUT", "/media?cors", RULES.as_bytes()).await.status, 200);
        let told = fixture.ask(cloud, "GET", "/media?cors", b"").await;
        for part in [
            "<AllowedOrigin>http://*.test</AllowedOrigin>",
            "<AllowedHeader>X-Amz-*</AllowedHeader>",
            "<MaxAgeSeconds>600</MaxAgeSeconds>",
            "<AllowedMethod>HEAD",
        ] {
            assert!(told.text().contains(part), "{part}: {}", told.text());
        }
        for (body, code) in [
            ("", "MalformedXML"),
            ("<CORSConfiguration/>", "MalformedXML"),
            ("<!DOCTYPE a><CORSConfiguration/>", "MalformedXML"),
            (&RULES.replace("http://*.test", "http://*.*.test"), if cloud == Cloud::S3 { "InvalidRequest" } else { "InvalidArgument" }),
            (&RULES.replace("<AllowedMethod>PUT", "<AllowedMethod>PATCH"), if cloud == Cloud::S3 { "InvalidRequest" } else { "InvalidArgument" }),
        ] {
            assert_eq!(fixture.ask(cloud, "PUT", "/media?cors", body.as_bytes()).await.refusal(), (400, code.into()), "{body}");
        }
        assert!(fixture.ask(cloud, "GET", "/media?cors", b"").await.text().contains("http://*.test"), "what was refused changed nothing");
        let wrong = fixture.ask_with(cloud, "PUT", "/media?cors", &[("content-md5", "kAFQmDzST7DWlj99KOF/cg==")], b"<CORSConfiguration/>").await;
        assert_eq!(wrong.status, 400);
        assert_eq!(fixture.ask(cloud, "DELETE", "/media?cors", b"").await.status, 204);
        assert_eq!(fixture.ask(cloud, "PUT", "/nobody?cors", RULES.as_bytes()).await.refusal(), (404, "NoSuchBucket".into()));
    }
}

#[tokio::test]
async fn the_store_s_own_rules_hold_where_a_bucket_has_none() {
    let rule = CorsRule::new(["http://localhost:5173"], ["GET"]).unwrap().expose_headers(["ETag"]).unwrap();
    let fixture = Fixture::with(|builder| builder.cors(rule)).await;
    let from = async |origin| {
        let reply = fixture.send(&fixture.raw("GET", "/media/k").header("origin", origin)).await;
        reply.header("access-control-allow-origin").map(str::to_owned)
    };
    assert_eq!(from("http://localhost:5173").await.as_deref(), Some("http://localhost:5173"));
    assert_eq!(from("http://localhost:5174").await, None);
    assert_eq!(fixture.ask(Cloud::S3, "GET", "/media?cors", b"").await.element("AllowedOrigin"), "http://localhost:5173", "who asks is told what holds");
    assert_eq!(fixture.ask(Cloud::S3, "PUT", "/media?cors", RULES.as_bytes()).await.status, 200);
    assert_eq!((from("http://localhost:5173").await, from("http://a.test").await.as_deref()), (None, Some("http://a.test")));
    assert_eq!(fixture.ask(Cloud::S3, "DELETE", "/media?cors", b"").await.status, 204);
    assert_eq!(from("http://a.test").await, None);
}
