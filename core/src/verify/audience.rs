//! Whom a verifier stands for: which hosts, which region, which base path.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::VerifyError;
use crate::encode;

/// What a verifier answers for: the hosts under which buckets are reached, and the region that a scope must name.
///
/// ```
/// use valetkey_core::verify::Audience;
///
/// // A store on loopback: path style at 127.0.0.1:9000, virtual-hosted at BUCKET.localhost:9000.
/// let store = Audience::new().host("127.0.0.1:9000").host("localhost:9000").region("eu-central-1");
/// // A bucket behind its own domain.
/// let domain = Audience::new().bucket_host("media.example.com", "media-prod");
/// # let _ = (store, domain);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audience {
    hosts: Vec<String>,
    bucket_hosts: Vec<(String, String)>,
    base_path: String,
    region: Option<String>,
    public: bool,
}

/// A host name of a cloud, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicHost<'a> {
    /// The bucket in front; `None` for path style.
    pub bucket: Option<&'a str>,
    /// The region that the host names, if it does.
    pub region: Option<&'a str>,
}

/// What host and path of a request name, decoded once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A host that is not served here. The key is the whole path.
    Elsewhere {
        /// The path without its first slash; `None` where there is no more of it.
        key: Option<String>,
    },
    /// The service itself: the list of its buckets.
    Service,
    /// A bucket.
    Bucket {
        /// Its name.
        bucket: String,
    },
    /// An object.
    Object {
        /// The bucket that it is in.
        bucket: String,
        /// Its key.
        key: String,
    },
}

impl Place {
    /// The bucket.
    #[must_use]
    pub fn bucket(&self) -> Option<&str> {
        match self {
            Self::Bucket { bucket } | Self::Object { bucket, .. } => Some(bucket),
            Self::Elsewhere { .. } | Self::Service => None,
        }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Object { key, .. } => Some(key),
            Self::Elsewhere { key } => key.as_deref(),
            Self::Service | Self::Bucket { .. } => None,
        }
    }
}

impl Audience {
    /// Nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The cloud's own public hosts, in every region.
    #[must_use]
    pub fn public() -> Self {
        Self { public: true, ..Self::default() }
    }

    /// Adds a base host (with a port that is not the scheme's own): `HOST/BUCKET/KEY` and `BUCKET.HOST/KEY`.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into().to_ascii_lowercase());
        self
    }

    /// Adds a host that is one bucket's own: `HOST/KEY`.
    #[must_use]
    pub fn bucket_host(mut self, host: impl Into<String>, bucket: impl Into<String>) -> Self {
        self.bucket_hosts.push((host.into().to_ascii_lowercase(), bucket.into()));
        self
    }

    /// The encoded path before bucket and key, without a slash at its end.
    #[must_use]
    pub fn base_path(mut self, path: impl Into<String>) -> Self {
        self.base_path = path.into();
        self
    }

    /// The region that every scope must name.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// The region that a scope must name, if there is one.
    #[must_use]
    pub fn expected_region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// Finds bucket and key of a request from its signed host and raw path. `recognise` takes the cloud's own hosts apart.
    ///
    /// An unknown host gives [`Place::Elsewhere`]: such a request is refused later, when its signature has been judged.
    ///
    /// # Errors
    /// [`VerifyError::MalformedPath`] for a path that is not percent-encoded UTF-8, and for a bucket that holds an encoded slash.
    pub fn locate<'h>(&self, host: &'h str, path: &str, recognise: impl Fn(&'h str) -> Option<PublicHost<'h>>) -> Result<Place, VerifyError> {
        let decode = |text: &str| encode::decode(text).map(alloc::borrow::Cow::into_owned).map_err(|_| VerifyError::MalformedPath);
        // Judged first, so that a broken path is refused wherever the host points.
        decode(path)?;
        let key_of = |text: &str| if text.is_empty() { Ok(None) } else { decode(text).map(Some) };
        // Compared as it was sent: another spelling of the base path is another place.
        let Some(path) = path.strip_prefix(self.base_path.as_str()).and_then(|rest| rest.strip_prefix('/').or(rest.is_empty().then_some(""))) else {
            return Ok(Place::Elsewhere { key: key_of(path.strip_prefix('/').unwrap_or(path))? });
        };
        let place = |bucket: String, key: Option<String>| match key {
            Some(key) => Place::Object { bucket, key },
            None => Place::Bucket { bucket },
        };
        let in_host = |bucket: &str| Ok(place(bucket.to_owned(), key_of(path)?));
        let in_path = || {
            let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
            let bucket = decode(bucket)?;
            // An encoded slash would move the border between bucket and key without a change of the signed path.
            if bucket.contains('/') {
                return Err(VerifyError::MalformedPath);
            }
            Ok(match (bucket.is_empty(), key_of(key)?) {
                (true, None) => Place::Service,
                (true, key) => Place::Elsewhere { key },
                (false, key) => place(bucket, key),
            })
        };
        if let Some((_, bucket)) = self.bucket_hosts.iter().find(|(own, _)| own == host) {
            return in_host(bucket);
        }
        for base in &self.hosts {
            if host == base {
                return in_path();
            }
            if let Some(bucket) = host.strip_suffix(base.as_str()).and_then(|rest| rest.strip_suffix('.')) {
                return in_host(bucket);
            }
        }
        match recognise(host).filter(|_| self.public) {
            Some(PublicHost { bucket: Some(bucket), .. }) => in_host(bucket),
            Some(PublicHost { bucket: None, .. }) => in_path(),
            None => Ok(Place::Elsewhere { key: key_of(path)? }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_one_spelling_of_its_base_and_its_bucket() {
        let none = |_: &'static str| None;
        let store = Audience::new().host("h:9000").bucket_host("own.example", "media");
        let based = store.clone().base_path("/base");
        let place = |bucket: Option<&str>, key: Option<&str>| {
            Ok(match (bucket.map(ToOwned::to_owned), key.map(ToOwned::to_owned)) {
                (Some(bucket), Some(key)) => Place::Object { bucket, key },
                (Some(bucket), None) => Place::Bucket { bucket },
                (None, key) => Place::Elsewhere { key },
            })
        };
        for (audience, host, path, want) in [
            (&store, "h:9000", "/media/a%20b", place(Some("media"), Some("a b"))),
            (&store, "h:9000", "/media/a%2Fb", place(Some("media"), Some("a/b"))),
            (&store, "h:9000", "/media//a", place(Some("media"), Some("/a"))),
            (&store, "h:9000", "/media", place(Some("media"), None)),
            (&store, "h:9000", "/media/", place(Some("media"), None)),
            (&store, "h:9000", "/", Ok(Place::Service)),
            (&store, "other.example", "/", place(None, None)),
            (&store, "h:9000", "//k", place(None, Some("k"))),
            (&store, "media.h:9000", "/a/b", place(Some("media"), Some("a/b"))),
            (&store, "own.example", "/a", place(Some("media"), Some("a"))),
            (&store, "other.example", "/a", place(None, Some("a"))),
            (&store, "h:9000", "/media%2Freports/a.pdf", Err(VerifyError::MalformedPath)),
            (&store, "h:9000", "/media/%zz", Err(VerifyError::MalformedPath)),
            (&based, "h:9000", "/base/media/k", place(Some("media"), Some("k"))),
            (&based, "own.example", "/base/k", place(Some("media"), Some("k"))),
            (&based, "own.example", "/base", place(Some("media"), None)),
            (&based, "own.example", "/b%61se/k", place(None, Some("base/k"))),
            (&based, "own.example", "/basement/k", place(None, Some("basement/k"))),
            (&based, "h:9000", "/media/k", place(None, Some("media/k"))),
        ] {
            assert_eq!(audience.locate(host, path, none), want, "{host} {path}");
        }
    }
}
