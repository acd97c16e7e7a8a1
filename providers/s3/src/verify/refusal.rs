//! Saying no as S3 does.
//!
//! Source: Amazon S3 API Reference, "Error Responses".

use alloc::format;
use alloc::string::{String, ToString};

use valetkey_core::verify::{MAX_CLOCK_SKEW, Refusal, VerifyError};

pub(crate) fn refusal(error: &VerifyError) -> Refusal {
    let query_error = |message: String| Refusal::new(400, "AuthorizationQueryParametersError", message);
    match error {
        VerifyError::NotSigned => Refusal::new(403, "AccessDenied", "Access Denied"),
        VerifyError::MalformedRequest { .. } => Refusal::new(400, "InvalidRequest", error.to_string()),
        VerifyError::MalformedPath | VerifyError::MalformedQuery => Refusal::new(400, "InvalidURI", "Couldn't parse the specified URI."),
        VerifyError::TooLarge { .. } => Refusal::new(414, "RequestURITooLong", error.to_string()),
        VerifyError::MixedAuthentication => {
            let text = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified";
            Refusal::new(400, "InvalidArgument", text)
        }
        VerifyError::ScopeMismatch { part: "region", expected: Some(region) } => {
            query_error(format!("Error parsing the X-Amz-Credential parameter; the region is wrong; expecting '{region}'")).detail("Region", region.as_str())
        }
        VerifyError::MissingParameter { .. } => query_error(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.".to_string(),
        ),
        VerifyError::ExpiresOutOfRange { .. } => query_error("X-Amz-Expires must be between 1 and 604800 (in seconds)".to_string()),
        VerifyError::DuplicateParameter { .. }
        | VerifyError::MalformedParameter { .. }
        | VerifyError::UnsupportedAlgorithm { .. }
        | VerifyError::ScopeMismatch { .. } => query_error(error.to_string()),
        VerifyError::HostNotSigned => not_signed("host"),
        VerifyError::UnsignedHeaders { names } => not_signed(&names.join(", ")),
        VerifyError::UnsupportedPayload => {
            Refusal::new(501, "NotImplemented", "A header you provided implies functionality that is not implemented").detail("Header", "x-amz-content-sha256")
        }
        VerifyError::UnknownAccessKey { access_key_id } => {
            let text = "The AWS Access Key Id you provided does not exist in our records.";
            Refusal::new(403, "InvalidAccessKeyId", text).detail("AWSAccessKeyId", access_key_id.as_str())
        }
        VerifyError::MalformedSignature | VerifyError::SignedHeaderMissing { .. } | VerifyError::ConflictingValue { .. } | VerifyError::SignatureMismatch => {
            let text = "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
            Refusal::new(403, "SignatureDoesNotMatch", text)
        }
        VerifyError::TokenMismatch => Refusal::new(400, "InvalidToken", "The provided token is malformed or otherwise invalid."),
        VerifyError::TokenExpired => Refusal::new(400, "ExpiredToken", "The provided token has expired."),
        VerifyError::NotYetValid { signed_at, expiration, now } => Refusal::new(403, "AccessDenied", "Request is not yet valid")
            .detail("X-Amz-Date", signed_at.as_unix_seconds().saturating_mul(1000).to_string())
            .detail("Expires", expiration.to_string())
            .detail("ServerTime", now.to_string()),
        VerifyError::Expired { expiration, seconds, now } => Refusal::new(403, "AccessDenied", "Request has expired")
            .detail("X-Amz-Expires", seconds.to_string())
            .detail("Expires", expiration.to_string())
            .detail("ServerTime", now.to_string()),
        VerifyError::UnknownHost => Refusal::new(404, "NoSuchBucket", "The specified bucket does not exist"),
        VerifyError::UnsafeKey(valetkey_core::KeyError::TooLong { .. }) => Refusal::new(400, "KeyTooLongError", "Your key is too long"),
        VerifyError::UnsafeKey(error) => Refusal::new(400, "InvalidArgument", error.to_string()),
        VerifyError::Form(error) => crate::post::refusal(error),
        VerifyError::Authorization(error) => in_authorization(error),
        VerifyError::MissingDate { .. } => Refusal::new(403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header"),
        VerifyError::MissingPayload { name } => {
            let text = format!("{name} must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.");
            Refusal::new(400, "InvalidArgument", text).detail("ArgumentName", *name)
        }
        VerifyError::TooSkewed { signed_at, now } => {
            Refusal::new(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
                .detail("RequestTime", signed_at.to_basic().as_str())
                .detail("ServerTime", now.to_string())
                .detail("MaxAllowedSkewMilliseconds", MAX_CLOCK_SKEW.saturating_mul(1000).to_string())
        }
        other => Refusal::new(403, "AccessDenied", other.to_string()),
    }
}

/// What is wrong with the header has a code of its own.
fn in_authorization(error: &VerifyError) -> Refusal {
    let malformed = |message| Refusal::new(400, "AuthorizationHeaderMalformed", message);
    match error {
        VerifyError::UnsupportedAlgorithm { expected } => {
            Refusal::new(400, "InvalidRequest", format!("The authorization mechanism you have provided is not supported. Please use {expected}."))
        }
        VerifyError::ScopeMismatch { part: "region", expected: Some(region) } => {
            malformed(format!("The authorization header is malformed; the region is wrong; expecting '{region}'")).detail("Region", region.as_str())
        }
        VerifyError::MissingParameter { .. }
        | VerifyError::DuplicateParameter { .. }
        | VerifyError::MalformedParameter { .. }
        | VerifyError::ScopeMismatch { .. } => malformed(format!("The authorization header is malformed; {error}")),
        other => refusal(other),
    }
}

fn not_signed(names: &str) -> Refusal {
    Refusal::new(403, "AccessDenied", "There were headers present in the request which were not signed").detail("HeadersNotSigned", names)
}
