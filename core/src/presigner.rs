//! What an application holds.

use alloc::boxed::Box;

use async_trait::async_trait;

use crate::authorized::AuthorizedRequest;
use crate::error::PresignError;
use crate::options::PresignOptions;
use crate::post_policy::PostPolicy;
use crate::presigned::PresignedRequest;
use crate::presigned_post::PresignedPost;
use crate::request::ObjectRequest;

/// Signs requests to one bucket of one store. Object safe: hold a `Box<dyn Presigner>`, and the provider is a line of configuration.
///
/// Implementations guarantee:
/// - **Nothing is dropped.** Each constraint of the request is bound by the signature, or the call fails and names it
///   ([`PresignError::Unsupported`]).
/// - **The result is the whole contract.** A client that sends `method`, `url` and exactly `signed_headers` is accepted until `expiration`; one that
///   leaves a header out, changes it, or comes later is refused by the store.
/// - **Life is honest.** What was asked for is what is signed, or an error; see [`PresignOptions`].
/// - Nothing is sent to the store to sign; only fetching credentials may wait.
///
/// ```
/// use valetkey_core::{ObjectRequest, PresignError, PresignOptions, Presigner};
///
/// async fn upload_url(presigner: &dyn Presigner, user: u64) -> Result<String, PresignError> {
///     let key = format!("avatars/{user}.png").parse()?;
///     let request = ObjectRequest::put(key).content_type("image/png");
///     Ok(presigner.presign(&request, &PresignOptions::new()).await?.url)
/// }
/// ```
#[async_trait]
pub trait Presigner: Send + Sync {
    /// Signs one request.
    ///
    /// # Errors
    /// [`PresignError`] says what cannot be signed and what to do. No error holds a secret or a part of a URL.
    async fn presign(&self, request: &ObjectRequest, options: &PresignOptions) -> Result<PresignedRequest, PresignError>;

    /// Signs many requests and hands each result on as soon as it is there, in the order of the requests. Nothing is collected.
    ///
    /// A presigner that signs by itself reads the clock once and looks once at its credentials, so that all results have the same times; what comes slowly
    /// is better signed one by one. An error of one request is its result, and the next one is signed.
    ///
    /// # Errors
    /// [`PresignError`] of what all requests share, such as credentials and life, before the first is signed.
    ///
    /// ```
    /// use valetkey_core::{ObjectRequest, PresignError, PresignOptions, PresignedRequest, Presigner};
    ///
    /// async fn print_all(presigner: &dyn Presigner, requests: &[ObjectRequest]) -> Result<(), PresignError> {
    ///     let mut print = |signed: Result<PresignedRequest, PresignError>| match signed {
    ///         Ok(signed) => println!("{}", signed.url),
    ///         Err(error) => println!("{error}"),
    ///     };
    ///     presigner.presign_many(&mut requests.iter(), &PresignOptions::new(), &mut print).await
    /// }
    /// ```
    async fn presign_many<'r>(
        &self,
        requests: &mut (dyn Iterator<Item = &'r ObjectRequest> + Send),
        options: &PresignOptions,
        each: &mut (dyn FnMut(Result<PresignedRequest, PresignError>) + Send),
    ) -> Result<(), PresignError> {
        for request in requests {
            each(self.presign(request, options).await);
        }
        Ok(())
    }

    /// Signs one form for uploads from a browser.
    ///
    /// What the policy fixes is a field of the form and a condition of its policy; the form ends when the options say, as a request does.
    ///
    /// # Errors
    /// [`PresignError`] says what the provider cannot enforce, and which policy would allow more than it seems to.
    async fn presign_post(&self, policy: &PostPolicy, options: &PresignOptions) -> Result<PresignedPost, PresignError>;

    /// Signs a request that this process itself sends at once, as an upload in parts is begun, completed and given up, a bucket listed, an object asked for.
    ///
    /// Presigners that hold credentials sign an `Authorization` header. Others sign a URL, which is what this does unless it is overridden.
    ///
    /// # Errors
    /// As [`presign`](Self::presign).
    async fn authorize(&self, request: &ObjectRequest) -> Result<AuthorizedRequest, PresignError> {
        Ok(self.presign(request, &PresignOptions::new()).await?.into())
    }
}
