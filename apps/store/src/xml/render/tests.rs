use std::sync::Arc;

use super::*;
use crate::objects::{Attributes, ListQuery, Listing, Place};

fn info(key: &str) -> ObjectInfo {
    ObjectInfo {
        key: key.into(),
        size: 3,
        etag: "900150983cd24fb0d6963f7d28e17f72".into(),
        last_modified: 1_369_353_600,
        crc64_ecma: 7,
        checksums: Default::default(),
        parts: None,
        upload: None,
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
    let next = Some(Place::Key("a b&".into()));
    let listing = Listing { objects: vec![Arc::new(info("a b&\u{1}"))], common_prefixes: vec!["x/".into()], next };
    let query = ListQuery { prefix: "a ".into(), delimiter: "/".into(), max_keys: 2, ..Default::default() };
    let kind = ListKind::Second { start_after: "", token: Some("T"), with_owner: false };
    let page = ListPage { bucket: "media", query: &query, listing: &listing, kind, url_encoded: false };
    let s3 = list_result(Cloud::S3, &page);
    let token = listing.next.as_ref().unwrap().token("media");
    for part in [
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>media</Name><Prefix>a </Prefix><ContinuationToken>T</ContinuationToken><KeyCount>2</KeyCount><MaxKeys>2</MaxKeys><Delimiter>/</Delimiter>",
        &format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>"),
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
fn a_listing_of_the_first_version() {
    let listing = Listing { objects: vec![Arc::new(info("a"))], common_prefixes: vec!["x/".into()], next: Some(Place::CommonPrefix("x/".into())) };
    let plain = ListQuery { max_keys: 2, ..Default::default() };
    let grouped = ListQuery { delimiter: "/".into(), ..plain.clone() };
    let show = |cloud, query: &ListQuery| {
        let page = ListPage { bucket: "media", query, listing: &listing, kind: ListKind::First { marker: "0" }, url_encoded: false };
        list_result(cloud, &page)
    };
    let next = "<NextMarker>x/</NextMarker>";
    assert!(show(Cloud::S3, &grouped).contains(next) && show(Cloud::Oss, &grouped).contains(next) && show(Cloud::Oss, &plain).contains(next));
    assert!(!show(Cloud::S3, &plain).contains("NextMarker"), "S3 tells it only beside a delimiter");
    for cloud in [Cloud::S3, Cloud::Oss] {
        let text = show(cloud, &plain);
        assert!(text.contains("<Marker>0</Marker>") && text.contains("<Owner><ID>") && !text.contains("KeyCount"), "{text}");
    }
}

#[test]
fn what_came_of_many() {
    let outcomes = [Deleted { key: "a&".into(), error: None }, Deleted { key: "b".into(), error: Some(StoreError::NoSuchVersion { version_id: "1".into() }) }];
    let loud = delete_result(Cloud::Oss, &outcomes, false, true);
    assert!(loud.contains("<EncodingType>url</EncodingType><Deleted><Key>a%26</Key></Deleted><Error><Key>b</Key><Code>NoSuchVersion</Code>"), "{loud}");
    let quiet = delete_result(Cloud::S3, &outcomes, true, false);
    assert!(!quiet.contains("Deleted>") && quiet.contains("<Error><Key>b</Key>"), "{quiet}");
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
