//! A signed upload form: everything that a browser needs to send one file, and nothing that it has to guess.

mod fields;
mod html;

pub use fields::{FormFields, OpenField};

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::key::ObjectKey;
use crate::operation::Method;
use crate::options::{ExpirationReason, Validity};
use crate::post_policy::{PolicyError, SizeLimits, ValueRule};
use crate::presigned::push_quoted;
use crate::time::Timestamp;

/// A signed form: send `fields` in their order as `multipart/form-data`, then a value for each of `open_fields` that is not among them, then the file as
/// `file`, last.
///
/// Whoever has the fields may upload until the form ends, so Debug shows no value of them.
///
/// In JSON: `method`, `url`, `signed_at`, `expiration`, `expiration_reason`, `fields`, `file_limits`, `open_fields`, `notes`.
#[derive(Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct PresignedPost {
    /// `POST`
    pub method: Method,
    /// The bucket. No part of it is signed, but the policy names the bucket.
    pub url: String,
    /// The moment that was signed.
    pub signed_at: Timestamp,
    /// The last second in which an upload may begin.
    pub expiration: Timestamp,
    /// What decided the end.
    pub expiration_reason: ExpirationReason,
    /// The fields to send, in this order and exactly so. The file goes after them.
    pub fields: FormFields,
    /// Which files the policy takes.
    pub file_limits: FileLimits,
    /// The fields whose value the client chooses within a rule. `key` stands among `fields`, too, and may be sent as it stands there; of the others the
    /// client must send a value, or the store refuses the form. A field that stands here twice has two rules and is sent once.
    pub open_fields: Vec<OpenField>,
    /// What the provider does not enforce, or has not been verified to.
    pub notes: Vec<Cow<'static, str>>,
    /// The field that decides the object's type under this provider.
    #[serde(skip)]
    type_field: &'static str,
}

/// Which files a form takes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct FileLimits {
    /// The fewest bytes.
    pub min: u64,
    /// The most bytes.
    pub max: u64,
    /// The type, in the words of HTML's attribute `accept`: `image/png`, `image/*`, `image/png,image/jpeg`. `None` where the policy says nothing of it.
    pub content_type: Option<String>,
}

impl FileLimits {
    /// Judges a size before it is sent.
    ///
    /// # Errors
    /// [`PolicyError::Refused`].
    pub fn check(&self, size: u64) -> Result<(), PolicyError> {
        let limits = SizeLimits { min: self.min, max: self.max };
        limits.check(size).map_err(|error| PolicyError::Refused { field: "file".into(), reason: error.to_string() })
    }
}

impl PresignedPost {
    #[inline]
    pub(crate) fn new(
        url: String,
        validity: Validity,
        fields: FormFields,
        file_limits: FileLimits,
        open_fields: Vec<OpenField>,
        notes: Vec<Cow<'static, str>>,
        type_field: &'static str,
    ) -> Self {
        Self {
            method: Method::Post,
            url,
            signed_at: validity.signed_at(),
            expiration: validity.expiration(),
            expiration_reason: validity.expiration_reason(),
            fields,
            file_limits,
            open_fields,
            notes,
            type_field,
        }
    }

    /// Whether a field is the object's type.
    fn is_type(&self, field: &str) -> bool {
        field.eq_ignore_ascii_case(self.type_field) || field.eq_ignore_ascii_case("content-type")
    }

    /// Gives an open field its value.
    ///
    /// # Errors
    /// [`PolicyError::Refused`] when the form has no such open field, or its rule refuses the value: the store would, too.
    ///
    /// ```
    /// # fn fill(form: valetkey_core::PresignedPost) -> Result<(), valetkey_core::post_policy::PolicyError> {
    /// let form = form.fill("key", "uploads/7/portrait.png")?.fill_content_type("image/png")?;
    /// # let _ = form;
    /// # Ok(())
    /// # }
    /// ```
    pub fn fill(mut self, field: &str, value: &str) -> Result<Self, PolicyError> {
        let refused = |reason: &str| PolicyError::Refused { field: field.to_string(), reason: reason.to_string() };
        if !field.eq_ignore_ascii_case("key") && value.chars().any(char::is_control) {
            return Err(refused("it has a control character"));
        }
        let mut rules = self.open_fields.iter().filter(|open| open.name().eq_ignore_ascii_case(field)).peekable();
        let Some(first) = rules.peek() else {
            return Err(refused("it is not open"));
        };
        let name = first.name().to_string();
        if let Some(rule) = rules.find(|open| !open.takes(value)) {
            return Err(refused(&format!("it {}", rule.describe())));
        }
        if name.eq_ignore_ascii_case("key") {
            ObjectKey::new(value).map_err(|error| refused(&error.to_string()))?;
        }
        self.fields.set(&name, value);
        Ok(self)
    }

    /// Gives the object its type, where the form leaves it open; a form that fixes the type takes only that one.
    ///
    /// # Errors
    /// [`PolicyError::Refused`] when the form refuses the type.
    pub fn fill_content_type(self, value: &str) -> Result<Self, PolicyError> {
        if let Some(open) = self.open_fields.iter().find(|open| self.is_type(open.name())) {
            let name = open.name().to_string();
            return self.fill(&name, value);
        }
        let refused = |reason: String| Err(PolicyError::Refused { field: "content-type".into(), reason });
        match &self.file_limits.content_type {
            None => refused("the form sets no type; name one in the policy".into()),
            Some(_) if self.fields.iter().any(|(name, fixed)| self.is_type(name) && fixed == value) => Ok(self),
            Some(fixed) => refused(format!("the form fixes it to `{fixed}`")),
        }
    }

    /// The open fields that have no value yet, each once: where several rules narrow one field, the first whose example the others take.
    pub fn unfilled(&self) -> impl Iterator<Item = &OpenField> {
        self.open_fields.iter().filter(|open| {
            let rules = || self.open_fields.iter().filter(|other| other.name().eq_ignore_ascii_case(open.name()));
            let shown = rules().find(|one| rules().all(|rule| rule.takes(one.example()))).or_else(|| rules().next());
            self.fields.value_ignoring_case(open.name()).is_none() && shown.is_some_and(|shown| core::ptr::eq(shown, *open))
        })
    }

    /// The form as one line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Only maps with keys that are no text can fail, and there are none.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A page with the form: it works without a script, is labelled for screen readers, and escapes every value. Open fields are inputs.
    ///
    /// Browsers turn the line ends of a value into CR LF, so a key that holds one cannot be sent by any HTML form.
    #[must_use]
    pub fn to_html(&self) -> String {
        html::page(self)
    }

    /// A `curl` command that a POSIX shell runs as it stands. No value is interpreted by curl or the shell. Of open fields without a value the type is
    /// written as `TYPE`, which stands for one, and others begin as their rule does: edit them.
    #[must_use]
    pub fn to_curl(&self, file: &str) -> String {
        let mut line = String::from("curl --globoff");
        // The prefix of a type would be taken, and be no type.
        let open = self.unfilled().map(|open| {
            let is_free_type = self.is_type(open.name()) && matches!(open.rule(), ValueRule::Prefix(_));
            (open.name(), if is_free_type { "TYPE" } else { open.example() })
        });
        for (name, value) in self.fields.iter().chain(open) {
            line.push_str(" --form-string ");
            push_quoted(&mut line, &format!("{name}={value}"));
        }
        line.push_str(" --form ");
        // Quoted for curl, too: it reads `;` and `,` in the name of a file.
        push_quoted(&mut line, &format!("file=@\"{}\"", file.replace('\\', "\\\\").replace('"', "\\\"")));
        line.push(' ');
        push_quoted(&mut line, &self.url);
        line
    }
}

/// Neither values nor signature.
impl fmt::Debug for PresignedPost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PresignedPost")
            .field("url", &self.url)
            .field("signed_at", &self.signed_at)
            .field("expiration", &self.expiration)
            .field("expiration_reason", &self.expiration_reason)
            .field("fields", &self.fields)
            .field("file_limits", &self.file_limits)
            .field("open_fields", &self.open_fields)
            .field("notes", &self.notes)
            .finish()
    }
}
