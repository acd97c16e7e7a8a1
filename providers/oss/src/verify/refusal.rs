//! Saying no as OSS does.
//!
//! Source: OSS documentation, the error reference (EC numbers).

use alloc::string::ToString;

use valetkey_core::verify::{MAX_CLOCK_SKEW, Refusal, Scope, VerifyError};

use crate::names;

pub(crate) fn refusal(error: &VerifyError) -> Refusal {
    let argument = |ec| Refusal::new(400, "InvalidArgument", error.to_string()).ec(ec);
    let mismatch = |ec| {
        let text = "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
        Refusal::new(403, "SignatureDoesNotMatch", text).ec(ec)
    };
    match error {
        VerifyError::NotSigned => Refusal::new(403, "AccessDenied", "Anonymous access is forbidden for this operation."),
        VerifyError::MalformedRequest { .. } => Refusal::new(400, "InvalidRequest", error.to_string()),
        VerifyError::MalformedPath | VerifyError::MalformedQuery => Refusal::new(400, "InvalidURI", "Couldn't parse the specified URI."),
        VerifyError::TooLarge { .. } => Refusal::new(414, "RequestURITooLong", error.to_string()),
        VerifyError::MixedAuthentication => Refusal::new(400, "InvalidArgument", error.to_string()),
        VerifyError::MissingParameter { name } => match *name {
            names::EXPIRES => argument("0002-00000215"),
            names::SIGNATURE => argument("0002-00000219"),
            _ => Refusal::new(400, "InvalidArgument", error.to_string()),
        },
        VerifyError::MalformedParameter { name, .. } if *name == names::ADDITIONAL_HEADERS => argument("0002-00000076"),
        VerifyError::MalformedParameter { name, reason } if *name == names::CREDENTIAL && *reason == Scope::MALFORMED_DATE => argument("0002-00000223"),
        VerifyError::MalformedParameter { name, .. } if *name == names::CREDENTIAL => argument("0002-00000224"),
        VerifyError::DuplicateParameter { .. } | VerifyError::MalformedParameter { .. } | VerifyError::UnsupportedAlgorithm { .. } => {
            Refusal::new(400, "InvalidArgument", error.to_string())
        }
        VerifyError::ConflictingValue { .. } => Refusal::new(400, "InvalidArgument", error.to_string()),
        VerifyError::SignedHeaderMissing { .. } => argument("0002-00000077"),
        VerifyError::ExpiresOutOfRange { .. } => argument("0002-00000232"),
        VerifyError::ScopeMismatch { part: "region", .. } => mismatch("0002-00000226"),
        VerifyError::ScopeMismatch { part: "day", .. } => mismatch("0002-00000223"),
        VerifyError::ScopeMismatch { .. } => mismatch("0002-00000224"),
        VerifyError::MalformedSignature | VerifyError::SignatureMismatch => mismatch("0002-00000201"),
        VerifyError::UnknownAccessKey { access_key_id } => {
            let text = "The OSS Access Key Id you provided does not exist in our records.";
            Refusal::new(403, "InvalidAccessKeyId", text).detail("OSSAccessKeyId", access_key_id.as_str())
        }
        VerifyError::TokenMismatch => Refusal::new(403, "AccessDenied", "The security token you provided is invalid.").ec("0002-00000006"),
        VerifyError::TokenExpired => Refusal::new(403, "AccessDenied", "The security token you provided has expired.").ec("0002-00000007"),
        VerifyError::NotYetValid { now, .. } => {
            Refusal::new(403, "AccessDenied", "Request is not yet valid.").ec("0002-00000235").detail("ServerTime", now.to_string())
        }
        VerifyError::Expired { expiration, now, .. } => Refusal::new(403, "AccessDenied", "Request has expired.")
            .ec("0002-00000236")
            .detail("Expires", expiration.to_string())
            .detail("ServerTime", now.to_string()),
        VerifyError::UnknownHost => Refusal::new(404, "NoSuchBucket", "The specified bucket does not exist."),
        VerifyError::UnsafeKey(error) => Refusal::new(400, "InvalidObjectName", error.to_string()),
        VerifyError::Form(error) => crate::post::refusal(error),
        VerifyError::Authorization(error) => in_authorization(error),
        VerifyError::MissingDate { .. } => Refusal::new(403, "AccessDenied", "OSS authentication requires a valid Date.").ec("0002-00000503"),
        VerifyError::MissingPayload { .. } => argument("0002-00000214"),
        VerifyError::TooSkewed { signed_at, now } => {
            Refusal::new(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
                .ec("0002-00000504")
                .detail("RequestTime", signed_at.to_string())
                .detail("ServerTime", now.to_string())
                .detail("MaxAllowedSkewMilliseconds", MAX_CLOCK_SKEW.saturating_mul(1000).to_string())
        }
        other => Refusal::new(403, "AccessDenied", other.to_string()),
    }
}

/// What is wrong with the header has numbers of its own.
fn in_authorization(error: &VerifyError) -> Refusal {
    let argument = |ec| Refusal::new(400, "InvalidArgument", error.to_string()).ec(ec);
    match error {
        VerifyError::MalformedParameter { name: "AdditionalHeaders", .. } => argument("0002-00000210"),
        VerifyError::MalformedParameter { name: "Credential", reason } if *reason == Scope::MALFORMED_DATE => argument("0002-00000223"),
        VerifyError::MalformedParameter { name: "Credential", .. } | VerifyError::MissingParameter { name: "Credential" } => argument("0002-00000213"),
        VerifyError::ScopeMismatch { part: "region", .. } => argument("0002-00000228"),
        VerifyError::SignedHeaderMissing { .. } => argument("0002-00000211"),
        other => refusal(other),
    }
}
