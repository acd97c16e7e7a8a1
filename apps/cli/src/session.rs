//! Many signatures of one moment, whichever the cloud.

use valetkey::{ObjectRequest, Oss, PresignError, PresignedRequest, S3, SigningSession};

/// Signs requests of one moment and life.
pub(crate) enum Session<'s> {
    S3(SigningSession<'s, S3>),
    Oss(SigningSession<'s, Oss>),
}

impl Session<'_> {
    /// A result of no request.
    pub(crate) const fn blank(&self) -> PresignedRequest {
        match self {
            Self::S3(session) => session.blank(),
            Self::Oss(session) => session.blank(),
        }
    }

    /// Signs a request into a result that was of another one.
    pub(crate) fn sign_into(&self, request: &ObjectRequest, signed: &mut PresignedRequest) -> Result<(), PresignError> {
        match self {
            Self::S3(session) => session.sign_into(request, signed),
            Self::Oss(session) => session.sign_into(request, signed),
        }
    }
}
