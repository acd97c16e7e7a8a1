//! Forms before a server of others, the crate `s3s` in this process, and before our own verifier: where both judge, they must agree.
#![cfg(all(feature = "s3", feature = "oss"))]

mod judges;
mod support;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use judges::form::{ByHand, Fields, File};
use judges::recompute;
use judges::s3s::S3s;
use serde_json::json;
use support::{pairs, seconds, text};
use valetkey::post_policy::Form;
use valetkey::verify::FormVerification;
use valetkey::{
    Acl, AddressingStyle, Checksum, ChecksumAlgorithm, Clock as _, Credentials, OssPresigner, PostPolicy, PresignedPost, Presigner, S3, S3Presigner,
    ServerSideEncryption, StorageClass, SystemClock, TargetSettings, Timestamp,
};

const BUCKET: &str = "media";
const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "a+token/with==";

fn url() -> String {
    format!("https://{BUCKET}.{}/", S3s::HOST)
}

fn by_hand() -> ByHand {
    ByHand::new(BUCKET, ID)
}

/// What our own verifier says of the same form: the error's code, or nothing.
fn ours(fields: &[(String, String)], file: &str, token: &str) -> &'static str {
    let form = Form { bucket: BUCKET, fields, file_name: "a.txt", size: Some(file.len() as u64) };
    let credentials = Credentials::new(ID, SECRET).unwrap().with_session_token(token).unwrap();
    let verdict = FormVerification::parse(&S3, &form, Some("eu-central-1")).and_then(|pending| {
        let known = (pending.access_key_id() == ID).then_some(&credentials);
        pending.finish(known, SystemClock.now().unwrap())
    });
    verdict.map_or_else(|error| error.code(), |_| "")
}

#[test]
fn policies_of_others_are_signed_alike() {
    let mut compared = 0;
    for (file, own) in [("vectors/s3-sigv4.json", true), ("vectors/oss-v4.json", false)] {
        for case in support::json(file)["cases"].as_array().unwrap() {
            let name = text(case, "name");
            if !matches!(text(case, "kind"), "post" | "post-v4") && name != "doc-post-policy" {
                continue;
            }
            let fields = pairs(&case["expected_fields"]);
            let field = |wanted: &str| fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map_or("", |(_, value)| value.as_str());
            let secret = text(&case["credentials"], if own { "secret_access_key" } else { "access_key_secret" });
            let (signature, computed) = if own {
                let date = field("x-amz-date");
                (field("x-amz-signature"), recompute::s3(secret, &date[..8], text(case, "region"), field("policy")))
            } else {
                let date = field("x-oss-date");
                (field("x-oss-signature"), recompute::oss(secret, &date[..8], text(case, "region"), field("policy")))
            };
            assert_eq!(computed, signature, "{name}");
            compared += 1;
        }
    }
    assert_eq!(compared, 23);
}

/// Nothing that is said of our forms below holds unless this server takes good forms and refuses bad ones.
#[tokio::test]
async fn forms_written_by_hand_are_taken() {
    let judge = S3s::start(BUCKET, ID, SECRET).await;
    let redirect = "https://app.example/done?x=1";
    let rows = [
        (by_hand().with("key", "a.txt"), 204),
        (by_hand().condition(json!(["starts-with", "$key", "up/"])).field("key", "up/b.txt"), 204),
        (by_hand().condition(json!(["eq", "$KEY", "c"])).field("Key", "c"), 204),
        (by_hand().with("key", "d").with("bucket", BUCKET), 204),
        (by_hand().with("key", "e").condition(json!(["content-length-range", 5, 5])), 204),
        (by_hand().with("key", "f").with("success_action_status", "200"), 200),
        (by_hand().with("key", "g").with("success_action_status", "201"), 201),
        (by_hand().with("key", "h").with("success_action_redirect", redirect).with("success_action_status", "201"), 303),
        (by_hand().with("key", "i").field("x-ignore-this", "x"), 204),
    ];
    for (form, status) in rows {
        let fields = form.sign(SECRET);
        assert_eq!(ours(&fields, "hello", ""), "", "{fields:?}");
        for url in [url(), format!("http://{}/{BUCKET}", judge.address())] {
            let key = &fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("key")).unwrap().1;
            judge.clear();
            let answer = judge.post(&url, &fields, File::text("hello")).await;
            assert_eq!(answer.verdict(), (status, ""), "{key}: {}", answer.body);
            assert_eq!(judge.object(key).unwrap().bytes, b"hello", "{key}");
            match status {
                201 => assert_eq!((answer.element("Bucket"), answer.element("Key"), answer.element("ETag")), (BUCKET, "g", "5-bytes")),
                303 => assert_eq!(answer.header("location"), format!("{redirect}&bucket={BUCKET}&key=h&etag=5-bytes")),
                _ => assert_eq!(answer.body, ""),
            }
        }
    }
}

#[tokio::test]
async fn forms_written_by_hand_are_refused_when_they_break_a_rule() {
    let judge = S3s::start(BUCKET, ID, SECRET).await;
    let form = || by_hand().with("key", "k");
    let without = |name: &str| form().sign(SECRET).into_iter().filter(|(own, _)| own != name).collect::<Fields>();
    let changed = |name: &str, value: &str| replaced(form().sign(SECRET), name, value);
    let rows: Vec<(&str, Fields, (u16, &str))> = vec![
        ("another secret", form().sign("another secret"), (403, "SignatureDoesNotMatch")),
        ("another signature", changed("x-amz-signature", &"0".repeat(64)), (403, "SignatureDoesNotMatch")),
        ("unknown key", ByHand::new(BUCKET, "AKIAUNKNOWN").with("key", "k").sign(SECRET), (403, "NotSignedUp")),
        ("no signature", without("x-amz-signature"), (403, "AccessDenied")),
        ("no policy", without("policy"), (400, "InvalidRequest")),
        ("no date", without("x-amz-date"), (400, "InvalidRequest")),
        ("another date", changed("x-amz-date", "20240229T000000Z"), (400, "InvalidPolicyDocument")),
        ("scope not in the policy", ByHand { scope_in_policy: false, ..form() }.sign(SECRET), (400, "InvalidPolicyDocument")),
        ("ended", ByHand { signed_at: SystemTime::now() - Duration::from_secs(700), ..form() }.sign(SECRET), (403, "AccessDenied")),
        ("a field without a condition", form().field("x-amz-meta-a", "b").sign(SECRET), (403, "AccessDenied")),
        ("the key without a condition", by_hand().field("key", "k").sign(SECRET), (403, "AccessDenied")),
        ("a condition without its field", form().condition(json!({ "x-amz-meta-a": "b" })).sign(SECRET), (400, "InvalidPolicyDocument")),
        ("another value", changed("key", "K"), (400, "InvalidPolicyDocument")),
        ("another prefix", by_hand().condition(json!(["starts-with", "$key", "up/"])).field("key", "upper").sign(SECRET), (400, "InvalidPolicyDocument")),
        ("another bucket", ByHand::new("other", ID).with("key", "k").sign(SECRET), (400, "InvalidPolicyDocument")),
        ("a field that names another bucket", form().field("bucket", "other").sign(SECRET), (400, "InvalidPolicyDocument")),
        ("a token without a condition", form().field("x-amz-security-token", "a").sign(SECRET), (403, "AccessDenied")),
        ("a byte too many", form().condition(json!(["content-length-range", 0, 4])).sign(SECRET), (400, "EntityTooLarge")),
        ("a byte too few", form().condition(json!(["content-length-range", 6, 9])).sign(SECRET), (400, "EntityTooSmall")),
        ("no key", by_hand().sign(SECRET), (400, "InvalidRequest")),
        ("an unknown operator", form().condition(json!(["in", "$key", ["k"]])).sign(SECRET), (400, "InvalidPolicyDocument")),
    ];
    for (what, fields, verdict) in rows {
        assert_ne!(ours(&fields, "hello", ""), "", "{what}");
        let answer = judge.post(&url(), &fields, File::text("hello")).await;
        assert_eq!(answer.verdict(), verdict, "{what}: {}", answer.body);
        assert_eq!(judge.keys(), [""; 0], "{what}");
    }
}

/// The list in the documentation of `judges::s3s`: what passes here proves nothing about S3.
#[tokio::test]
async fn what_this_server_lets_pass_is_known() {
    let judge = S3s::start(BUCKET, ID, SECRET).await;
    let form = || by_hand().with("key", "k");
    let day = Duration::from_secs(86_400);
    // What is wrong, the form, and what our own verifier says of it.
    let rows: Vec<(&str, ByHand, &str)> = vec![
        ("region", ByHand { region: "us-west-2".into(), ..form() }, "scope_mismatch"),
        ("signed in the future", ByHand { signed_at: SystemTime::now() + day, ..form() }, "not_yet_valid"),
        ("a life of more than 7 days", ByHand { life: 8 * day, ..form() }, "expiration_out_of_range"),
        ("no bucket in the policy", form().without_bucket(), "bucket_mismatch"),
        ("a token that is not the key's", form().with("x-amz-security-token", "no such token"), "token_mismatch"),
        ("an empty prefix without its field", form().condition(json!(["starts-with", "$x-amz-meta-a", ""])), "condition_failed"),
        ("a list of types", form().condition(json!(["starts-with", "$Content-Type", "a/"])).field("Content-Type", "a/b,c/d"), "condition_failed"),
        ("encryption without a condition", form().field("x-amz-server-side-encryption", "AES256"), "extra_field"),
        ("a button without a condition", form().field("submit", "Upload"), "extra_field"),
        ("the key id of the old signature", form().field("AWSAccessKeyId", ID), "mixed_authentication"),
        ("a field given twice", form().field("key", "k"), "duplicate_field"),
        ("no name for an object", by_hand().with("key", ""), "missing_field"),
        ("a key that is too long", by_hand().with("key", &"k".repeat(1025)), "unsafe_key"),
        ("the name of the file in a key", by_hand().with("key", "${filename}"), "condition_failed"),
        // Whether these are right is for whoever stores the object.
        ("a digest that is not the file's", form().with("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==").with("x-amz-checksum-sha256", "AAAA"), ""),
        ("values that S3 does not know", form().with("x-amz-acl", "x").with("x-amz-storage-class", "x").with("success_action_status", "999"), ""),
    ];
    for (what, form, code) in rows {
        judge.clear();
        let fields = form.sign(SECRET);
        assert_eq!(ours(&fields, "hello", ""), code, "{what}");
        let answer = judge.post(&url(), &fields, File::text("hello")).await;
        assert_eq!((answer.verdict(), judge.keys().len()), ((204, ""), 1), "{what}: {}", answer.body);
    }
    let as_it_is = by_hand().condition(json!(["starts-with", "$key", "up/"])).field("key", "up/${filename}").sign(SECRET);
    assert_eq!((ours(&as_it_is, "hello", ""), judge.post(&url(), &as_it_is, File::text("hello")).await.status), ("", 204));
    assert!(judge.object("up/${filename}").is_some(), "the name of the file is not filled in");
    let form = form().with("acl", "public-read").with("tagging", "<Tagging/>");
    assert_eq!(judge.post(&url(), &form.sign(SECRET), File::text("hello")).await.status, 204);
    let object = judge.object("k").unwrap();
    assert!(object.input.acl.is_none() && object.input.tagging.is_none(), "matched against the policy, then forgotten");
    assert!(object.input.content_type.is_none(), "the type of the file's part is not the object's");
}

fn replaced(fields: Fields, name: &str, value: &str) -> Fields {
    fields.into_iter().map(|(own, old)| if own == name { (own, value.to_owned()) } else { (own, old) }).collect()
}

fn presigner(provider: &str, style: AddressingStyle, token: &str) -> Box<dyn Presigner> {
    let settings = TargetSettings::new(BUCKET).region("eu-central-1").addressing(style);
    let credentials = Arc::new(Credentials::new(ID, SECRET).unwrap().with_session_token(token).unwrap());
    match provider {
        "s3" => Box::new(S3Presigner::new(&settings, credentials).unwrap()),
        _ => Box::new(OssPresigner::new(&settings, credentials).unwrap()),
    }
}

fn for_key(key: &str) -> PostPolicy {
    PostPolicy::for_key(key.parse().unwrap())
}

fn fields(post: &PresignedPost) -> Fields {
    post.fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A policy, what the client fills, and the status of the answer.
type Row = (PostPolicy, Vec<(&'static str, &'static str)>, u16);

/// Policies that both clouds take.
fn policies() -> Vec<Row> {
    let under = || PostPolicy::for_prefix("up/7/");
    vec![
        (for_key("a.txt"), vec![], 204),
        (for_key("中文/é \u{1f680}.txt").metadata("name", "é \u{1f680}中"), vec![], 204),
        (for_key("$a/'b\"/c\\d/e+f/%41/$key"), vec![], 204),
        (under(), vec![("key", "up/7/b.txt")], 204),
        (PostPolicy::for_open_prefix("up/7"), vec![("key", "up/70/b.txt")], 204),
        (under().object_name("fixed name.txt"), vec![], 204),
        (under().starts_with("key", "up/7/in/").object_name("in/x"), vec![("key", "up/7/in/c.txt")], 204),
        (for_key("5 bytes").content_length(5..=5), vec![], 204),
        (for_key("1 to 5 bytes").content_length(1..=5), vec![], 204),
        (for_key("png").content_type("image/png"), vec![], 204),
        (for_key("image").content_type_prefix("image/"), vec![("type", "image/webp")], 204),
        (for_key("headers").cache_control("no-store").content_disposition("attachment; filename=\"é.txt\"").content_encoding("gzip"), vec![], 204),
        (for_key("expires").expires_header("Wed, 21 Oct 2026 07:28:00 GMT"), vec![], 204),
        (for_key("metadata").metadata("Owner", "7").metadata("empty", "").metadata("quotes", "\"\\'$x"), vec![], 204),
        (for_key("acl").acl(Acl::PublicRead).storage_class(StorageClass::InfrequentAccess), vec![], 204),
        (for_key("sealed").server_side_encryption(ServerSideEncryption::Aes256), vec![], 204),
        (for_key("200").success_status(200), vec![], 200),
        (for_key("201").success_status(201), vec![], 201),
        (for_key("204").success_status(204), vec![], 204),
        (for_key("redirect").success_redirect("https://app.example/done?x=1"), vec![], 303),
        (under().content_length(0..=9).content_type_prefix("").success_status(201), vec![("key", "up/7/é $x.txt"), ("type", "a/b")], 201),
    ]
}

/// Policies that S3 alone takes.
fn policies_of_s3() -> Vec<Row> {
    let open = vec![("x-amz-meta-user", "u7")];
    let digest = Checksum::new(ChecksumAlgorithm::Sha256, &STANDARD.encode([7; 32])).unwrap();
    vec![
        (for_key("/with a checksum").checksum(digest), vec![], 204),
        (for_key("tags").tag("a", "<b>&\"").tag("c", ""), vec![], 204),
        (for_key("open metadata").metadata_prefix("user", "u"), open.clone(), 204),
        (for_key("raw").starts_with("x-amz-meta-user", "u").eq("x-amz-website-redirect-location", "/x"), open, 204),
    ]
}

fn filled(post: PresignedPost, values: &[(&str, &str)]) -> PresignedPost {
    values.iter().fold(post, |post, (name, value)| if *name == "type" { post.fill_content_type(value).unwrap() } else { post.fill(name, value).unwrap() })
}

#[tokio::test]
async fn our_forms_are_taken_and_the_object_is_what_was_sent() {
    let judge = S3s::start(BUCKET, ID, SECRET).await;
    for (style, token) in [(AddressingStyle::Virtual, ""), (AddressingStyle::Path, TOKEN)] {
        let presigner = presigner("s3", style, token);
        for (policy, values, status) in policies().into_iter().chain(policies_of_s3()) {
            judge.clear();
            let post = filled(presigner.presign_post(&policy, &seconds(600)).await.unwrap(), &values);
            assert_eq!(ours(&fields(&post), "hello", token), "", "{policy:?}");
            let answer = judge.post(&post.url, &fields(&post), File::text("hello")).await;
            assert_eq!(answer.verdict(), (status, ""), "{policy:?}: {}", answer.body);
            let key = post.fields.value("key").unwrap();
            assert_eq!(judge.keys(), [key]);
            let object = judge.object(key).unwrap();
            assert_eq!(object.bytes, b"hello", "{key}");

            let field = |name: &str| post.fields.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value);
            let input = &object.input;
            assert_eq!(input.content_type.as_deref(), field("content-type"), "{key}");
            assert_eq!(input.cache_control.as_deref(), field("cache-control"), "{key}");
            assert_eq!(input.content_disposition.as_deref(), field("content-disposition"), "{key}");
            assert_eq!(input.content_encoding.as_deref(), field("content-encoding"), "{key}");
            assert_eq!(input.storage_class.as_ref().map(::s3s::dto::StorageClass::as_str), field("x-amz-storage-class"), "{key}");
            assert_eq!(input.server_side_encryption.as_ref().map(::s3s::dto::ServerSideEncryption::as_str), field("x-amz-server-side-encryption"), "{key}");
            assert_eq!(input.checksum_sha256.as_deref(), field("x-amz-checksum-sha256"), "{key}");
            let mut metadata: Fields = input.metadata.iter().flatten().map(|(name, value)| (format!("x-amz-meta-{name}"), value.clone())).collect();
            let mut sent: Fields = fields(&post).into_iter().filter(|(name, _)| name.starts_with("x-amz-meta-")).collect();
            metadata.sort();
            sent.sort();
            assert_eq!(metadata, sent, "{key}");
            match status {
                201 => assert_eq!(answer.element("Key"), key),
                303 => assert_eq!(answer.header("location"), format!("https://app.example/done?x=1&bucket={BUCKET}&key={key}&etag=5-bytes")),
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn our_forms_carry_hard_keys_and_any_bytes() {
    let judge = S3s::start(BUCKET, ID, SECRET).await;
    let presigner = presigner("s3", AddressingStyle::Virtual, "");
    let bytes: Vec<u8> = (0..200_000_u32).map(|at| if at % 7 == 0 { b"\r\n--"[at as usize % 4] } else { (at % 251) as u8 }).collect();
    let mut taken = 0;
    for row in support::json("keys/hard-keys.json").as_array().unwrap() {
        let key = match row["key"]["repeat"].as_array() {
            Some(repeat) => repeat[0].as_str().unwrap().repeat(usize::try_from(repeat[1].as_u64().unwrap()).unwrap()),
            None => text(row, "key").to_owned(),
        };
        let Ok(post) = presigner.presign_post(&for_key(&key), &seconds(600)).await else {
            assert!(key.contains("${filename}"), "{key:?} was refused");
            continue;
        };
        judge.clear();
        let answer = judge.post(&post.url, &fields(&post), File { name: "a \"b\"\r\n;é.bin", content_type: "a/b", bytes: &bytes }).await;
        assert_eq!(answer.verdict(), (204, ""), "{key:?}: {}", answer.body);
        assert_eq!(judge.keys(), [&*key]);
        assert!(judge.object(&key).unwrap().bytes == bytes, "{key:?}: other bytes arrived");
        taken += 1;
    }
    assert!(taken > 50, "only {taken} keys were tried");
}

#[tokio::test]
async fn our_forms_are_refused_when_anything_is_changed() {
    let judge = S3s::start(BUCKET, ID, SECRET).await;
    let presigner = presigner("s3", AddressingStyle::Virtual, TOKEN);
    let policy = PostPolicy::for_prefix("up/7/").content_length(3..=5).content_type_prefix("image/");
    let policy = policy.metadata("owner", "7").acl(Acl::Private).success_status(201);
    let image = [("key", "up/7/a.png"), ("type", "image/png")];
    let post = filled(presigner.presign_post(&policy, &seconds(600)).await.unwrap(), &image);
    let good = fields(&post);
    let with = |name: &str, value: &str| replaced(good.clone(), name, value);
    let without = |name: &str| good.iter().filter(|(own, _)| own != name).cloned().collect::<Fields>();
    let also = |name: &str, value: &str| [good.clone(), vec![(name.to_owned(), value.to_owned())]].concat();
    let json = String::from_utf8(STANDARD.decode(post.fields.value("policy").unwrap()).unwrap()).unwrap();
    let policy_with = |from: &str, to: &str| {
        assert!(json.contains(from), "{json}");
        with("policy", &STANDARD.encode(json.replace(from, to)))
    };
    let earlier = Timestamp::from_unix_seconds(i64::try_from(post.signed_at.as_unix_seconds()).unwrap() - 120).unwrap();
    let long_ago = seconds(60).signed_at(earlier);
    let ended = filled(presigner.presign_post(&policy, &long_ago).await.unwrap(), &image);
    let (by_policy, by_signature) = ((400, "InvalidPolicyDocument"), (403, "SignatureDoesNotMatch"));
    let rows: Vec<(&str, Fields, &str, (u16, &str))> = vec![
        ("nothing", good.clone(), "12345", (201, "")),
        ("nothing, the fewest bytes", good.clone(), "123", (201, "")),
        ("nothing, another type", with("Content-Type", "image/webp"), "123", (201, "")),
        ("a byte too many", good.clone(), "123456", (400, "EntityTooLarge")),
        ("a byte too few", good.clone(), "12", (400, "EntityTooSmall")),
        ("key outside of the prefix", with("key", "up/70/a.png"), "1234", by_policy),
        ("type outside of the prefix", with("Content-Type", "text/html"), "1234", by_policy),
        ("no type", without("Content-Type"), "1234", by_policy),
        ("another owner", with("x-amz-meta-owner", "8"), "1234", by_policy),
        ("no owner", without("x-amz-meta-owner"), "1234", by_policy),
        ("another ACL", with("acl", "public-read"), "1234", by_policy),
        ("another status", with("success_action_status", "200"), "1234", by_policy),
        ("another token", with("x-amz-security-token", "b token"), "1234", by_policy),
        ("no token", without("x-amz-security-token"), "1234", by_policy),
        ("another date", with("x-amz-date", "20240229T000000Z"), "1234", by_policy),
        ("another credential", with("x-amz-credential", &format!("{ID}/20240229/eu-central-1/s3/aws4_request")), "1234", by_policy),
        ("a redirect", also("success_action_redirect", "https://app.example/"), "1234", (403, "AccessDenied")),
        ("an encoding", also("Content-Encoding", "gzip"), "1234", (403, "AccessDenied")),
        ("another prefix in the policy", policy_with("up/7/", "up/"), "1234", by_signature),
        ("more bytes in the policy", policy_with("3,5]", "3,6]"), "1234", by_signature),
        ("a longer life in the policy", policy_with("\"expiration\":\"2", "\"expiration\":\"3"), "1234", by_signature),
        ("no policy", without("policy"), "1234", (400, "InvalidRequest")),
        ("no signature", without("x-amz-signature"), "1234", (403, "AccessDenied")),
        ("ended", fields(&ended), "1234", (403, "AccessDenied")),
    ];
    for (what, fields, bytes, verdict) in rows {
        assert_eq!(ours(&fields, bytes, TOKEN).is_empty(), verdict.0 < 400, "{what}");
        judge.clear();
        let answer = judge.post(&post.url, &fields, File { name: "a.png", content_type: "image/png", bytes: bytes.as_bytes() }).await;
        assert_eq!(answer.verdict(), verdict, "{what}: {}", answer.body);
        assert_eq!(judge.keys().is_empty(), verdict.0 >= 400, "{what}");
    }
    let elsewhere = judge.post(&post.url.replace(BUCKET, "other"), &good, File::text("1234")).await;
    assert_eq!(elsewhere.verdict(), by_policy, "another bucket");
    judge.clear();
    for name in ["policy", "x-amz-signature"] {
        let value = post.fields.value(name).unwrap();
        for at in 0..value.len() {
            let mut changed = value.to_owned();
            changed.replace_range(at..=at, if &value[at..=at] == "0" { "1" } else { "0" });
            let answer = judge.post(&post.url, &with(name, &changed), File::text("1234")).await;
            assert!(answer.status >= 400 && judge.keys().is_empty(), "byte {at} of {name} may be changed");
        }
    }
}

#[tokio::test]
async fn signatures_of_our_policies_are_what_others_calculate() {
    for (provider, prefix) in [("s3", "x-amz"), ("oss", "x-oss")] {
        let mut rows = policies();
        rows.extend(if provider == "s3" { policies_of_s3() } else { vec![(for_key("once").create_only().content_type_one_of(["a/b", "c/d"]), vec![], 204)] });
        for token in ["", TOKEN] {
            let presigner = presigner(provider, AddressingStyle::Virtual, token);
            for (policy, ..) in &rows {
                let post = presigner.presign_post(policy, &seconds(600)).await.unwrap();
                let value = |name: &str| post.fields.value(&format!("{prefix}-{name}")).unwrap();
                let scope: Vec<&str> = value("credential").split('/').collect();
                let [ID, date, "eu-central-1", _, _] = scope[..] else { panic!("{scope:?}") };
                assert!(value("date").starts_with(date), "{scope:?}");
                let calculate = if provider == "s3" { recompute::s3 } else { recompute::oss };
                assert_eq!(value("signature"), calculate(SECRET, date, "eu-central-1", post.fields.value("policy").unwrap()), "{provider} {policy:?}");
            }
        }
    }
}
