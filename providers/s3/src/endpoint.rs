//! The hosts of S3: partitions, addressing styles, and the way back from a host to bucket and region.
//!
//! Sources: AWS General Reference, "Amazon S3 endpoints"; Amazon S3 User Guide, "Virtual hosting of buckets" and "Bucket naming rules".

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use valetkey_core::verify::PublicHost;
use valetkey_core::{AddressingStyle, Endpoint, Scheme, Target, TargetError, TargetSettings, encode, signed_host};

use crate::names::SERVICE;

/// Partitions by the beginning of the region's name; the patterns are disjoint, and unknown regions belong to the first partition.
const PARTITIONS: [(&str, &str); 7] = [
    ("cn-", "amazonaws.com.cn"),
    ("us-gov-", "amazonaws.com"),
    ("eusc-", "amazonaws.eu"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("us-isof-", "csp.hci.ic.gov"),
];
const COMMERCIAL: &str = "amazonaws.com";
const ACCELERATE: &str = "s3-accelerate.";

fn dns_suffix(region: &str) -> &'static str {
    PARTITIONS.iter().find(|(start, _)| region.starts_with(start)).map_or(COMMERCIAL, |(_, suffix)| suffix)
}

pub(crate) fn resolve(settings: &TargetSettings) -> Result<Target, TargetError> {
    let bucket = settings.bucket.as_str();
    check_bucket(bucket)?;
    let region = region(settings)?;
    let style = style(settings)?;
    let (scheme, host, base_path) = match &settings.endpoint {
        Some(endpoint) => (endpoint.scheme(), endpoint.authority().to_owned(), endpoint.base_path()),
        None => (Scheme::Https, format!("s3.{region}.{}", dns_suffix(&region)), ""),
    };
    let (authority, path_prefix, bucket_path) = match style {
        AddressingStyle::Path => {
            let mut path = base_path.to_owned();
            path.push('/');
            encode::push_path(&mut path, bucket);
            (host, path.clone(), path)
        }
        AddressingStyle::CustomDomain => (host, base_path.to_owned(), root(base_path)),
        AddressingStyle::Virtual | AddressingStyle::Auto => (format!("{bucket}.{host}"), base_path.to_owned(), root(base_path)),
    };
    let signed = signed_host(scheme, &authority);
    Ok(Target { scheme, authority, path_prefix, bucket_path, host: signed, bucket: bucket.to_owned(), region, service: SERVICE })
}

/// The path of the bucket where its host names it: the base path without a slash at its end, as the SDKs write it.
fn root(base_path: &str) -> String {
    if base_path.is_empty() { "/".to_owned() } else { base_path.to_owned() }
}

/// The region that was given, else the one that the endpoint's host names.
fn region(settings: &TargetSettings) -> Result<String, TargetError> {
    let endpoint = settings.endpoint.as_ref();
    let host = endpoint.map(Endpoint::host_name).unwrap_or_default();
    if (host.starts_with("s3express-") || host.contains(".s3express-")) && host.ends_with(COMMERCIAL) {
        return Err(TargetError::Endpoint { reason: "S3 Express endpoints are signed differently and not supported".to_owned() });
    }
    let named = recognise(&host).and_then(|found| found.region);
    match (settings.region.as_deref(), named) {
        (None, Some(named)) => Ok(named.to_owned()),
        (Some("aws-global"), _) => Err(TargetError::Endpoint { reason: "`aws-global` is the legacy global endpoint and no region; use us-east-1".to_owned() }),
        // A request to another region's host is refused or redirected, and a redirect breaks the signature.
        (Some(region), Some(named)) if region != named => {
            let reason = format!("the endpoint's host is in {named}, but the region is {region}; give both the same");
            Err(TargetError::Addressing { reason })
        }
        _ => settings.checked_region().map(ToOwned::to_owned),
    }
}

fn style(settings: &TargetSettings) -> Result<AddressingStyle, TargetError> {
    let bucket = settings.bucket.as_str();
    let endpoint = settings.endpoint.as_ref();
    let scheme = endpoint.map_or(Scheme::Https, Endpoint::scheme);
    let host = endpoint.map(Endpoint::host_name).unwrap_or_default();
    let public = recognise(&host);
    let dotted_over_https = bucket.contains('.') && scheme == Scheme::Https;
    let refuse = |reason: String| Err(TargetError::Addressing { reason });
    match (public, settings.addressing) {
        (Some(found), AddressingStyle::CustomDomain) if found.bucket != Some(bucket) => {
            return refuse(format!("the endpoint's host {host} is not the own host of the bucket `{bucket}`"));
        }
        (Some(PublicHost { bucket: Some(_), .. }), AddressingStyle::Auto | AddressingStyle::Virtual | AddressingStyle::Path) => {
            return refuse(format!("the endpoint's host {host} names a bucket; give the host without it, or use custom-domain addressing"));
        }
        _ => {}
    }
    match settings.addressing {
        AddressingStyle::Auto if endpoint.is_some() && public.is_none() => Ok(AddressingStyle::Path),
        AddressingStyle::Auto if host.starts_with(ACCELERATE) => Ok(AddressingStyle::Virtual),
        AddressingStyle::Auto if !fits_host(bucket) || dotted_over_https => Ok(AddressingStyle::Path),
        AddressingStyle::Auto => Ok(AddressingStyle::Virtual),
        AddressingStyle::Path if host.starts_with(ACCELERATE) => {
            refuse("transfer acceleration does not take path style requests; use virtual-hosted addressing".to_owned())
        }
        AddressingStyle::Virtual if !fits_host(bucket) => refuse(format!("the bucket `{bucket}` cannot stand in a host name; use path style addressing")),
        AddressingStyle::Virtual if dotted_over_https => {
            refuse(format!("the bucket `{bucket}` has a dot, so no certificate matches its host over https; use path style addressing"))
        }
        AddressingStyle::Virtual if endpoint.is_some_and(Endpoint::is_ip) => {
            refuse("an endpoint with an IP address cannot carry the bucket in its host; use path style addressing".to_owned())
        }
        AddressingStyle::CustomDomain if endpoint.is_none() => refuse("custom-domain addressing needs `endpoint`, the bucket's own host".to_owned()),
        explicit => Ok(explicit),
    }
}

/// What any bucket of S3 was ever called: signing an old name must go on working. Creating one has stricter rules.
fn check_bucket(bucket: &str) -> Result<(), TargetError> {
    let refuse = |reason| Err(TargetError::Bucket { bucket: bucket.to_owned(), reason });
    if bucket.starts_with("arn:") {
        return refuse("is an ARN, which is not supported; name the bucket");
    }
    // Source: Amazon S3 User Guide, "General purpose bucket naming rules", suffixes that are kept for other resources.
    for (suffix, reason) in [
        ("--x-s3", "is a directory bucket (S3 Express), which is signed differently and not supported"),
        ("--xa-s3", "is an access point of a directory bucket (S3 Express), which is signed differently and not supported"),
        ("--ol-s3", "is an Object Lambda access point, which is signed differently and not supported"),
        ("--table-s3", "is a table bucket, which holds no objects"),
        (".mrap", "is a multi-region access point, which is signed with SigV4A and not supported"),
    ] {
        if bucket.ends_with(suffix) {
            return refuse(reason);
        }
    }
    if bucket.is_empty() || bucket.len() > 255 {
        return refuse("must have 1 to 255 characters");
    }
    if !bucket.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')) {
        return refuse("may only have letters, digits, `.`, `-` and `_`");
    }
    if matches!(bucket, "." | "..") {
        return refuse("is a path segment that clients remove");
    }
    Ok(())
}

/// Whether the bucket can stand in front of a host.
fn fits_host(bucket: &str) -> bool {
    let label = |label: &str| {
        let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        edge(label.bytes().next()) && edge(label.bytes().last()) && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let is_ipv4 = bucket.parse::<core::net::Ipv4Addr>().is_ok();
    (3..=63).contains(&bucket.len()) && bucket.split('.').all(label) && !is_ipv4
}

/// Takes a host apart: `[BUCKET.]s3[.dualstack].REGION.SUFFIX`, the legacy `s3-REGION` and the global `s3.SUFFIX`.
pub(crate) fn recognise(host: &str) -> Option<PublicHost<'_>> {
    let suffixes = PARTITIONS.iter().map(|(_, suffix)| *suffix).chain([COMMERCIAL]);
    let rest = suffixes.filter_map(|suffix| host.strip_suffix(suffix)?.strip_suffix('.')).min_by_key(|rest| rest.len())?;
    for global in ["s3", "s3-accelerate", "s3-accelerate.dualstack"] {
        if let Some(bucket) = before_label(rest, global) {
            return Some(PublicHost { bucket, region: None });
        }
    }
    let (head, last) = rest.rsplit_once('.').map_or((None, rest), |(head, last)| (Some(head), last));
    match last.strip_prefix("s3-") {
        // Website hosts take no signed requests.
        Some(other) if other == "fips" || other.starts_with("website") => return None,
        Some(region) if region.starts_with("fips-") => return Some(PublicHost { bucket: head, region: region.strip_prefix("fips-") }),
        Some("external-1") => return Some(PublicHost { bucket: head, region: Some("us-east-1") }),
        Some(region) => return Some(PublicHost { bucket: head, region: Some(region) }),
        None => {}
    }
    let head = head?;
    let head = head.strip_suffix(".dualstack").unwrap_or(head);
    let bucket = before_label(head, "s3").or_else(|| before_label(head, "s3-fips"))?;
    Some(PublicHost { bucket, region: Some(last) })
}

/// What stands before the last label: `Some(None)` when it is the only one.
fn before_label<'h>(host: &'h str, label: &str) -> Option<Option<&'h str>> {
    let rest = host.strip_suffix(label)?;
    if rest.is_empty() { Some(None) } else { rest.strip_suffix('.').map(Some) }
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
            ("media", "eu-central-1", None, Auto, "https://media.s3.eu-central-1.amazonaws.com/k"),
            ("media", "us-east-1", None, Auto, "https://media.s3.us-east-1.amazonaws.com/k"),
            ("media", "eu-central-1", None, Path, "https://s3.eu-central-1.amazonaws.com/media/k"),
            ("media", "cn-north-1", None, Auto, "https://media.s3.cn-north-1.amazonaws.com.cn/k"),
            ("media", "us-gov-west-1", None, Auto, "https://media.s3.us-gov-west-1.amazonaws.com/k"),
            ("media", "eusc-de-east-1", None, Auto, "https://media.s3.eusc-de-east-1.amazonaws.eu/k"),
            ("media", "us-iso-east-1", None, Auto, "https://media.s3.us-iso-east-1.c2s.ic.gov/k"),
            ("media", "us-isob-east-1", None, Auto, "https://media.s3.us-isob-east-1.sc2s.sgov.gov/k"),
            ("media", "eu-isoe-west-1", None, Auto, "https://media.s3.eu-isoe-west-1.cloud.adc-e.uk/k"),
            ("media", "us-isof-south-1", None, Auto, "https://media.s3.us-isof-south-1.csp.hci.ic.gov/k"),
            ("media", "xx-future-9", None, Auto, "https://media.s3.xx-future-9.amazonaws.com/k"),
            ("my.bucket", "eu-central-1", None, Auto, "https://s3.eu-central-1.amazonaws.com/my.bucket/k"),
            ("Old_Bucket", "us-east-1", None, Auto, "https://s3.us-east-1.amazonaws.com/Old_Bucket/k"),
            ("ab", "us-east-1", None, Auto, "https://s3.us-east-1.amazonaws.com/ab/k"),
            ("192.168.0.1", "us-east-1", None, Auto, "https://s3.us-east-1.amazonaws.com/192.168.0.1/k"),
            ("media", "us-east-1", Some("https://s3.us-east-1.amazonaws.com"), Auto, "https://media.s3.us-east-1.amazonaws.com/k"),
            ("my.bucket", "us-east-1", Some("https://s3.us-east-1.amazonaws.com"), Auto, "https://s3.us-east-1.amazonaws.com/my.bucket/k"),
            ("my.bucket", "us-east-1", Some("http://s3.us-east-1.amazonaws.com"), Auto, "http://my.bucket.s3.us-east-1.amazonaws.com/k"),
            ("media", "us-east-1", Some("https://s3-accelerate.amazonaws.com"), Auto, "https://media.s3-accelerate.amazonaws.com/k"),
            ("media", "us-west-2", Some("https://s3.dualstack.us-west-2.amazonaws.com"), Path, "https://s3.dualstack.us-west-2.amazonaws.com/media/k"),
            ("media", "us-east-1", Some("https://media.s3.us-east-1.amazonaws.com"), CustomDomain, "https://media.s3.us-east-1.amazonaws.com/k"),
            ("media", "us-east-1", Some("http://127.0.0.1:9000"), Auto, "http://127.0.0.1:9000/media/k"),
            ("media", "RegionOne", Some("http://ceph.example:7480"), Auto, "http://ceph.example:7480/media/k"),
            ("media", "us-east-1", Some("https://gw.example/s3/base/"), Auto, "https://gw.example/s3/base/media/k"),
            ("media", "us-east-1", Some("https://minio.example"), Virtual, "https://media.minio.example/k"),
            ("my.bucket", "us-east-1", Some("http://minio.example"), Virtual, "http://my.bucket.minio.example/k"),
            ("media", "us-east-1", Some("http://localhost:9000"), Virtual, "http://media.localhost:9000/k"),
            ("media", "us-east-1", Some("https://Media.Example.com:443"), CustomDomain, "https://Media.Example.com:443/k"),
            ("media", "us-east-1", Some("https://cdn.example/base"), CustomDomain, "https://cdn.example/base/k"),
        ] {
            let target = resolve(&settings(bucket, region, endpoint, style)).unwrap_or_else(|error| panic!("{want}: {error}"));
            let mut url = format!("{}://{}", target.scheme.as_str(), target.authority);
            target.push_path(&mut url, Some(&"k".parse().unwrap()));
            assert_eq!(url, want);
            assert_eq!(target.region, region);
        }
    }

    #[test]
    fn what_cannot_work_is_refused() {
        use AddressingStyle::{Auto, CustomDomain, Path, Virtual};
        for (bucket, region, endpoint, style, code) in [
            ("my.bucket", "us-east-1", None, Virtual, "invalid_addressing"),
            ("my.bucket", "us-east-1", Some("https://minio.example"), Virtual, "invalid_addressing"),
            ("Old_Bucket", "us-east-1", None, Virtual, "invalid_addressing"),
            ("192.168.0.1", "us-east-1", None, Virtual, "invalid_addressing"),
            ("media", "us-east-1", Some("http://127.0.0.1:9000"), Virtual, "invalid_addressing"),
            ("media", "us-east-1", None, CustomDomain, "invalid_addressing"),
            ("media", "us-east-1", Some("https://s3.eu-west-1.amazonaws.com"), Auto, "invalid_addressing"),
            ("media", "", None, Auto, "missing_region"),
            ("media", "", Some("https://minio.example"), Auto, "missing_region"),
            ("media", "EU", None, Auto, "invalid_region"),
            ("media", "eu central", None, Auto, "invalid_region"),
            ("media", "eu.evil.example/", None, Auto, "invalid_region"),
            ("media", "aws-global", None, Auto, "invalid_endpoint"),
            ("", "us-east-1", None, Path, "invalid_bucket"),
            ("..", "us-east-1", None, Path, "invalid_bucket"),
            ("a/../b", "us-east-1", None, Path, "invalid_bucket"),
            ("a@evil.example", "us-east-1", None, Auto, "invalid_bucket"),
            ("arn:aws:s3:eu-west-1:123456789012:accesspoint/ap", "eu-west-1", None, Auto, "invalid_bucket"),
            ("b--use1-az4--x-s3", "us-east-1", None, Auto, "invalid_bucket"),
            ("ap--use1-az4--xa-s3", "us-east-1", None, Auto, "invalid_bucket"),
            ("ap-alias--ol-s3", "us-east-1", None, Auto, "invalid_bucket"),
            ("alias.mrap", "us-east-1", None, Auto, "invalid_bucket"),
            ("media", "us-east-1", Some("https://s3-accelerate.amazonaws.com"), Path, "invalid_addressing"),
            ("media", "us-east-1", Some("https://media.s3.us-east-1.amazonaws.com"), Auto, "invalid_addressing"),
            ("media", "us-east-1", Some("https://media.s3.us-east-1.amazonaws.com"), Virtual, "invalid_addressing"),
            ("media", "us-east-1", Some("https://s3.us-east-1.amazonaws.com"), CustomDomain, "invalid_addressing"),
            ("media", "us-east-1", Some("https://other.s3.us-east-1.amazonaws.com"), CustomDomain, "invalid_addressing"),
            ("media", "us-east-1", Some("https://s3express-use1-az4.us-east-1.amazonaws.com"), Auto, "invalid_endpoint"),
        ] {
            let error = resolve(&settings(bucket, region, endpoint, style)).unwrap_err();
            assert_eq!(error.code(), code, "{bucket} {region} {endpoint:?}: {error}");
        }
    }

    #[test]
    fn hosts_come_apart() {
        for (host, bucket, region) in [
            ("media.s3.eu-central-1.amazonaws.com", Some("media"), Some("eu-central-1")),
            ("s3.eu-central-1.amazonaws.com", None, Some("eu-central-1")),
            ("my.s3.bucket.s3.eu-west-1.amazonaws.com", Some("my.s3.bucket"), Some("eu-west-1")),
            ("media.s3.amazonaws.com", Some("media"), None),
            ("s3.amazonaws.com", None, None),
            ("media.s3-us-west-2.amazonaws.com", Some("media"), Some("us-west-2")),
            ("s3-us-west-2.amazonaws.com", None, Some("us-west-2")),
            ("media.s3.dualstack.us-west-2.amazonaws.com", Some("media"), Some("us-west-2")),
            ("media.s3-fips.us-gov-west-1.amazonaws.com", Some("media"), Some("us-gov-west-1")),
            ("media.s3-accelerate.amazonaws.com", Some("media"), None),
            ("media.s3-accelerate.dualstack.amazonaws.com", Some("media"), None),
            ("media.s3-external-1.amazonaws.com", Some("media"), Some("us-east-1")),
            ("s3-fips-us-gov-west-1.amazonaws.com", None, Some("us-gov-west-1")),
            ("media.s3.cn-north-1.amazonaws.com.cn", Some("media"), Some("cn-north-1")),
        ] {
            assert_eq!(recognise(host), Some(PublicHost { bucket, region }), "{host}");
        }
        for host in [
            "example.com",
            "amazonaws.com",
            "s3.example.com",
            "ec2.us-east-1.amazonaws.com",
            "evils3.amazonaws.com",
            ".s3.evil",
            "media.s3-website-us-east-1.amazonaws.com",
        ] {
            assert_eq!(recognise(host), None, "{host}");
        }
    }
}
