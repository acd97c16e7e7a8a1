//! Presigners that break one promise about forms each.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use valetkey_core::post_policy::{FormCondition, KeyRule, MAX_FILE_BYTES, PolicyError, ValueRule};
use valetkey_core::{FormFields, LifeError, ObjectKey, PostPolicy, PresignError, PresignOptions, PresignedPost, Presigner};

use super::Saboteur;
use crate::report::Module;

/// How a promise about forms is broken.
#[derive(Clone, Copy)]
pub(super) enum Trick {
    /// Something else is signed, and reported.
    Policy(fn(&PostPolicy) -> PostPolicy),
    /// Something else is signed, and the honest form is reported around it.
    Pretend(fn(&PostPolicy) -> PostPolicy),
    /// Something else is reported.
    Form(fn(&mut PresignedPost)),
    /// What was refused is signed all the same, as something else.
    Despite(fn(&PresignError, &PostPolicy, &PresignOptions) -> Option<(PostPolicy, PresignOptions)>),
    /// Another life is signed than the honest one, which is reported.
    Life(fn(&PresignedPost) -> Option<PresignOptions>),
}

impl Trick {
    pub(super) async fn presign_post(self, honest: &dyn Presigner, policy: &PostPolicy, options: &PresignOptions) -> Result<PresignedPost, PresignError> {
        match self {
            Self::Policy(rewrite) => honest.presign_post(&rewrite(policy), options).await,
            Self::Pretend(rewrite) => {
                let mut reported = honest.presign_post(policy, options).await?;
                let signed = honest.presign_post(&rewrite(policy), options).await?;
                take_signature(&mut reported, &signed);
                Ok(reported)
            }
            Self::Form(rewrite) => {
                let mut form = honest.presign_post(policy, options).await?;
                rewrite(&mut form);
                Ok(form)
            }
            Self::Despite(retry) => match honest.presign_post(policy, options).await {
                Ok(form) => Ok(form),
                Err(error) => match retry(&error, policy, options) {
                    Some((policy, options)) => honest.presign_post(&policy, &options).await,
                    None => Err(error),
                },
            },
            Self::Life(other) => {
                let mut reported = honest.presign_post(policy, options).await?;
                if let Some(options) = other(&reported) {
                    take_signature(&mut reported, &honest.presign_post(policy, &options).await?);
                }
                Ok(reported)
            }
        }
    }
}

const fn new(name: &'static str, trick: Trick) -> Saboteur {
    Saboteur { name, module: Module::Posts, needs_token: false, trick: super::Trick::Form(trick) }
}

const fn policy(name: &'static str, rewrite: fn(&PostPolicy) -> PostPolicy) -> Saboteur {
    new(name, Trick::Policy(rewrite))
}

const fn pretend(name: &'static str, rewrite: fn(&PostPolicy) -> PostPolicy) -> Saboteur {
    new(name, Trick::Pretend(rewrite))
}

const fn form(name: &'static str, rewrite: fn(&mut PresignedPost)) -> Saboteur {
    new(name, Trick::Form(rewrite))
}

const fn despite(name: &'static str, retry: fn(&PresignError, &PostPolicy, &PresignOptions) -> Option<(PostPolicy, PresignOptions)>) -> Saboteur {
    new(name, Trick::Despite(retry))
}

pub(super) const FORMS: &[Saboteur] = &[
    // Which object.
    pretend("widens-the-prefix", |policy| with_prefix(policy, |prefix| parent(prefix).to_owned(), false)),
    pretend("leaves-the-slash-out-of-the-prefix", |policy| with_prefix(policy, |prefix| prefix.trim_end_matches('/').to_owned(), true)),
    pretend("takes-a-prefix-for-a-key", |policy| match policy.key() {
        KeyRule::Exact(key) => rebuilt(PostPolicy::for_open_prefix(key.as_str()), policy),
        _ => policy.clone(),
    }),
    policy("lower-cases-keys-of-forms", |policy| with_key(policy, str::to_ascii_lowercase)),
    policy("decodes-keys-of-forms", |policy| with_key(policy, |key| key.replace("%2F", "/").replace("%20", " "))),
    policy("calls-every-object-as-the-file", |policy| match policy.key() {
        KeyRule::Prefix { prefix, open: false, .. } => rebuilt(PostPolicy::for_prefix(prefix.as_str()), policy),
        _ => policy.clone(),
    }),
    despite("completes-a-prefix-with-a-slash", |error, policy, options| {
        let is_open = matches!(error, PresignError::Policy(PolicyError::Unsafe { condition: "key", .. }));
        is_open.then(|| (with_prefix(policy, |prefix| format!("{prefix}/"), false), *options))
    }),
    // Conditions.
    pretend("forgets-the-size", |policy| without(policy, "content-length")),
    policy("takes-a-byte-more", |policy| with_sizes(policy, |(min, max)| (min, if max < MAX_FILE_BYTES { max + 1 } else { max }))),
    pretend("takes-an-empty-file", |policy| with_sizes(policy, |(_, max)| (0, max))),
    despite("clamps-the-size", |error, policy, options| {
        size_error(error).then(|| (with_sizes(policy, |(min, max)| (min.min(9), max.min(MAX_FILE_BYTES))), *options))
    }),
    form("tells-of-a-larger-file", |form| form.file_limits.max += 1),
    form("forgets-to-tell-the-type", |form| form.file_limits.content_type = None),
    policy("forgets-the-type", |policy| without(policy, "content-type")),
    pretend("takes-every-type", |policy| {
        map(policy, |condition| match condition {
            FormCondition::ContentType(ValueRule::Prefix(_)) => Some(FormCondition::ContentType(ValueRule::Prefix(String::new()))),
            other => Some(other),
        })
    }),
    policy("takes-the-first-of-a-list", |policy| {
        map(policy, |condition| match condition {
            FormCondition::ContentType(ValueRule::OneOf(values)) if !values.is_empty() => Some(FormCondition::ContentType(ValueRule::Exact(values[0].clone()))),
            other => Some(other),
        })
    }),
    pretend("sends-metadata-that-it-does-not-sign", |policy| without(policy, "metadata")),
    policy("drops-the-metadata-of-forms", |policy| without(policy, "metadata")),
    policy("keeps-only-the-first-metadata-of-a-form", |policy| {
        let mut seen = 0;
        map(policy, |condition| {
            seen += i32::from(condition.name() == "metadata");
            (condition.name() != "metadata" || seen == 1).then_some(condition)
        })
    }),
    policy("drops-raw-conditions", |policy| without(policy, "condition")),
    policy("drops-create-only-of-forms", |policy| without(policy, "create-only")),
    policy("drops-the-status", |policy| without(policy, "success-status")),
    policy("drops-the-redirect", |policy| without(policy, "success-redirect")),
    policy("drops-the-encryption", |policy| without(policy, "server-side-encryption")),
    despite("drops-what-a-form-cannot-do", |error, policy, options| match error {
        PresignError::Policy(PolicyError::Unsupported { condition, .. }) => Some((without(policy, condition), *options)),
        _ => None,
    }),
    despite("drops-what-stands-twice", |error, policy, options| match error {
        PresignError::Duplicate { .. } => {
            let mut seen: Vec<&'static str> = Vec::new();
            let once = map(policy, |condition| {
                let is_new = !seen.contains(&condition.name());
                seen.push(condition.name());
                is_new.then_some(condition)
            });
            Some((once, *options))
        }
        _ => None,
    }),
    // Fields.
    form("adds-a-field-that-no-condition-names", |form| rewrite_fields(form, |fields| fields.push(("x-client".to_owned(), "1".to_owned())))),
    form("leaves-a-field-out", |form| rewrite_fields(form, |fields| drop(fields.remove(1)))),
    form("sends-a-field-twice", |form| {
        rewrite_fields(form, |fields| {
            let first = fields[0].clone();
            fields.push(first);
        });
    }),
    form("puts-the-file-among-the-fields", |form| rewrite_fields(form, |fields| fields.push(("file".to_owned(), String::new())))),
    form("moves-the-policy-into-the-url", |form| {
        let policy = form.fields.value("policy").unwrap_or_default().to_owned();
        form.url.push_str(&format!("?policy={policy}"));
        rewrite_fields(form, |fields| fields.retain(|(name, _)| name != "policy"));
    }),
    form("writes-the-signature-in-upper-case", |form| change_field(form, "-signature", |value| value.make_ascii_uppercase())),
    form("writes-the-policy-for-urls", |form| change_field(form, "policy", |value| *value = value.replace('+', "-").replace('/', "_").replace('=', ""))),
    form("does-not-tell-what-is-open", |form| form.open_fields.retain(|open| open.name() == "key")),
    form("tells-that-the-key-is-fixed", |form| form.open_fields.retain(|open| open.name() != "key")),
    Saboteur {
        needs_token: true,
        ..form("leaves-the-token-out", |form| rewrite_fields(form, |fields| fields.retain(|(name, _)| !name.ends_with("-security-token"))))
    },
    // The result.
    form("sends-forms-to-the-object", |form| form.url.push_str("posts/x")),
    form("is-never-the-same-twice", |form| {
        static CALLS: AtomicU64 = AtomicU64::new(0);
        form.notes.push(format!("this is call {} of the presigner", CALLS.fetch_add(1, Ordering::SeqCst)).into());
    }),
    // Life.
    form("reports-another-end-of-a-form", |form| form.expiration = form.expiration.checked_add(60).unwrap_or(form.expiration)),
    form("reports-another-signing-time-of-a-form", |form| form.signed_at = form.signed_at.checked_add(1).unwrap_or(form.signed_at)),
    new("signs-forms-for-longer", Trick::Life(|form| Some(PresignOptions::new().signed_at(form.signed_at).expires_at(form.expiration.checked_add(1)?)))),
    new("signs-forms-of-an-hour-ago", Trick::Life(|form| Some(PresignOptions::new().signed_at(form.signed_at).expires_in(Duration::from_secs(3600))))),
    despite("clamps-the-life-of-a-form", |error, policy, _| match error {
        PresignError::Life(LifeError::OverProviderMaximum { max, .. }) => {
            Some((policy.clone(), PresignOptions::new().expires_in(Duration::from_secs(u64::from(*max)))))
        }
        _ => None,
    }),
];

/// The signed text of one form in another.
fn take_signature(reported: &mut PresignedPost, signed: &PresignedPost) {
    rewrite_fields(reported, |fields| {
        for (name, value) in fields {
            if name == "policy" || name.ends_with("-signature") {
                signed.fields.value(name).unwrap_or_default().clone_into(value);
            }
        }
    });
}

fn rewrite_fields(form: &mut PresignedPost, change: impl FnOnce(&mut Vec<(String, String)>)) {
    let mut fields: Vec<_> = form.fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    change(&mut fields);
    form.fields = fields.into_iter().collect::<FormFields>();
}

fn change_field(form: &mut PresignedPost, end: &str, change: impl Fn(&mut String)) {
    rewrite_fields(form, |fields| fields.iter_mut().filter(|(name, _)| name.ends_with(end)).for_each(|(_, value)| change(value)));
}

/// The conditions of one policy on the keys of another.
fn rebuilt(key: PostPolicy, policy: &PostPolicy) -> PostPolicy {
    policy.conditions().iter().cloned().fold(key, PostPolicy::with)
}

fn map(policy: &PostPolicy, change: impl FnMut(FormCondition) -> Option<FormCondition>) -> PostPolicy {
    let key = match policy.key() {
        KeyRule::Prefix { prefix, open: true, name } => PostPolicy::for_open_prefix(prefix.as_str()).object_name(name.as_str()),
        KeyRule::Prefix { prefix, name, .. } => PostPolicy::for_prefix(prefix.as_str()).object_name(name.as_str()),
        KeyRule::Exact(key) => PostPolicy::for_key(key.clone()),
        _ => return policy.clone(),
    };
    policy.conditions().iter().cloned().filter_map(change).fold(key, PostPolicy::with)
}

fn without(policy: &PostPolicy, name: &str) -> PostPolicy {
    map(policy, |condition| (condition.name() != name).then_some(condition))
}

fn with_sizes(policy: &PostPolicy, change: impl Fn((u64, u64)) -> (u64, u64)) -> PostPolicy {
    map(policy, |condition| match condition {
        FormCondition::ContentLength { min, max } => {
            let (min, max) = change((min, max));
            Some(FormCondition::ContentLength { min, max })
        }
        other => Some(other),
    })
}

fn size_error(error: &PresignError) -> bool {
    matches!(error, PresignError::Policy(PolicyError::Unsafe { condition: "content-length", .. }))
}

fn with_prefix(policy: &PostPolicy, change: impl FnOnce(&str) -> String, open: bool) -> PostPolicy {
    match policy.key() {
        KeyRule::Prefix { prefix, name, .. } if prefix.len() > 1 => {
            let prefix = change(prefix);
            let key = if open { PostPolicy::for_open_prefix(prefix) } else { PostPolicy::for_prefix(prefix) };
            rebuilt(key.object_name(name.as_str()), policy)
        }
        _ => policy.clone(),
    }
}

/// `a/b/` to `a/`; a prefix of one part stays.
fn parent(prefix: &str) -> &str {
    let at = prefix.trim_end_matches('/').rfind('/').map_or(prefix.len(), |at| at + 1);
    prefix.get(..at).unwrap_or(prefix)
}

fn with_key(policy: &PostPolicy, change: impl Fn(&str) -> String) -> PostPolicy {
    match policy.key() {
        KeyRule::Exact(key) => ObjectKey::new(change(key.as_str())).map_or_else(|_| policy.clone(), |key| rebuilt(PostPolicy::for_key(key), policy)),
        _ => policy.clone(),
    }
}
