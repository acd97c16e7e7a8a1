//! A form is read, verified, and only then stored.

use std::sync::PoisonError;

use valetkey_core::post_policy::Form;
use valetkey_core::verify::{FormError, FormVerification, PublicHost, VerifiedForm, VerifyError};
use valetkey_core::{Scheme, signed_host};

use super::VerifyingBackend;
use super::multipart::{self, Received};
use crate::backend::{TestClock, WireResponse};

/// Where a form was sent, taken from the request.
pub(super) struct Sent<'r> {
    pub(super) scheme: Scheme,
    pub(super) host: &'r str,
    pub(super) target: &'r str,
    pub(super) content_type: &'r str,
}

impl VerifyingBackend {
    pub(super) fn take_form(&self, sent: &Sent<'_>, body: &[u8]) -> WireResponse {
        let (verified, file) = match self.verify_form(sent, body) {
            Ok(verified) => verified,
            Err(error) => {
                let refusal = self.dialect.refusal(&error);
                return super::backend::refused(refusal.status, refusal.code, &refusal.message);
            }
        };
        if verified.bucket() != self.bucket {
            return super::backend::refused(404, "NoSuchBucket", "");
        }
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.post(self.profile, &verified, file).unwrap_or_else(|(status, code)| super::backend::refused(status, code, ""))
    }

    fn verify_form(&self, sent: &Sent<'_>, body: &[u8]) -> Result<(VerifiedForm, Vec<u8>), VerifyError> {
        let path = sent.target.split('?').next().unwrap_or_default();
        let host = signed_host(sent.scheme, sent.host);
        let place = self.audience.locate(&host, path, |host| Some(self.recognise(host)))?;
        let bucket = place.bucket().ok_or(VerifyError::UnknownHost)?;
        if place.key().is_some() {
            return Err(FormError::NotAtBucket.into());
        }
        let boundary = multipart::boundary(sent.content_type).ok_or(FormError::Malformed { what: "its type names no boundary" })?;
        let Received { fields, file_name, file, after } = multipart::read(boundary, body)?;
        let size = u64::try_from(file.len()).ok();
        let form = Form { bucket, fields: &fields, file_name: &file_name, size };
        let pending = FormVerification::parse(self.dialect, &form, self.audience.expected_region())?;
        let known = (pending.access_key_id() == self.credentials.access_key_id()).then_some(&self.credentials);
        let verified = pending.finish(known, self.clock.now())?;
        after?;
        Ok((verified, file))
    }

    /// A dialect takes the cloud's own hosts apart only within a signed URL. Here it is enough that each bucket of a run begins as the run's own does.
    fn recognise<'h>(&self, host: &'h str) -> PublicHost<'h> {
        let dot = host.strip_prefix(&self.bucket).and_then(|rest| rest.find('.'));
        PublicHost { bucket: dot.and_then(|dot| host.get(..self.bucket.len() + dot)), region: None }
    }
}
