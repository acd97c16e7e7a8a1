//! What is told about buckets.

use super::{super::write::Document, root};
use crate::{Cloud, cors::CorsRules, objects::BucketInfo, time::iso8601};

/// The one account that there is. Everybody who signs is it.
const OWNER: &str = "valetkey";

/// One bucket, as its cloud describes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BucketEntry<'a> {
    pub(crate) name: &'a str,
    pub(crate) info: &'a BucketInfo,
    pub(crate) region: &'a str,
    /// Under which the store was asked.
    pub(crate) host: &'a str,
}

/// One page of buckets and what was asked for.
#[derive(Debug)]
pub(crate) struct BucketPage<'a> {
    pub(crate) buckets: Vec<BucketEntry<'a>>,
    pub(crate) prefix: &'a str,
    /// OSS: the name behind which the page begins.
    pub(crate) marker: &'a str,
    pub(crate) max: u32,
    /// S3: the token of the next page; OSS: its marker.
    pub(crate) next: Option<String>,
    /// Whether anything was asked for but the list itself.
    pub(crate) asked: bool,
}

/// `Owner` or `Initiator`.
pub(super) fn owner(cloud: Cloud, xml: &mut Document, name: &str) {
    xml.element(name, |xml| {
        xml.text("ID", OWNER);
        if cloud == Cloud::Oss {
            xml.text("DisplayName", OWNER);
        }
    });
}

/// `ListAllMyBucketsResult`.
pub(crate) fn list_buckets_result(cloud: Cloud, page: &BucketPage<'_>) -> String {
    let mut xml = Document::new();
    xml.element(&root(cloud, "ListAllMyBucketsResult"), |xml| {
        if cloud == Cloud::Oss {
            xml.text("Prefix", page.prefix);
            xml.text("Marker", page.marker);
            xml.value("MaxKeys", page.max);
            xml.value("IsTruncated", page.next.is_some());
            if let Some(next) = &page.next {
                xml.text("NextMarker", next);
            }
        }
        owner(cloud, xml, "Owner");
        xml.element("Buckets", |xml| {
            for bucket in &page.buckets {
                xml.element("Bucket", |xml| match cloud {
                    Cloud::Oss => {
                        describe(xml, bucket);
                        xml.text("Region", bucket.region);
                    }
                    Cloud::S3 => {
                        xml.text("Name", bucket.name);
                        xml.text("CreationDate", &iso8601(bucket.info.created));
                        if page.asked {
                            xml.text("BucketRegion", bucket.region);
                        }
                    }
                });
            }
        });
        if let Some(token) = page.next.as_ref().filter(|_| cloud == Cloud::S3) {
            xml.text("ContinuationToken", token);
        }
        if cloud == Cloud::S3 && !page.prefix.is_empty() {
            xml.text("Prefix", page.prefix);
        }
    });
    xml.finish()
}

/// A bucket in OSS's words.
fn describe(xml: &mut Document, bucket: &BucketEntry<'_>) {
    xml.text("CreationDate", &iso8601(bucket.info.created));
    xml.text("ExtranetEndpoint", bucket.host);
    xml.text("IntranetEndpoint", bucket.host);
    xml.text("Location", &format!("oss-{}", bucket.region));
    xml.text("Name", bucket.name);
    xml.text("StorageClass", bucket.info.storage_class.as_deref().unwrap_or("Standard"));
}

/// `BucketInfo` of OSS.
pub(crate) fn bucket_info_result(bucket: &BucketEntry<'_>) -> String {
    let mut xml = Document::new();
    xml.element("BucketInfo", |xml| {
        xml.element("Bucket", |xml| {
            describe(xml, bucket);
            xml.text("DataRedundancyType", "LRS");
            owner(Cloud::Oss, xml, "Owner");
            xml.element("AccessControlList", |xml| xml.text("Grant", "private"));
        });
    });
    xml.finish()
}

/// `LocationConstraint`. S3 tells its oldest region by no text.
pub(crate) fn location_result(cloud: Cloud, region: &str) -> String {
    let text = match cloud {
        Cloud::S3 if region == "us-east-1" => String::new(),
        Cloud::S3 => region.to_owned(),
        Cloud::Oss => format!("oss-{region}"),
    };
    let mut xml = Document::new();
    xml.text(&root(cloud, "LocationConstraint"), &text);
    xml.finish()
}

/// `VersioningConfiguration` of a bucket that never had versions.
pub(crate) fn versioning_result(cloud: Cloud) -> String {
    let mut xml = Document::new();
    xml.element(&root(cloud, "VersioningConfiguration"), |_| {});
    xml.finish()
}

/// `CORSConfiguration`.
pub(crate) fn cors_result(cloud: Cloud, rules: &CorsRules) -> String {
    let mut xml = Document::new();
    xml.element(&root(cloud, "CORSConfiguration"), |xml| {
        for rule in &rules.rules {
            xml.element("CORSRule", |xml| {
                if let Some(id) = rule.id.as_ref().filter(|_| cloud == Cloud::S3) {
                    xml.text("ID", id);
                }
                rule.headers.iter().for_each(|pattern| xml.text("AllowedHeader", pattern.as_str()));
                rule.methods.iter().for_each(|method| xml.text("AllowedMethod", method));
                rule.origins.iter().for_each(|pattern| xml.text("AllowedOrigin", pattern.as_str()));
                rule.exposed.iter().for_each(|name| xml.text("ExposeHeader", name));
                if let Some(seconds) = rule.max_age {
                    xml.value("MaxAgeSeconds", seconds);
                }
            });
        }
        if cloud == Cloud::Oss {
            xml.value("ResponseVary", rules.always_vary);
        }
    });
    xml.finish()
}

/// `Tagging`.
pub(crate) fn tagging_result(cloud: Cloud, tags: &[(String, String)]) -> String {
    let mut xml = Document::new();
    xml.element(&root(cloud, "Tagging"), |xml| {
        xml.element("TagSet", |xml| {
            for (key, value) in tags {
                xml.element("Tag", |xml| {
                    xml.text("Key", key);
                    xml.text("Value", value);
                });
            }
        });
    });
    xml.finish()
}
