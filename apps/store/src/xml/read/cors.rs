//! Cross-origin rules as a bucket is given them.

use super::{tree::Element, walk::malformed};
use crate::{
    Cloud, StoreError,
    cors::{CorsRule, CorsRules, MAX_RULES},
};

/// The largest configuration that is read, in bytes: S3's limit.
pub(crate) const MAX_CORS_BODY: usize = 64 << 10;
/// OSS: the most rules of a bucket, and the longest that a preflight may be remembered, in seconds.
const OSS_MAX_RULES: usize = 20;
const OSS_MAX_AGE: u32 = 999_999_999;

/// Reads a `CORSConfiguration` body.
pub(crate) fn cors_rules(cloud: Cloud, body: &[u8]) -> Result<CorsRules, StoreError> {
    let root = Element::read(body, "CORSConfiguration")?;
    let (max, names): (usize, &[&str]) = match cloud {
        Cloud::S3 => (MAX_RULES, &["CORSRule"]),
        Cloud::Oss => (OSS_MAX_RULES, &["CORSRule", "ResponseVary"]),
    };
    root.allow(names)?;
    let rules = root.children.iter().filter(|child| child.name == "CORSRule").map(|element| rule(cloud, element));
    let mut rules = CorsRules::new(rules.collect::<Result<_, _>>()?, max)?;
    rules.always_vary = match root.text_of("ResponseVary")?.map(str::trim) {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(malformed("ResponseVary is true or false")),
    };
    Ok(rules)
}

fn rule(cloud: Cloud, element: &Element) -> Result<CorsRule, StoreError> {
    element.allow(match cloud {
        Cloud::S3 => &["ID", "AllowedOrigin", "AllowedMethod", "AllowedHeader", "ExposeHeader", "MaxAgeSeconds"],
        Cloud::Oss => &["AllowedOrigin", "AllowedMethod", "AllowedHeader", "ExposeHeader", "MaxAgeSeconds"],
    })?;
    let all = |name| element.texts_of(name).map(|text| text.map(str::trim)).collect::<Result<Vec<_>, _>>();
    let (origins, methods) = (all("AllowedOrigin")?, all("AllowedMethod")?);
    if origins.is_empty() || methods.is_empty() {
        return Err(malformed("a CORSRule needs an AllowedOrigin and an AllowedMethod"));
    }
    let rule = CorsRule::new(origins, methods)?.allow_headers(all("AllowedHeader")?)?.expose_headers(all("ExposeHeader")?)?;
    let rule = match element.text_of("MaxAgeSeconds")?.map(str::trim) {
        None => rule,
        Some(text) => {
            let seconds = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u32>().ok()).flatten();
            let max = if cloud == Cloud::S3 { i32::MAX.unsigned_abs() } else { OSS_MAX_AGE };
            rule.max_age(seconds.filter(|seconds| *seconds <= max).ok_or_else(|| malformed("MaxAgeSeconds is not a number of seconds"))?)
        }
    };
    match element.text_of("ID")? {
        Some(id) => rule.id(id.trim().to_owned()),
        None => Ok(rule),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cloud: Cloud, inside: &str) -> Result<CorsRules, StoreError> {
        cors_rules(cloud, format!("<CORSConfiguration>{inside}</CORSConfiguration>").as_bytes())
    }

    const ORIGIN: &str = "<AllowedOrigin>*</AllowedOrigin>";
    const METHOD: &str = "<AllowedMethod>GET</AllowedMethod>";

    #[test]
    fn configurations_of_the_sdks() {
        let rule = "<CORSRule><ID>one</ID><AllowedOrigin>https://*.example.com</AllowedOrigin><AllowedOrigin>null</AllowedOrigin>\
                    <AllowedMethod>PUT</AllowedMethod><AllowedMethod>POST</AllowedMethod><AllowedHeader>*</AllowedHeader>\
                    <ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>3000</MaxAgeSeconds></CORSRule>";
        let expected = CorsRule::new(["https://*.example.com", "null"], ["PUT", "POST"]).unwrap();
        let expected = expected.allow_headers(["*"]).unwrap().expose_headers(["ETag"]).unwrap().max_age(3000);
        assert_eq!(read(Cloud::S3, rule).unwrap().rules, [expected.clone().id("one".into()).unwrap()]);
        let oss = read(Cloud::Oss, &format!("{}<ResponseVary>true</ResponseVary>", rule.replace("<ID>one</ID>", ""))).unwrap();
        assert_eq!((oss.rules, oss.always_vary), (vec![expected], true));
    }

    #[test]
    fn configurations_that_are_refused() {
        let with = |more: &str| format!("<CORSRule>{ORIGIN}{METHOD}{more}</CORSRule>");
        let good = with("");
        assert!(read(Cloud::S3, &good).is_ok() && read(Cloud::Oss, &good).is_ok());
        for (inside, xml) in [
            (String::new(), true),
            (format!("<CORSRule>{ORIGIN}</CORSRule>"), true),
            (format!("<CORSRule>{METHOD}</CORSRule>"), true),
            (with("<MaxAgeSeconds>-1</MaxAgeSeconds>"), true),
            (with("<MaxAgeSeconds>1.5</MaxAgeSeconds>"), true),
            (with("<MaxAgeSeconds></MaxAgeSeconds>"), true),
            (with("<MaxAgeSeconds>2147483648</MaxAgeSeconds>"), true),
            (with("<MaxAgeSeconds>1</MaxAgeSeconds><MaxAgeSeconds>2</MaxAgeSeconds>"), true),
            (with("<AllowCredentials>true</AllowCredentials>"), true),
            (format!("{good}<Other/>"), true),
            (format!("{good}<ResponseVary>yes</ResponseVary>"), true),
            (format!("x{good}"), true),
            (with("<AllowedMethod>PATCH</AllowedMethod>"), false),
            (with("<AllowedMethod>put</AllowedMethod>"), false),
            (with("<AllowedOrigin>http://*.*</AllowedOrigin>"), false),
            (with("<AllowedOrigin/>"), false),
            (with("<AllowedHeader>x-*-*</AllowedHeader>"), false),
            (with("<ExposeHeader>*</ExposeHeader>"), false),
            (with("<ExposeHeader>a b</ExposeHeader>"), false),
            (good.repeat(101), false),
        ] {
            for cloud in [Cloud::S3, Cloud::Oss] {
                let refused = read(cloud, &inside).unwrap_err();
                assert_eq!(matches!(refused, StoreError::MalformedXml { .. }), xml, "{cloud:?} {inside:.90} {refused}");
            }
        }
        assert!(read(Cloud::Oss, &with("<ID>a</ID>")).is_err());
        assert!(read(Cloud::S3, &format!("{good}<ResponseVary>true</ResponseVary>")).is_err());
        assert!(read(Cloud::Oss, &good.repeat(21)).is_err() && read(Cloud::S3, &good.repeat(100)).is_ok());
    }
}
