//! `valetkey presign --batch FILE LOCATION`: one line of JSON in, one line of JSON out, on all processors, in bounded memory.

mod blocks;
mod line;
mod workers;

use std::io::Write as _;

use valetkey::error_json;

use self::blocks::{Block, MAX_LINE};
use self::workers::{Answers, Ended};
use crate::args::{Global, LifeArgs, PresignArgs, PresignOutput, RequestArgs};
use crate::error::CliError;
use crate::location::{Location, Signer};
use crate::{input, output};

/// Signs each line and goes on after one that fails.
pub(crate) fn run(global: &Global, args: &PresignArgs) -> Result<(), CliError> {
    let location = location(args)?;
    let Some(file) = &args.batch else {
        return Err(CliError::usage("usage", "--batch is missing"));
    };
    let input = input::open(file)?;
    let signer = Signer::of(&location, global, &args.place)?;
    signer.check_credentials(args.life.at)?;
    let input = blocks::without_mark(input).map_err(|error| CliError::failure("input", format!("line 1 cannot be read: {error}")))?;
    let life = args.life;
    let (mut signed, mut failed) = (0_u64, 0_u64);
    let mut out = output::blocks();
    let outcome = workers::run(
        input,
        move |block, answers| answer(&signer, &life, block, answers),
        |answers| {
            signed += answers.signed;
            failed += answers.failed;
            // At once: a program may wait for the answer to its line before it writes the next one.
            out.write_all(&answers.text)?;
            out.flush()
        },
    );
    match outcome {
        Err(Ended::Unreadable(line, error)) => return Err(CliError::failure("input", format!("line {line} cannot be read: {error}"))),
        Err(Ended::Unwritten(error)) => return Err(error.into()),
        Err(Ended::Broken) => return Err(CliError::failure("internal", "a thread broke off; please report it with the command that you gave")),
        Ok(()) => {}
    }
    match failed {
        0 => Ok(()),
        _ => Err(CliError::refused("batch_failed", format!("{failed} of {} lines failed; each says why in its line of the output", signed + failed))),
    }
}

/// One line out for each line in that is not blank.
fn answer(signer: &Signer, life: &LifeArgs, block: &Block, answers: &mut Answers) {
    // Where the life of all lines cannot be had each of them says so itself.
    let session = signer.session(&life.options()).ok();
    let mut presigned = None;
    for (number, line) in block.lines() {
        let outcome = match line {
            None => Err(CliError::usage("line_too_long", format!("the line has more than {MAX_LINE} bytes; split it"))),
            Some(line) if line.iter().all(u8::is_ascii_whitespace) => continue,
            Some(line) => line::sign(signer, session.as_ref(), line, life, &mut presigned)
                .and_then(|()| serde_json::to_writer(&mut answers.text, &presigned).map_err(|error| CliError::failure("output", error.to_string()))),
        };
        match outcome {
            Ok(()) => answers.signed += 1,
            Err(error) => {
                answers.failed += 1;
                let message = format!("line {number}: {}", output::one_line(&error.to_string()));
                answers.text.extend_from_slice(error_json(error.code(), &message).as_bytes());
            }
        }
        answers.text.push(b'\n');
    }
}

/// The bucket or store; what to sign stands in the lines and nowhere else.
fn location(args: &PresignArgs) -> Result<Location, CliError> {
    let [location] = args.words.as_slice() else {
        return Err(CliError::usage("usage", "--batch takes one location and no operation; write `valetkey presign --batch FILE s3://BUCKET`, or STORE:"));
    };
    let location: Location = location.parse()?;
    if location.key().is_some() {
        return Err(CliError::usage("invalid_location", "with --batch the location has no key; keys stand in the lines"));
    }
    if args.request != RequestArgs::default() {
        let message =
            "with --batch, what to sign stands in the lines; leave out all flags but --region, --endpoint, --addressing, --expires, --expires-at and --at";
        return Err(CliError::usage("usage", message));
    }
    if args.output.is_some_and(|form| form != PresignOutput::Json) {
        return Err(CliError::usage("usage", "--batch prints JSON; leave --output out"));
    }
    Ok(location)
}
