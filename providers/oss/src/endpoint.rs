//! The hosts of OSS: addressing styles, and the way back from a host to bucket and region.
//!
//! Sources: OSS documentation, "Regions and endpoints", "Access OSS with domain names", "Bucket naming conventions".

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use valetkey_core::verify::PublicHost;
use valetkey_core::{AddressingStyle, Endpoint, Scheme, Target, TargetError, TargetSettings, signed_host};

use crate::names::SERVICE;

const SUFFIX: &str = ".aliyuncs.com";
const CLOUD_BOX: &str = ".oss-cloudbox.aliyuncs.com";

pub(crate) fn resolve(settings: &TargetSettings) -> Result<Target, TargetError> {
    let bucket = settings.bucket.as_str();
    check_bucket(bucket)?;
    let region = region(settings)?;
    let style = style(settings)?;
    let (scheme, host, base_path) = match &settings.endpoint {
        Some(endpoint) => (endpoint.scheme(), endpoint.authority().to_owned(), endpoint.base_path()),
        None => (Scheme::Https, format!("oss-{region}{SUFFIX}"), ""),
    };
    let (authority, path_prefix) = match style {
        AddressingStyle::Path => (host, format!("{base_path}/{bucket}")),
        AddressingStyle::CustomDomain => (host, base_path.to_owned()),
        AddressingStyle::Virtual | AddressingStyle::Auto => (format!("{bucket}.{host}"), base_path.to_owned()),
    };
    let signed = signed_host(scheme, &authority);
    let bucket_path = format!("{path_prefix}/");
    Ok(Target { scheme, authority, path_prefix, bucket_path, host: signed, bucket: bucket.to_owned(), region, service: SERVICE })
}

/// The region that was given, else the one that the endpoint's host names. `cn-hangzhou`: the `oss-` that hosts have in front is no part of it, and users
/// write it all the same.
fn region(settings: &TargetSettings) -> Result<String, TargetError> {
    let endpoint = settings.endpoint.as_ref();
    let host = endpoint.map(Endpoint::host_name).unwrap_or_default();
    let named = recognise(&host).and_then(|found| found.region);
    if let (None, Some(named)) = (&settings.region, named) {
        return Ok(named.to_owned());
    }
    let written = settings.checked_region()?;
    let region = without_prefix(written);
    if region.is_empty() {
        return Err(TargetError::Region { region: written.to_owned() });
    }
    match named {
        Some(named) if named != region => {
            let reason = format!("the endpoint's host is in {named}, but the region is {region}; give both the same");
            Err(TargetError::Addressing { reason })
        }
        _ => Ok(region.to_owned()),
    }
}

/// The region of `oss-cn-hangzhou`, as endpoints and users write it.
pub(crate) fn without_prefix(written: &str) -> &str {
    written.strip_prefix("oss-").unwrap_or(written)
}

fn style(settings: &TargetSettings) -> Result<AddressingStyle, TargetError> {
    let refuse = |reason: &str| Err(TargetError::Addressing { reason: reason.to_owned() });
    let endpoint = settings.endpoint.as_ref();
    let host = endpoint.map(Endpoint::host_name).unwrap_or_default();
    if host.ends_with(CLOUD_BOX) {
        return refuse("CloudBox endpoints have a product of their own in the scope and are not supported");
    }
    match (recognise(&host), settings.addressing) {
        (Some(found), AddressingStyle::CustomDomain) if found.bucket != Some(&settings.bucket) => {
            return refuse("the endpoint's host is not the bucket's own");
        }
        (Some(PublicHost { bucket: Some(_), .. }), AddressingStyle::Auto | AddressingStyle::Virtual | AddressingStyle::Path) => {
            return refuse("the endpoint's host names a bucket; give the host without it, or use custom-domain addressing");
        }
        _ => {}
    }
    let is_public = endpoint.is_none_or(|endpoint| endpoint.host_name().ends_with(SUFFIX));
    match settings.addressing {
        AddressingStyle::Auto if endpoint.is_some_and(|endpoint| endpoint.is_ip() || endpoint.is_localhost()) => Ok(AddressingStyle::Path),
        AddressingStyle::Auto => Ok(AddressingStyle::Virtual),
        AddressingStyle::Path if is_public => refuse("OSS does not take path style requests on its public hosts; use virtual-hosted addressing"),
        AddressingStyle::Virtual if endpoint.is_some_and(Endpoint::is_ip) => {
            refuse("an endpoint with an IP address cannot carry the bucket in its host; use path style addressing")
        }
        AddressingStyle::CustomDomain if endpoint.is_none() => refuse("custom-domain addressing needs `endpoint`, the bucket's own host"),
        explicit => Ok(explicit),
    }
}

fn check_bucket(bucket: &str) -> Result<(), TargetError> {
    let refuse = |reason| Err(TargetError::Bucket { bucket: bucket.to_owned(), reason });
    if !(3..=63).contains(&bucket.len()) {
        return refuse("must have 3 to 63 characters");
    }
    if !bucket.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        return refuse("may only have lower-case letters, digits and `-`");
    }
    if bucket.starts_with('-') || bucket.ends_with('-') {
        return refuse("may not begin or end with `-`");
    }
    Ok(())
}

/// Takes a host apart: `[BUCKET.]oss-REGION[-internal].aliyuncs.com`, `[BUCKET.]REGION.oss.aliyuncs.com`, `[BUCKET.]oss-accelerate[-overseas].aliyuncs.com`.
pub(crate) fn recognise(host: &str) -> Option<PublicHost<'_>> {
    let rest = host.strip_suffix(SUFFIX).filter(|_| !host.ends_with(CLOUD_BOX))?;
    if let Some(rest) = rest.strip_suffix(".oss") {
        let (bucket, region) = rest.rsplit_once('.').map_or((None, rest), |(bucket, region)| (Some(bucket), region));
        return Some(PublicHost { bucket, region: Some(region) });
    }
    let (bucket, label) = rest.rsplit_once('.').map_or((None, rest), |(bucket, label)| (Some(bucket), label));
    let region = label.strip_prefix("oss-")?;
    let region = region.strip_suffix("-internal").unwrap_or(region);
    // Acceleration, and groups of regions such as `oss-rg-china-mainland`, name none.
    let region = (!matches!(region, "accelerate" | "accelerate-overseas") && !region.starts_with("rg-")).then_some(region);
    Some(PublicHost { bucket, region })
}

/// A bucket name for a host that belongs to no bucket: no signature can be of it.
pub(crate) fn nobody() -> String {
    String::from("?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn settings(bucket: &str, region: &str, endpoint: Option<&str>, style: AddressingStyle) -> TargetSettings {
        TargetSettings {
            bucket: bucket.to_string(),
            region: (!region.is_empty()).then(|| region.to_string()),
            endpoint: endpoint.map(|text| text.parse().unwrap()),
            addressing: style,
        }
    }

    #[test]
    fn addresses_by_the_table() {
        use AddressingStyle::{Auto, CustomDomain, Path, Virtual};
        for (bucket, region, endpoint, style, want) in [
            ("media", "", Some("https://oss-cn-hangzhou.aliyuncs.com"), Auto, "https://media.oss-cn-hangzhou.aliyuncs.com/k"),
            ("media", "cn-hangzhou", None, Auto, "https://media.oss-cn-hangzhou.aliyuncs.com/k"),
            ("media", "oss-cn-hangzhou", None, Auto, "https://media.oss-cn-hangzhou.aliyuncs.com/k"),
            ("media", "cn-hangzhou", Some("http://oss-cn-hangzhou.aliyuncs.com"), Auto, "http://media.oss-cn-hangzhou.aliyuncs.com/k"),
            ("media", "cn-hangzhou", Some("https://oss-cn-hangzhou-internal.aliyuncs.com"), Auto, "https://media.oss-cn-hangzhou-internal.aliyuncs.com/k"),
            ("media", "cn-hangzhou", Some("https://oss-accelerate.aliyuncs.com"), Auto, "https://media.oss-accelerate.aliyuncs.com/k"),
            ("media", "cn-hangzhou", Some("http://127.0.0.1:9000"), Auto, "http://127.0.0.1:9000/media/k"),
            ("media", "cn-hangzhou", Some("http://localhost:9000/base"), Auto, "http://localhost:9000/base/media/k"),
            ("media", "cn-hangzhou", Some("http://localhost:9000"), Virtual, "http://media.localhost:9000/k"),
            ("media", "cn-hangzhou", Some("https://gw.example"), Auto, "https://media.gw.example/k"),
            ("media", "cn-hangzhou", Some("https://gw.example"), Path, "https://gw.example/media/k"),
            ("media", "cn-hangzhou", Some("https://static.example.com"), CustomDomain, "https://static.example.com/k"),
        ] {
            let target = resolve(&settings(bucket, region, endpoint, style)).unwrap_or_else(|error| panic!("{want}: {error}"));
            let mut url = format!("{}://{}", target.scheme.as_str(), target.authority);
            target.push_path(&mut url, Some(&"k".parse().unwrap()));
            assert_eq!(url, want);
            assert_eq!(target.region, "cn-hangzhou");
        }
    }

    #[test]
    fn what_cannot_work_is_refused() {
        use AddressingStyle::{Auto, CustomDomain, Path, Virtual};
        for (bucket, region, endpoint, style, code) in [
            ("media", "cn-hangzhou", None, Path, "invalid_addressing"),
            ("media", "cn-hangzhou", Some("https://oss-cn-hangzhou.aliyuncs.com"), Path, "invalid_addressing"),
            ("media", "cn-hangzhou", Some("http://127.0.0.1:9000"), Virtual, "invalid_addressing"),
            ("media", "cn-hangzhou", None, CustomDomain, "invalid_addressing"),
            ("media", "cn-hangzhou", Some("https://oss-cn-hangzhou.aliyuncs.com"), CustomDomain, "invalid_addressing"),
            ("media", "cn-hangzhou", Some("https://cb-x.cn-hangzhou.oss-cloudbox.aliyuncs.com"), Auto, "invalid_addressing"),
            ("media", "cn-hangzhou", Some("https://media.oss-cn-hangzhou.aliyuncs.com"), Auto, "invalid_addressing"),
            ("media", "cn-beijing", Some("https://oss-cn-hangzhou.aliyuncs.com"), Auto, "invalid_addressing"),
            ("media", "", Some("https://static.example.com"), CustomDomain, "missing_region"),
            ("media", "oss-", None, Auto, "invalid_region"),
            ("media", "CN", None, Auto, "invalid_region"),
            ("ab", "cn-hangzhou", None, Auto, "invalid_bucket"),
            ("Media", "cn-hangzhou", None, Auto, "invalid_bucket"),
            ("my.bucket", "cn-hangzhou", None, Auto, "invalid_bucket"),
            ("-media", "cn-hangzhou", None, Auto, "invalid_bucket"),
            ("a@evil.example", "cn-hangzhou", None, Auto, "invalid_bucket"),
        ] {
            let error = resolve(&settings(bucket, region, endpoint, style)).unwrap_err();
            assert_eq!(error.code(), code, "{bucket} {region} {endpoint:?}: {error}");
        }
    }

    #[test]
    fn hosts_come_apart() {
        for (host, bucket, region) in [
            ("media.oss-cn-hangzhou.aliyuncs.com", Some("media"), Some("cn-hangzhou")),
            ("oss-cn-hangzhou.aliyuncs.com", None, Some("cn-hangzhou")),
            ("media.oss-cn-hangzhou-internal.aliyuncs.com", Some("media"), Some("cn-hangzhou")),
            ("media.cn-hangzhou.oss.aliyuncs.com", Some("media"), Some("cn-hangzhou")),
            ("media.oss-accelerate-overseas.aliyuncs.com", Some("media"), None),
            ("media.oss-rg-china-mainland.aliyuncs.com", Some("media"), None),
        ] {
            assert_eq!(recognise(host), Some(PublicHost { bucket, region }), "{host}");
        }
        for host in ["example.com", "ecs.aliyuncs.com", "aliyuncs.com", "oss-cn-hangzhou.aliyuncs.com.evil"] {
            assert_eq!(recognise(host), None, "{host}");
        }
    }
}
