//! The steps of the demo that upload by a form.

use std::time::Duration;

use valetkey::transfer::{Body, FormFile};
use valetkey::{FormFields, ObjectRequest, PostPolicy, PresignOptions, PresignedPost};

use super::steps::{Scene, hour_ago, key, noise, refusal, with};
use crate::error::CliError;
use crate::location::Provider;

const MOST: usize = 64 * 1024;
const PREFIX: &str = "uploads/7/";
const FILE: &str = "été 1.png";
const NAMED: &str = "uploads/7/portrait.png";
const TYPE: &str = "image/png";

impl Scene<'_> {
    /// What a form allows, and then each promise broken.
    pub(super) async fn forms(&mut self) -> Result<(), CliError> {
        let form = self.form(&policy(), &PresignOptions::new()).await?;
        let bytes = noise(MOST);
        let got = self.upload(&form, bytes.clone()).await;
        self.row("form: an image of just the greatest size", "204", &got);
        let uploaded = format!("{PREFIX}{FILE}");
        self.compare("get what the form made", &uploaded, &bytes).await?;

        for (step, policy, expected) in [
            ("form: another name under the prefix", policy(), "204"),
            ("form: 201 asked for", policy().success_status(201), "201, an ETag"),
            ("form: a redirect asked for", policy().success_redirect("https://app.example.com/done"), "303, to the application"),
        ] {
            let form = self.form(&policy, &PresignOptions::new()).await?;
            let named = form.fill("key", NAMED).map_err(valetkey::PresignError::from)?;
            let got = self.upload(&named, vec![1]).await;
            self.row(step, expected, &got);
        }

        let denied = "403 AccessDenied";
        let type_field = match self.provider {
            Provider::S3 => "Content-Type",
            Provider::Oss => "x-oss-content-type",
        };
        let mut greater = form.clone();
        // Or our own client would refuse it before it is sent.
        greater.file_limits.max = u64::MAX;
        self.broken("form: one byte too many", &greater, noise(MOST + 1), "400 EntityTooLarge").await;
        greater.file_limits.min = 0;
        self.broken("form: an empty file", &greater, Vec::new(), "400 EntityTooSmall").await;
        for (step, field, value, expected) in [
            ("form: a key outside of the prefix", "key", "uploads/8/x.png", denied),
            ("form: another type", type_field, "text/html", denied),
            ("form: a field that the policy does not name", "success_action_redirect", "https://elsewhere.example/", denied),
            ("form: another policy", "policy", "e30=", "403 SignatureDoesNotMatch"),
        ] {
            let mut changed = form.clone();
            changed.fields = with_field(&form, field, value);
            self.broken(step, &changed, vec![1], expected).await;
        }
        let options = PresignOptions::new().signed_at(hour_ago()?).expires_in(Duration::from_secs(60));
        let expired = self.form(&policy(), &options).await?;
        self.broken("form: expired", &expired, vec![1], "403 AccessDenied: Invalid according to Policy: Policy expired").await;
        self.compare("get: what the form made is as it was", &uploaded, &bytes).await?;

        for name in [uploaded.as_str(), NAMED] {
            let delete = self.sign(&ObjectRequest::delete(key(name)?)).await?;
            let reply = self.send(&delete, Vec::new()).await;
            self.row("delete what a form made", "204", &reply.said);
        }
        Ok(())
    }

    /// Signs a form and chooses the type, which the policy leaves to the client.
    async fn form(&self, policy: &PostPolicy, options: &PresignOptions) -> Result<PresignedPost, CliError> {
        let form = self.presigner.presign_post(policy, options).await?;
        Ok(form.fill_content_type(TYPE).map_err(valetkey::PresignError::from)?)
    }

    async fn upload(&self, form: &PresignedPost, bytes: Vec<u8>) -> String {
        match self.transfer.upload_form(form, FormFile::new(FILE, Body::from(bytes))).await {
            Err(error) => refusal(&error),
            Ok(uploaded) => {
                let said = uploaded.status.to_string();
                let is_there = uploaded.location.is_some_and(|url| url.starts_with("https://app.example.com/done?bucket="));
                let said = with(&said, uploaded.status == 201 && uploaded.etag.is_some(), "an ETag");
                with(&said, uploaded.status == 303 && is_there, "to the application")
            }
        }
    }

    async fn broken(&mut self, step: &str, form: &PresignedPost, bytes: Vec<u8>, expected: &str) {
        let said = self.upload(form, bytes).await;
        let got = if expected.contains(':') { said.trim_end_matches('.') } else { said.split(':').next().unwrap_or_default() };
        self.row(step, expected, got);
    }
}

fn policy() -> PostPolicy {
    PostPolicy::for_prefix(PREFIX).content_length(1..=MOST as u64).content_type_prefix("image/")
}

/// The fields with one of another value, or with one more.
fn with_field(form: &PresignedPost, name: &str, value: &str) -> FormFields {
    let changed = form.fields.iter().map(|(other, old)| (other, if other == name { value } else { old }));
    let added = form.fields.value(name).is_none().then_some((name, value));
    added.into_iter().chain(changed).collect()
}
