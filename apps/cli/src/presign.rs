//! `valetkey presign OPERATION LOCATION`

use valetkey::{PresignError, PresignedRequest};

use crate::args::{Global, PresignArgs, PresignOutput};
use crate::error::CliError;
use crate::location::{Location, Signer};
use crate::{output, request};

/// What stands for the body in a curl line.
const BODY_FILE: &str = "FILE";

/// Signs one request and prints it.
pub(crate) fn run(global: &Global, args: PresignArgs) -> Result<(), CliError> {
    let (operation, location) = match args.words.as_slice() {
        [operation, location] => (request::operation(operation)?, location.parse::<Location>()?),
        [word] if word.contains(':') => {
            return Err(CliError::usage("usage", "the operation is missing; write `valetkey presign get LOCATION`, or put, head, delete, list ..."));
        }
        [_] => return Err(CliError::usage("usage", "the location is missing; write s3://BUCKET/KEY, oss://BUCKET/KEY or STORE:KEY")),
        _ => return Err(CliError::usage("usage", "operation and location are missing; write `valetkey presign get s3://BUCKET/KEY`")),
    };
    let request = request::build(operation, location.key(), args.request)?;
    let signer = Signer::of(&location, global, &args.place)?;
    let signed = signer.sign(&request, &args.life.options()).map_err(|error| match error {
        PresignError::Missing { constraint, .. } => CliError::usage(error.code(), format!("{error}; give it with `--{constraint}`")),
        error => error.into(),
    })?;
    print(&signed, args.output.unwrap_or(PresignOutput::Url))
}

fn print(signed: &PresignedRequest, form: PresignOutput) -> Result<(), CliError> {
    match form {
        PresignOutput::Json => output::line(&signed.to_json()),
        PresignOutput::Curl => {
            output::line(&signed.to_curl(BODY_FILE))?;
            print_notes(signed);
            Ok(())
        }
        PresignOutput::Url => {
            output::line(&signed.url)?;
            for (name, value) in signed.signed_headers.iter() {
                output::exact_aside(&format!("{name}: {value}"));
            }
            print_notes(signed);
            Ok(())
        }
    }
}

/// On standard error, and not to be taken for headers.
fn print_notes(signed: &PresignedRequest) {
    for note in &signed.notes {
        output::aside(&format!("# {note}"));
    }
}
