//! The names of S3: query parameters, headers, and what a portable constraint is called.
//!
//! Source: Amazon S3 API Reference, the request syntax of each operation.

use alloc::format;
use alloc::string::String;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest, Md5};
use valetkey_core::binding::Bindings;
use valetkey_core::{Capability, ConstraintName, ContentTypeRule, Operation, PresignError, ProviderConstraint, ServerSideEncryption, StorageClass};

pub(crate) const PROVIDER: &str = "S3";
pub(crate) const SERVICE: &str = "s3";
pub(crate) const ALGORITHM_VALUE: &str = "AWS4-HMAC-SHA256";
pub(crate) const SCOPE_END: &str = "aws4_request";
pub(crate) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

pub(crate) const ALGORITHM: &str = "X-Amz-Algorithm";
pub(crate) const CONTENT_SHA256: &str = "X-Amz-Content-Sha256";
pub(crate) const CREDENTIAL: &str = "X-Amz-Credential";
pub(crate) const DATE: &str = "X-Amz-Date";
pub(crate) const EXPIRES: &str = "X-Amz-Expires";
pub(crate) const SECURITY_TOKEN: &str = "X-Amz-Security-Token";
pub(crate) const SIGNED_HEADERS: &str = "X-Amz-SignedHeaders";
pub(crate) const SIGNATURE: &str = "X-Amz-Signature";

/// What the string to sign of a chunk begins with, and that of the headers after the last chunk.
pub(crate) const CHUNK_ALGORITHM: &str = "AWS4-HMAC-SHA256-PAYLOAD";
pub(crate) const TRAILER_ALGORITHM: &str = "AWS4-HMAC-SHA256-TRAILER";
pub(crate) const CONTENT_SHA256_HEADER: &str = "x-amz-content-sha256";
pub(crate) const DATE_HEADER: &str = "x-amz-date";
pub(crate) const SECURITY_TOKEN_HEADER: &str = "x-amz-security-token";

pub(crate) const HEADER_PREFIX: &str = "x-amz-";
pub(crate) const TAGGING: &str = "x-amz-tagging";
pub(crate) const META_PREFIX: &str = "x-amz-meta-";

/// Names that the signer sets; compared lower case.
pub(crate) fn is_owned(lower_case: &str) -> bool {
    [ALGORITHM, CONTENT_SHA256, CREDENTIAL, DATE, EXPIRES, SECURITY_TOKEN, SIGNED_HEADERS, SIGNATURE].iter().any(|name| name.eq_ignore_ascii_case(lower_case))
}

/// Names of other ways of signing, which no request may mix with this one: Signature Version 2, and those of OSS.
pub(crate) fn is_foreign(lower_case: &str) -> bool {
    let oss = ["x-oss-date", "x-oss-expires", "x-oss-credential", "x-oss-security-token", "x-oss-additional-headers"];
    matches!(lower_case, "awsaccesskeyid" | "ossaccesskeyid") || lower_case.starts_with("x-oss-signature") || oss.contains(&lower_case)
}

/// The sub-resource that makes the operation.
pub(crate) fn bind_operation(operation: Operation, bindings: &mut Bindings<'_>) {
    match operation {
        Operation::CreateMultipart => bindings.query("uploads", ""),
        Operation::List => bindings.query("list-type", "2"),
        _ => {}
    }
}

pub(crate) fn supports(capability: Capability) -> bool {
    match capability {
        Capability::Constraint(name) => !matches!(name, ConstraintName::Process | ConstraintName::TrafficLimit),
        Capability::Operation(_) | Capability::Post => true,
        _ => false,
    }
}

fn unsupported(constraint: ConstraintName, reason: &'static str) -> PresignError {
    PresignError::Unsupported { provider: PROVIDER, constraint, reason }
}

pub(crate) fn bind<'a>(constraint: ProviderConstraint<'a>, bindings: &mut Bindings<'a>) -> Result<(), PresignError> {
    let name = constraint.name();
    match constraint {
        ProviderConstraint::ContentTypeAbsent => {
            return Err(unsupported(name, "it takes a Content-Type that is not signed; sign a fixed one, or leave it free"));
        }
        ProviderConstraint::ContentTypeFree => bindings.content_type = ContentTypeRule::Free,
        ProviderConstraint::Checksum(checksum) => bindings.header(format!("x-amz-checksum-{}", checksum.algorithm().as_str()), checksum.value()),
        ProviderConstraint::Metadata { name, value } => bindings.header(format!("{META_PREFIX}{}", name.to_ascii_lowercase()), value),
        ProviderConstraint::StorageClass(class) => bindings.header("x-amz-storage-class", storage_class(class)),
        ProviderConstraint::Acl(acl) => bindings.header("x-amz-acl", acl.as_str()),
        ProviderConstraint::ServerSideEncryption(encryption) => bind_encryption(encryption, bindings),
        ProviderConstraint::CustomerKey(key) => {
            let base64 = key.base64().expose();
            let bytes = BASE64.decode(base64).map_err(|_| PresignError::invalid(name, "the customer key is not base64"))?;
            bindings.header("x-amz-server-side-encryption-customer-algorithm", "AES256");
            bindings.header("x-amz-server-side-encryption-customer-key", base64);
            bindings.header("x-amz-server-side-encryption-customer-key-md5", BASE64.encode(Md5::digest(bytes)));
            bindings.note("the customer's encryption key is among the signed headers: whoever gets the result gets the key");
        }
        ProviderConstraint::CreateOnly => bindings.header("if-none-match", "*"),
        ProviderConstraint::IfMatch(etag) => bindings.header("if-match", etag),
        ProviderConstraint::RequestPayer => bindings.header("x-amz-request-payer", "requester"),
        ProviderConstraint::ExpectedBucketOwner(account) => bindings.header("x-amz-expected-bucket-owner", account),
        ProviderConstraint::CopySource(source) => {
            let mut value = String::new();
            source.push_encoded(&mut value);
            bindings.header("x-amz-copy-source", value);
        }
        ProviderConstraint::CopySourceRange { first, last } => bindings.header("x-amz-copy-source-range", format!("bytes={first}-{last}")),
        ProviderConstraint::PayloadSha256(digest) => {
            if valetkey_core::crypto::read_hex(digest).is_none() {
                return Err(PresignError::invalid(name, "the SHA-256 of the body must be 64 lower-case hex digits"));
            }
            bindings.query(CONTENT_SHA256, digest);
            bindings.note("the SHA-256 of the body is signed instead of UNSIGNED-PAYLOAD; that S3 checks it on presigned URLs is not verified");
        }
        ProviderConstraint::Process(_) => return Err(unsupported(name, "it is a feature of OSS")),
        ProviderConstraint::TrafficLimit(_) => return Err(unsupported(name, "it is a feature of OSS")),
    }
    Ok(())
}

/// The word of the algorithm, and the key's id.
pub(crate) fn encryption(encryption: &ServerSideEncryption) -> (&str, Option<&str>) {
    match encryption {
        ServerSideEncryption::Aes256 => ("AES256", None),
        ServerSideEncryption::Kms { key_id } => ("aws:kms", key_id.as_deref()),
        ServerSideEncryption::Other { algorithm, key_id } => (algorithm.as_str(), key_id.as_deref()),
    }
}

fn bind_encryption<'a>(given: &'a ServerSideEncryption, bindings: &mut Bindings<'a>) {
    let (algorithm, key_id) = encryption(given);
    bindings.header("x-amz-server-side-encryption", algorithm);
    if let Some(id) = key_id {
        bindings.header("x-amz-server-side-encryption-aws-kms-key-id", id);
    }
}

pub(crate) fn storage_class(class: &StorageClass) -> &str {
    match class {
        StorageClass::Standard => "STANDARD",
        StorageClass::InfrequentAccess => "STANDARD_IA",
        StorageClass::Archive => "GLACIER",
        StorageClass::Other(word) => word,
    }
}
