//! How the crate `s3s` says no, where it has other words than S3. All else is as S3 promises.

use valetkey_conformance::{Answers, AuthorizationProfile, FormAnswers, FormProfile, Profile};

/// What a form is refused with.
const FORMS: FormProfile = FormProfile {
    answers: FormAnswers {
        condition: &[
            (400, "InvalidPolicyDocument", "Policy condition"),
            (400, "InvalidPolicyDocument", "does not match policy"),
            (501, "NotImplemented", "x-amz-algorithm"),
        ],
        extra: &[(403, "AccessDenied", "must appear in the list of policy conditions"), (400, "MalformedPOSTRequest", "")],
        missing: &[
            (400, "InvalidRequest", "missing required multipart fields"),
            (400, "InvalidPolicyDocument", "Policy condition"),
            (403, "AccessDenied", "Signature is required"),
            (403, "SignatureDoesNotMatch", ""),
            (501, "NotImplemented", "x-amz-algorithm"),
        ],
        malformed_field: &[(400, "InvalidRequest", "invalid field")],
        malformed: &[(400, "MalformedPOSTRequest", ""), (400, "InvalidRequest", "missing boundary"), (400, "InvalidRequest", "failed to read")],
        files: &[(400, "MalformedPOSTRequest", "")],
        bucket: &[(400, "InvalidPolicyDocument", "bucket"), (400, "InvalidPolicyDocument", "Bucket")],
        rewritten: &[(403, "SignatureDoesNotMatch", ""), (400, "InvalidPolicyDocument", ""), (400, "InvalidRequest", "invalid field: policy")],
        signature: &[(403, "SignatureDoesNotMatch", ""), (400, "InvalidPolicyDocument", "does not match policy")],
        not_yet_valid: &[(403, "RequestTimeTooSkewed", "")],
        expired: &[(403, "AccessDenied", "Request has expired")],
        key: &[(400, "InvalidArgument", ""), (400, "MalformedPOSTRequest", "")],
        unknown_key: &[(400, "InvalidPolicyDocument", "x-amz-credential does not match policy")],
        ..FormProfile::S3.answers
    },
    ..FormProfile::S3
};

pub(crate) const S3S: Profile = Profile {
    provider: "s3s",
    answers: Answers {
        query_changed: &[
            (403, "SignatureDoesNotMatch"),
            (403, "AccessDenied"),
            (403, "NotSignedUp"),
            (403, "RequestTimeTooSkewed"),
            (400, "InvalidRequest"),
            (501, "NotImplemented"),
        ],
        digest: &[(400, "IncompleteBody"), (403, "SignatureDoesNotMatch")],
        ..Profile::S3.answers
    },
    forms: Some(&FORMS),
    authorization: AuthorizationProfile {
        changed: &[
            (403, "SignatureDoesNotMatch"),
            (403, "AccessDenied"),
            (403, "NotSignedUp"),
            (403, "RequestTimeTooSkewed"),
            (400, "InvalidRequest"),
            (501, "NotImplemented"),
        ],
        ..Profile::S3.authorization
    },
    ..Profile::S3
};
