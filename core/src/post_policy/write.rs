//! The policy as it is signed.

use alloc::borrow::Cow;

use serde::ser::{Serialize, SerializeSeq, SerializeStruct, Serializer};

use super::condition::{Bound, Condition};
use super::draft::FormDraft;
use super::values::ValueRule;
use crate::presigned_post::OpenField;

/// The policy as it is signed: what is fixed and what is open, each a condition.
pub(super) struct Document<'a> {
    pub(super) expiration: &'a str,
    pub(super) bucket: &'a str,
    pub(super) draft: &'a FormDraft,
}

fn as_condition(open: &OpenField) -> Condition<'_> {
    let name = open.name();
    match open.rule() {
        ValueRule::Exact(value) => Condition::eq(name, value.as_str()),
        ValueRule::Prefix(prefix) => Condition::starts_with(name, prefix.as_str()),
        ValueRule::OneOf(values) => Condition::In { field: Cow::Borrowed(name), values: Cow::Borrowed(values) },
        ValueRule::NoneOf(values) => Condition::NotIn { field: Cow::Borrowed(name), values: Cow::Borrowed(values) },
    }
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut policy = serializer.serialize_struct("Policy", 2)?;
        policy.serialize_field("expiration", self.expiration)?;
        policy.serialize_field("conditions", &Conditions(self))?;
        policy.end()
    }
}

struct Conditions<'a>(&'a Document<'a>);

impl Serialize for Conditions<'_> {
    /// Bucket and key first, then the size, what the client chooses, and what is fixed.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Document { bucket, draft, .. } = self.0;
        let mut list = serializer.serialize_seq(None)?;
        list.serialize_element(&Condition::eq("bucket", *bucket))?;
        let is_key = |open: &&OpenField| open.name() == "key";
        for open in draft.open.iter().take_while(is_key) {
            list.serialize_element(&as_condition(open))?;
        }
        let mut fields = draft.fields.iter();
        // The key is the first field; open, it has its rules.
        let key = fields.next().filter(|_| !draft.open.iter().take(1).any(|open| is_key(&open)));
        if let Some((name, value)) = key {
            list.serialize_element(&Condition::eq(name, value))?;
        }
        if draft.limits_size {
            let (min, max) = (Bound::Bytes(draft.limits.min), Bound::Bytes(draft.limits.max));
            list.serialize_element(&Condition::ContentLengthRange { min, max })?;
        }
        for open in draft.open.iter().skip_while(is_key) {
            list.serialize_element(&as_condition(open))?;
        }
        for (name, value) in fields {
            list.serialize_element(&Condition::eq(name, value))?;
        }
        list.end()
    }
}
