//! What is signed: a policy of flags, or a text as it stands.

use std::path::Path;

use valetkey::post_policy::{FILE_NAME, FormCondition, MAX_FILE_BYTES, MAX_POLICY_BYTES, PolicyError, ValueRule};
use valetkey::{Acl, ObjectKey, PostPolicy, PresignError, PresignOptions, PresignedPost, StorageClass};

use crate::args::{LifeArgs, PolicyArgs, PostArgs, TypeRule};
use crate::error::CliError;
use crate::input;
use crate::location::Signer;

/// Where the policy comes from.
pub(super) enum Source {
    Flags(PostPolicy),
    Text { text: String, key: Option<ObjectKey> },
}

impl Source {
    pub(super) fn of(args: &PostArgs, key: Option<&str>) -> Result<Self, CliError> {
        let Some(file) = &args.policy else {
            return Ok(Self::Flags(from_flags(&args.rules, key)?));
        };
        if let Some(flag) = given(&args.rules, &args.life) {
            return Err(CliError::usage("usage", format!("`{flag}` would change the policy, which --policy signs as it stands; leave one of them out")));
        }
        // As without a policy: what ends in `/` is a prefix.
        let key = key.map(|key| if key.ends_with('/') { format!("{key}{FILE_NAME}") } else { key.to_owned() });
        let key = key.map(ObjectKey::new).transpose().map_err(PresignError::from)?;
        Ok(Self::Text { text: read(file)?, key })
    }

    pub(super) fn sign(&self, signer: &Signer, options: &PresignOptions) -> Result<PresignedPost, PresignError> {
        match self {
            Self::Flags(policy) => signer.sign_post(policy, options),
            Self::Text { text, key } => {
                let form = signer.sign_policy(text, key.as_ref())?;
                match options.requested_signing_time() {
                    Some(at) if at != form.signed_at => {
                        let reason = format!("its own date is {}, and --at says {at}; leave --at out", form.signed_at);
                        Err(PolicyError::Mismatch { reason }.into())
                    }
                    _ => Ok(form),
                }
            }
        }
    }
}

fn from_flags(rules: &PolicyArgs, key: Option<&str>) -> Result<PostPolicy, CliError> {
    let Some(key) = key else {
        return Err(CliError::usage("missing_key", "`post` needs an object key, or a prefix that ends in `/`; name it after the bucket or store"));
    };
    let mut policy = if rules.open_prefix {
        PostPolicy::for_open_prefix(key)
    } else if key.ends_with('/') {
        PostPolicy::for_prefix(key)
    } else {
        PostPolicy::for_key(ObjectKey::new(key).map_err(PresignError::from)?)
    };
    if rules.min_size.is_some() || rules.max_size.is_some() {
        policy = policy.content_length(rules.min_size.unwrap_or_default()..=rules.max_size.unwrap_or(MAX_FILE_BYTES));
    }
    let mut conditions: Vec<FormCondition> = Vec::new();
    conditions.extend(rules.content_type.clone().map(|rule| {
        FormCondition::ContentType(match rule {
            TypeRule::Exact(value) => ValueRule::Exact(value),
            TypeRule::Prefix(prefix) => ValueRule::Prefix(prefix),
            TypeRule::OneOf(values) => ValueRule::OneOf(values),
        })
    }));
    conditions.extend(rules.acl.as_deref().map(acl));
    conditions.extend(rules.meta.iter().map(|(name, value)| FormCondition::Metadata { name: name.clone(), rule: ValueRule::Exact(value.clone()) }));
    conditions.extend(rules.success_status.map(FormCondition::SuccessStatus));
    conditions.extend(rules.redirect.clone().map(FormCondition::SuccessRedirect));
    conditions.extend(rules.cache_control.clone().map(FormCondition::CacheControl));
    conditions.extend(rules.content_disposition.clone().map(FormCondition::ContentDisposition));
    conditions.extend(rules.storage_class.clone().map(|word| FormCondition::StorageClass(StorageClass::Other(word))));
    conditions.extend(rules.create_only.then_some(FormCondition::CreateOnly));
    Ok(conditions.into_iter().fold(policy, PostPolicy::with))
}

fn acl(word: &str) -> FormCondition {
    let known = [Acl::Private, Acl::PublicRead, Acl::PublicReadWrite].into_iter().find(|acl| acl.as_str() == word);
    FormCondition::Acl(known.unwrap_or_else(|| Acl::Other(word.to_owned())))
}

/// The first flag that says something about the policy.
fn given(rules: &PolicyArgs, life: &LifeArgs) -> Option<&'static str> {
    let PolicyArgs {
        max_size,
        min_size,
        content_type,
        acl,
        meta,
        success_status,
        redirect,
        cache_control,
        content_disposition,
        storage_class,
        create_only,
        open_prefix,
    } = rules;
    // The signing time is the policy's own, and may be said again.
    let LifeArgs { expires, expires_at, at: _ } = life;
    let flags = [
        ("--max-size", max_size.is_some()),
        ("--min-size", min_size.is_some()),
        ("--content-type", content_type.is_some()),
        ("--acl", acl.is_some()),
        ("--meta", !meta.is_empty()),
        ("--success-status", success_status.is_some()),
        ("--redirect", redirect.is_some()),
        ("--cache-control", cache_control.is_some()),
        ("--content-disposition", content_disposition.is_some()),
        ("--storage-class", storage_class.is_some()),
        ("--create-only", *create_only),
        ("--open-prefix", *open_prefix),
        ("--expires", expires.is_some()),
        ("--expires-at", expires_at.is_some()),
    ];
    flags.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
}

fn read(file: &Path) -> Result<String, CliError> {
    let bytes = input::read(file, "--policy", MAX_POLICY_BYTES as u64)?;
    String::from_utf8(bytes).map_err(|_| CliError::usage("invalid_policy", format!("{} is not UTF-8, which a policy is", input::name(file))))
}
