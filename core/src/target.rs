//! Where a signed request goes: endpoint, addressing style, bucket, region; and what a dialect makes of them.

use alloc::format;
use alloc::string::{String, ToString};
use core::str::FromStr;

use crate::encode;
use crate::endpoint::Endpoint;

/// The scheme of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `http`: readable on the way; for loopback and private networks.
    Http,
    /// `https`
    Https,
}

impl Scheme {
    /// The word in the URL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that is left out of the signed host: 80 or 443.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// A host as both clouds sign it: lower case, without the scheme's default port (`https://h:80` keeps `:80`).
///
/// ```
/// use valetkey_core::{Scheme, signed_host};
///
/// assert_eq!(signed_host(Scheme::Https, "Media.Example.com:443"), "media.example.com");
/// assert_eq!(signed_host(Scheme::Https, "media.example.com:80"), "media.example.com:80");
/// ```
#[must_use]
pub fn signed_host(scheme: Scheme, authority: &str) -> String {
    let lower = authority.to_ascii_lowercase();
    match lower.rsplit_once(':') {
        Some((host, port)) if port.parse() == Ok(scheme.default_port()) => host.to_string(),
        _ => lower,
    }
}

/// How the bucket stands in the URL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AddressingStyle {
    /// The provider decides: the clouds' own hosts virtual-hosted where the bucket's name allows it, a custom endpoint path style on S3; on OSS an IP
    /// address or `localhost` path style, any other endpoint virtual-hosted.
    #[default]
    Auto,
    /// `https://BUCKET.HOST/KEY`
    Virtual,
    /// `https://HOST/BUCKET/KEY`
    Path,
    /// `https://HOST/KEY`: the endpoint's host is the bucket's own.
    CustomDomain,
}

impl AddressingStyle {
    /// The words of the configuration.
    pub const WORDS: [&'static str; 4] = ["auto", "virtual", "path", "custom-domain"];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Virtual => "virtual",
            Self::Path => "path",
            Self::CustomDomain => "custom-domain",
        }
    }
}

impl FromStr for AddressingStyle {
    type Err = TargetError;

    fn from_str(word: &str) -> Result<Self, TargetError> {
        [Self::Auto, Self::Virtual, Self::Path, Self::CustomDomain].into_iter().find(|style| style.as_str() == word).ok_or_else(|| TargetError::Addressing {
            reason: format!("`{}` is not an addressing style; use auto, virtual, path or custom-domain", word.escape_debug()),
        })
    }
}

/// What a store's configuration says about where it is.
///
/// ```
/// use valetkey_core::{AddressingStyle, TargetSettings};
///
/// let settings = TargetSettings::new("media-prod").region("eu-central-1");
/// assert_eq!(settings.addressing, AddressingStyle::Auto);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetSettings {
    /// The bucket.
    pub bucket: String,
    /// The region; most dialects need one.
    pub region: Option<String>,
    /// The endpoint, as written; left out: the cloud's public endpoint of the region.
    pub endpoint: Option<Endpoint>,
    /// How the bucket stands in the URL.
    pub addressing: AddressingStyle,
}

impl TargetSettings {
    /// A bucket at the cloud's public endpoint.
    #[must_use]
    pub fn new(bucket: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), region: None, endpoint: None, addressing: AddressingStyle::Auto }
    }

    /// Sets the region.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Sets the endpoint.
    #[must_use]
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Sets the addressing style.
    #[must_use]
    pub const fn addressing(mut self, style: AddressingStyle) -> Self {
        self.addressing = style;
        self
    }

    /// The region, when it can stand in a credential scope and in a host name.
    ///
    /// # Errors
    /// [`TargetError::MissingRegion`] and [`TargetError::Region`].
    pub fn checked_region(&self) -> Result<&str, TargetError> {
        match self.region.as_deref() {
            None => Err(TargetError::MissingRegion),
            Some(region) => {
                // Where the host is given the region stands in the scope alone, and stores of others have names such as `RegionOne`.
                let wider = |byte: u8| self.endpoint.is_some() && (byte.is_ascii_uppercase() || byte == b'_');
                let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || wider(byte);
                if region.is_empty() || !region.bytes().all(plain) { Err(TargetError::Region { region: region.to_string() }) } else { Ok(region) }
            }
        }
    }
}

/// What a dialect made of [`TargetSettings`]: all that a signature needs to know about the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The scheme of the URL.
    pub scheme: Scheme,
    /// Host and port as they stand in the URL.
    pub authority: String,
    /// The encoded path before `/KEY`: the endpoint's base path and, path style, `/BUCKET`. Empty, or without a slash at its end.
    pub path_prefix: String,
    /// The path of a request to the bucket itself.
    pub bucket_path: String,
    /// The host as it is signed; see [`signed_host`].
    pub host: String,
    /// The bucket.
    pub bucket: String,
    /// The region of the credential scope.
    pub region: String,
    /// The service of the credential scope: `s3`, `oss`.
    pub service: &'static str,
}

impl Target {
    /// Appends scheme, authority and, for `key`, the encoded path; `None` is the bucket itself.
    pub fn push_path(&self, out: &mut String, key: Option<&crate::ObjectKey>) {
        match key {
            Some(key) => {
                out.push_str(&self.path_prefix);
                out.push('/');
                encode::push_path(out, key.as_str());
            }
            None => out.push_str(&self.bucket_path),
        }
    }
}

/// Settings that no URL can be made of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// The bucket's name cannot stand in a URL of this provider.
    #[error("the bucket name `{}` {reason}", bucket.escape_debug())]
    Bucket {
        /// The name.
        bucket: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No region was given.
    #[error("no region is given; name it in `region` of the configuration, with --region, or in AWS_REGION or OSS_REGION")]
    MissingRegion,
    /// The region cannot be one.
    #[error("`{}` is not a region; regions are lower-case letters, digits and `-`, such as eu-central-1 or cn-hangzhou", region.escape_debug())]
    Region {
        /// What was given.
        region: String,
    },
    /// The endpoint cannot be used.
    #[error("{reason}")]
    Endpoint {
        /// What is wrong.
        reason: String,
    },
    /// The addressing style does not go with bucket and endpoint.
    #[error("{reason}")]
    Addressing {
        /// What is wrong and what to do.
        reason: String,
    },
}

impl TargetError {
    /// The name of this error in JSON.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Bucket { .. } => "invalid_bucket",
            Self::MissingRegion => "missing_region",
            Self::Region { .. } => "invalid_region",
            Self::Endpoint { .. } => "invalid_endpoint",
            Self::Addressing { .. } => "invalid_addressing",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_schemes_own_port_is_left_out() {
        for (scheme, authority, host) in [
            (Scheme::Http, "H:80", "h"),
            (Scheme::Https, "H:443", "h"),
            (Scheme::Http, "H:443", "h:443"),
            (Scheme::Https, "h:80", "h:80"),
            (Scheme::Http, "[::1]:80", "[::1]"),
            (Scheme::Http, "[::80]", "[::80]"),
            (Scheme::Https, "h:8443", "h:8443"),
        ] {
            assert_eq!(signed_host(scheme, authority), host);
        }
    }
}
