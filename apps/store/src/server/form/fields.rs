//! What the fields of a form say of the object, as the headers that would say the same: what holds of a PUT holds of a form.

use http::{HeaderMap, HeaderName, HeaderValue};
use valetkey_core::verify::VerifiedForm;

use crate::{Cloud, StoreError, server::headers::prefix, xml};

/// Fields that are called as their headers are.
const PLAIN: [&str; 6] = ["cache-control", "content-disposition", "content-encoding", "content-language", "content-md5", "expires"];

/// The headers of a PUT that writes the same object. `part_type` is what the client says of the file's type.
pub(super) fn as_headers(cloud: Cloud, form: &VerifiedForm, part_type: Option<&str>) -> Result<HeaderMap, StoreError> {
    let mut headers = HeaderMap::new();
    for (field, value) in form.fields() {
        let lower = field.to_ascii_lowercase();
        match (cloud, lower.as_str()) {
            (Cloud::S3, "acl") => append(&mut headers, "x-amz-acl", value)?,
            (Cloud::S3, "tagging") => append(&mut headers, "x-amz-tagging", &xml::tagging(value)?)?,
            (_, "x-oss-content-type") => {}
            (_, name) if PLAIN.contains(&name) || name.starts_with(prefix(cloud)) => append(&mut headers, name, value)?,
            _ => {}
        }
    }
    // An HTML form cannot leave the type of a file's part out, so S3 does not look at it; OSS does.
    let content_type = match cloud {
        Cloud::S3 => form.field("content-type"),
        Cloud::Oss => form.field("x-oss-content-type").or(part_type).or(form.field("content-type")),
    };
    if let Some(content_type) = content_type {
        append(&mut headers, "content-type", content_type)?;
    }
    Ok(headers)
}

/// Appends, so that a header that two fields stand for is refused as one that stands twice.
fn append(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), StoreError> {
    let invalid = |reason| StoreError::InvalidArgument { name: "field", value: name.chars().take(100).collect(), reason };
    let header = HeaderName::try_from(name).map_err(|_| invalid("no header can have this name"))?;
    let value = HeaderValue::from_bytes(value.trim().as_bytes()).map_err(|_| invalid("no header can have this value"))?;
    headers.append(header, value);
    Ok(())
}
