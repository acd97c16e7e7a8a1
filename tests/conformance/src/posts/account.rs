//! What a policy must become: its conditions, the fields of the form and what is told of them. Nothing dropped, changed or added.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use valetkey_core::post_policy::{Callback, FormCondition, KeyRule, MAX_FILE_BYTES, ValueRule};
use valetkey_core::{PostPolicy, PresignedPost, ServerSideEncryption, StorageClass, Timestamp, encode};

use super::Forms;
use crate::report::ensure;

/// One condition of a policy text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) operator: String,
    /// In lower case, without `$`; empty for the size.
    pub(super) field: String,
    pub(super) operand: Value,
}

impl Rule {
    fn new(operator: &str, field: &str, operand: Value) -> Self {
        Self { operator: operator.to_owned(), field: field.to_ascii_lowercase(), operand }
    }

    fn eq(field: &str, value: impl Into<Value>) -> Self {
        Self::new("eq", field, value.into())
    }

    fn of(field: &str, rule: &ValueRule) -> Result<Self, String> {
        Ok(match rule {
            ValueRule::Exact(value) => Self::eq(field, value.as_str()),
            ValueRule::Prefix(prefix) => Self::new("starts-with", field, json!(prefix)),
            ValueRule::OneOf(values) => Self::new("in", field, json!(values)),
            ValueRule::NoneOf(values) => Self::new("not-in", field, json!(values)),
            _ => return Err(UNKNOWN.to_owned()),
        })
    }

    /// `{"field":"value"}` or `["operator","$field",operand]`
    fn read(value: &Value) -> Option<Self> {
        if let Value::Object(map) = value {
            let (field, value) = map.iter().next().filter(|_| map.len() == 1)?;
            return value.as_str().map(|value| Self::eq(field, value));
        }
        let list = value.as_array().filter(|list| list.len() == 3)?;
        let operator = list.first()?.as_str()?;
        if operator == "content-length-range" {
            return Some(Self::new(operator, "", json!([list.get(1)?, list.get(2)?])));
        }
        Some(Self::new(operator, list.get(1)?.as_str()?.strip_prefix('$')?, list.get(2)?.clone()))
    }

    /// What a client must send, where that is one text.
    fn value(&self) -> Option<&str> {
        self.operand.as_str().filter(|_| self.operator == "eq")
    }
}

const UNKNOWN: &str = "the suite does not know this condition";

/// The conditions in a policy text, and its end.
pub(super) fn read_policy(signed: &PresignedPost) -> Result<(Vec<Rule>, Timestamp), String> {
    let base64 = signed.fields.value("policy").ok_or("there is no field `policy`")?;
    let bytes = BASE64.decode(base64).map_err(|error| format!("the policy is not base64: {error}"))?;
    let policy: Value = serde_json::from_slice(&bytes).map_err(|error| format!("the policy is not JSON: {error}"))?;
    let mut members: Vec<&String> = policy.as_object().into_iter().flat_map(|members| members.keys()).collect();
    members.sort_unstable();
    ensure(members == ["conditions", "expiration"], || format!("the members of the policy are {members:?}"))?;
    let conditions = policy["conditions"].as_array().ok_or("the conditions are no list")?;
    let rules: Option<Vec<Rule>> = conditions.iter().map(Rule::read).collect();
    let text = policy["expiration"].as_str().unwrap_or_default();
    let end = text.replace(".000Z", "Z").parse().map_err(|error| format!("the policy ends at `{text}`: {error}"))?;
    Ok((rules.ok_or("a condition has neither of its two shapes")?, end))
}

/// Compares a signed form with what was asked for. Gives the conditions that were asked for, without those of the signature.
pub(super) fn account(forms: &Forms<'_>, policy: &PostPolicy, signed: &PresignedPost) -> Result<Vec<Rule>, String> {
    let (mut found, end) = read_policy(signed)?;
    ensure(end == signed.expiration, || format!("expiration is reported as {}; the policy ends at {end}", signed.expiration))?;
    let asked = asked(forms, policy, signed)?;
    let own = signature_rules(forms, signed)?;
    let expected: Vec<&Rule> = asked.iter().chain(&own).collect();
    for rule in &expected {
        let at = found.iter().position(|other| other == *rule);
        let at = at.ok_or_else(|| format!("{} `{}` is not in the policy as it was asked for", rule.operator, rule.field))?;
        found.remove(at);
    }
    let rest: Vec<&str> = found.iter().map(|rule| rule.field.as_str()).collect();
    ensure(found.is_empty(), || format!("nobody asked for conditions on {rest:?}"))?;
    check_fields(forms, policy, signed, &expected)?;
    check_open(signed, &asked)?;
    check_limits(policy, signed)?;
    Ok(asked)
}

/// The conditions that the policy says, and those that stand in for what it does not say.
fn asked(forms: &Forms<'_>, policy: &PostPolicy, signed: &PresignedPost) -> Result<Vec<Rule>, String> {
    let mut rules = vec![Rule::eq("bucket", forms.harness.place.bucket)];
    rules.push(match policy.key() {
        KeyRule::Exact(key) => Rule::eq("key", key.as_str()),
        KeyRule::Prefix { prefix, .. } => Rule::new("starts-with", "key", json!(prefix)),
        _ => return Err(UNKNOWN.to_owned()),
    });
    let mut tags = String::new();
    for condition in policy.conditions() {
        match condition {
            FormCondition::Tag { key, value } => {
                tags.push_str(&format!("<Tag><Key>{}</Key><Value>{}</Value></Tag>", encode::markup(key), encode::markup(value)));
            }
            FormCondition::Callback(callback) => rules.extend(callback_rules(callback, signed)?),
            other => rules.push(rule_of(forms, other)?),
        }
    }
    if !tags.is_empty() {
        rules.push(Rule::eq("tagging", format!("<Tagging><TagSet>{tags}</TagSet></Tagging>")));
    }
    for (field, value) in forms.profile.pinned {
        if !rules.iter().any(|rule| rule.field == *field) {
            rules.push(Rule::eq(field, *value));
        }
    }
    Ok(rules)
}

fn rule_of(forms: &Forms<'_>, condition: &FormCondition) -> Result<Rule, String> {
    let profile = forms.harness.profile;
    let own = |name: &str| format!("{}{name}", profile.header_prefix);
    Ok(match condition {
        FormCondition::ContentLength { min, max } => Rule::new("content-length-range", "", json!([min, max])),
        FormCondition::ContentType(rule) => Rule::of(forms.profile.content_type, rule)?,
        FormCondition::CacheControl(value) => Rule::eq("cache-control", value.as_str()),
        FormCondition::ContentDisposition(value) => Rule::eq("content-disposition", value.as_str()),
        FormCondition::ContentEncoding(value) => Rule::eq("content-encoding", value.as_str()),
        FormCondition::ExpiresHeader(value) => Rule::eq("expires", value.as_str()),
        FormCondition::Metadata { name, rule } => Rule::of(&forms.metadata(name), rule)?,
        FormCondition::Acl(acl) => Rule::eq(forms.profile.acl, acl.as_str()),
        FormCondition::StorageClass(StorageClass::InfrequentAccess) => Rule::eq(&own("storage-class"), profile.infrequent_access),
        FormCondition::ServerSideEncryption(ServerSideEncryption::Aes256) => Rule::eq(&own("server-side-encryption"), "AES256"),
        FormCondition::ServerSideEncryption(ServerSideEncryption::Kms { key_id: None }) => Rule::eq(&own("server-side-encryption"), profile.kms),
        FormCondition::Checksum(checksum) => Rule::eq(&own(&format!("checksum-{}", checksum.algorithm().as_str())), checksum.value()),
        FormCondition::CreateOnly => Rule::eq(profile.create_only.0, profile.create_only.1),
        FormCondition::SuccessStatus(status) => Rule::eq("success_action_status", status.to_string()),
        FormCondition::SuccessRedirect(url) => Rule::eq("success_action_redirect", url.as_str()),
        FormCondition::Raw { field, rule } if field.eq_ignore_ascii_case("content-type") => Rule::of(forms.profile.content_type, rule)?,
        FormCondition::Raw { field, rule } => Rule::of(field, rule)?,
        _ => return Err(UNKNOWN.to_owned()),
    })
}

/// The field is base64 of JSON, whose members may stand in any order.
fn callback_rules(callback: &Callback, signed: &PresignedPost) -> Result<Vec<Rule>, String> {
    let field = signed.fields.value("callback").ok_or("there is no field `callback`")?;
    let bytes = BASE64.decode(field).map_err(|error| format!("the callback is not base64: {error}"))?;
    let said: Value = serde_json::from_slice(&bytes).map_err(|error| format!("the callback is not JSON: {error}"))?;
    let mut want = json!({ "callbackUrl": callback.url(), "callbackBody": callback.body(), "callbackBodyType": callback.media_type().as_str() });
    if let Some(host) = callback.callback_host() {
        want["callbackHost"] = host.into();
    }
    ensure(said == want, || format!("the callback says {said}; it is {want}"))?;
    let variables = callback.variables().iter().map(|(name, rule)| Rule::of(&format!("x:{name}"), rule));
    std::iter::once(Ok(Rule::eq("callback", field))).chain(variables).collect()
}

/// The conditions that pin the signature's own fields. Key, region and token are not known to the suite; that they are right shows when a form is sent.
fn signature_rules(forms: &Forms<'_>, signed: &PresignedPost) -> Result<Vec<Rule>, String> {
    let profile = forms.profile;
    let date = signed.signed_at.to_basic();
    let credential = signed.fields.value(profile.credential.0).unwrap_or_default();
    let scope = credential.split_once('/').map_or("", |(_, scope)| scope);
    let is_right = scope.starts_with(&format!("{}/", date.day())) && scope.ends_with(profile.credential.1) && scope.split('/').count() == 4;
    ensure(is_right, || "the credential is not KEY/DAY/REGION/SERVICE/END of the signing time".to_owned())?;
    let algorithm = Rule::eq(profile.algorithm.0, profile.algorithm.1);
    let mut rules = vec![algorithm, Rule::eq(profile.credential.0, credential), Rule::eq(profile.date, date.as_str())];
    let token = signed.fields.value(profile.token);
    ensure(token.is_some() == forms.harness.session_token, || format!("the form has a token: {}", token.is_some()))?;
    rules.extend(token.map(|token| Rule::eq(profile.token, token)));
    Ok(rules)
}

/// Exactly the fields that are fixed, with the values that they are fixed to, the key, the policy and the signature; each once.
fn check_fields(forms: &Forms<'_>, policy: &PostPolicy, signed: &PresignedPost, expected: &[&Rule]) -> Result<(), String> {
    let key = match policy.key() {
        KeyRule::Prefix { prefix, name, .. } => format!("{prefix}{name}"),
        _ => policy_key(expected),
    };
    let fixed = expected.iter().filter(|rule| !matches!(rule.field.as_str(), "bucket" | "key"));
    let mut want: Vec<(&str, &str)> = fixed.filter_map(|rule| Some((rule.field.as_str(), rule.value()?))).collect();
    want.push(("key", &key));
    let signature = signed.fields.value(forms.profile.signature).unwrap_or_default();
    let is_hex = signature.len() == 64 && signature.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    ensure(is_hex, || "the signature is not 64 lower-case hex digits".to_owned())?;
    let mut rest: Vec<(String, &str)> = signed.fields.iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    rest.retain(|(name, _)| name != "policy" && name != forms.profile.signature);
    ensure(rest.len() + 2 == signed.fields.len(), || "policy or signature stands twice, or not at all".to_owned())?;
    for (name, value) in want {
        let at = rest.iter().position(|(other, sent)| other == name && *sent == value);
        let at = at.ok_or_else(|| format!("the field `{name}` does not have the value that was asked for"))?;
        rest.remove(at);
    }
    let names: Vec<&str> = rest.iter().map(|(name, _)| name.as_str()).collect();
    ensure(rest.is_empty(), || format!("nobody asked for the fields {names:?}"))
}

fn policy_key(expected: &[&Rule]) -> String {
    expected.iter().find(|rule| rule.field == "key").and_then(|rule| rule.value()).unwrap_or_default().to_owned()
}

/// Every field that is not fixed is told of, with its rule.
fn check_open(signed: &PresignedPost, asked: &[Rule]) -> Result<(), String> {
    let told: Result<Vec<Rule>, String> = signed.open_fields.iter().map(|open| Rule::of(open.name(), open.rule())).collect();
    let mut told = told?;
    for rule in asked.iter().filter(|rule| rule.value().is_none() && !rule.field.is_empty()) {
        let at = told.iter().position(|other| other == rule);
        told.remove(at.ok_or_else(|| format!("nothing is told of the open field `{}`", rule.field))?);
    }
    ensure(told.is_empty(), || format!("these fields are told to be open, and are not: {told:?}"))?;
    let mut names: Vec<String> = signed.unfilled().map(|open| open.name().to_ascii_lowercase()).collect();
    names.sort_unstable();
    let doubled = names.windows(2).find(|pair| pair[0] == pair[1]);
    ensure(doubled.is_none(), || format!("a client that fills what is unfilled sends a field twice: {doubled:?}"))
}

fn check_limits(policy: &PostPolicy, signed: &PresignedPost) -> Result<(), String> {
    let (mut min, mut max, mut accept) = (0, MAX_FILE_BYTES, None);
    for condition in policy.conditions() {
        let is_type = |field: &str| field.eq_ignore_ascii_case("content-type");
        match condition {
            FormCondition::ContentLength { min: fewest, max: most } => (min, max) = (*fewest, *most),
            FormCondition::ContentType(rule) | FormCondition::Raw { rule, .. }
                if matches!(condition, FormCondition::ContentType(_)) || matches!(condition, FormCondition::Raw { field, .. } if is_type(field)) =>
            {
                accept = match rule {
                    ValueRule::Exact(value) => Some(value.clone()),
                    ValueRule::Prefix(prefix) => (!prefix.is_empty()).then(|| format!("{prefix}*")),
                    ValueRule::OneOf(values) => Some(values.join(",")),
                    _ => None,
                };
            }
            _ => {}
        }
    }
    let limits = &signed.file_limits;
    let is_told = (limits.min, limits.max, &limits.content_type) == (min, max, &accept);
    ensure(is_told, || format!("file_limits are told as {limits:?}; they are {min} to {max} bytes of {accept:?}"))?;
    let check = |bytes: u64| limits.check(bytes).is_ok();
    let beyond = min.checked_sub(1).is_some_and(check) || check(max + 1);
    ensure(check(min) && check(max) && !beyond, || "FileLimits::check does not go by the limits".to_owned())
}
