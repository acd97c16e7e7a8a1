//! What a provider writes: its wire rules as pure functions.

use alloc::string::String;
use core::fmt;

use crate::authorized::AuthorizedRequest;
use crate::binding::Bindings;
use crate::constraint::{ConstraintName, ProviderConstraint};
use crate::credentials::Credentials;
use crate::crypto::SigningKey;
use crate::error::PresignError;
use crate::key::{KeyError, ObjectKey};
use crate::operation::Operation;
use crate::options::Validity;
use crate::post_policy::{FormDraft, FormRules, PolicyError, ProviderFormCondition};
use crate::presigned::{ContentTypeRule, PresignedRequest, SigningTrace};
use crate::request::ObjectRequest;
use crate::signing_scope::SigningScope;
use crate::target::{Target, TargetError, TargetSettings};
use crate::time::Timestamp;
use crate::verify::{Audience, Claim, IncomingRequest, Refusal, VerifyError};

/// The wire rules of one provider. Sync and pure: no clock, no environment, no network; the same input gives the same bytes.
///
/// The portable rules (life, keys, names given twice, control characters, constant-time comparison, time windows) stand in this crate and are applied to
/// every dialect; a dialect only says what its provider calls things, what it signs and what it refuses.
pub trait Dialect: fmt::Debug + Send + Sync + 'static {
    /// The word in a configuration (`s3`, `oss`).
    fn provider(&self) -> &'static str;

    /// The longest life in seconds, and whose limit that is, for what these credentials sign.
    fn max_life(&self, credentials: &Credentials) -> (u32, &'static str);

    /// Whether the provider can do a thing that a store may require.
    fn supports(&self, capability: Capability) -> bool;

    /// Decides hosts, paths and scope once, so that signing only adds the key.
    ///
    /// # Errors
    /// [`TargetError`] for settings that cannot work together; better here than in a URL that fails elsewhere.
    fn resolve(&self, settings: &TargetSettings) -> Result<Target, TargetError>;

    /// Refuses keys that this provider cannot take, beyond what [`ObjectKey`] refuses.
    ///
    /// # Errors
    /// [`KeyError`] with the rule that is broken.
    fn check_key(&self, key: &ObjectKey) -> Result<(), KeyError>;

    /// The key that signs for a day (`YYYYMMDD`), region and service.
    fn signing_key(&self, credentials: &Credentials, day: &str, region: &str, service: &str) -> SigningKey;

    /// What all signatures of a day at one target share: the key, and texts where the dialect writes from them. A presigner keeps it for the day.
    fn prepare(&self, credentials: &Credentials, target: &Target, day: Timestamp) -> SigningScope {
        SigningScope::new(self.signing_key(credentials, day.to_basic().day(), &target.region, target.service), day, target)
    }

    /// What a client may do with `Content-Type` when nothing is said about it.
    fn default_content_type(&self) -> ContentTypeRule;

    /// Whether a raw header or query name (lower case) is set by the signer itself.
    fn owns_name(&self, lower_case: &str) -> bool;

    /// The header that carries the tags.
    fn tagging_header(&self) -> &'static str;

    /// Adds the query parameters that make the operation (`uploads`, `list-type=2`).
    fn bind_operation(&self, operation: Operation, bindings: &mut Bindings<'_>);

    /// Binds a constraint under the provider's names; what has the same name everywhere is bound already.
    ///
    /// # Errors
    /// [`PresignError::Unsupported`] by name when the provider cannot bind it.
    fn bind<'a>(&self, constraint: ProviderConstraint<'a>, operation: Operation, bindings: &mut Bindings<'a>) -> Result<(), PresignError>;

    /// Signs a request.
    ///
    /// # Errors
    /// [`PresignError`] for a constraint that cannot be bound; see [`Bindings::collect`].
    fn sign(&self, context: &SigningContext<'_>, request: &ObjectRequest) -> Result<PresignedRequest, PresignError>;

    /// Signs a request into a result that was of another one: its texts keep their memory. After an error the result is of no use.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    fn sign_into(&self, context: &SigningContext<'_>, request: &ObjectRequest, signed: &mut PresignedRequest) -> Result<(), PresignError> {
        *signed = self.sign(context, request)?;
        Ok(())
    }

    /// Signs a request by its `Authorization` header, for the process that sends it at once.
    ///
    /// Where the provider signs a digest of the body: the one of [`ObjectRequest::payload_sha256`], the one of no body for operations without one, and else
    /// none. A dialect that knows only URLs leaves this as it is: then a URL is sent.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    fn authorize(&self, context: &SigningContext<'_>, request: &ObjectRequest) -> Result<AuthorizedRequest, PresignError> {
        Ok(self.sign(context, request)?.into())
    }

    /// The stages of the signature that [`sign`](Self::sign) makes, for the owner of the secret.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    fn trace(&self, context: &SigningContext<'_>, request: &ObjectRequest) -> Result<SigningTrace, PresignError>;

    /// The names and habits of this provider's forms.
    fn form_rules(&self) -> &'static FormRules;

    /// Writes a condition of a form under the provider's names; what has the same name everywhere is written already.
    ///
    /// # Errors
    /// [`PolicyError::Unsupported`] by name when the provider cannot enforce it.
    fn bind_form(&self, condition: ProviderFormCondition<'_>, draft: &mut FormDraft) -> Result<(), PolicyError>;

    /// Pins what a holder of the form could otherwise add, and notes what cannot be pinned.
    ///
    /// # Errors
    /// [`PolicyError`] for what only all conditions together show.
    fn review_form(&self, target: &Target, draft: &mut FormDraft) -> Result<(), PolicyError>;

    /// Reads a received request strictly: its form, its claim, and the string that its signature must match.
    ///
    /// # Errors
    /// [`VerifyError`] for everything that can be refused without the secret.
    fn parse(&self, request: &IncomingRequest<'_>, audience: &Audience) -> Result<Claim, VerifyError>;

    /// How this cloud answers a refused request.
    fn refusal(&self, error: &VerifyError) -> Refusal;
}

/// All that a signature is made of, but for the request.
#[derive(Debug, Clone, Copy)]
pub struct SigningContext<'a> {
    /// Who signs.
    pub credentials: &'a Credentials,
    /// The key for the day of the signing time, and what [`Dialect::prepare`] made beside it for these credentials and this target.
    pub scope: &'a SigningScope,
    /// Where the request goes.
    pub target: &'a Target,
    /// From when until when.
    pub validity: Validity,
}

impl SigningContext<'_> {
    /// The key derived from the secret for the day and the target's scope.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        self.scope.key()
    }
}

/// A thing that a store may require of its provider (`requires` in a configuration).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Capability {
    /// Sign an operation.
    Operation(Operation),
    /// Bind a constraint.
    Constraint(ConstraintName),
    /// Take uploads by browser forms.
    Post,
}

impl Capability {
    /// Reads the word of an operation, of a constraint, or `post`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        if word == "post" {
            return Some(Self::Post);
        }
        let constraint = ConstraintName::ALL.iter().find(|name| name.as_str() == word).copied().map(Self::Constraint);
        word.parse().ok().map(Self::Operation).or(constraint)
    }

    /// All words, for a message.
    #[must_use]
    pub fn words() -> String {
        let mut words = String::from("post");
        for word in Operation::ALL.iter().map(|operation| operation.as_str()).chain(ConstraintName::ALL.iter().map(|name| name.as_str())) {
            words.push_str(", ");
            words.push_str(word);
        }
        words
    }
}
