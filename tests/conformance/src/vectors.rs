//! Known requests give known URLs. The answers must come from elsewhere: signer and verifier share code, so that they cannot prove each other.

use valetkey_core::{ObjectRequest, PresignOptions};

use crate::harness::Harness;
use crate::report::{Record, ensure};

/// A known answer.
///
/// ```
/// use valetkey_conformance::Vector;
/// use valetkey_core::{ObjectRequest, PresignOptions};
///
/// let vector = Vector {
///     name: "the example of the manual".into(),
///     request: ObjectRequest::get("test.txt".parse()?),
///     options: PresignOptions::new().signed_at("2013-05-24T00:00:00Z".parse()?),
///     url: "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=..".into(),
///     signed_headers: Vec::new(),
/// };
/// # let _ = vector;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Vector {
    /// Which answer this is, and where it is from.
    pub name: String,
    /// What was signed.
    pub request: ObjectRequest,
    /// When it was signed, which the options must pin, and for how long.
    pub options: PresignOptions,
    /// The URL, byte for byte.
    pub url: String,
    /// The headers to send, in the order of their names.
    pub signed_headers: Vec<(String, String)>,
}

pub(crate) async fn run(harness: &Harness<'_>, record: &mut Record) {
    if harness.vectors.is_empty() {
        record.skip("known answers", "none were given");
    }
    for vector in harness.vectors {
        record.note(vector.name.as_str(), check(harness, vector).await);
    }
}

async fn check(harness: &Harness<'_>, vector: &Vector) -> Result<(), String> {
    let signed = harness.presigner.presign(&vector.request, &vector.options).await.map_err(|error| format!("not signed: {error}"))?;
    let headers: Vec<_> = signed.signed_headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    ensure(headers == vector.signed_headers, || "the headers to send differ".to_owned())?;
    ensure(signed.url == vector.url, || {
        let same = signed.url.bytes().zip(vector.url.bytes()).take_while(|(got, want)| got == want).count();
        format!("the URL differs from character {same} on")
    })
}
