use std::sync::Arc;

use super::*;
use crate::{StoreError, objects::Attributes};

fn info(key: &str) -> ObjectInfo {
    ObjectInfo {
        key: key.into(),
        size: 3,
        etag: "900150983cd24fb0d6963f7d28e17f72".into(),
        last_modified: 1_369_353_600,
        crc64_ecma: 7,
        checksums: Default::default(),
        parts: None,
        attributes: Attributes::default(),
    }
}

#[test]
fn an_error_of_each_cloud() {
    let answer = StoreError::NoSuchKey { key: "<script>".into() }.answer(Cloud::S3).ec("0026-00000001");
    let body = ErrorBody { cloud: Cloud::S3, refusal: &answer, request_id: "R", host_id: "H" };
    assert_eq!(
        error(&body),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>\
         <Key>&lt;script&gt;</Key><RequestId>R</RequestId><HostId>H</HostId></Error>"
    );
    assert_eq!(
        error(&ErrorBody { cloud: Cloud::Oss, ..body }),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>\
         <RequestId>R</RequestId><HostId>H</HostId><Key>&lt;script&gt;</Key><EC>0026-00000001</EC></Error>"
    );
}

#[test]
fn a_listing_of_each_cloud() {
    let listing = Listing { objects: vec![Arc::new(info("a b&\u{1}"))], common_prefixes: vec!["x/".into()], next: Some("T".into()) };
    let query = ListQuery { prefix: "a ".into(), delimiter: "/".into(), max_keys: 2, ..Default::default() };
    let page = ListPage { bucket: "media", query: &query, listing: &listing, url_encoded: false };
    let s3 = list_result(Cloud::S3, &page);
    for part in [
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>media</Name><Prefix>a </Prefix><KeyCount>2</KeyCount><MaxKeys>2</MaxKeys><Delimiter>/</Delimiter>",
        "<IsTruncated>true</IsTruncated><NextContinuationToken>T</NextContinuationToken>",
        "<Contents><Key>a b&amp;&#x1;</Key><LastModified>2013-05-24T00:00:00.000Z</LastModified><ETag>&quot;900150983cd24fb0d6963f7d28e17f72&quot;</ETag><Size>3</Size><StorageClass>STANDARD</StorageClass></Contents>",
        "<CommonPrefixes><Prefix>x/</Prefix></CommonPrefixes></ListBucketResult>",
    ] {
        assert!(s3.contains(part), "{part}\n{s3}");
    }
    let oss = list_result(Cloud::Oss, &ListPage { url_encoded: true, ..page });
    for part in [
        "<ListBucketResult><Name>",
        "<Prefix>a%20</Prefix>",
        "<EncodingType>url</EncodingType>",
        "<Key>a%20b%26%01</Key>",
        "900150983CD24FB0D6963F7D28E17F72",
        "<Type>Normal</Type>",
    ] {
        assert!(oss.contains(part), "{part}\n{oss}");
    }
}

#[test]
fn results_of_an_upload() {
    let upload = UploadInfo { id: "U".into(), ..UploadInfo::new("media", "a&b", Attributes::default(), 0) };
    let initiate = initiate_result(Cloud::Oss, &upload, false);
    assert!(
        initiate.ends_with("<InitiateMultipartUploadResult><Bucket>media</Bucket><Key>a&amp;b</Key><UploadId>U</UploadId></InitiateMultipartUploadResult>"),
        "{initiate}"
    );
    let result = CompleteResult { location: "http://127.0.0.1/media/a", bucket: "media", info: &info("a&b"), url_encoded: false };
    assert!(complete_result(Cloud::S3, &result).contains("<Location>http://127.0.0.1/media/a</Location><Bucket>media</Bucket><Key>a&amp;b</Key><ETag>"));
    let part = PartInfo {
        number: 2,
        size: 5,
        md5: [0; 16],
        last_modified: 0,
        crc64_ecma: 9,
        checksums: [(crate::digest::Algorithm::Crc32, "AAAAAA==".into())].into(),
    };
    let page = PartListing { upload: Arc::new(upload), parts: vec![Arc::new(part)], next: Some(2) };
    let s3 = list_parts_result(Cloud::S3, &page, 1, 1, false);
    assert!(
        s3.contains(
            "<PartNumberMarker>1</PartNumberMarker><NextPartNumberMarker>2</NextPartNumberMarker><MaxParts>1</MaxParts><IsTruncated>true</IsTruncated>"
        ),
        "{s3}"
    );
    assert!(s3.contains("<ChecksumCRC32>AAAAAA==</ChecksumCRC32>"), "{s3}");
    assert!(list_parts_result(Cloud::Oss, &page, 0, 1, false).contains("<HashCrc64ecma>9</HashCrc64ecma>"));
    assert!(copy_part_result(Cloud::S3, &page.parts[0]).contains("<CopyPartResult "));
    assert!(copy_object_result(Cloud::Oss, &info("a")).contains("<CopyObjectResult><LastModified>2013-05-24T00:00:00.000Z</LastModified>"));
}
