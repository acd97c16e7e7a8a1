//! The names of OSS: query parameters, headers, and what a portable constraint is called.
//!
//! Source: OSS API reference, the request headers and parameters of each operation.

use alloc::format;
use alloc::string::String;

use valetkey_core::binding::Bindings;
use valetkey_core::{
    Capability, ConstraintName, ContentTypeRule, KeyError, ObjectKey, Operation, PresignError, ProviderConstraint, ResponseHeader, ServerSideEncryption,
    StorageClass,
};

use crate::Oss;

pub(crate) const PROVIDER: &str = "OSS";
pub(crate) const SERVICE: &str = "oss";
pub(crate) const ALGORITHM_VALUE: &str = "OSS4-HMAC-SHA256";
pub(crate) const SCOPE_END: &str = "aliyun_v4_request";
pub(crate) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

pub(crate) const ADDITIONAL_HEADERS: &str = "x-oss-additional-headers";
pub(crate) const CREDENTIAL: &str = "x-oss-credential";
pub(crate) const DATE: &str = "x-oss-date";
pub(crate) const EXPIRES: &str = "x-oss-expires";
pub(crate) const SECURITY_TOKEN: &str = "x-oss-security-token";
pub(crate) const SIGNATURE: &str = "x-oss-signature";
pub(crate) const SIGNATURE_VERSION: &str = "x-oss-signature-version";

pub(crate) const HEADER_PREFIX: &str = "x-oss-";
pub(crate) const TAGGING: &str = "x-oss-tagging";
pub(crate) const CONTENT_SHA256: &str = "x-oss-content-sha256";
pub(crate) const META_PREFIX: &str = "x-oss-meta-";

/// Names that the signer sets; compared lower case. The payload is always `UNSIGNED-PAYLOAD`, so its header is the signer's too.
pub(crate) fn is_owned(lower_case: &str) -> bool {
    lower_case.starts_with(SIGNATURE) || [ADDITIONAL_HEADERS, CREDENTIAL, DATE, EXPIRES, SECURITY_TOKEN, CONTENT_SHA256].contains(&lower_case)
}

/// Names of other ways of signing, which no request may mix with this one: the older versions of OSS, and those of S3.
pub(crate) fn is_foreign(lower_case: &str) -> bool {
    let s3 = ["algorithm", "credential", "date", "expires", "signedheaders", "signature", "security-token"];
    matches!(lower_case, "awsaccesskeyid" | "ossaccesskeyid" | "x-oss-access-key-id")
        || lower_case.strip_prefix("x-amz-").is_some_and(|rest| s3.contains(&rest))
}

/// Whether OSS signs a header wherever it is sent, listed or not.
pub(crate) fn is_signed_by_default(lower_case: &str) -> bool {
    matches!(lower_case, "content-type" | "content-md5") || lower_case.starts_with(HEADER_PREFIX)
}

/// Source: OSS documentation, "Object naming conventions".
pub(crate) fn check_key(key: &ObjectKey) -> Result<(), KeyError> {
    let key = key.as_str();
    if key.len() > Oss::MAX_KEY_BYTES {
        return Err(KeyError::TooLong { bytes: key.len(), max: Oss::MAX_KEY_BYTES });
    }
    match key.chars().next() {
        Some(first @ ('/' | '\\')) => Err(KeyError::LeadingCharacter { first, provider: PROVIDER }),
        _ => Ok(()),
    }
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
        Capability::Constraint(name) => {
            !matches!(
                name,
                // An ETag is checked when an object is read, and nowhere else.
                ConstraintName::IfMatch
                    | ConstraintName::Checksum
                    | ConstraintName::CustomerKey
                    | ConstraintName::ExpectedBucketOwner
                    | ConstraintName::PayloadSha256
            )
        }
        Capability::Operation(_) | Capability::Post => true,
        _ => false,
    }
}

fn unsupported(constraint: ConstraintName, reason: &'static str) -> PresignError {
    PresignError::Unsupported { provider: PROVIDER, constraint, reason }
}

pub(crate) fn bind<'a>(constraint: ProviderConstraint<'a>, operation: Operation, bindings: &mut Bindings<'a>) -> Result<(), PresignError> {
    let name = constraint.name();
    match constraint {
        ProviderConstraint::ContentTypeFree => {
            return Err(unsupported(name, "it signs every Content-Type that it receives; sign a fixed one, or demand that none is sent"));
        }
        ProviderConstraint::ContentTypeAbsent => bindings.content_type = ContentTypeRule::Absent,
        ProviderConstraint::Checksum(_) => return Err(unsupported(name, "it checks an MD5 only; give the content MD5")),
        ProviderConstraint::Metadata { name, value } => bindings.header(format!("{META_PREFIX}{}", name.to_ascii_lowercase()), value),
        ProviderConstraint::StorageClass(class) => bindings.header("x-oss-storage-class", storage_class(class)),
        ProviderConstraint::Acl(acl) => bindings.header("x-oss-object-acl", acl.as_str()),
        ProviderConstraint::ServerSideEncryption(encryption) => bind_encryption(encryption, bindings),
        ProviderConstraint::CustomerKey(_) => return Err(unsupported(name, "it has no encryption with keys of the customer; use a key of its key service")),
        ProviderConstraint::CreateOnly => {
            bindings.header("x-oss-forbid-overwrite", "true");
            bindings.note("OSS ignores create-only on a bucket whose versioning is enabled or suspended");
        }
        ProviderConstraint::IfMatch(etag) if matches!(operation, Operation::Get | Operation::Head) => bindings.header("if-match", etag),
        ProviderConstraint::IfMatch(_) => {
            return Err(unsupported(name, "it checks an ETag only when an object is read; to protect an object, use create-only"));
        }
        // As a parameter, so that a link works where no header can be sent.
        ProviderConstraint::RequestPayer => bindings.query("x-oss-request-payer", "requester"),
        ProviderConstraint::ExpectedBucketOwner(_) => return Err(unsupported(name, "it has no such check")),
        ProviderConstraint::CopySource(source) => {
            let mut value = String::from("/");
            source.push_encoded(&mut value);
            bindings.header("x-oss-copy-source", value);
        }
        ProviderConstraint::CopySourceRange { first, last } => bindings.header("x-oss-copy-source-range", format!("bytes={first}-{last}")),
        ProviderConstraint::PayloadSha256(_) => return Err(unsupported(name, "its payload is always UNSIGNED-PAYLOAD; give the content MD5")),
        ProviderConstraint::Process(instruction) => {
            if instruction.is_empty() {
                return Err(PresignError::invalid(name, "the instruction is empty"));
            }
            bindings.query("x-oss-process", instruction);
        }
        ProviderConstraint::TrafficLimit(bits) => {
            if !(819_200..=838_860_800).contains(&bits) {
                return Err(PresignError::invalid(name, format!("{bits} is not within 819200 to 838860800 bits per second")));
            }
            bindings.query("x-oss-traffic-limit", format!("{bits}"));
        }
    }
    Ok(())
}

/// Remarks and rules that need all bindings together.
pub(crate) fn review(bindings: &mut Bindings<'_>) -> Result<(), PresignError> {
    for (name, value) in &bindings.headers {
        if is_signed_by_default(name) {
            continue;
        }
        // EC 0002-00000211 and 0002-00000210 of the error reference.
        let reason = match () {
            () if name.contains('_') => "OSS does not sign headers with `_` in their name",
            () if value.is_empty() => "OSS does not sign headers without a value",
            () => continue,
        };
        return Err(PresignError::InvalidHeader { name: name.clone().into_owned(), reason: format!("`{name}`: {reason}") });
    }
    if bindings.query.iter().any(|(name, _)| name == ResponseHeader::ContentType.parameter()) {
        bindings.note("OSS is reported to refuse response-content-type on downloads (EC 0017-00000902)");
    }
    Ok(())
}

/// The word of the algorithm, and the key's id.
pub(crate) fn encryption(encryption: &ServerSideEncryption) -> (&str, Option<&str>) {
    match encryption {
        ServerSideEncryption::Aes256 => ("AES256", None),
        ServerSideEncryption::Kms { key_id } => ("KMS", key_id.as_deref()),
        ServerSideEncryption::Other { algorithm, key_id } => (algorithm.as_str(), key_id.as_deref()),
    }
}

fn bind_encryption<'a>(given: &'a ServerSideEncryption, bindings: &mut Bindings<'a>) {
    let (algorithm, key_id) = encryption(given);
    bindings.header("x-oss-server-side-encryption", algorithm);
    if let Some(id) = key_id {
        bindings.header("x-oss-server-side-encryption-key-id", id);
    }
}

pub(crate) fn storage_class(class: &StorageClass) -> &str {
    match class {
        StorageClass::Standard => "Standard",
        StorageClass::InfrequentAccess => "IA",
        StorageClass::Archive => "Archive",
        StorageClass::Other(word) => word,
    }
}
