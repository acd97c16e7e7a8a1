//! What the suite must know about a provider's forms: names of fields, habits, and how its cloud refuses a form.

use crate::backend::WireResponse;
use crate::profile::Why;

/// A status, an error code, and words of the message: so many reasons share a code that the code alone would not tell them apart. No words: any message.
type FormCodes = &'static [(u16, &'static str, &'static str)];

/// What a provider promises about forms, as data.
///
/// ```
/// use valetkey_conformance::{FormProfile, Profile};
///
/// // A store that speaks S3 and has no tags.
/// static FORMS: FormProfile = FormProfile { refused: &["create-only", "callback", "tag"], ..FormProfile::S3 };
/// let profile = Profile { forms: Some(&FORMS), ..Profile::S3 };
/// assert_eq!(profile.forms.unwrap().acl, "acl");
/// ```
///
/// Metadata, storage class, encryption and checksums are named as headers are, after the prefix of the [`Profile`](crate::Profile).
#[derive(Debug, Clone, Copy)]
pub struct FormProfile {
    /// The field that names the algorithm, and its value.
    pub algorithm: (&'static str, &'static str),
    /// The field of the credential, and what the credential ends in.
    pub credential: (&'static str, &'static str),
    /// The field of the signing time, `YYYYMMDDTHHMMSSZ`.
    pub date: &'static str,
    /// The field of the session token.
    pub token: &'static str,
    /// The field of the signature.
    pub signature: &'static str,
    /// A field of another way of signing.
    pub foreign: &'static str,
    /// The field that decides the object's type.
    pub content_type: &'static str,
    /// The field of the canned ACL.
    pub acl: &'static str,
    /// Fields that are fixed when nothing is said about them, because a holder of the form could add them.
    pub pinned: &'static [(&'static str, &'static str)],
    /// The conditions that cannot be enforced, by their words.
    pub refused: &'static [&'static str],
    /// Whether a value may be one of a list, or none of it.
    pub lists: bool,
    /// Whether each item of a content type with commas must keep to its prefix.
    pub comma_lists: bool,
    /// Whether `${filename}` is the name as it was sent, or only what follows its last `/` or `\`.
    pub whole_file_name: bool,
    /// The most bytes that a form may have before its file.
    pub max_before_file: usize,
    /// How the cloud refuses a form.
    pub answers: FormAnswers,
}

/// What stands for each reason of refusing a form.
#[derive(Debug, Clone, Copy)]
pub struct FormAnswers {
    /// A condition does not hold.
    pub condition: FormCodes,
    /// A field that no condition names.
    pub extra: FormCodes,
    /// A field without which no form is judged.
    pub missing: FormCodes,
    /// A field twice.
    pub doubled: FormCodes,
    /// A field that is not what its name says.
    pub malformed_field: FormCodes,
    /// No well-formed form, or something after the file.
    pub malformed: FormCodes,
    /// No file, or two.
    pub files: FormCodes,
    /// The signature is of another policy.
    pub signature: FormCodes,
    /// The text of the policy is written otherwise.
    pub rewritten: FormCodes,
    /// The access key is not known.
    pub unknown_key: FormCodes,
    /// The session token is another, or missing.
    pub token: FormCodes,
    /// Nothing is signed.
    pub unsigned: FormCodes,
    /// It was sent to an object.
    pub not_at_bucket: FormCodes,
    /// Two ways of signing.
    pub mixed: FormCodes,
    /// Another bucket.
    pub bucket: FormCodes,
    /// Too early.
    pub not_yet_valid: FormCodes,
    /// Too late.
    pub expired: FormCodes,
    /// Too many bytes.
    pub too_large: FormCodes,
    /// Too few bytes.
    pub too_small: FormCodes,
    /// The key is one that is refused everywhere, or would have the name of a file that has none.
    pub key: FormCodes,
}

const CONDITION: FormCodes = &[(403, "AccessDenied", "Policy Condition failed")];
const SIGNATURE: FormCodes = &[(403, "SignatureDoesNotMatch", "")];

impl FormAnswers {
    /// What both clouds say alike.
    const COMMON: Self = Self {
        condition: CONDITION,
        extra: &[(403, "AccessDenied", "Extra input fields")],
        missing: &[(400, "InvalidArgument", "must contain a field named")],
        doubled: &[(400, "InvalidArgument", "more than once")],
        malformed_field: &[(400, "InvalidArgument", "")],
        malformed: &[(400, "MalformedPOSTRequest", "")],
        files: &[(400, "InvalidArgument", "exactly one file")],
        signature: SIGNATURE,
        rewritten: &[(403, "SignatureDoesNotMatch", ""), (400, "InvalidPolicyDocument", "")],
        unknown_key: &[(403, "InvalidAccessKeyId", "")],
        token: &[(400, "InvalidToken", "")],
        unsigned: &[(403, "AccessDenied", "")],
        not_at_bucket: &[(405, "MethodNotAllowed", "")],
        mixed: &[(400, "InvalidArgument", "")],
        bucket: &[(403, "AccessDenied", "$bucket"), (404, "NoSuchBucket", "")],
        not_yet_valid: &[(403, "AccessDenied", "not yet valid")],
        expired: &[(403, "AccessDenied", "Policy expired")],
        too_large: &[(400, "EntityTooLarge", "")],
        too_small: &[(400, "EntityTooSmall", "")],
        key: &[(400, "InvalidArgument", ""), (400, "KeyTooLongError", "")],
    };
}

impl FormProfile {
    /// Amazon S3, Signature Version 4.
    pub const S3: Self = Self {
        algorithm: ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
        credential: ("x-amz-credential", "/s3/aws4_request"),
        date: "x-amz-date",
        token: "x-amz-security-token",
        signature: "x-amz-signature",
        foreign: "AWSAccessKeyId",
        content_type: "Content-Type",
        acl: "acl",
        pinned: &[],
        refused: &["create-only", "callback"],
        lists: false,
        comma_lists: true,
        whole_file_name: false,
        max_before_file: 20_480,
        answers: FormAnswers::COMMON,
    };

    /// Alibaba Cloud OSS, Signature V4.
    pub const OSS: Self = Self {
        algorithm: ("x-oss-signature-version", "OSS4-HMAC-SHA256"),
        credential: ("x-oss-credential", "/oss/aliyun_v4_request"),
        date: "x-oss-date",
        token: "x-oss-security-token",
        signature: "x-oss-signature",
        foreign: "OSSAccessKeyId",
        content_type: "x-oss-content-type",
        acl: "x-oss-object-acl",
        pinned: &[("x-oss-object-acl", "default"), ("x-oss-content-type", "application/octet-stream")],
        refused: &["tag", "checksum"],
        lists: true,
        comma_lists: false,
        whole_file_name: true,
        max_before_file: 8_388_608,
        answers: FormAnswers {
            files: &[(400, "InvalidArgument", "exactly one file"), (400, "IncorrectNumberOfFilesInPOSTRequest", "exactly one file")],
            token: &[(403, "AccessDenied", "security token")],
            key: &[(400, "InvalidObjectName", ""), (400, "InvalidArgument", "")],
            ..FormAnswers::COMMON
        },
    };

    pub(crate) const fn codes(&self, why: FormWhy) -> FormCodes {
        let answers = &self.answers;
        match why {
            FormWhy::Condition => answers.condition,
            FormWhy::Extra => answers.extra,
            FormWhy::Missing => answers.missing,
            FormWhy::Doubled => answers.doubled,
            FormWhy::MalformedField => answers.malformed_field,
            FormWhy::Malformed => answers.malformed,
            FormWhy::Files => answers.files,
            FormWhy::Signature => answers.signature,
            FormWhy::Rewritten => answers.rewritten,
            FormWhy::UnknownKey => answers.unknown_key,
            FormWhy::Token => answers.token,
            FormWhy::Unsigned => answers.unsigned,
            FormWhy::NotAtBucket => answers.not_at_bucket,
            FormWhy::Mixed => answers.mixed,
            FormWhy::Bucket => answers.bucket,
            FormWhy::NotYetValid => answers.not_yet_valid,
            FormWhy::Expired => answers.expired,
            FormWhy::TooLarge => answers.too_large,
            FormWhy::TooSmall => answers.too_small,
            FormWhy::Key => answers.key,
            FormWhy::Plain(_) => &[],
        }
    }

    /// Whether an answer says no for this reason.
    pub(crate) fn says(&self, answer: &WireResponse, why: FormWhy) -> bool {
        let message = answer.element("Message").unwrap_or_default();
        let code = answer.error_code.as_deref();
        self.codes(why).iter().any(|(status, word, text)| *status == answer.status && code == Some(word) && message.contains(text))
    }
}

/// Why a form must be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormWhy {
    Condition,
    Extra,
    Missing,
    Doubled,
    MalformedField,
    Malformed,
    Files,
    Signature,
    Rewritten,
    UnknownKey,
    Token,
    Unsigned,
    NotAtBucket,
    Mixed,
    Bucket,
    NotYetValid,
    Expired,
    TooLarge,
    TooSmall,
    Key,
    /// For what any other request is refused, too.
    Plain(Why),
}
