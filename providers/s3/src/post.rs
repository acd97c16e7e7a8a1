//! Browser forms: what S3 calls their fields, how it judges them, and how it says no.
//!
//! Sources: Amazon S3 API Reference, "POST Object", "POST Policy", "Browser-Based Uploads Using POST (AWS Signature Version 4)", "Error Responses".

use alloc::format;
use alloc::string::{String, ToString};

use valetkey_core::encode;
use valetkey_core::post_policy::{BeyondMaximum, FileNameRule, FormDraft, FormRules, PolicyError, ProviderFormCondition};
use valetkey_core::verify::{FormError, Refusal};
use valetkey_core::{KeyError, ServerSideEncryption};

use crate::{S3, names};

pub(crate) const RULES: FormRules = FormRules {
    provider: names::PROVIDER,
    algorithm: ("x-amz-algorithm", names::ALGORITHM_VALUE),
    credential: "x-amz-credential",
    date: "x-amz-date",
    token: "x-amz-security-token",
    signature: "x-amz-signature",
    service: names::SERVICE,
    scope_end: names::SCOPE_END,
    content_type: "Content-Type",
    metadata_prefix: names::META_PREFIX,
    milliseconds: false,
    needs_bucket: true,
    lists: false,
    numeric_texts: true,
    comma_lists: true,
    file_name: FileNameRule::EveryFieldBefore,
    exact_only,
    uncovered: |lower_case| lower_case.starts_with("x-ignore-"),
    foreign: |lower_case| lower_case == "signature" || names::is_foreign(lower_case),
    floating: &[],
    max_life: S3::MAX_LIFE,
    // The documents say so of the official SDKs alone; that the service itself refuses it is not verified.
    beyond_maximum: BeyondMaximum::Refused,
    // Source: "POST Object": the form data before the file.
    max_before_file: 20 << 10,
};

/// Source: "POST Policy", the table of condition matching.
fn exact_only(lower_case: &str) -> bool {
    matches!(lower_case, "bucket" | "success_action_status") || (lower_case.starts_with(names::HEADER_PREFIX) && !lower_case.starts_with(names::META_PREFIX))
}

pub(crate) fn bind(condition: ProviderFormCondition<'_>, draft: &mut FormDraft) -> Result<(), PolicyError> {
    let unsupported = |condition, reason| Err(PolicyError::Unsupported { provider: names::PROVIDER, condition, reason });
    match condition {
        ProviderFormCondition::Acl(acl) => draft.fix("acl", acl.as_str()),
        ProviderFormCondition::StorageClass(class) => draft.fix("x-amz-storage-class", names::storage_class(class)),
        ProviderFormCondition::ServerSideEncryption(encryption) => bind_encryption(encryption, draft),
        ProviderFormCondition::Tags(tags) => draft.fix("tagging", &tagging(tags)),
        ProviderFormCondition::Checksum(checksum) => {
            draft.fix(&format!("x-amz-checksum-{}", checksum.algorithm().as_str()), checksum.value());
        }
        ProviderFormCondition::CreateOnly => return unsupported("create-only", "its forms have no such condition; sign a put"),
        ProviderFormCondition::Callback(_) => return unsupported("callback", "it is a feature of OSS; have the bucket send notifications"),
        _ => return unsupported("condition", "this version does not know it"),
    }
    Ok(())
}

fn bind_encryption(encryption: &ServerSideEncryption, draft: &mut FormDraft) {
    let (algorithm, key_id) = names::encryption(encryption);
    draft.fix("x-amz-server-side-encryption", algorithm);
    if let Some(id) = key_id {
        draft.fix("x-amz-server-side-encryption-aws-kms-key-id", id);
    }
}

/// The XML of the field `tagging`.
fn tagging(tags: &[(&str, &str)]) -> String {
    let mut xml = String::from("<Tagging><TagSet>");
    for (key, value) in tags {
        xml.push_str(&format!("<Tag><Key>{}</Key><Value>{}</Value></Tag>", encode::markup(key), encode::markup(value)));
    }
    xml.push_str("</TagSet></Tagging>");
    xml
}

pub(crate) fn refusal(error: &FormError) -> Refusal {
    let by_policy = |what: String| Refusal::new(403, "AccessDenied", format!("Invalid according to Policy: {what}"));
    let argument =
        |name: &str, value: &str, text: String| Refusal::new(400, "InvalidArgument", text).detail("ArgumentName", name).detail("ArgumentValue", value);
    match error {
        FormError::Malformed { .. } => Refusal::new(400, "MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.")
            .detail("Reason", error.to_string()),
        FormError::NotAtBucket => Refusal::new(405, "MethodNotAllowed", "The specified method is not allowed against this resource."),
        FormError::TooMuchBeforeFile { max } => {
            let text = "Your POST request fields preceding the upload file were too large.";
            Refusal::new(400, "MaxPostPreDataLengthExceeded", text).detail("MaxPostPreDataLengthBytes", max.to_string())
        }
        FormError::FieldTooLong { max, .. } => {
            let text = "Your POST request fields preceding the upload file were too large.";
            Refusal::new(400, "MaxPostPreDataLengthExceeded", text).detail("MaxPostPreDataLengthBytes", max.to_string())
        }
        FormError::MissingField { name } => {
            let text = format!("Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields.");
            argument(name, "", text)
        }
        FormError::FileCount { count } => argument("file", &count.to_string(), "POST requires exactly one file upload per request.".to_string()),
        FormError::DuplicateField { name } => argument(name, "", error.to_string()),
        FormError::MalformedField { name, .. } => argument(name, "", error.to_string()),
        FormError::Policy(error) => Refusal::new(400, "InvalidPolicyDocument", format!("Invalid Policy: {error}.")),
        FormError::UnsupportedAlgorithm { expected } => {
            let text = format!("The authorization mechanism you have provided is not supported. Please use {expected}.");
            Refusal::new(400, "InvalidRequest", text)
        }
        FormError::SignatureMismatch => {
            let text = "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
            Refusal::new(403, "SignatureDoesNotMatch", text)
        }
        FormError::ScopeMismatch { .. } => argument("x-amz-credential", "", error.to_string()),
        FormError::FieldNotBound { name } => by_policy(format!("Extra input fields: {name}")),
        FormError::ExtraField { name } => by_policy(format!("Extra input fields: {name}")),
        FormError::ConditionFailed { condition } => by_policy(format!("Policy Condition failed: {condition}")),
        FormError::BucketMismatch { bucket } => by_policy(format!("Policy Condition failed: [\"eq\", \"$bucket\", \"{bucket}\"]")),
        FormError::NotYetValid { signed_at, now } => Refusal::new(403, "AccessDenied", "Request is not yet valid")
            .detail("X-Amz-Date", signed_at.as_unix_seconds().saturating_mul(1000).to_string())
            .detail("ServerTime", now.to_string()),
        FormError::Expired { .. } => by_policy("Policy expired.".to_string()),
        FormError::ExpirationOutOfRange { .. } => by_policy("Policy expiration is too far ahead.".to_string()),
        FormError::TooLarge { size, max } => Refusal::new(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
            .detail("ProposedSize", size.to_string())
            .detail("MaxSizeAllowed", max.to_string()),
        FormError::TooSmall { size, min } => Refusal::new(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
            .detail("ProposedSize", size.to_string())
            .detail("MinSizeAllowed", min.to_string()),
        FormError::NoFileName => argument("key", "", error.to_string()),
        FormError::UnsafeKey(KeyError::TooLong { .. }) => Refusal::new(400, "KeyTooLongError", "Your key is too long"),
        FormError::UnsafeKey(error) => argument("key", "", error.to_string()),
        other => Refusal::new(400, "InvalidArgument", other.to_string()),
    }
}
