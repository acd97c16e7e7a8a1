//! What the suite must know about a provider: names on the wire, limits, and how its cloud says no.

use valetkey_core::ContentTypeRule;

use crate::backend::WireResponse;
use crate::form_profile::FormProfile;

/// A status and an error code that are one way of saying no.
type Codes = &'static [(u16, &'static str)];

/// What a provider promises, as data. A third party's provider writes its own.
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    /// The provider's name, for messages.
    pub provider: &'static str,
    /// The longest life in seconds.
    pub max_life: u32,
    /// The longest life in seconds of what is signed with a session token.
    pub max_life_with_token: u32,
    /// The query parameter that carries the life in seconds.
    pub life_parameter: &'static str,
    /// The query parameter that carries the signing time, `YYYYMMDDTHHMMSSZ`.
    pub date_parameter: &'static str,
    /// The query parameter that carries the signature.
    pub signature_parameter: &'static str,
    /// The query parameters that the signature itself needs; everything else in a query was asked for.
    pub own_parameters: &'static [&'static str],
    /// What a client may do with `Content-Type` when nothing is said about it.
    pub content_type: ContentTypeRule,
    /// The most bytes of a key.
    pub max_key_bytes: usize,
    /// Characters that no key may start with.
    pub refused_first: &'static [char],
    /// What the provider's own headers begin with.
    pub header_prefix: &'static str,
    /// The header of create-only with its value.
    pub create_only: (&'static str, &'static str),
    /// The provider's word for storage that is read seldom.
    pub infrequent_access: &'static str,
    /// The provider's word for encryption by its key service.
    pub kms: &'static str,
    /// How the cloud says no.
    pub answers: Answers,
    /// What it promises about forms; `None` where the cloud has none.
    pub forms: Option<&'static FormProfile>,
    /// What it promises about the `Authorization` header.
    pub authorization: AuthorizationProfile,
}

/// What stands in a request that is signed in its `Authorization` header, and how the cloud refuses one.
///
/// A presigner that signs a URL in its stead, as [`Presigner::authorize`](valetkey_core::Presigner::authorize) allows, is judged by what its URLs promise.
#[derive(Debug, Clone, Copy)]
pub struct AuthorizationProfile {
    /// What the header begins with, before a blank.
    pub algorithm: &'static str,
    /// The header of the signing time, `YYYYMMDDTHHMMSSZ`.
    pub date: &'static str,
    /// The header that says what the body is.
    pub payload: &'static str,
    /// The header of the session token.
    pub token: &'static str,
    /// How far the signing time may lie before or after the clock, seconds.
    pub skew: u64,
    /// The signing time is farther away.
    pub too_skewed: Codes,
    /// `Authorization`, or a header that it cannot do without, was changed or left out.
    pub changed: Codes,
}

/// The statuses and error codes that stand for each reason of refusal. The first of each is what [the backend of this process](crate::in_process) answers.
#[derive(Debug, Clone, Copy)]
pub struct Answers {
    /// The signature is of something else.
    pub signature: Codes,
    /// A signed header was not sent.
    pub header_missing: Codes,
    /// A signed `Content-Length` was not sent.
    pub length_missing: Codes,
    /// A header was sent that should have been signed.
    pub stray_header: Codes,
    /// The query was changed: the signature is wrong, or already the form is.
    pub query_changed: Codes,
    /// Too early.
    pub not_yet_valid: Codes,
    /// Too late.
    pub expired: Codes,
    /// Create-only, and the object exists.
    pub exists: Codes,
    /// The object has another ETag.
    pub precondition: Codes,
    /// The body has another digest than was promised.
    pub digest: Codes,
    /// The object does not exist.
    pub no_object: Codes,
    /// The upload does not exist.
    pub no_upload: Codes,
}

impl Profile {
    /// Amazon S3, Signature Version 4.
    pub const S3: Self = Self {
        provider: "S3",
        max_life: 604_800,
        max_life_with_token: 604_800,
        life_parameter: "X-Amz-Expires",
        date_parameter: "X-Amz-Date",
        signature_parameter: "X-Amz-Signature",
        own_parameters: &[
            "X-Amz-Algorithm",
            "X-Amz-Credential",
            "X-Amz-Date",
            "X-Amz-Expires",
            "X-Amz-Security-Token",
            "X-Amz-Signature",
            "X-Amz-SignedHeaders",
        ],
        content_type: ContentTypeRule::Free,
        max_key_bytes: 1024,
        refused_first: &[],
        header_prefix: "x-amz-",
        create_only: ("if-none-match", "*"),
        infrequent_access: "STANDARD_IA",
        kms: "aws:kms",
        answers: Answers {
            signature: &[(403, "SignatureDoesNotMatch")],
            header_missing: &[(403, "SignatureDoesNotMatch")],
            length_missing: &[(403, "SignatureDoesNotMatch"), (411, "MissingContentLength"), (501, "NotImplemented")],
            stray_header: &[(403, "AccessDenied")],
            query_changed: &[
                (403, "SignatureDoesNotMatch"),
                (403, "AccessDenied"),
                (403, "InvalidAccessKeyId"),
                (400, "AuthorizationQueryParametersError"),
                (400, "InvalidToken"),
                (400, "InvalidArgument"),
                (400, "InvalidURI"),
            ],
            not_yet_valid: &[(403, "AccessDenied")],
            expired: &[(403, "AccessDenied")],
            exists: &[(412, "PreconditionFailed")],
            precondition: &[(412, "PreconditionFailed")],
            digest: &[(400, "BadDigest"), (400, "XAmzContentSHA256Mismatch"), (400, "XAmzContentChecksumMismatch")],
            no_object: &[(404, "NoSuchKey")],
            no_upload: &[(404, "NoSuchUpload")],
        },
        forms: Some(&FormProfile::S3),
        authorization: AuthorizationProfile {
            algorithm: "AWS4-HMAC-SHA256",
            date: "x-amz-date",
            payload: "x-amz-content-sha256",
            token: "x-amz-security-token",
            skew: 900,
            too_skewed: &[(403, "RequestTimeTooSkewed")],
            changed: &[
                (403, "SignatureDoesNotMatch"),
                (403, "AccessDenied"),
                (403, "InvalidAccessKeyId"),
                (403, "RequestTimeTooSkewed"),
                (400, "AuthorizationHeaderMalformed"),
                (400, "InvalidToken"),
                (400, "InvalidArgument"),
                (400, "InvalidRequest"),
                (400, "MissingSecurityHeader"),
            ],
        },
    };

    /// Alibaba Cloud OSS, Signature V4.
    pub const OSS: Self = Self {
        provider: "OSS",
        max_life: 604_800,
        max_life_with_token: 43_200,
        life_parameter: "x-oss-expires",
        date_parameter: "x-oss-date",
        signature_parameter: "x-oss-signature",
        own_parameters: &[
            "x-oss-additional-headers",
            "x-oss-credential",
            "x-oss-date",
            "x-oss-expires",
            "x-oss-security-token",
            "x-oss-signature",
            "x-oss-signature-version",
        ],
        content_type: ContentTypeRule::Absent,
        max_key_bytes: 1023,
        refused_first: &['/', '\\'],
        header_prefix: "x-oss-",
        create_only: ("x-oss-forbid-overwrite", "true"),
        infrequent_access: "IA",
        kms: "KMS",
        answers: Answers {
            signature: &[(403, "SignatureDoesNotMatch")],
            // An additional header is missed by name (EC 0002-00000077); the others only make another signature.
            header_missing: &[(400, "InvalidArgument"), (403, "SignatureDoesNotMatch")],
            length_missing: &[(400, "InvalidArgument"), (411, "MissingContentLength")],
            stray_header: &[(403, "SignatureDoesNotMatch")],
            query_changed: &[
                (403, "SignatureDoesNotMatch"),
                (403, "AccessDenied"),
                (403, "InvalidAccessKeyId"),
                (403, "InvalidSecurityToken"),
                (400, "InvalidArgument"),
                (400, "InvalidURI"),
            ],
            not_yet_valid: &[(403, "AccessDenied")],
            expired: &[(403, "AccessDenied")],
            exists: &[(409, "FileAlreadyExists")],
            precondition: &[(412, "PreconditionFailed")],
            digest: &[(400, "InvalidDigest")],
            no_object: &[(404, "NoSuchKey")],
            no_upload: &[(404, "NoSuchUpload")],
        },
        forms: Some(&FormProfile::OSS),
        authorization: AuthorizationProfile {
            algorithm: "OSS4-HMAC-SHA256",
            date: "x-oss-date",
            payload: "x-oss-content-sha256",
            token: "x-oss-security-token",
            skew: 900,
            too_skewed: &[(403, "RequestTimeTooSkewed")],
            changed: &[
                (403, "SignatureDoesNotMatch"),
                (403, "AccessDenied"),
                (403, "InvalidAccessKeyId"),
                (403, "InvalidSecurityToken"),
                (403, "RequestTimeTooSkewed"),
                (400, "InvalidArgument"),
            ],
        },
    };

    pub(crate) fn codes(&self, why: Why) -> Codes {
        let answers = &self.answers;
        match why {
            Why::Signature => answers.signature,
            Why::HeaderMissing => answers.header_missing,
            Why::LengthMissing => answers.length_missing,
            Why::StrayHeader => answers.stray_header,
            Why::QueryChanged => answers.query_changed,
            Why::NotYetValid => answers.not_yet_valid,
            Why::Expired => answers.expired,
            Why::Exists => answers.exists,
            Why::Precondition => answers.precondition,
            Why::Digest => answers.digest,
            Why::NoObject => answers.no_object,
            Why::NoUpload => answers.no_upload,
            Why::TooSkewed => self.authorization.too_skewed,
            Why::Authorization => self.authorization.changed,
        }
    }

    /// Whether an answer says no for this reason. Answers to HEAD carry no code, so their status must do.
    pub(crate) fn says(&self, answer: &WireResponse, why: Why, is_head: bool) -> bool {
        self.codes(why).iter().any(|(status, code)| *status == answer.status && (is_head || answer.error_code.as_deref() == Some(code)))
    }

    /// Whether an answer says no because of the signature, whatever is wrong with it.
    pub(crate) fn blames_signature(&self, answer: &WireResponse, is_head: bool) -> bool {
        let reasons = [Why::Signature, Why::HeaderMissing, Why::StrayHeader, Why::QueryChanged, Why::NotYetValid, Why::Expired];
        reasons.into_iter().any(|why| self.says(answer, why, is_head))
    }

    pub(crate) fn owns(&self, parameter: &str) -> bool {
        self.own_parameters.iter().any(|own| own.eq_ignore_ascii_case(parameter))
    }
}

/// Why a request must be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Signature,
    HeaderMissing,
    LengthMissing,
    StrayHeader,
    QueryChanged,
    NotYetValid,
    Expired,
    Exists,
    Precondition,
    Digest,
    NoObject,
    NoUpload,
    /// The signing time of a header is too far away.
    TooSkewed,
    /// The header that signs, or what it needs, was changed.
    Authorization,
}
