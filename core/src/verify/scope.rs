//! The credential scope of a claim: whose key, for which day, region and service.

use alloc::borrow::ToOwned;
use alloc::vec::Vec;

use super::VerifyError;
use crate::time::Timestamp;

/// A credential, `KEY/YYYYMMDD/REGION/SERVICE/END`, taken apart.
///
/// ```
/// use valetkey_core::verify::Scope;
///
/// let scope = Scope::read("X-Amz-Credential", "AKID/20261122/eu-central-1/s3/aws4_request", "aws4_request")?;
/// assert_eq!((scope.access_key_id, scope.region), ("AKID", "eu-central-1"));
/// # Ok::<(), valetkey_core::verify::VerifyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The access key.
    pub access_key_id: &'a str,
    /// The day, eight digits.
    pub day: &'a str,
    /// The region.
    pub region: &'a str,
    /// The service or product.
    pub service: &'a str,
}

impl<'a> Scope<'a> {
    /// The reason that is given for a scope date of another form: OSS has a number of its own for it.
    pub const MALFORMED_DATE: &'static str = "has a scope date that is not of the form YYYYMMDD";

    /// Reads the parameter `name`, strictly: five parts, the last one `end`.
    ///
    /// # Errors
    /// [`VerifyError::MalformedParameter`].
    pub fn read(name: &'static str, credential: &'a str, end: &str) -> Result<Self, VerifyError> {
        let malformed = |reason| VerifyError::MalformedParameter { name, reason };
        let parts: Vec<&str> = credential.split('/').collect();
        let [access_key_id, day, region, service, last] = parts.as_slice() else {
            return Err(malformed("is not a key id and a scope of four parts, joined by `/`"));
        };
        if *last != end {
            return Err(malformed("has a scope that does not end as it must"));
        }
        if access_key_id.is_empty() || access_key_id.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(malformed("has no usable access key id"));
        }
        if day.len() != 8 || !day.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed(Self::MALFORMED_DATE));
        }
        Ok(Self { access_key_id, day, region, service })
    }

    /// Judges the scope: the day of the signing time, this service, and the expected region where one is known.
    ///
    /// # Errors
    /// [`VerifyError::ScopeMismatch`].
    pub fn check(&self, signed_at: Timestamp, service: &'static str, expected_region: Option<&str>) -> Result<(), VerifyError> {
        let mismatch = |part, expected: Option<&str>| Err(VerifyError::ScopeMismatch { part, expected: expected.map(ToOwned::to_owned) });
        if self.day != signed_at.to_basic().day() {
            return mismatch("day", None);
        }
        if self.service != service {
            return mismatch("service", Some(service));
        }
        match expected_region {
            Some(expected) if expected != self.region => mismatch("region", Some(expected)),
            _ if self.region.is_empty() => mismatch("region", None),
            _ => Ok(()),
        }
    }
}
