//! A signature in the query: a presigned URL.

use alloc::borrow::ToOwned;

use valetkey_core::verify::{ParsedTarget, Scope, VerifyError, read_life};
use valetkey_core::{Timestamp, crypto};

use super::{Signature, check_scope, malformed, read_additional};
use crate::{Oss, names};

pub(super) fn read<'t>(target: &'t ParsedTarget<'_>, region: Option<&str>) -> Result<Signature<'t>, VerifyError> {
    let version = target.required(names::SIGNATURE_VERSION)?;
    let credential = target.required(names::CREDENTIAL)?;
    let date = target.required(names::DATE)?;
    let life = target.required(names::EXPIRES)?;
    let signature = target.required(names::SIGNATURE)?;
    let token = target.once(names::SECURITY_TOKEN)?;
    let additional = target.once(names::ADDITIONAL_HEADERS)?;

    if version != names::ALGORITHM_VALUE {
        return Err(VerifyError::UnsupportedAlgorithm { expected: names::ALGORITHM_VALUE });
    }
    let scope = Scope::read(names::CREDENTIAL, credential, names::SCOPE_END)?;
    let signed_at = Timestamp::from_basic(date).map_err(|_| malformed(names::DATE, "is not a date of the form YYYYMMDDTHHMMSSZ"))?;
    let max = if token.is_some() { Oss::MAX_LIFE_WITH_TOKEN } else { Oss::MAX_LIFE };
    let life = Some(read_life(names::EXPIRES, life, max)?);
    let additional = read_additional(names::ADDITIONAL_HEADERS, additional)?;
    let signature = crypto::read_hex(signature).ok_or(VerifyError::MalformedSignature)?;
    check_scope(&scope, signed_at, region)?;
    let token = token.map(ToOwned::to_owned);
    Ok(Signature { scope, signed_at, life, additional, signature, token })
}
