//! Signatures of policies, calculated by crates that the library does not use: `aws-sigv4` for S3 and `aws-lc-rs` for OSS.

use aws_lc_rs::hmac;
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};

/// `x-amz-signature` of a policy field as it is sent. `date` is that of the scope: `20240229`.
pub(crate) fn s3(secret: &str, date: &str, region: &str, policy: &str) -> String {
    let (year, rest) = date.split_at(4);
    let (month, day) = rest.split_at(2);
    let midnight = humantime::parse_rfc3339(&format!("{year}-{month}-{day}T00:00:00Z")).unwrap();
    calculate_signature(generate_signing_key(secret, midnight, region, "s3"), policy.as_bytes())
}

/// `x-oss-signature` of a policy field as it is sent. `date` is that of the scope: `20240229`.
///
/// The chain of keys is that of <https://www.alibabacloud.com/help/en/oss/developer-reference/signature-version-4-recommend>.
pub(crate) fn oss(secret: &str, date: &str, region: &str, policy: &str) -> String {
    let start = format!("aliyun_v4{secret}").into_bytes();
    let key = [date, region, "oss", "aliyun_v4_request"].iter().fold(start, |key, part| mac(&key, part));
    mac(&key, policy).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}
