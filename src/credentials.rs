//! Where credentials come from: the environment, or what the application gives.

use std::env;

use valetkey_core::{Credentials, CredentialsError, Timestamp};

/// The variables of one source, in the order of its parts.
struct Names {
    access_key_id: &'static str,
    secret_access_key: &'static str,
    session_token: &'static str,
    expiration: Option<&'static str>,
}

/// Source: AWS SDKs and Tools Reference Guide, "Environment variables support".
const S3: &[Names] = &[Names {
    access_key_id: "AWS_ACCESS_KEY_ID",
    secret_access_key: "AWS_SECRET_ACCESS_KEY",
    session_token: "AWS_SESSION_TOKEN",
    expiration: Some("AWS_CREDENTIAL_EXPIRATION"),
}];

/// Sources: the OSS SDKs' "Configure access credentials"; Alibaba Cloud SDKs, "Manage access credentials".
const OSS: &[Names] = &[
    Names { access_key_id: "OSS_ACCESS_KEY_ID", secret_access_key: "OSS_ACCESS_KEY_SECRET", session_token: "OSS_SESSION_TOKEN", expiration: None },
    Names {
        access_key_id: "ALIBABA_CLOUD_ACCESS_KEY_ID",
        secret_access_key: "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        session_token: "ALIBABA_CLOUD_SECURITY_TOKEN",
        expiration: None,
    },
];

/// Credentials for S3 from `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` and `AWS_CREDENTIAL_EXPIRATION`.
///
/// # Errors
/// [`CredentialsError`] when a variable is missing, one of a pair alone is set, or a value cannot be used.
pub fn s3_from_env() -> Result<Credentials, CredentialsError> {
    from_names(S3, &|name| env::var_os(name))
}

/// Credentials for OSS from `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET` and `OSS_SESSION_TOKEN`, else from the `ALIBABA_CLOUD_` names.
///
/// # Errors
/// [`CredentialsError`] when no id is set, an id has no secret, or a value cannot be used. A source that is set in part is an error and not passed over.
pub fn oss_from_env() -> Result<Credentials, CredentialsError> {
    from_names(OSS, &|name| env::var_os(name))
}

fn from_names(sources: &[Names], read: &dyn Fn(&str) -> Option<std::ffi::OsString>) -> Result<Credentials, CredentialsError> {
    let text = |name: &str| match read(name).filter(|value| !value.is_empty()).map(std::ffi::OsString::into_string) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(_)) => Err(CredentialsError::Source { source_name: name.to_owned(), reason: "the value is not UTF-8".to_owned() }),
    };
    let mut tried = Vec::new();
    for names in sources {
        let (id, secret) = (text(names.access_key_id)?, text(names.secret_access_key)?);
        let incomplete = |found: &str, missing: &str| Err(CredentialsError::Incomplete { found: found.to_owned(), missing: missing.to_owned() });
        let (id, secret) = match (id, secret) {
            (Some(id), Some(secret)) => (id, secret),
            (Some(_), None) => return incomplete(names.access_key_id, names.secret_access_key),
            (None, Some(_)) => return incomplete(names.secret_access_key, names.access_key_id),
            (None, None) => {
                tried.push(format!("{} and {} are not set in the environment", names.access_key_id, names.secret_access_key));
                continue;
            }
        };
        let mut credentials = Credentials::new(id, secret)?;
        if let Some(token) = text(names.session_token)? {
            credentials = credentials.with_session_token(token)?;
        }
        if let Some(name) = names.expiration
            && let Some(end) = text(name)?
        {
            let malformed = |error: valetkey_core::TimeError| CredentialsError::Source { source_name: name.to_owned(), reason: error.to_string() };
            credentials = credentials.with_expiration(Timestamp::from_rfc3339_floored(&end).map_err(malformed)?);
        }
        return Ok(credentials);
    }
    Err(CredentialsError::NotFound { tried })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sources: &[Names], variables: &[(&str, &str)]) -> Result<Credentials, CredentialsError> {
        from_names(sources, &|name| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| value.into()))
    }

    #[test]
    fn each_source_by_its_names() {
        let s3 = read(S3, &[("AWS_ACCESS_KEY_ID", "AK"), ("AWS_SECRET_ACCESS_KEY", "SK")]).unwrap();
        assert_eq!((s3.access_key_id(), s3.secret_access_key().expose(), s3.session_token()), ("AK", "SK", None));

        let temporary = [
            ("AWS_ACCESS_KEY_ID", "AK"),
            ("AWS_SECRET_ACCESS_KEY", "SK"),
            ("AWS_SESSION_TOKEN", "T"),
            ("AWS_CREDENTIAL_EXPIRATION", "2026-11-22T10:30:00.25Z"),
        ];
        let s3 = read(S3, &temporary).unwrap();
        assert_eq!(s3.session_token().unwrap().expose(), "T");
        assert_eq!(s3.expiration().unwrap().to_string(), "2026-11-22T10:30:00Z");

        let both = [
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", "A2"),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "S2"),
            ("ALIBABA_CLOUD_SECURITY_TOKEN", "T2"),
            ("OSS_ACCESS_KEY_ID", "A1"),
            ("OSS_ACCESS_KEY_SECRET", "S1"),
        ];
        let oss = read(OSS, &both).unwrap();
        assert_eq!((oss.access_key_id(), oss.session_token()), ("A1", None));
        let oss = read(OSS, &both[..3]).unwrap();
        assert_eq!((oss.access_key_id(), oss.session_token().unwrap().expose()), ("A2", "T2"));
    }

    #[test]
    fn what_is_missing_is_named_and_no_secret_is() {
        for (sources, variables, code, names) in [
            (S3, &[][..], "credentials_not_found", &["AWS_ACCESS_KEY_ID"][..]),
            (S3, &[("AWS_ACCESS_KEY_ID", "")], "credentials_not_found", &["AWS_ACCESS_KEY_ID"]),
            (S3, &[("AWS_ACCESS_KEY_ID", "hidden")], "incomplete_credentials", &["AWS_SECRET_ACCESS_KEY is not"]),
            (S3, &[("AWS_SECRET_ACCESS_KEY", "hidden")], "incomplete_credentials", &["AWS_ACCESS_KEY_ID is not"]),
            (OSS, &[], "credentials_not_found", &["OSS_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_ID"]),
            // Half of the first source is a mistake, and no reason to use another identity.
            (
                OSS,
                &[("OSS_ACCESS_KEY_ID", "A"), ("ALIBABA_CLOUD_ACCESS_KEY_ID", "A"), ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "hidden")],
                "incomplete_credentials",
                &["OSS_ACCESS_KEY_SECRET"],
            ),
            (S3, &[("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "hidden\n")], "malformed_credentials", &["line end"]),
            (
                S3,
                &[("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "hidden"), ("AWS_CREDENTIAL_EXPIRATION", "soon")],
                "credentials_source",
                &["AWS_CREDENTIAL_EXPIRATION", "RFC 3339"],
            ),
        ] {
            let error = read(sources, variables).unwrap_err();
            assert_eq!(error.code(), code, "{error}");
            let text = error.to_string();
            assert!(names.iter().all(|name| text.contains(name)), "{text}");
            assert!(!text.contains("hidden"), "{text}");
        }
    }
}
