//! The `Authorization` header, taken apart.

use alloc::vec::Vec;

use super::{IncomingRequest, VerifyError};

/// An `Authorization` header: an algorithm, a blank, and `Name=value` parts joined by commas, in any order, blanks around commas allowed.
///
/// ```
/// use valetkey_core::Scheme;
/// use valetkey_core::verify::{AuthorizationHeader, IncomingRequest};
///
/// let headers: [(&str, &[u8]); 1] = [("Authorization", b"AWS4-HMAC-SHA256 Credential=AKID/20261122/eu-central-1/s3/aws4_request, SignedHeaders=host, Signature=00")];
/// let request = IncomingRequest { scheme: Scheme::Https, method: "GET", target: "/a", headers: &headers };
/// let header = AuthorizationHeader::of(&request, "AWS4-HMAC-SHA256")?;
/// assert_eq!(header.required("SignedHeaders")?, "host");
/// assert_eq!(header.optional("AdditionalHeaders")?, None);
/// # Ok::<(), valetkey_core::verify::VerifyError>(())
/// ```
pub struct AuthorizationHeader<'a> {
    parts: Vec<(&'a str, &'a str)>,
}

impl<'a> AuthorizationHeader<'a> {
    /// Reads the one header of that name.
    ///
    /// # Errors
    /// [`VerifyError::Authorization`] around [`VerifyError::DuplicateParameter`] for more than one header, [`VerifyError::UnsupportedAlgorithm`] for another
    /// algorithm, [`VerifyError::MalformedParameter`] for what has not this form.
    pub fn of(request: &IncomingRequest<'a>, algorithm: &'static str) -> Result<Self, VerifyError> {
        let mut values = request.values("authorization");
        let value = match (values.next(), values.next()) {
            (Some(value), None) => value,
            (Some(_), Some(_)) => return Err(VerifyError::DuplicateParameter { name: "authorization" }.in_authorization()),
            (None, _) => return Err(VerifyError::NotSigned),
        };
        let malformed = |reason| VerifyError::MalformedParameter { name: "authorization", reason }.in_authorization();
        let text = core::str::from_utf8(value).ok().filter(|text| !text.chars().any(char::is_control));
        let text = text.ok_or_else(|| malformed("has bytes that are not text"))?;
        let (found, rest) = text.trim().split_once(' ').unwrap_or((text, ""));
        if found != algorithm {
            return Err(VerifyError::UnsupportedAlgorithm { expected: algorithm }.in_authorization());
        }
        let split = |part: &'a str| part.trim().split_once('=').filter(|(name, _)| !name.is_empty());
        let parts = rest.split(',').map(split).collect::<Option<Vec<_>>>();
        Ok(Self { parts: parts.ok_or_else(|| malformed("is not an algorithm and `Name=value` parts joined by commas"))? })
    }

    /// The value of a part that may be left out.
    ///
    /// # Errors
    /// [`VerifyError::DuplicateParameter`], in the header.
    pub fn optional(&self, name: &'static str) -> Result<Option<&'a str>, VerifyError> {
        let mut found = self.parts.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(VerifyError::DuplicateParameter { name }.in_authorization()),
            (Some((other, _)), None) if *other != name => Err(VerifyError::MalformedParameter { name, reason: "is spelt in another case" }.in_authorization()),
            (part, None) => Ok(part.map(|(_, value)| *value)),
        }
    }

    /// The value of a part that must be there.
    ///
    /// # Errors
    /// [`VerifyError::MissingParameter`] and [`VerifyError::DuplicateParameter`], in the header.
    pub fn required(&self, name: &'static str) -> Result<&'a str, VerifyError> {
        self.optional(name)?.ok_or_else(|| VerifyError::MissingParameter { name }.in_authorization())
    }

    /// Refuses parts of other names: what nobody reads, nobody has judged.
    ///
    /// # Errors
    /// [`VerifyError::MalformedParameter`], in the header.
    pub fn only(&self, names: &[&str]) -> Result<(), VerifyError> {
        match self.parts.iter().all(|(name, _)| names.iter().any(|known| known.eq_ignore_ascii_case(name))) {
            true => Ok(()),
            false => Err(VerifyError::MalformedParameter { name: "authorization", reason: "has a part that is not known" }.in_authorization()),
        }
    }
}
