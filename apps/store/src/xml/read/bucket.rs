//! What a new bucket shall be.

use super::{tree::Element, walk::malformed};
use crate::{Cloud, StoreError};

/// The largest body of a request that makes a bucket, in bytes.
pub(crate) const MAX_BUCKET_BODY: usize = 16 << 10;

/// What a `CreateBucketConfiguration` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BucketRequest {
    /// S3: the region.
    pub(crate) location: Option<String>,
    /// OSS: the storage class of objects that name none.
    pub(crate) storage_class: Option<String>,
}

/// Reads the body of a request that makes a bucket; none is as good as one that says nothing.
pub(crate) fn bucket_request(cloud: Cloud, body: &[u8]) -> Result<BucketRequest, StoreError> {
    if body.is_empty() {
        return Ok(BucketRequest::default());
    }
    let root = Element::read(body, "CreateBucketConfiguration")?;
    let text = |name| Ok::<_, StoreError>(root.text_of(name)?.map(|text| text.trim().to_owned()));
    match cloud {
        Cloud::S3 => {
            if root.children.iter().any(|child| matches!(child.name.as_str(), "Location" | "Bucket" | "Tags")) {
                return Err(StoreError::NotImplemented { what: "directory buckets and tags of buckets" });
            }
            root.allow(&["LocationConstraint"])?;
            let location = text("LocationConstraint")?.filter(|location| !location.is_empty());
            Ok(BucketRequest { location, storage_class: None })
        }
        Cloud::Oss => {
            root.allow(&["StorageClass", "DataRedundancyType", "LocationConstraint"])?;
            let storage_class = text("StorageClass")?;
            const CLASSES: [&str; 5] = ["Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"];
            if storage_class.as_deref().is_some_and(|class| !CLASSES.contains(&class)) {
                return Err(malformed("StorageClass is no class of OSS"));
            }
            if text("DataRedundancyType")?.is_some_and(|kind| kind != "LRS" && kind != "ZRS") {
                return Err(malformed("DataRedundancyType is LRS or ZRS"));
            }
            Ok(BucketRequest { location: text("LocationConstraint")?, storage_class })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_new_bucket_shall_be() {
        let body = |inside: &str| format!("<CreateBucketConfiguration xmlns=\"x\">{inside}</CreateBucketConfiguration>");
        let s3 = |inside: &str| bucket_request(Cloud::S3, body(inside).as_bytes());
        let oss = |inside: &str| bucket_request(Cloud::Oss, body(inside).as_bytes());
        assert_eq!(s3(" <LocationConstraint> eu-central-1\n</LocationConstraint>\n").unwrap().location.as_deref(), Some("eu-central-1"));
        assert_eq!(s3("<LocationConstraint/>").unwrap(), BucketRequest::default());
        assert_eq!(bucket_request(Cloud::S3, b"").unwrap(), BucketRequest::default());
        assert_eq!(oss("<StorageClass>IA</StorageClass><DataRedundancyType>LRS</DataRedundancyType>").unwrap().storage_class.as_deref(), Some("IA"));
        for inside in [
            "x",
            "<LocationConstraint>a</LocationConstraint><LocationConstraint>b</LocationConstraint>",
            "<LocationConstraint><b/></LocationConstraint>",
            "<StorageClass>IA</StorageClass>",
            "<Other/>",
        ] {
            assert!(matches!(s3(inside), Err(StoreError::MalformedXml { .. })), "{inside}");
        }
        for inside in ["<StorageClass>STANDARD</StorageClass>", "<DataRedundancyType>x</DataRedundancyType>", "<Bucket/>"] {
            assert!(matches!(oss(inside), Err(StoreError::MalformedXml { .. })), "{inside}");
        }
        assert!(matches!(s3("<Tags/>"), Err(StoreError::NotImplemented { .. })));
        let deep = format!("{}{}", "<CreateBucketConfiguration>".repeat(100_000), "</CreateBucketConfiguration>".repeat(100_000));
        let attributes = format!("<CreateBucketConfiguration {}/>", (0..80_000).map(|n| format!("a{n}=\"x\" ")).collect::<String>());
        let namespaces = format!("<CreateBucketConfiguration {}/>", "xmlns:a=\"b\" ".repeat(1_000_000));
        for body in ["<Other/>", "<CreateBucketConfiguration>", "<!DOCTYPE a><CreateBucketConfiguration/>", "\u{0}", &deep, &attributes, &namespaces] {
            assert!(matches!(bucket_request(Cloud::S3, body.as_bytes()), Err(StoreError::MalformedXml { .. })), "{}", body.len());
        }
        assert!(bucket_request(Cloud::S3, b"\xff").is_err());
    }
}
