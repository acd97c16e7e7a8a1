//! Browser forms: what OSS calls their fields, how it judges them, and how it says no.
//!
//! Sources: OSS documentation, "PostObject" and its V4 policy, "Callback"; the error reference (EC numbers).

use alloc::format;
use alloc::string::{String, ToString};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use valetkey_core::post_policy::{BeyondMaximum, Callback, FileNameRule, FormDraft, FormRules, PolicyError, ProviderFormCondition};
use valetkey_core::verify::{FormError, Refusal};
use valetkey_core::{ServerSideEncryption, Target};

use crate::{Oss, names};

const OBJECT_ACL: &str = "x-oss-object-acl";
/// Of all that may name a type this wins: it, then the type of the file's own part, then the request's.
const OBJECT_CONTENT_TYPE: &str = "x-oss-content-type";

pub(crate) const RULES: FormRules = FormRules {
    provider: names::PROVIDER,
    algorithm: (names::SIGNATURE_VERSION, names::ALGORITHM_VALUE),
    credential: names::CREDENTIAL,
    date: names::DATE,
    token: names::SECURITY_TOKEN,
    signature: names::SIGNATURE,
    service: names::SERVICE,
    scope_end: names::SCOPE_END,
    content_type: OBJECT_CONTENT_TYPE,
    metadata_prefix: names::META_PREFIX,
    milliseconds: true,
    needs_bucket: false,
    lists: true,
    numeric_texts: false,
    comma_lists: false,
    file_name: FileNameRule::KeyAfterwards,
    exact_only: |_| false,
    uncovered: |_| false,
    foreign: |lower_case| lower_case == "signature" || names::is_foreign(lower_case),
    floating: &[OBJECT_ACL, OBJECT_CONTENT_TYPE],
    max_life: Oss::MAX_LIFE,
    beyond_maximum: BeyondMaximum::EndsEarlier,
    // Source: "PostObject": all fields but the file.
    max_before_file: 8 << 20,
};

pub(crate) fn bind(condition: ProviderFormCondition<'_>, draft: &mut FormDraft) -> Result<(), PolicyError> {
    let unsupported = |condition, reason| Err(PolicyError::Unsupported { provider: names::PROVIDER, condition, reason });
    match condition {
        ProviderFormCondition::Acl(acl) => draft.fix(OBJECT_ACL, acl.as_str()),
        ProviderFormCondition::StorageClass(class) => draft.fix("x-oss-storage-class", names::storage_class(class)),
        ProviderFormCondition::ServerSideEncryption(encryption) => bind_encryption(encryption, draft),
        ProviderFormCondition::Tags(_) => return unsupported("tag", "its forms take no tags; sign a put, or tag the object afterwards"),
        ProviderFormCondition::Checksum(_) => return unsupported("checksum", "its forms check none; sign a put with the content MD5"),
        ProviderFormCondition::CreateOnly => {
            draft.fix("x-oss-forbid-overwrite", "true");
            draft.note("OSS ignores create-only on a bucket whose versioning is enabled or suspended");
        }
        ProviderFormCondition::Callback(callback) => bind_callback(callback, draft)?,
        _ => return unsupported("condition", "this version does not know it"),
    }
    Ok(())
}

fn bind_encryption(encryption: &ServerSideEncryption, draft: &mut FormDraft) {
    let (algorithm, key_id) = names::encryption(encryption);
    draft.fix("x-oss-server-side-encryption", algorithm);
    if let Some(id) = key_id {
        draft.fix("x-oss-server-side-encryption-key-id", id);
    }
}

/// The JSON of the field `callback`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CallbackJson<'a> {
    callback_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_host: Option<&'a str>,
    callback_body: &'a str,
    callback_body_type: &'a str,
}

fn bind_callback(callback: &Callback, draft: &mut FormDraft) -> Result<(), PolicyError> {
    let json = CallbackJson {
        callback_url: callback.url(),
        callback_host: callback.callback_host(),
        callback_body: callback.body(),
        callback_body_type: callback.media_type().as_str(),
    };
    // Texts alone: writing them cannot fail.
    draft.fix("callback", &BASE64.encode(serde_json::to_string(&json).unwrap_or_default()));
    for (name, rule) in callback.variables() {
        // Each variable is a field of its own; a form has no `callback-var`.
        draft.rule(&Oss, "callback", &format!("x:{name}"), rule)?;
    }
    Ok(())
}

pub(crate) fn review(target: &Target, draft: &mut FormDraft) -> Result<(), PolicyError> {
    // OSS refuses no field that its policy leaves out, so a holder of the form could make the object public or a page with scripts.
    if !draft.is_about(OBJECT_ACL) {
        draft.fix(OBJECT_ACL, "default");
    }
    if !draft.is_about(OBJECT_CONTENT_TYPE) {
        draft.fix(OBJECT_CONTENT_TYPE, "application/octet-stream");
    } else if draft.has_list(OBJECT_CONTENT_TYPE) {
        draft.note("that OSS judges a list of values of x-oss-content-type is not verified; it is documented of content-type, which that field overrides");
    }
    draft.note(
        "OSS takes fields that the policy does not name: a holder of the form can add a callback (it cannot be pinned away), metadata, storage class, encryption, headers such as Cache-Control, a status and a redirect; the ACL and the type of the object are pinned",
    );
    if draft.is_about("callback") {
        draft.note("that OSS judges conditions on callback and x: fields is not verified");
    }
    if draft.compares_dollar() {
        draft.note("a value holds `$`: documents of OSS disagree on how a policy writes it, so that the form may be refused");
    }
    if target.bucket_path != "/" {
        draft.note("OSS takes forms at the bucket's own host; path style is for stores that imitate it");
    }
    Ok(())
}

pub(crate) fn refusal(error: &FormError) -> Refusal {
    let by_policy = |what: String| Refusal::new(403, "AccessDenied", format!("Invalid according to Policy: {what}"));
    let mismatch = |ec| {
        let text = "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
        Refusal::new(403, "SignatureDoesNotMatch", text).ec(ec)
    };
    let malformed = |text: String| Refusal::new(400, "MalformedPOSTRequest", text).ec("0006-00000104");
    match error {
        FormError::Malformed { .. } => malformed(format!("The body of your POST request is not well-formed multipart/form-data ({error}).")),
        FormError::NotAtBucket => Refusal::new(405, "MethodNotAllowed", "The specified method is not allowed against this resource."),
        FormError::TooMuchBeforeFile { max } => {
            Refusal::new(400, "FieldItemTooLong", format!("The fields before the file are longer than {max} bytes.")).ec("0006-00000112")
        }
        FormError::FieldTooLong { .. } => Refusal::new(400, "FieldItemTooLong", error.to_string()).ec("0006-00000110"),
        FormError::MissingField { name } => {
            let refusal = Refusal::new(400, "InvalidArgument", format!("Bucket POST must contain a field named '{name}'.")).detail("ArgumentName", *name);
            match *name {
                "policy" => refusal.ec("0002-00000702"),
                names::SIGNATURE => refusal.ec("0002-00000703"),
                _ => refusal,
            }
        }
        FormError::FileCount { count: 0 } => {
            Refusal::new(400, "InvalidArgument", "POST requires exactly one file upload per request.").detail("ArgumentName", "file").ec("0006-00000107")
        }
        FormError::FileCount { .. } => Refusal::new(400, "IncorrectNumberOfFilesInPOSTRequest", "POST requires exactly one file upload per request."),
        FormError::DuplicateField { name } | FormError::MalformedField { name, .. } => {
            Refusal::new(400, "InvalidArgument", error.to_string()).detail("ArgumentName", name.as_str())
        }
        FormError::Policy(error) => Refusal::new(400, "InvalidPolicyDocument", format!("Invalid Policy: {error}.")).ec("0006-00000201"),
        FormError::SignatureMismatch => mismatch("0002-00000705"),
        FormError::ScopeMismatch { part: "day", .. } => mismatch("0002-00000709"),
        FormError::ScopeMismatch { part: "region", .. } => mismatch("0002-00000715"),
        FormError::ScopeMismatch { .. } => mismatch("0002-00000710"),
        FormError::FieldNotBound { name } => by_policy(format!("Extra input fields: {name}.")).ec("0006-00000228"),
        FormError::ExtraField { name } => by_policy(format!("Extra input fields: {name}.")).ec("0006-00000228"),
        FormError::ConditionFailed { condition } => by_policy(format!("Policy Condition failed: {condition}.")).ec("0006-00000227"),
        FormError::BucketMismatch { bucket } => by_policy(format!("Policy Condition failed: [\"eq\", \"$bucket\", \"{bucket}\"].")).ec("0006-00000227"),
        FormError::NotYetValid { now, .. } => Refusal::new(403, "AccessDenied", "Request is not yet valid.").detail("ServerTime", now.to_string()),
        FormError::Expired { now, .. } => by_policy("Policy expired.".to_string()).detail("ServerTime", now.to_string()),
        FormError::ExpirationOutOfRange { .. } => by_policy("Policy expiration is too far ahead.".to_string()),
        FormError::TooLarge { size, max } => Refusal::new(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size.")
            .ec("0006-00000003")
            .detail("ProposedSize", size.to_string())
            .detail("MaxSizeAllowed", max.to_string()),
        FormError::TooSmall { size, min } => Refusal::new(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size.")
            .ec("0006-00000004")
            .detail("ProposedSize", size.to_string())
            .detail("MinSizeAllowed", min.to_string()),
        FormError::NoFileName => Refusal::new(400, "InvalidArgument", error.to_string()).detail("ArgumentName", "key"),
        FormError::UnsafeKey(error) => Refusal::new(400, "InvalidObjectName", error.to_string()),
        other => Refusal::new(400, "InvalidArgument", other.to_string()),
    }
}
