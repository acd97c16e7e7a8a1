//! The list of objects that one request deletes.

use super::{tree::Element, walk::malformed};
use crate::{Cloud, StoreError};

/// The largest list of keys that is read, in bytes: both clouds allow 2 MB.
pub(crate) const MAX_DELETE_BODY: usize = 2 << 20;
/// The most objects that one request deletes, on both clouds.
const MAX_OBJECTS: usize = 1000;

/// What is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeleteRequest {
    /// Tell only what failed.
    pub(crate) quiet: bool,
    /// The objects, in their order.
    pub(crate) objects: Vec<DeleteObject>,
}

/// One object that is to be deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeleteObject {
    pub(crate) key: String,
    pub(crate) version_id: Option<String>,
    /// S3: the ETag that it must have.
    pub(crate) etag: Option<String>,
}

/// Reads a `Delete` body.
pub(crate) fn delete_request(cloud: Cloud, body: &[u8]) -> Result<DeleteRequest, StoreError> {
    let root = Element::read(body, "Delete")?;
    root.allow(&["Quiet", "Object"])?;
    let quiet = match root.text_of("Quiet")?.map(str::trim) {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(malformed("Quiet is true or false")),
    };
    let objects = root.children.iter().filter(|child| child.name == "Object").map(|object| delete_object(cloud, object));
    let objects = objects.collect::<Result<Vec<_>, _>>()?;
    match objects.len() {
        1..=MAX_OBJECTS => Ok(DeleteRequest { quiet, objects }),
        0 => Err(malformed("it has no Object")),
        _ => Err(malformed("it has more than 1000 objects")),
    }
}

fn delete_object(cloud: Cloud, object: &Element) -> Result<DeleteObject, StoreError> {
    // A condition that is not judged would delete what its sender wants to keep.
    if cloud == Cloud::S3 && object.children.iter().any(|child| matches!(child.name.as_str(), "LastModifiedTime" | "Size")) {
        return Err(StoreError::NotImplemented { what: "deleting by time or size" });
    }
    object.allow(match cloud {
        Cloud::S3 => &["Key", "VersionId", "ETag"],
        Cloud::Oss => &["Key", "VersionId"],
    })?;
    let key = object.text_of("Key")?.filter(|key| !key.is_empty()).ok_or_else(|| malformed("an Object has no Key"))?;
    let other = |name| Ok::<_, StoreError>(object.text_of(name)?.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()));
    Ok(DeleteObject { key: key.to_owned(), version_id: other("VersionId")?, etag: other("ETag")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(count: usize) -> String {
        let all: String = (0..count).map(|n| format!("<Object><Key>k{n}</Key></Object>")).collect();
        format!("<Delete>{all}</Delete>")
    }

    #[test]
    fn lists_of_the_sdks() {
        let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n<Quiet>true</Quiet>\
                    <Object><Key> a&amp;b&#x1; </Key><VersionId>null</VersionId><ETag>\"x\"</ETag></Object>\n<Object><Key>c</Key></Object></Delete>";
        let request = delete_request(Cloud::S3, body.as_bytes()).unwrap();
        let first = DeleteObject { key: " a&b\u{1} ".into(), version_id: Some("null".into()), etag: Some("\"x\"".into()) };
        assert_eq!(request, DeleteRequest { quiet: true, objects: vec![first, DeleteObject { key: "c".into(), ..Default::default() }] });
        assert_eq!(delete_request(Cloud::Oss, objects(1000).as_bytes()).unwrap().objects.len(), 1000);
    }

    #[test]
    fn lists_that_are_refused() {
        let many = objects(1001);
        let one = "<Object><Key>k</Key></Object>";
        let wrap = |inside: &str| format!("<Delete>{inside}</Delete>");
        for body in [
            &many,
            "",
            "<Delete/>",
            &wrap("<Object/>"),
            &wrap("<Object><Key/></Object>"),
            &wrap("<Object><Key>a</Key><Key>b</Key></Object>"),
            &wrap("<Object><Key><b/></Key></Object>"),
            &wrap("<Object><Key>a</Key><Other/></Object>"),
            &wrap(&format!("{one}<Quiet>yes</Quiet>")),
            &wrap(&format!("{one}<Quiet>true</Quiet><Quiet>true</Quiet>")),
            &wrap(&format!("{one}text")),
            &wrap(&format!("{one}<Other/>")),
            "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><Delete><Object><Key>&b;</Key></Object></Delete>",
            &wrap("<Object><Key>&b;</Key></Object>"),
        ] {
            for cloud in [Cloud::S3, Cloud::Oss] {
                assert!(matches!(delete_request(cloud, body.as_bytes()), Err(StoreError::MalformedXml { .. })), "{cloud:?} {body:.80}");
            }
        }
        let etag = wrap("<Object><Key>a</Key><ETag>x</ETag></Object>");
        assert!(delete_request(Cloud::Oss, etag.as_bytes()).is_err());
        let size = wrap("<Object><Key>a</Key><Size>1</Size></Object>");
        assert!(matches!(delete_request(Cloud::S3, size.as_bytes()), Err(StoreError::NotImplemented { .. })));
    }
}
