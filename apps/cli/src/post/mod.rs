//! `valetkey post LOCATION`: a form for browsers, or an upload by one.

mod policy;
mod upload;

use valetkey::post_policy::ValueRule;
use valetkey::{OpenField, PresignedPost};

use crate::args::{Global, PostArgs, PostOutput};
use crate::error::CliError;
use crate::location::{Location, Signer};
use crate::output;

/// What stands for the file in a curl line.
const FILE: &str = "FILE";

/// Signs a form and prints it, or sends it with a file.
pub(crate) fn run(global: &Global, args: &PostArgs) -> Result<(), CliError> {
    let location: Location = args.location.parse()?;
    check_flags(args)?;
    let source = policy::Source::of(args, location.key())?;
    let file = args.file.as_deref().map(upload::LocalFile::open).transpose()?;
    let signer = Signer::of(&location, global, &args.place)?;
    let form = source.sign(&signer, &args.life.options())?;
    match file {
        Some(file) => upload::run(form, file, signer.provider(), args),
        None => print(&form, args.output.unwrap_or(PostOutput::Json)),
    }
}

/// A flag is obeyed or refused.
fn check_flags(args: &PostArgs) -> Result<(), CliError> {
    let refuse = |message: &str| Err(CliError::usage("usage", message));
    match (&args.file, args.output) {
        (Some(_), Some(PostOutput::Html | PostOutput::Curl)) => {
            refuse("--file uploads the file, and a page or a curl command is for others; leave one of them out")
        }
        (None, _) if args.file_type.is_some() => refuse("--file-type is the type of --file; a form for others says it with --content-type"),
        _ => Ok(()),
    }
}

fn print(form: &PresignedPost, format: PostOutput) -> Result<(), CliError> {
    let text = match format {
        PostOutput::Json => return output::json(&form.to_json()),
        PostOutput::Html => form.to_html(),
        PostOutput::Curl => format!("{}\n", form.to_curl(FILE)),
    };
    // As the page writes them: the reference of a line end that somebody wrote out begins with `&amp;`.
    if format == PostOutput::Html && ["&#10;", "&#13;"].iter().any(|line_end| text.contains(line_end)) {
        return Err(unprintable("a value has a line end, which browsers rewrite, so that no page can send it; rename the object, or take --output json"));
    }
    // Both are for people, whose terminals obey such characters; in JSON they are escaped.
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(unprintable("a value has a control character, which only --output json can show"));
    }
    output::text(&text)?;
    if format == PostOutput::Curl {
        for open in form.unfilled() {
            output::aside(&format!("# {} {}: edit it in the line", open.name(), chosen_by_client(open)));
        }
    }
    if format == PostOutput::Html && !shows_an_answer(form) {
        output::aside("# after an upload the browser stays on the page: the answer is 204; --redirect or --success-status 201 shows one");
    }
    print_notes(form);
    Ok(())
}

/// Whether a browser shows anything after an upload.
fn shows_an_answer(form: &PresignedPost) -> bool {
    form.fields.iter().any(|(name, value)| match name.to_ascii_lowercase().as_str() {
        "success_action_redirect" | "redirect" => true,
        "success_action_status" => value != "204",
        _ => false,
    })
}

fn chosen_by_client(open: &OpenField) -> String {
    match open.rule() {
        ValueRule::Prefix(prefix) if prefix.is_empty() => "is chosen by the client".to_owned(),
        ValueRule::Prefix(prefix) => format!("is chosen by the client and begins with `{prefix}`"),
        ValueRule::OneOf(values) => format!("is one of `{}`", values.join("`, `")),
        _ => "is chosen by the client within the policy".to_owned(),
    }
}

fn unprintable(what: &str) -> CliError {
    CliError::usage("unprintable", what)
}

fn print_notes(form: &PresignedPost) {
    for note in &form.notes {
        output::aside(&format!("# {note}"));
    }
}
