//! A received request, before anything in it is believed.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::VerifyError;
use crate::encode;
use crate::target::{Scheme, signed_host};

/// The longest request target that is looked at, bytes. Longer ones are refused before any work.
pub const MAX_TARGET_BYTES: usize = 16 * 1024;

/// A request as it came over the wire, borrowed from the server that received it.
///
/// ```
/// use valetkey_core::verify::IncomingRequest;
/// use valetkey_core::Scheme;
///
/// let headers: [(&str, &[u8]); 1] = [("Host", b"media.s3.eu-central-1.amazonaws.com")];
/// let request = IncomingRequest { scheme: Scheme::Https, method: "GET", target: "/a.png?X-Amz-Algorithm=AWS4-HMAC-SHA256", headers: &headers };
/// assert_eq!(request.host()?, "media.s3.eu-central-1.amazonaws.com");
/// # Ok::<(), valetkey_core::verify::VerifyError>(())
/// ```
#[derive(Clone, Copy)]
pub struct IncomingRequest<'a> {
    /// The scheme that the client used; it decides which port is left out of the signed host.
    pub scheme: Scheme,
    /// The method as received.
    pub method: &'a str,
    /// Path and query as received, not decoded.
    pub target: &'a str,
    /// Header names in any case, values as bytes, in the order received.
    pub headers: &'a [(&'a str, &'a [u8])],
}

impl core::fmt::Debug for IncomingRequest<'_> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let path = self.target.split('?').next().unwrap_or_default();
        formatter.debug_struct("IncomingRequest").field("method", &self.method).field("path", &path).finish_non_exhaustive()
    }
}

impl<'a> IncomingRequest<'a> {
    /// The signed host: lower case, without the scheme's default port.
    ///
    /// # Errors
    /// [`VerifyError::MalformedRequest`] unless there is exactly one `Host` with a plain value. Forwarding headers are never looked at.
    pub fn host(&self) -> Result<String, VerifyError> {
        let mut values = self.values("host");
        match (values.next(), values.next()) {
            (Some(value), None) => match core::str::from_utf8(value) {
                Ok(host) if !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',') => Ok(signed_host(self.scheme, host)),
                _ => Err(VerifyError::MalformedRequest { what: "the Host header is not a host" }),
            },
            (None, _) => Err(VerifyError::MalformedRequest { what: "there is no Host header" }),
            (Some(_), Some(_)) => Err(VerifyError::MalformedRequest { what: "there is more than one Host header" }),
        }
    }

    /// All values of a header, by its lower-case name.
    pub fn values<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.headers.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// A header's value as it is signed: each value trimmed, several joined by `,`. `None` when it is not there.
    ///
    /// # Errors
    /// [`VerifyError::MalformedRequest`] for bytes that are not UTF-8 or hold a control character.
    pub fn signed_value(&self, name: &str) -> Result<Option<String>, VerifyError> {
        let mut joined: Option<String> = None;
        for value in self.values(name) {
            let text = core::str::from_utf8(value).map_err(|_| VerifyError::MalformedRequest { what: "a signed header is not UTF-8" })?;
            if text.chars().any(|c| c.is_control() && c != '\t') {
                return Err(VerifyError::MalformedRequest { what: "a signed header has a control character" });
            }
            let text = text.trim_matches([' ', '\t']);
            match &mut joined {
                Some(joined) => {
                    joined.push(',');
                    joined.push_str(text);
                }
                None => joined = Some(text.to_string()),
            }
        }
        Ok(joined)
    }

    /// The lower-case names of all headers, sorted, each once.
    #[must_use]
    pub fn header_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Splits and decodes the target. A `+` is a plus, in the query too.
    ///
    /// # Errors
    /// [`VerifyError::TooLarge`], [`VerifyError::MalformedPath`], [`VerifyError::MalformedQuery`].
    pub fn parsed_target(&self) -> Result<ParsedTarget<'a>, VerifyError> {
        self.split_target(encode::decode_query)
    }

    /// As [`parsed_target`](Self::parsed_target), with a `+` in the query read as a blank, as HTML forms write one.
    ///
    /// # Errors
    /// The same.
    pub fn parsed_target_of_a_form(&self) -> Result<ParsedTarget<'a>, VerifyError> {
        self.split_target(|query| encode::decode_query(&query.replace('+', " ")))
    }

    fn split_target(&self, decode_query: impl Fn(&str) -> Result<Vec<(String, String)>, encode::DecodeError>) -> Result<ParsedTarget<'a>, VerifyError> {
        if self.target.len() > MAX_TARGET_BYTES {
            return Err(VerifyError::TooLarge { max: MAX_TARGET_BYTES });
        }
        let (path, query) = self.target.split_once('?').unwrap_or((self.target, ""));
        if !path.starts_with('/') {
            return Err(VerifyError::MalformedPath);
        }
        let decoded_path = encode::decode(path).map_err(|_| VerifyError::MalformedPath)?.into_owned();
        let query = decode_query(query).map_err(|_| VerifyError::MalformedQuery)?;
        Ok(ParsedTarget { path, decoded_path, query })
    }
}

/// A target, split and decoded once.
pub struct ParsedTarget<'a> {
    /// The path as received.
    pub path: &'a str,
    /// The path, decoded.
    pub decoded_path: String,
    /// All parameters, decoded, in the order received.
    pub query: Vec<(String, String)>,
}

impl ParsedTarget<'_> {
    /// The value of a parameter of the signature, which must not stand twice, in any case of its letters.
    ///
    /// # Errors
    /// [`VerifyError::DuplicateParameter`], [`VerifyError::MalformedParameter`].
    pub fn once(&self, name: &'static str) -> Result<Option<&str>, VerifyError> {
        // Spelt in another case it is another parameter to the signature, and perhaps not to who reads it next.
        let mut found = self.query.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(VerifyError::DuplicateParameter { name }),
            (Some((other, _)), None) if other != name => Err(VerifyError::MalformedParameter { name, reason: "is spelt in another case" }),
            (value, None) => Ok(value.map(|(_, value)| value.as_str())),
        }
    }

    /// As [`once`](Self::once), for a parameter that must be there.
    ///
    /// # Errors
    /// [`VerifyError::MissingParameter`], [`VerifyError::DuplicateParameter`].
    pub fn required(&self, name: &'static str) -> Result<&str, VerifyError> {
        self.once(name)?.ok_or(VerifyError::MissingParameter { name })
    }

    /// Whether a parameter is there, by a test on its lower-case name.
    pub fn has(&self, test: impl Fn(&str) -> bool) -> bool {
        self.query.iter().any(|(name, _)| test(&name.to_ascii_lowercase()))
    }
}

/// Life in seconds from a parameter: decimal digits and nothing else, 1 to `max`.
///
/// # Errors
/// [`VerifyError::ExpiresOutOfRange`] for numbers outside, negative ones and ones of any size included; [`VerifyError::MalformedParameter`] for other texts.
pub fn read_life(name: &'static str, text: &str, max: u32) -> Result<u32, VerifyError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(VerifyError::MalformedParameter { name, reason: "is not a number of seconds in decimal digits" });
    }
    match text.parse::<u32>() {
        Ok(seconds) if (1..=max).contains(&seconds) => Ok(seconds),
        _ => Err(VerifyError::ExpiresOutOfRange { max }),
    }
}
