//! `valetkey verify --form FILE`: what a store would do with a form.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use valetkey::post_policy::{Condition, FILE_NAME, Form, PolicyDocument, is_secret};
use valetkey::verify::{self, Audience, FormError, FormVerification, SuccessAction, VerifiedForm, VerifyError};
use valetkey::{Credentials, StoreConfig, Timestamp};

use super::fields::SentForm;
use super::{Url, check_bucket, chosen_store, credentials, now, readings, refusal};
use crate::args::{Global, VerifyArgs, VerifyOutput};
use crate::error::CliError;
use crate::location::Provider;
use crate::output;

/// Judges one form and says what it allows.
pub(super) fn run(global: &Global, args: &VerifyArgs, file: &Path) -> Result<(), CliError> {
    let mut sent = SentForm::read(file)?;
    let named = provider_of(&sent.fields);
    let store = chosen_store(global, named)?;
    let provider = match &store {
        Some(store) => Provider::of(store),
        None => named.ok_or_else(|| invalid(&VerifyError::NotSigned, None))?,
    };
    let url = sent.url.as_deref().map(Url::split).transpose()?;
    if let Some(content_type) = &args.content_type {
        fill_type(provider, &mut sent.fields, content_type);
    }
    let places = places(provider, store.as_ref(), args, url.as_ref(), &sent.fields)?;
    let credentials = credentials(provider, store.as_ref())?;
    let region = region(provider, store.as_ref(), args, url.as_ref());
    let file_name = args.file_name.as_deref().unwrap_or(FILE_NAME);
    let form = Form { bucket: "", fields: &sent.fields, file_name, size: args.size };
    let judge = Judge { provider, form, region: region.as_deref(), credentials: &credentials, now: now(args)? };
    let verified = judge.first(&places).map_err(|error| match missing_field(&error, &sent.fields) {
        "" => invalid(&error, Some(provider)),
        hint => refusal(&error, hint, Some(provider)),
    })?;
    check_bucket(Some(verified.bucket()), store.as_ref(), args)?;
    print(provider, &verified, &open_rules(&sent.fields), args.output)
}

/// The cloud that the names of the signature's own fields are of.
fn provider_of(fields: &[(String, String)]) -> Option<Provider> {
    let has = |names: &[&str]| fields.iter().any(|(name, _)| names.iter().any(|one| one.eq_ignore_ascii_case(name)));
    if has(&["x-amz-algorithm", "x-amz-credential", "x-amz-signature", "awsaccesskeyid"]) {
        Some(Provider::S3)
    } else if has(&["x-oss-signature-version", "x-oss-credential", "x-oss-signature", "ossaccesskeyid"]) {
        Some(Provider::Oss)
    } else {
        None
    }
}

/// What a client adds where the form leaves the type open: under the name that the policy speaks of, else the provider's own.
fn fill_type(provider: Provider, fields: &mut Vec<(String, String)>, content_type: &str) {
    let own = provider.dialect().form_rules().content_type;
    let policy = policy_of(fields);
    let speaks_of = |name: &str| policy.as_ref().is_some_and(|policy| policy.conditions().iter().any(|condition| condition.is_about(name)));
    let name = if !speaks_of(own) && speaks_of("Content-Type") { "Content-Type" } else { own };
    match fields.iter_mut().find(|(other, _)| other.eq_ignore_ascii_case(name)) {
        Some((_, said)) => content_type.clone_into(said),
        None => fields.push((name.to_owned(), content_type.to_owned())),
    }
}

/// What a form may be sent to, in the order of the ways to read its URL.
enum Place {
    Bucket(String),
    Object,
    Nobody,
}

fn places(
    provider: Provider,
    store: Option<&StoreConfig>,
    args: &VerifyArgs,
    url: Option<&Url<'_>>,
    fields: &[(String, String)],
) -> Result<Vec<Place>, CliError> {
    let Some(url) = url else {
        if args.endpoint.is_some() {
            return Err(CliError::usage("usage", "--endpoint says whose host is in the form's URL, and the JSON has no `url`; leave it out"));
        }
        let bucket = args.bucket.clone().or_else(|| store.map(|store| store.settings().bucket.clone()));
        // Nothing else says where the form is meant to go.
        let bucket = bucket.or_else(|| policy_of(fields)?.fixed("bucket").map(str::to_owned));
        let bucket = bucket.ok_or_else(|| CliError::usage("missing_bucket", "neither the JSON nor its policy says the bucket; name it with --bucket"))?;
        return Ok(vec![Place::Bucket(bucket)]);
    };
    let (host, path) = (url.host(), url.target.split('?').next().unwrap_or_default());
    let read = |audience: &Audience| {
        let place = audience.locate(&host, path, |host| provider.public_host(host));
        place.map(|place| match place {
            verify::Place::Object { .. } => Place::Object,
            verify::Place::Bucket { bucket } => Place::Bucket(bucket),
            verify::Place::Service | verify::Place::Elsewhere { .. } => as_written(&host, path, fields),
        })
    };
    let places: Result<Vec<Place>, VerifyError> = readings(provider, store, args, url)?.iter().map(read).collect();
    places.map_err(|error| invalid(&error, Some(provider)))
}

/// The bucket of a form at a host that nobody named. No part of the URL is signed, so it is enough that it names the policy's bucket in one of the two ways.
fn as_written(host: &str, path: &str, fields: &[(String, String)]) -> Place {
    let policy = policy_of(fields);
    let Some(bucket) = policy.as_ref().and_then(|policy| policy.fixed("bucket")) else {
        return Place::Nobody;
    };
    let in_path = path.trim_end_matches('/').strip_suffix(bucket).is_some_and(|rest| rest.ends_with('/'));
    let in_host = path.trim_end_matches('/').is_empty() && host.strip_prefix(bucket).is_some_and(|rest| rest.starts_with('.'));
    if in_path || in_host { Place::Bucket(bucket.to_owned()) } else { Place::Nobody }
}

/// The region that the scope must name, where one is known.
fn region(provider: Provider, store: Option<&StoreConfig>, args: &VerifyArgs, url: Option<&Url<'_>>) -> Option<String> {
    let region = args.region.clone().or_else(|| store?.settings_with_env().region);
    let region = region.or_else(|| provider.public_host(&url?.host())?.region.map(str::to_owned))?;
    // Regions of OSS are also written with it, and never so in a scope.
    Some(if provider == Provider::Oss { region.trim_start_matches("oss-").to_owned() } else { region })
}

/// Everything that decides but the bucket.
struct Judge<'a> {
    provider: Provider,
    form: Form<'a>,
    region: Option<&'a str>,
    credentials: &'a Credentials,
    now: Timestamp,
}

impl Judge<'_> {
    /// Reads the URL in the first way in which it can be meant.
    fn first(&self, places: &[Place]) -> Result<VerifiedForm, VerifyError> {
        let mut judged = Err(VerifyError::UnknownHost);
        for place in places {
            judged = match place {
                Place::Bucket(bucket) => self.judge(bucket),
                Place::Object => Err(FormError::NotAtBucket.into()),
                // The reasons that come first are the same for every bucket.
                Place::Nobody => match self.judge("") {
                    Ok(_) | Err(VerifyError::Form(FormError::BucketMismatch { .. })) => Err(VerifyError::UnknownHost),
                    other => other,
                },
            };
            // The policy names the bucket, so a wrong reading is another bucket.
            let may_be_meant_otherwise =
                matches!(judged, Err(VerifyError::UnknownHost | VerifyError::Form(FormError::BucketMismatch { .. } | FormError::NotAtBucket)));
            if !may_be_meant_otherwise {
                break;
            }
        }
        judged
    }

    fn judge(&self, bucket: &str) -> Result<VerifiedForm, VerifyError> {
        let form = Form { bucket, ..self.form };
        FormVerification::parse(self.provider.dialect(), &form, self.region)?.finish(Some(self.credentials), self.now)
    }
}

fn invalid(error: &VerifyError, provider: Option<Provider>) -> CliError {
    let hint = match error {
        VerifyError::NotSigned => "; give a form as `valetkey post` prints it, with all its fields",
        VerifyError::Form(FormError::SignatureMismatch) => "; was the policy changed, or was it made with another secret than the one that is looked up here?",
        VerifyError::UnknownHost => "; name the store with --store, or the host of its URL with --endpoint",
        VerifyError::Form(FormError::NoFileName) => "; give it with --file-name",
        _ => "",
    };
    refusal(error, hint, provider)
}

fn policy_of(fields: &[(String, String)]) -> Option<PolicyDocument> {
    let (_, policy) = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("policy"))?;
    PolicyDocument::from_base64(policy).ok()
}

/// Advice where a condition fails because its field was not sent.
fn missing_field(error: &VerifyError, fields: &[(String, String)]) -> &'static str {
    let VerifyError::Form(FormError::ConditionFailed { condition }) = error else { return "" };
    let policy = policy_of(fields);
    let failed = policy.iter().flat_map(PolicyDocument::conditions).find(|one| one.to_string() == *condition);
    let field = failed.and_then(|condition| condition.field()).unwrap_or_default();
    if fields.iter().any(|(name, _)| name.eq_ignore_ascii_case(field)) {
        return "";
    }
    match field.to_ascii_lowercase().as_str() {
        "" => "",
        "content-type" | "x-oss-content-type" => "; the form has no such field: the client chooses the type, which --content-type gives here",
        _ => "; the form has no such field: the client chooses its value, so add it to the fields",
    }
}

/// What the policy leaves to the client, as it stands there.
fn open_rules(fields: &[(String, String)]) -> Vec<String> {
    let is_open = |condition: &&Condition<'_>| !matches!(condition, Condition::Eq { .. } | Condition::ContentLengthRange { .. });
    policy_of(fields).iter().flat_map(PolicyDocument::conditions).filter(is_open).map(ToString::to_string).collect()
}

/// What the form allows. Values of fields are shown, but for those that are secrets.
#[derive(Serialize)]
struct Report<'a> {
    provider: &'static str,
    bucket: &'a str,
    key: &'a str,
    access_key_id: &'a str,
    signed_at: Timestamp,
    expiration: Timestamp,
    file_limits: Limits,
    fields: BTreeMap<&'a str, Option<&'a str>>,
    success_status: u16,
    success_redirect: Option<String>,
    /// Conditions that leave a value to the client, as they stand in the policy.
    open: &'a [String],
}

/// Bytes of the file, both ends included.
#[derive(Serialize)]
struct Limits {
    min: u64,
    max: u64,
}

fn print(provider: Provider, verified: &VerifiedForm, open: &[String], format: VerifyOutput) -> Result<(), CliError> {
    let (success_status, success_redirect) = match verified.success_action() {
        SuccessAction::Status(status) => (status, None),
        SuccessAction::Redirect(url) => (303, Some(url)),
    };
    let shown = |name: &str, value| if is_secret(name) { None } else { Some(value) };
    let report = Report {
        provider: provider.word(),
        bucket: verified.bucket(),
        key: verified.key().as_str(),
        access_key_id: verified.access_key_id(),
        signed_at: verified.signed_at(),
        expiration: verified.expiration(),
        file_limits: Limits { min: verified.sizes().min, max: verified.sizes().max },
        fields: verified.fields().iter().map(|(name, value)| (name.as_str(), shown(name, value.as_str()))).collect(),
        success_status,
        success_redirect,
        open,
    };
    if format == VerifyOutput::Json {
        let json = serde_json::to_string(&report).map_err(|error| CliError::failure("output", error.to_string()))?;
        return output::json(&json);
    }
    let answer = report.success_redirect.as_ref().map_or_else(|| success_status.to_string(), |url| format!("{success_status}, to {url}"));
    let mut lines = vec![
        ("valid".to_owned(), format!("signed {} form", provider.name())),
        ("bucket".to_owned(), report.bucket.to_owned()),
        ("key".to_owned(), report.key.to_owned()),
        ("access key id".to_owned(), report.access_key_id.to_owned()),
        ("signed at".to_owned(), report.signed_at.to_string()),
        ("expiration".to_owned(), report.expiration.to_string()),
        ("file".to_owned(), format!("{} to {} bytes", report.file_limits.min, report.file_limits.max)),
        ("answer".to_owned(), answer),
    ];
    lines.extend(report.fields.iter().map(|(name, value)| (format!("field {name}"), value.unwrap_or("(secret)").to_owned())));
    lines.extend(open.iter().map(|rule| ("the client chooses".to_owned(), rule.clone())));
    let text: String = lines.iter().map(|(name, value)| format!("{}: {}\n", output::one_line(name), output::one_line(value))).collect();
    output::text(&text)
}
