//! Uploads by browser forms: `multipart/form-data` that is sent to a bucket and says in its fields what it may do.

use std::time::Duration;

use http::request::Parts;
use valetkey_core::{
    Timestamp,
    post_policy::Form,
    verify::{FormError, Payload, VerifyError},
};

use super::{
    Fault, Service, Told,
    body::{RequestBody, framing},
    gate::{Place, cloud_of_form, is_signed_outside},
    headers::Headers,
    receive,
    respond::Answer,
};
use crate::{StoreError, objects::PutObject};

mod answer;
mod fields;
mod head;
mod reader;

pub(super) use head::is_form;
use reader::FormReader;

/// How long a client may take to send the fields. Until they are read it may be anybody.
const FIELDS_TIME: Duration = Duration::from_secs(60);

impl Service {
    /// Takes a form. `told` learns what it turns out to be.
    pub(super) async fn take_form(&self, head: &Parts, place: Place, body: &mut RequestBody, now: Timestamp, told: &mut Told) -> Result<Answer, Fault> {
        if is_signed_outside(head) {
            return Err(VerifyError::MixedAuthentication.into());
        }
        let bucket = match place {
            Place { bucket: None, .. } => return Err(VerifyError::UnknownHost.into()),
            Place { key: Some(_), .. } => return Err(FormError::NotAtBucket.into()),
            Place { bucket: Some(bucket), key: None } => bucket,
        };
        let mut reader = FormReader::new(body, &head.headers, framing(&head.headers)?)?;
        let file = tokio::time::timeout(FIELDS_TIME, reader.fields()).await;
        told.cloud = cloud_of_form(reader.so_far());
        let file = file.map_err(|_| StoreError::InvalidRequest { reason: "the fields of the form did not come in time" })??;

        let file_name = file.as_ref().map(|file| file.name.as_str()).unwrap_or_default();
        let form = match self.gate.verify_form(told.cloud, &Form { bucket: &bucket, fields: reader.so_far(), file_name, size: None }, now) {
            // Of a file that is not there the name is the least.
            Err(VerifyError::Form(FormError::NoFileName)) if file.is_none() => return Err(FormError::FileCount { count: 0 }.into()),
            other => other?,
        };
        told.target = Some((bucket, Some(form.key().as_str().to_owned())));
        told.note = form.field("callback").map(|_| "the callback was not sent: this store calls nobody");
        let mut file = file.ok_or(FormError::FileCount { count: 0 })?;

        let map = fields::as_headers(told.cloud, &form, file.content_type.as_deref())?;
        let headers = Headers { cloud: told.cloud, map: &map, query: &[] };
        headers.check_implemented()?;
        let put = PutObject {
            bucket: form.bucket().into(),
            key: form.key().as_str().into(),
            attributes: headers.attributes()?,
            condition: headers.write_condition()?,
            now: now.as_unix_seconds(),
        };
        self.objects.check_condition(&put.bucket, &put.key, &put.condition)?;
        headers.chunks(&Payload::Unsigned)?;
        let mut into = self.objects.receive(form.bucket(), headers.promises(&Payload::Unsigned)?).await?;
        let filled = async {
            let mut size = 0_u64;
            while let Some(chunk) = reader.file_chunk(&mut file).await? {
                size = size.saturating_add(chunk.len() as u64);
                if size > form.sizes().max {
                    return Err(Fault::from(FormError::TooLarge { size, max: form.sizes().max }));
                }
                into.write(chunk).await?;
            }
            drop(file);
            reader.end().await?;
            Ok(form.sizes().check(size)?)
        };
        let filled = filled.await;
        let info = self.objects.put(put, receive::end(into, filled).await?).await?;
        Ok(answer::taken(told.cloud, head, &form, &info))
    }
}
