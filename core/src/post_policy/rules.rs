//! How the forms of one provider are named and judged: data, so that one judge serves all.

/// The names and habits of one provider's forms.
#[derive(Debug, Clone, Copy)]
pub struct FormRules {
    /// The provider's name in messages.
    pub provider: &'static str,
    /// The field that names the algorithm, and its one value.
    pub algorithm: (&'static str, &'static str),
    /// The field of the credential.
    pub credential: &'static str,
    /// The field of the signing time.
    pub date: &'static str,
    /// The field of the session token.
    pub token: &'static str,
    /// The field of the signature.
    pub signature: &'static str,
    /// The service of the credential scope.
    pub service: &'static str,
    /// The last part of the credential scope.
    pub scope_end: &'static str,
    /// The field that decides the object's type.
    pub content_type: &'static str,
    /// What the fields of user metadata begin with.
    pub metadata_prefix: &'static str,
    /// Whether the expiration is written with milliseconds, as the provider's samples do.
    pub milliseconds: bool,
    /// Whether a policy must name the bucket.
    pub needs_bucket: bool,
    /// Whether the operators `in` and `not-in` exist.
    pub lists: bool,
    /// Whether the bounds of a size may be written as texts.
    pub numeric_texts: bool,
    /// Whether a content type with commas is a list, of which each item must match a prefix.
    pub comma_lists: bool,
    /// When `${filename}` becomes the name of the file.
    pub file_name: FileNameRule,
    /// Whether a field (lower case) takes no prefix.
    pub exact_only: fn(&str) -> bool,
    /// Whether a field (lower case) may stand in the form without a condition.
    pub uncovered: fn(&str) -> bool,
    /// Whether a field (lower case) belongs to another way of signing.
    pub foreign: fn(&str) -> bool,
    /// The fields that a holder of the form may add and that change what the object is, where no condition names them.
    pub floating: &'static [&'static str],
    /// The longest time between the signing time and the end, seconds.
    pub max_life: u32,
    /// What a later expiration means.
    pub beyond_maximum: BeyondMaximum,
    /// The most bytes of names and values that a form may have before its file.
    pub max_before_file: usize,
}

/// When `${filename}` becomes the name of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileNameRule {
    /// In every field, before the conditions are judged: what follows the last `/` or `\` of the name.
    EveryFieldBefore,
    /// In the key alone, after the conditions are judged: the name as it was sent.
    KeyAfterwards,
}

/// What an expiration beyond the longest life means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeyondMaximum {
    /// The form is refused.
    Refused,
    /// The form ends earlier than its policy says.
    EndsEarlier,
}

impl FormRules {
    /// The fields that must be there and pinned by a condition.
    #[must_use]
    pub const fn pinned(&self) -> [&'static str; 3] {
        [self.algorithm.0, self.credential, self.date]
    }

    /// Whether the signer sets a field (lower case) itself, or the form is no form without it.
    #[must_use]
    pub fn owns(&self, lower_case: &str) -> bool {
        matches!(lower_case, "key" | "bucket" | "policy" | "file")
            || [self.algorithm.0, self.credential, self.date, self.token, self.signature].contains(&lower_case)
            || (self.foreign)(lower_case)
    }
}
