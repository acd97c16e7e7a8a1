//! An endpoint of a configuration, read once and then used as written.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use crate::encode;
use crate::target::{Scheme, TargetError};

/// An endpoint that was given, used as written: scheme, authority and base path.
///
/// ```
/// use valetkey_core::Endpoint;
///
/// let endpoint: Endpoint = "http://127.0.0.1:9000/storage".parse()?;
/// assert_eq!((endpoint.authority(), endpoint.base_path()), ("127.0.0.1:9000", "/storage"));
/// assert!("https://user@s3.example".parse::<Endpoint>().is_err());
/// # Ok::<(), valetkey_core::TargetError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    scheme: Scheme,
    authority: String,
    base_path: String,
    host_kind: HostKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HostKind {
    Ip,
    Localhost,
    Name,
}

impl Endpoint {
    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Host and port as written.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The path before bucket and key: empty, or `/...` without a slash at its end.
    #[must_use]
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    /// Whether the host is an IP address, which cannot carry a bucket in front.
    #[must_use]
    pub fn is_ip(&self) -> bool {
        self.host_kind == HostKind::Ip
    }

    /// Whether the host is `localhost`.
    #[must_use]
    pub fn is_localhost(&self) -> bool {
        self.host_kind == HostKind::Localhost
    }

    /// The host without port, lower case.
    #[must_use]
    pub fn host_name(&self) -> String {
        let host = match self.authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &self.authority,
        };
        host.to_ascii_lowercase()
    }
}

impl FromStr for Endpoint {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let refuse = |reason: &str| {
            // A text with `@` may carry a password, and a query a signature, so neither is repeated.
            let place = text.split(['?', '#']).next().unwrap_or_default();
            let shown = if text.contains('@') { "the endpoint".to_string() } else { format!("the endpoint `{}`", place.escape_debug()) };
            Err(TargetError::Endpoint { reason: format!("{shown} {reason}") })
        };
        let (scheme, rest) = match text.split_once("://") {
            Some((word, rest)) if word.eq_ignore_ascii_case("http") => (Scheme::Http, rest),
            Some((word, rest)) if word.eq_ignore_ascii_case("https") => (Scheme::Https, rest),
            _ => return refuse("does not begin with http:// or https://"),
        };
        if !text.is_ascii() {
            return refuse("has characters outside of ASCII; write the host in its `xn--` form and the path percent-encoded");
        }
        if text.bytes().any(|byte| byte.is_ascii_control() || matches!(byte, b' ' | b'\\')) {
            return refuse("has white space, a control character or a backslash");
        }
        if rest.contains('?') || rest.contains('#') {
            return refuse("has a query or a fragment; give scheme, host, port and base path only");
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return refuse("has a user name; credentials never stand in an endpoint");
        }
        // The parser only judges (host syntax, punycode, port); the text itself is what is used.
        let Ok(url) = url::Url::parse(text) else {
            return refuse("is not a valid URL");
        };
        if authority.is_empty() || url.port() == Some(0) || authority.ends_with(':') {
            return refuse("has no host or no usable port");
        }
        let host_kind = match url.host() {
            Some(url::Host::Domain("localhost")) => HostKind::Localhost,
            Some(url::Host::Domain(_)) => HostKind::Name,
            Some(_) => HostKind::Ip,
            None => return refuse("has no host"),
        };
        let base_path = path.trim_end_matches('/');
        if base_path.split('/').any(|segment| matches!(segment, "." | "..")) {
            return refuse("has a path segment `.` or `..`");
        }
        let mut canonical = String::new();
        match encode::decode(base_path) {
            Ok(decoded) => encode::push_path(&mut canonical, &decoded),
            Err(_) => return refuse("has a base path with a broken percent escape"),
        }
        if canonical != base_path {
            return refuse(&format!("has a base path that must be written `{canonical}`, as it is signed"));
        }
        Ok(Self { scheme, authority: authority.to_string(), base_path: canonical, host_kind })
    }
}

/// `scheme://authority/base-path`, as it was given.
impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}{}", self.scheme.as_str(), self.authority, self.base_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_used_as_written_or_refused() {
        for (text, authority, base, local) in [
            ("https://s3.example", "s3.example", "", false),
            ("HTTPS://S3.Example:8443/", "S3.Example:8443", "", false),
            ("http://127.0.0.1:9000", "127.0.0.1:9000", "", true),
            ("http://[::1]:9000/base/", "[::1]:9000", "/base", true),
            ("http://localhost", "localhost", "", true),
            ("https://gw.example/a%20b", "gw.example", "/a%20b", false),
            ("https://xn--bcher-kva.example", "xn--bcher-kva.example", "", false),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!((endpoint.authority(), endpoint.base_path(), endpoint.is_ip() || endpoint.is_localhost()), (authority, base, local), "{text}");
        }
        for text in [
            "",
            "s3.example",
            "ftp://s3.example",
            "https://",
            "https:///a",
            "https://s3.example?x=1",
            "https://s3.example#f",
            "https://s3.example:0",
            "https://s3.example:99999",
            "https://s3.example:",
            "https://user:pw@s3.example",
            "https://good.example\\@evil.example",
            "https://xn--example-.org",
            "https://bücher.example",
            "https://a b.example",
            "https://s3.example/a/../b",
            "https://s3.example/%zz",
            "https://s3.example/a!b",
            "https://s3.example\n",
        ] {
            let error = text.parse::<Endpoint>().unwrap_err();
            assert_eq!(error.code(), "invalid_endpoint", "{text}");
            assert!(!error.to_string().contains("pw") && !error.to_string().contains("x=1"), "{text}");
        }
    }
}
