//! How an upload is cut, and which of its requests says what.

use valetkey_core::{Constraint, ObjectKey, ObjectRequest, Operation};

use crate::transfer::MAX_OBJECT;
use crate::transfer::engine::Cloud;
use crate::transfer::error::TransferError;

/// The most parts of an upload.
const MAX_PARTS: u64 = 10_000;
/// The largest part, and the largest PUT.
const MAX_PART: u64 = 5 << 30;
/// What a raised part size is a multiple of.
const STEP: u64 = 1 << 20;

/// The parts of an upload: all of one size, but for the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    size: u64,
    part_size: u64,
}

impl Cut {
    /// Checks the part size and raises it so that the number of parts is enough. `None` where one PUT does.
    pub(super) fn new(cloud: Cloud, size: u64, part_size: u64) -> Result<Option<Self>, TransferError> {
        let (least, name) = match cloud {
            Cloud::S3 => (5 << 20, "S3"),
            Cloud::Oss => (100 << 10, "OSS"),
        };
        if !(least..=MAX_PART).contains(&part_size) {
            return Err(TransferError::InvalidRequest { reason: format!("parts have {least} to {MAX_PART} bytes on {name}, and {part_size} were asked for") });
        }
        if size > MAX_OBJECT {
            return Err(TransferError::TooLarge { size, max: MAX_OBJECT });
        }
        let needed = size.div_ceil(MAX_PARTS);
        let raised = if needed > part_size { needed.next_multiple_of(STEP) } else { part_size };
        Ok((size > part_size).then_some(Self { size, part_size: raised }))
    }

    /// All in one part.
    pub(super) const fn whole(size: u64) -> Self {
        Self { size, part_size: if size > 0 { size } else { 1 } }
    }

    /// The cut of an upload that began earlier, if it is one.
    pub(super) fn resumed(size: u64, part_size: u64) -> Option<Self> {
        let is_cut = part_size > 0 && part_size <= MAX_PART && size > part_size && size.div_ceil(part_size) <= MAX_PARTS;
        is_cut.then_some(Self { size, part_size })
    }

    pub(super) const fn part_size(self) -> u64 {
        self.part_size
    }

    /// How many parts.
    pub(super) fn count(self) -> u32 {
        u32::try_from(self.size.div_ceil(self.part_size)).unwrap_or(u32::MAX)
    }

    /// First byte and length of a part, which are counted from 1.
    pub(super) fn part(self, number: u32) -> (u64, u64) {
        let start = u64::from(number.saturating_sub(1)).saturating_mul(self.part_size);
        (start, self.size.saturating_sub(start).min(self.part_size))
    }
}

/// The requests of an upload, made of the PUT that the caller described.
#[derive(Debug, Clone)]
pub(super) struct Requests {
    key: ObjectKey,
    /// As it was given, but for its length.
    whole: Vec<Constraint>,
}

/// Which requests of an upload in parts say a thing.
enum Place {
    Create,
    Parts,
    Complete,
    Every,
    /// All that carry or make the object's bytes.
    Keyed,
    Nowhere(&'static str),
}

const OF_ONE_BODY: &str = "it is about the bytes of one request; leave it out, or raise the part size so that one request does";

impl Requests {
    /// Takes the caller's PUT apart. A length that it says must be the one of the source.
    pub(super) fn new(request: &ObjectRequest, size: u64) -> Result<Self, TransferError> {
        let invalid = |reason: String| TransferError::InvalidRequest { reason };
        let (Operation::Put, Some(key)) = (request.operation(), request.key()) else {
            return Err(invalid(format!("an upload is described by a put, and this is `{}`", request.operation())));
        };
        let mut whole = Vec::with_capacity(request.constraints().len());
        for constraint in request.constraints() {
            match constraint {
                Constraint::ContentLength(length) if *length != size => {
                    return Err(invalid(format!("the request says {length} bytes and there are {size}")));
                }
                Constraint::ContentLength(_) => {}
                other => whole.push(other.clone()),
            }
        }
        Ok(Self { key: key.clone(), whole })
    }

    /// The PUT of all bytes.
    pub(super) fn put(&self, size: u64) -> ObjectRequest {
        self.whole.iter().cloned().fold(ObjectRequest::put(self.key.clone()), ObjectRequest::with).content_length(size)
    }

    /// Refuses what an upload in parts cannot keep.
    pub(super) fn check_parts(&self) -> Result<(), TransferError> {
        self.whole.iter().try_for_each(|constraint| match place(constraint) {
            Place::Nowhere(reason) => Err(TransferError::NotInParts { constraint: written(constraint), reason }),
            _ => Ok(()),
        })
    }

    pub(super) fn create(&self) -> ObjectRequest {
        self.with(ObjectRequest::create_multipart(self.key.clone()), |place| matches!(place, Place::Create | Place::Every | Place::Keyed))
    }

    pub(super) fn part(&self, upload_id: &str, number: u32, length: u64) -> ObjectRequest {
        let request = ObjectRequest::upload_part(self.key.clone(), upload_id, number).content_length(length);
        self.with(request, |place| matches!(place, Place::Parts | Place::Every | Place::Keyed))
    }

    /// On S3 the store refuses to complete an object of another size, before there is one.
    pub(super) fn complete(&self, cloud: Cloud, upload_id: &str, size: u64) -> ObjectRequest {
        let request = ObjectRequest::complete_multipart(self.key.clone(), upload_id);
        let request = self.with(request, |place| matches!(place, Place::Complete | Place::Every | Place::Keyed));
        match cloud {
            Cloud::S3 => request.header("x-amz-mp-object-size", size.to_string()),
            Cloud::Oss => request,
        }
    }

    pub(super) fn list_parts(&self, upload_id: &str, after: u32) -> ObjectRequest {
        let request = self.with(ObjectRequest::list_parts(self.key.clone(), upload_id), |place| matches!(place, Place::Every));
        let request = request.with(Constraint::MaxParts(1000));
        if after > 0 { request.with(Constraint::PartNumberMarker(after)) } else { request }
    }

    pub(super) fn abort(&self, upload_id: &str) -> ObjectRequest {
        self.with(ObjectRequest::abort_multipart(self.key.clone(), upload_id), |place| matches!(place, Place::Every))
    }

    /// Asks for what was stored.
    pub(super) fn head(&self, cloud: Cloud) -> ObjectRequest {
        let request = self.with(ObjectRequest::head(self.key.clone()), |place| matches!(place, Place::Every | Place::Keyed));
        match cloud {
            Cloud::S3 => request.header("x-amz-checksum-mode", "ENABLED"),
            Cloud::Oss => request,
        }
    }

    fn with(&self, request: ObjectRequest, takes: impl Fn(Place) -> bool) -> ObjectRequest {
        self.whole.iter().filter(|constraint| takes(place(constraint))).cloned().fold(request, ObjectRequest::with)
    }
}

fn place(constraint: &Constraint) -> Place {
    match constraint {
        Constraint::ContentMd5(_) | Constraint::Checksum(_) | Constraint::PayloadSha256(_) => Place::Nowhere(OF_ONE_BODY),
        // The object is made when the upload is completed, and there both clouds check this.
        Constraint::CreateOnly | Constraint::IfMatch(_) => Place::Complete,
        Constraint::RequestPayer | Constraint::ExpectedBucketOwner(_) => Place::Every,
        Constraint::CustomerKey(_) => Place::Keyed,
        Constraint::TrafficLimit(_) => Place::Parts,
        Constraint::Query { .. } => Place::Nowhere("a raw parameter belongs to one request, and nothing says to which; leave it out, or raise the part size"),
        Constraint::Header { name, .. } => place_of_header(&name.to_ascii_lowercase()),
        // What makes no sense for an upload at all is refused by name when the creation is signed.
        _ => Place::Create,
    }
}

/// A header describes the object unless it is known to do something else.
fn place_of_header(name: &str) -> Place {
    match name {
        "if-match" | "if-none-match" | "x-oss-forbid-overwrite" | "x-oss-callback" | "x-oss-callback-var" => Place::Complete,
        "x-amz-request-payer" | "x-oss-request-payer" | "x-amz-expected-bucket-owner" => Place::Every,
        "x-oss-traffic-limit" => Place::Parts,
        "content-length" | "content-md5" | "x-amz-content-sha256" | "x-amz-sdk-checksum-algorithm" | "x-oss-hash-crc64ecma" | "x-amz-trailer" => {
            Place::Nowhere(OF_ONE_BODY)
        }
        _ if name.starts_with("x-amz-server-side-encryption-customer-") => Place::Keyed,
        _ if name.starts_with("x-amz-checksum-") => Place::Nowhere(OF_ONE_BODY),
        _ => Place::Create,
    }
}

fn written(constraint: &Constraint) -> String {
    match constraint {
        Constraint::Header { name, .. } | Constraint::Query { name, .. } => format!("{} {}", constraint.name(), name.escape_debug()),
        other => other.name().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use valetkey_core::{ContentMd5, CustomerKey};

    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn parts_are_cut_within_the_clouds_limits() {
        let cut = |cloud, size, part_size| Cut::new(cloud, size, part_size).map(|cut| cut.map(|cut| (cut.part_size(), cut.count())));
        for (cloud, size, part_size, want) in [
            (Cloud::S3, 0, 64 * MIB, None),
            (Cloud::S3, 64 * MIB, 64 * MIB, None),
            (Cloud::S3, 64 * MIB + 1, 64 * MIB, Some((64 * MIB, 2))),
            (Cloud::Oss, 1_000_000, 102_400, Some((102_400, 10))),
            (Cloud::S3, 640_000 * MIB, 64 * MIB, Some((64 * MIB, 10_000))),
            (Cloud::S3, 640_000 * MIB + 1, 64 * MIB, Some((65 * MIB, 9847))),
            (Cloud::S3, 5 << 40, 5 * MIB, Some((525 * MIB, 9987))),
            (Cloud::Oss, 5 << 40, 5 << 30, Some((5 << 30, 1024))),
        ] {
            assert_eq!(cut(cloud, size, part_size).unwrap(), want, "{cloud:?} {size} {part_size}");
        }
        for (cloud, size, part_size, want) in [
            (Cloud::S3, 1, 5 * MIB - 1, "5242880 to 5368709120 bytes on S3"),
            (Cloud::Oss, 1, 102_399, "102400 to 5368709120 bytes on OSS"),
            (Cloud::S3, 1, (5 << 30) + 1, "5242880 to 5368709120 bytes on S3"),
            (Cloud::S3, (5 << 40) + 1, 64 * MIB, "5497558138881 bytes are more than an object may have"),
        ] {
            let error = cut(cloud, size, part_size).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        }
    }

    #[test]
    fn the_parts_are_the_whole() {
        for (size, part_size) in [(10 * MIB + 1, 5 * MIB), (10 * MIB, 5 * MIB), (5 * MIB + 1, 5 * MIB)] {
            let cut = Cut::new(Cloud::S3, size, part_size).unwrap().unwrap();
            let end = (1..=cut.count()).fold(0, |next, number| {
                let (start, length) = cut.part(number);
                assert!(start == next && length > 0);
                start + length
            });
            assert_eq!(end, size);
        }
    }

    fn requests(change: impl FnOnce(ObjectRequest) -> ObjectRequest) -> Requests {
        Requests::new(&change(ObjectRequest::put("k".parse().unwrap())), 7).unwrap()
    }

    fn names(request: &ObjectRequest) -> String {
        request.constraints().iter().map(written).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_request_says_what_it_is_for() {
        let requests = requests(|put| {
            let put = put.content_type("a/b").metadata("m", "v").create_only().request_payer().traffic_limit(819_200);
            put.customer_key(CustomerKey::from_bytes(&[7; 32])).header("X-Amz-Website-Redirect-Location", "/x").content_length(7)
        });
        requests.check_parts().unwrap();
        for (request, want) in [
            (requests.create(), "content-type metadata request-payer customer-key header X-Amz-Website-Redirect-Location"),
            (requests.part("u", 1, 5), "part-number upload-id content-length request-payer traffic-limit customer-key"),
            (requests.complete(Cloud::Oss, "u", 7), "upload-id create-only request-payer customer-key"),
            (requests.complete(Cloud::S3, "u", 7), "upload-id create-only request-payer customer-key header x-amz-mp-object-size"),
            (requests.list_parts("u", 0), "upload-id request-payer max-parts"),
            (requests.list_parts("u", 9), "upload-id request-payer max-parts part-number-marker"),
            (requests.abort("u"), "upload-id request-payer"),
            (requests.head(Cloud::Oss), "request-payer customer-key"),
        ] {
            assert_eq!(names(&request), want);
        }
        assert_eq!(requests.put(7).constraints().len(), 8);
    }

    #[test]
    fn what_parts_cannot_keep_is_named() {
        let md5 = || ContentMd5::from_bytes([0; 16]);
        let cases: [(Requests, &str); 6] = [
            (requests(|put| put.content_md5(md5())), "`content-md5` cannot be kept"),
            (requests(|put| put.checksum("crc32=4waSgw==".parse().unwrap())), "`checksum` cannot be kept"),
            (requests(|put| put.payload_sha256("00")), "`payload-sha256` cannot be kept"),
            (requests(|put| put.header("X-Amz-Checksum-Sha256", "x")), "`header X-Amz-Checksum-Sha256` cannot be kept"),
            (requests(|put| put.header("x-oss-hash-crc64ecma", "1")), "`header x-oss-hash-crc64ecma` cannot be kept"),
            (requests(|put| put.query("x-id", "PutObject")), "`query x-id` cannot be kept"),
        ];
        for (requests, want) in cases {
            let error = requests.check_parts().unwrap_err().to_string();
            assert!(error.starts_with(want), "{error}");
        }
    }

    #[test]
    fn only_a_put_of_this_length_is_an_upload() {
        let error = |request: ObjectRequest| Requests::new(&request, 7).unwrap_err().to_string();
        let key = || "k".parse::<ObjectKey>().unwrap();
        assert!(error(ObjectRequest::get(key())).contains("this is `get`"));
        assert!(error(ObjectRequest::put(key()).content_length(8)).contains("says 8 bytes and there are 7"));
    }
}
