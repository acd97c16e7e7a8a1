//! What the crate `s3s` 0.14.1 does not judge as S3 promises, found by trying. `docs/conformance.md` has it as a table.

use valetkey_conformance::{Finding, Module};

/// A promise that this server does not hold a client to.
pub(crate) struct Gap {
    pub(crate) module: Module,
    /// The cases, separated by `|`; `*` is any text.
    pub(crate) case: &'static str,
    /// What the suite finds, for each of them.
    pub(crate) seen: &'static str,
    /// The promise.
    pub(crate) title: &'static str,
    /// What the server does.
    pub(crate) does: &'static str,
    /// Who judges it in its stead.
    pub(crate) instead: &'static str,
}

impl Gap {
    pub(crate) fn is_about(&self, finding: &Finding) -> bool {
        finding.module == self.module && self.case.split('|').any(|case| matches(case, &finding.case))
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(start) else { return false };
    (0..=text.len()).any(|at| text.is_char_boundary(at) && matches(rest, &text[at..]))
}

const OURS: &str = "our verifier and the embedded store";
const STORE: &str = "the embedded store";

const fn gap(module: Module, case: &'static str, seen: &'static str, [title, does, instead]: [&'static str; 3]) -> Gap {
    Gap { module, case, seen, title, does, instead }
}

const UNSIGNED: [&str; 3] = ["`x-amz-*` headers that are sent must be signed", "takes them", OURS];
const ALGORITHM: [&str; 3] = [
    "`Authorization` begins with `AWS4-HMAC-SHA256`",
    "takes any word before the blank; an upload that was completed or given up so is gone, and the honest request comes too late",
    OURS,
];
const DIGESTS: [&str; 3] = ["`Content-MD5` and `x-amz-checksum-*` are the body's", "leaves them to the store behind it, and the one here does not look", STORE];
const DIGEST_OF_URL: [&str; 3] = [
    "`X-Amz-Content-Sha256` in a URL is the body's digest",
    "reads it from a header alone, so that the signature of such a URL is wrong for it",
    "the vectors, our verifier and the embedded store",
];
const COPIES: [&str; 3] = ["conditions of a copy", "does not read `If-None-Match` and `If-Match` of a copy", STORE];
const COMPLETED: [&str; 3] = ["the list of parts has the digest that is signed", "refuses another list with 500 `InternalError`", OURS];
const COMMAS: [&str; 3] = ["`Content-Type` with commas is a list, each item of which is judged", "takes it for one text", OURS];
const EMPTY: [&str; 3] = ["a condition on an open field needs the field", "`starts-with` an empty prefix holds without the field", OURS];
const PLUS: [&str; 3] = ["`success_action_redirect` carries the key", "writes a blank in it as `+`", STORE];
const FOLDER: [&str; 3] = ["a file without a name cannot fill `${filename}`", "leaves the name to the store; this suite fills it in before it sends", OURS];
const TWICE: [&str; 3] = ["a field stands once", "takes the last one, for the policy and for the object", OURS];
const UNNAMED: [&str; 3] = ["a form without what its signature needs is told what", "refuses it, and does not say what is missing", OURS];
const MIXED: [&str; 3] = ["a form is signed in one way", "does not look at `AWSAccessKeyId` beside the newer signature", OURS];
const LATE: [&str; 3] = ["nothing follows the file of a form", "does not read on, as S3 documents", OURS];

pub(crate) const GAPS: &[Gap] = &[
    gap(Module::Headers, "*: x-amz-*, reported as refused", "accepted with", UNSIGNED),
    gap(Module::Authorization, "*: a header of the cloud's own that is not signed", "accepted with", UNSIGNED),
    gap(Module::Authorization, "*: another algorithm", "", ALGORITHM),
    gap(Module::Authorization, "put: what was refused changed nothing", "the object exists", ALGORITHM),
    gap(Module::Authorization, "delete: what was refused changed nothing", "the object does not exist", ALGORITHM),
    gap(Module::Authorization, "co*: what was refused changed nothing", "the object exists", ALGORITHM),
    gap(Module::Authorization, "complete-multipart: unchanged it does what it says", "NoSuchUpload", ALGORITHM),
    gap(Module::Authorization, "abort-multipart: unchanged it does what it says", "NoSuchUpload", ALGORITHM),
    gap(Module::Portable, "put with content-md5|upload-part with content-md5|complete-multipart with content-md5", "with another body: accepted", DIGESTS),
    gap(Module::Portable, "put with checksum (*)", "with another body: accepted", DIGESTS),
    gap(Module::Portable, "upload-part with checksum (*)", "with another body: accepted", DIGESTS),
    gap(Module::Posts, "checksum *", "another file: accepted", DIGESTS),
    gap(
        Module::Portable,
        "put with payload-sha256|upload-part with payload-sha256|complete-multipart with payload-sha256",
        "kept, and refused with 403 SignatureDoesNotMatch",
        DIGEST_OF_URL,
    ),
    gap(Module::Portable, "copy with create-only", "sent again: accepted", COPIES),
    gap(Module::Portable, "copy with if-match", "with a stale ETag: accepted", COPIES),
    gap(Module::Authorization, "complete-multipart: the body has the digest that is signed", "500 InternalError", COMPLETED),
    gap(Module::Posts, "content type: what it begins with", "text/html\": accepted", COMMAS),
    gap(Module::Posts, "content type: any, but one", "left out: accepted", EMPTY),
    gap(Module::Posts, "metadata: empty", "left out: accepted", EMPTY),
    gap(Module::Posts, "metadata: anything", "left out: accepted", EMPTY),
    gap(Module::Posts, "everything at once", "left out: accepted", EMPTY),
    gap(Module::Posts, "redirect*", "photo+1.png", PLUS),
    gap(Module::Posts, "a file called \"sub/a.png\"", "accepted with", FOLDER),
    gap(Module::Posts, "* twice, alike|* twice, in lower case", "accepted with", TWICE),
    gap(Module::Posts, "* twice, in upper case, with another value", "Doubled is said with", TWICE),
    gap(Module::Posts, "x-amz-algorithm left out|x-amz-algorithm after the file", "does not name", UNNAMED),
    gap(Module::Posts, "x-amz-credential left out|x-amz-credential after the file", "does not name", UNNAMED),
    gap(Module::Posts, "x-amz-date left out|x-amz-date after the file", "does not name", UNNAMED),
    gap(Module::Posts, "x-amz-signature left out|x-amz-signature after the file", "does not name", UNNAMED),
    gap(Module::Posts, "policy left out|policy after the file", "does not name", UNNAMED),
    gap(Module::Posts, "another way of signing beside", "accepted with", MIXED),
    gap(Module::Posts, "two files", "accepted with", LATE),
    gap(Module::Posts, "* once more after the file", "accepted with", LATE),
    gap(Module::Posts, "cut in the last boundary", "accepted with", LATE),
];
