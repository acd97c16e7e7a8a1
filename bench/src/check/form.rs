//! A form and its policy, taken apart.

use serde_json::Value;
use valetkey::Timestamp;

use super::{Form, Habits, Scope, Stages, Texts, equal, signed_now, wire};
use crate::job::{self, Job, Provider};

pub fn check(form: &Form, provider: Provider, job: &Job, habits: Habits) -> Result<Stages, String> {
    let wire = wire(provider);
    if let Some(place) = &form.place {
        equal("place", place.trim_end_matches('/'), &format!("https://{}", provider.host()))?;
    }
    let value = |name: &str| {
        let found = form.fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).ok_or_else(|| format!("no field {name}"))
    };
    let (date, policy, signature, key) = (value(wire.date)?, value("policy")?, value(wire.signature)?, value("key")?);
    let signed_at = signed_now(date)?;
    if !key.starts_with(job::PREFIX) {
        return Err(format!("the field `key` is {key}"));
    }
    let json = decode(policy).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or("the policy is not base64 of UTF-8")?;
    let (expiration, conditions) = members(&json)?;

    let end = Timestamp::from_rfc3339_floored(&expiration).map_err(|error| error.to_string())?.as_unix_seconds();
    if end.abs_diff(signed_at + job::LIFE.as_secs()) > u64::from(habits.reads_the_clock_again) {
        return Err(format!("signed at {date}, it ends at {expiration}"));
    }

    let scope = Scope::new(provider, wire, date);
    let mut fixed = vec![wire.algorithm, (wire.credential, &scope.credential), (wire.date, date)];
    fixed.extend(job.token.as_deref().map(|token| (wire.token, token)));
    let metadata = match provider {
        Provider::S3 => format!("x-amz-meta-{}", job::METADATA.0),
        Provider::Oss => format!("x-oss-meta-{}", job::METADATA.0),
    };
    fixed.push((&metadata, job::METADATA.1));
    match provider {
        Provider::S3 => fixed.push(("Content-Type", job::CONTENT_TYPE)),
        // OSS takes fields that a policy does not name; this one would make the object public.
        Provider::Oss => fixed.extend([("x-oss-content-type", job::CONTENT_TYPE), ("x-oss-object-acl", "default")]),
    }

    let mut wanted: Vec<Condition> = fixed.iter().map(|(name, value)| condition("eq", name, value)).collect();
    wanted.push(condition("eq", "bucket", job::BUCKET));
    wanted.push(condition("starts-with", "key", job::PREFIX));
    wanted.push(condition("content-length-range", &job::CONTENT_LENGTHS.start().to_string(), &job::CONTENT_LENGTHS.end().to_string()));
    let got = conditions.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    equal("list of conditions", &sorted(got), &sorted(wanted))?;

    // A field `bucket` may stand there, because a condition names it.
    let unjudged = |name: &str| ["key", "policy", "bucket", wire.signature].iter().any(|other| other.eq_ignore_ascii_case(name));
    let got = form.fields.iter().filter(|(name, _)| !unjudged(name)).map(|(name, value)| condition("eq", name, value)).collect();
    equal("list of fields", &sorted(got), &sorted(fixed.iter().map(|(name, value)| condition("eq", name, value)).collect()))?;

    equal("signature", signature, &scope.sign(policy))?;
    Ok(Stages { signing_key: scope.key, signature: signature.to_owned(), texts: Texts::Form { policy: policy.to_owned(), json } })
}

/// Operator, field and value; of a size its bounds.
type Condition = (String, String, String);

fn condition(operator: &str, field: &str, value: &str) -> Condition {
    (operator.to_owned(), field.to_ascii_lowercase(), value.to_owned())
}

/// `{"field":"value"}`, `["operator","$field","value"]` or `["content-length-range",1,2]`
fn read(value: &Value) -> Result<Condition, String> {
    let unknown = || format!("the condition {value}");
    match value {
        Value::Object(members) => match members.iter().collect::<Vec<_>>().as_slice() {
            [(field, Value::String(value))] => Ok(condition("eq", field, value)),
            _ => Err(unknown()),
        },
        Value::Array(items) => match items.as_slice() {
            [Value::String(operator), Value::Number(min), Value::Number(max)] => Ok(condition(operator, &min.to_string(), &max.to_string())),
            [Value::String(operator), Value::String(field), Value::String(value)] => {
                Ok(condition(operator, field.strip_prefix('$').ok_or_else(unknown)?, value))
            }
            _ => Err(unknown()),
        },
        _ => Err(unknown()),
    }
}

/// The expiration and the conditions: nothing else may stand in a policy.
fn members(json: &str) -> Result<(String, Vec<Value>), String> {
    let policy: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    match (&policy["expiration"], &policy["conditions"]) {
        (Value::String(expiration), Value::Array(conditions)) if policy.as_object().is_some_and(|policy| policy.len() == 2) => {
            Ok((expiration.clone(), conditions.clone()))
        }
        _ => Err(format!("the policy is {json}")),
    }
}

fn sorted(mut conditions: Vec<Condition>) -> String {
    conditions.sort_unstable();
    format!("{conditions:?}")
}

/// RFC 4648, section 4, with padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    if !text.len().is_multiple_of(4) || text.len() - digits.len() > 2 {
        return None;
    }
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = vec![];
    let (mut bits, mut held) = (0_u32, 0);
    for digit in digits.bytes() {
        bits = bits << 6 | u32::try_from(alphabet.iter().position(|other| *other == digit)?).ok()?;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    // What the last digit has too many must be zero.
    (bits == 0).then_some(bytes)
}
