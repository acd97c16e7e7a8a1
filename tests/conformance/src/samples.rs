//! Values to try each constraint with.

use valetkey_core::{
    Acl, ByteRange, Checksum, ChecksumAlgorithm, Constraint, ConstraintName, ContentMd5, ContentType, CustomerKey, Operation, ResponseHeader,
    ServerSideEncryption, StorageClass, Timestamp,
};

use crate::digest;
use crate::scene::Scene;

/// A key that protects nothing.
pub(crate) fn customer_key() -> CustomerKey {
    CustomerKey::from_bytes(b"0123456789abcdef0123456789abcdef")
}

/// Every way to ask for a constraint in this scene, each with the body that keeps it. The list is closed: a constraint without samples does not compile.
pub(crate) fn of(name: ConstraintName, scene: &Scene) -> Vec<Constraint> {
    let text = |text: &str| text.to_owned();
    let body = scene.body.as_slice();
    match name {
        ConstraintName::ContentType => {
            [ContentType::Fixed(text("image/png")), ContentType::Absent, ContentType::Free].into_iter().map(Constraint::ContentType).collect()
        }
        ConstraintName::ContentLength => vec![Constraint::ContentLength(body.len() as u64)],
        ConstraintName::ContentMd5 => vec![Constraint::ContentMd5(ContentMd5::from_bytes(digest::md5(body)))],
        ConstraintName::Checksum => ChecksumAlgorithm::ALL.into_iter().filter_map(|algorithm| checksum(algorithm, body)).collect(),
        // Two blanks: what is reported must be what was asked for, also where the signature would not notice.
        ConstraintName::Metadata => vec![Constraint::Metadata { name: text("Case-Name"), value: text("Two  Words; 50%") }],
        ConstraintName::CacheControl => vec![Constraint::CacheControl(text("private, max-age=60"))],
        ConstraintName::ContentDisposition => vec![Constraint::ContentDisposition(text("inline; filename=\"a b.txt\""))],
        ConstraintName::ContentEncoding => vec![Constraint::ContentEncoding(text("identity"))],
        ConstraintName::ContentLanguage => vec![Constraint::ContentLanguage(text("de, en"))],
        ConstraintName::Expires => Timestamp::from_unix_seconds(1_893_456_000).map(Constraint::Expires).into_iter().collect(),
        ConstraintName::StorageClass => vec![Constraint::StorageClass(StorageClass::InfrequentAccess)],
        ConstraintName::Acl => vec![Constraint::Acl(Acl::Private)],
        ConstraintName::Tag => vec![Constraint::Tag { key: text("team"), value: text("red & blue") }],
        ConstraintName::ServerSideEncryption => {
            [ServerSideEncryption::Aes256, ServerSideEncryption::Kms { key_id: None }].into_iter().map(Constraint::ServerSideEncryption).collect()
        }
        ConstraintName::CustomerKey => vec![Constraint::CustomerKey(customer_key())],
        ConstraintName::CreateOnly => vec![Constraint::CreateOnly],
        ConstraintName::IfMatch => vec![Constraint::IfMatch(scene.etag.clone())],
        ConstraintName::Range => {
            [ByteRange::Bounded { first: 1, last: 3 }, ByteRange::From(5), ByteRange::Last(4)].into_iter().map(Constraint::Range).collect()
        }
        ConstraintName::RequestPayer => vec![Constraint::RequestPayer],
        ConstraintName::ExpectedBucketOwner => vec![Constraint::ExpectedBucketOwner(text("111122223333"))],
        ConstraintName::CopySource => vec![Constraint::CopySource(scene.source.clone())],
        ConstraintName::CopySourceRange => vec![Constraint::CopySourceRange { first: 2, last: 5 }],
        // The name of the one version in a bucket without versions.
        ConstraintName::VersionId => vec![Constraint::VersionId(text("null"))],
        ConstraintName::Response => ResponseHeader::ALL.into_iter().map(|header| Constraint::Response(header, response_value(header))).collect(),
        ConstraintName::DownloadName => vec![Constraint::DownloadName(text("Bericht März (1).pdf"))],
        ConstraintName::UploadId => vec![Constraint::UploadId(scene.upload_id.clone())],
        ConstraintName::PartNumber => vec![Constraint::PartNumber(1)],
        ConstraintName::Prefix => vec![Constraint::Prefix(text("a b/+%2F"))],
        ConstraintName::Delimiter => vec![Constraint::Delimiter(text("/"))],
        ConstraintName::MaxKeys => vec![Constraint::MaxKeys(3)],
        ConstraintName::ContinuationToken => vec![Constraint::ContinuationToken(scene.token.clone())],
        ConstraintName::StartAfter => vec![Constraint::StartAfter(text("a b"))],
        ConstraintName::MaxParts => vec![Constraint::MaxParts(5)],
        ConstraintName::PartNumberMarker => vec![Constraint::PartNumberMarker(0)],
        ConstraintName::Process => vec![Constraint::Process(text("image/resize,w_100"))],
        ConstraintName::TrafficLimit => vec![Constraint::TrafficLimit(838_860_800)],
        ConstraintName::PayloadSha256 => vec![Constraint::PayloadSha256(digest::sha256_hex(body))],
        ConstraintName::Header => vec![Constraint::Header { name: text("X-Trace-Id"), value: text("a=1; b") }],
        ConstraintName::Query => {
            [("x-trace", "a b+c/d"), ("x-empty", "")].into_iter().map(|(name, value)| Constraint::Query { name: text(name), value: text(value) }).collect()
        }
    }
}

fn checksum(algorithm: ChecksumAlgorithm, body: &[u8]) -> Option<Constraint> {
    Checksum::new(algorithm, &digest::checksum(algorithm, body)?).ok().map(Constraint::Checksum)
}

fn response_value(header: ResponseHeader) -> String {
    match header {
        ResponseHeader::CacheControl => "no-store",
        ResponseHeader::ContentDisposition => "attachment; filename=\"x+y.txt\"",
        ResponseHeader::ContentEncoding => "identity",
        ResponseHeader::ContentLanguage => "fr",
        ResponseHeader::ContentType => "text/plain; charset=utf-8",
        ResponseHeader::Expires => "Tue, 01 Jan 2030 00:00:00 GMT",
    }
    .to_owned()
}

/// Whether every provider must bind this for this operation.
pub(crate) fn is_portable(constraint: &Constraint, operation: Operation) -> bool {
    if matches!(operation, Operation::Copy | Operation::UploadPartCopy) {
        return false;
    }
    match constraint {
        Constraint::ContentType(rule) => matches!(rule, ContentType::Fixed(_)),
        // S3 decides this when an upload is completed, OSS when it begins.
        Constraint::CreateOnly => operation == Operation::Put,
        other => matches!(
            other.name(),
            ConstraintName::ContentLength
                | ConstraintName::ContentMd5
                | ConstraintName::Metadata
                | ConstraintName::CacheControl
                | ConstraintName::ContentDisposition
                | ConstraintName::ContentEncoding
                | ConstraintName::StorageClass
                | ConstraintName::Acl
                | ConstraintName::ServerSideEncryption
                | ConstraintName::Range
                | ConstraintName::Response
                | ConstraintName::DownloadName
                | ConstraintName::UploadId
                | ConstraintName::PartNumber
                | ConstraintName::Prefix
                | ConstraintName::Delimiter
                | ConstraintName::MaxKeys
                | ConstraintName::ContinuationToken
                | ConstraintName::MaxParts
                | ConstraintName::PartNumberMarker
        ),
    }
}
