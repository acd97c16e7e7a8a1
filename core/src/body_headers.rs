//! The headers that nearly all signed uploads have, without the way that every other constraint takes.

use alloc::string::String;

use crate::constraint::Constraint;
use crate::encode::holds_for_all;
use crate::operation::Operation;
use crate::presigned::SignedHeaders;
use crate::request::ObjectRequest;
use crate::values::ContentType;

/// Length, MD5 and type of a body, of a request that binds nothing else.
///
/// They have the same names on every cloud, and their order is known, so that nothing has to be collected, sorted or compared. It is made only of requests
/// that need neither a remark nor a change of a value: [`Bindings`](crate::binding::Bindings) would give the same headers. All others are checked there,
/// and those with an error get it there.
///
/// ```
/// use valetkey_core::{BodyHeaders, ObjectRequest, SignedHeaders};
///
/// let request = ObjectRequest::put("a.png".parse()?).content_type("image/png").content_length(5);
/// let headers = BodyHeaders::of(&request).unwrap();
/// let mut signed = SignedHeaders::new();
/// headers.push(&mut signed);
/// assert_eq!(signed.as_lines(), "content-length:5\ncontent-type:image/png\n");
/// assert!(BodyHeaders::of(&request.metadata("owner", "7")).is_none());
/// # Ok::<(), valetkey_core::KeyError>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct BodyHeaders<'a> {
    length: Option<u64>,
    md5: Option<&'a str>,
    media_type: Option<&'a str>,
}

impl<'a> BodyHeaders<'a> {
    /// How many [sets](Self::set) there are.
    pub const SETS: usize = 8;

    /// The headers of a request that reads, writes or deletes one object and binds none but these; `None` of every other.
    #[must_use]
    #[inline]
    pub fn of(request: &'a ObjectRequest) -> Option<Self> {
        let operation = request.operation();
        if !matches!(operation, Operation::Get | Operation::Head | Operation::Put | Operation::Delete) || request.key().is_none() {
            return None;
        }
        let mut headers = Self::default();
        for constraint in request.constraints() {
            match constraint {
                Constraint::ContentLength(bytes) if operation.has_body() && headers.length.is_none() => headers.length = Some(*bytes),
                Constraint::ContentMd5(md5) if operation.has_body() && headers.md5.is_none() => headers.md5 = Some(md5.as_str()),
                Constraint::ContentType(ContentType::Fixed(value)) if headers.media_type.is_none() && is_plain(value) => headers.media_type = Some(value),
                _ => return None,
            }
        }
        Some(headers)
    }

    /// Which of them are there: 1 the length, 2 the MD5, 4 the type, added up.
    #[must_use]
    #[inline]
    pub const fn set(&self) -> usize {
        (self.length.is_some() as usize) | ((self.md5.is_some() as usize) << 1) | ((self.media_type.is_some() as usize) << 2)
    }

    /// Whether the length is among them.
    #[must_use]
    pub const fn has_length(&self) -> bool {
        self.length.is_some()
    }

    /// Whether the type is among them.
    #[must_use]
    pub const fn fixes_type(&self) -> bool {
        self.media_type.is_some()
    }

    /// Appends them to headers that come before them by their names.
    #[inline]
    pub fn push(&self, signed: &mut SignedHeaders) {
        let mut digits = itoa::Buffer::new();
        let headers = [("content-length:", self.length.map(|bytes| digits.format(bytes))), ("content-md5:", self.md5), ("content-type:", self.media_type)];
        let of = |(name, value): &(&str, Option<&str>)| value.map_or(0, |value| name.len().saturating_add(value.len()).saturating_add(1));
        let lines = signed.with_room_for(headers.iter().map(of).fold(0, usize::saturating_add));
        for (name, value) in headers {
            if let Some(value) = value {
                push_line(lines, name, value);
            }
        }
    }
}

#[inline]
fn push_line(lines: &mut String, name: &str, value: &str) {
    lines.push_str(name);
    lines.push_str(value);
    lines.push('\n');
}

/// Visible characters of ASCII alone: nothing to trim, to fold, to note or to refuse.
#[inline]
fn is_plain(value: &str) -> bool {
    !value.is_empty() && holds_for_all(value, |byte| byte.wrapping_sub(b'!') <= b'~' - b'!')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::ObjectKey;
    use crate::values::ContentMd5;

    fn key() -> ObjectKey {
        "k".parse().unwrap()
    }

    #[test]
    fn each_set_is_written_in_the_order_of_names() {
        let lines = ["content-length:0\n", "content-md5:AAAAAAAAAAAAAAAAAAAAAA==\n", "content-type:image/png\n"];
        for set in 0..BodyHeaders::SETS {
            let mut request = ObjectRequest::put(key());
            // The last comes first, so that the order is not that of the request.
            if set & 4 != 0 {
                request = request.content_type("image/png");
            }
            if set & 2 != 0 {
                request = request.with(Constraint::ContentMd5(ContentMd5::from_bytes([0; 16])));
            }
            if set & 1 != 0 {
                request = request.content_length(0);
            }
            let headers = BodyHeaders::of(&request).unwrap();
            assert_eq!((headers.set(), headers.has_length(), headers.fixes_type()), (set, set & 1 != 0, set & 4 != 0));
            let mut signed = SignedHeaders::new();
            headers.push(&mut signed);
            let wanted: String = lines.iter().enumerate().filter(|(at, _)| set & (1 << at) != 0).map(|(_, line)| *line).collect();
            assert_eq!(signed.as_lines(), wanted);
        }
    }

    /// What needs a check, a remark or a change of its value, and what has an error.
    #[test]
    fn all_other_requests_are_left_to_the_bindings() {
        let put = || ObjectRequest::put(key());
        for request in [
            ObjectRequest::list(),
            ObjectRequest::new(Operation::Put, None),
            ObjectRequest::upload_part(key(), "id", 1),
            ObjectRequest::create_multipart(key()),
            ObjectRequest::get(key()).content_length(1),
            put().content_length(1).content_length(1),
            put().content_type("a/b").content_type("a/b"),
            put().content_type_absent(),
            put().content_type(""),
            put().content_type(" a/b"),
            put().content_type("a/b; c"),
            put().content_type("a/\u{e9}"),
            put().content_type("a/b\n"),
            put().content_type("a/b\u{7f}"),
            put().metadata("owner", "7"),
            put().header("content-length", "1"),
            put().query("a", "b"),
        ] {
            assert!(BodyHeaders::of(&request).is_none(), "{request:?}");
        }
    }
}
