//! The upload of a file by a form, as a browser would do it.

use std::fs::File;
use std::path::Path;

use serde::Serialize;
use tokio_util::io::ReaderStream;
use valetkey::post_policy::FILE_NAME;
use valetkey::transfer::{Body, FormFile, Transfer, Uploaded};
use valetkey::{PresignError, PresignedPost};

use crate::args::{PostArgs, PostOutput};
use crate::error::CliError;
use crate::location::Provider;
use crate::{input, output, store};

/// What is read of the file at once.
const PIECE: usize = 64 * 1024;

/// A file that is open, with the length that it had then.
pub(super) struct LocalFile<'a> {
    path: &'a Path,
    file: File,
    size: u64,
}

impl<'a> LocalFile<'a> {
    pub(super) fn open(path: &'a Path) -> Result<Self, CliError> {
        if path == Path::new("-") {
            let message = "--file: standard input has no length that is known first, which stores demand; write it to a file (a file of that name is `./-`)";
            return Err(CliError::usage("unreadable_input", message));
        }
        let metadata = std::fs::metadata(path).map_err(|error| input::unreadable(path, &error.to_string()))?;
        // Before it is opened, which waits for the other end of a pipe.
        if !metadata.is_file() {
            return Err(input::unreadable(path, "it is not a regular file, whose length is known first"));
        }
        let file = File::open(path).map_err(|error| input::unreadable(path, &error.to_string()))?;
        Ok(Self { path, file, size: metadata.len() })
    }

    /// Its own name, which stands where the key has `${filename}`.
    fn name(&self, form: &PresignedPost) -> Result<String, CliError> {
        let name = self.path.file_name().unwrap_or_default();
        match name.to_str() {
            Some(name) => Ok(name.to_owned()),
            None if form.fields.value("key").is_some_and(|key| key.contains(FILE_NAME)) => {
                Err(CliError::usage("invalid_key", "--file: the name of the file is not UTF-8 and would be the name of the object; name one key"))
            }
            None => Ok(name.to_string_lossy().into_owned()),
        }
    }
}

/// Sends the form with the file and says what the store answered.
pub(super) fn run(form: PresignedPost, file: LocalFile<'_>, provider: Provider, args: &PostArgs) -> Result<(), CliError> {
    form.file_limits.check(file.size).map_err(PresignError::from)?;
    let name = file.name(&form)?;
    let guessed = mime_guess::from_path(&name).first_raw();
    let form = fill_type(form, args.file_type.as_deref(), guessed, provider)?;
    if let Some(open) = form.unfilled().next() {
        let message = format!("the policy leaves the field `{}` to the client, and no flag gives it a value; fix it in the policy", open.name().escape_debug());
        return Err(CliError::usage("open_field", message));
    }
    let uploaded = store::runtime()?.block_on(async {
        let body = Body::stream(file.size, ReaderStream::with_capacity(tokio::fs::File::from_std(file.file), PIECE));
        let part = FormFile::new(name, body);
        let part = args.file_type.as_deref().or(guessed).into_iter().fold(part, FormFile::content_type);
        Transfer::new()?.upload_form(&form, part).await
    })?;
    print(&uploaded, args.output)
}

/// Gives the object its type, where the form leaves it open.
fn fill_type(form: PresignedPost, said: Option<&str>, guessed: Option<&str>, provider: Provider) -> Result<PresignedPost, CliError> {
    let is_type = |name: &str| ["content-type", provider.dialect().form_rules().content_type].iter().any(|one| one.eq_ignore_ascii_case(name));
    let is_said = form.fields.iter().any(|(name, _)| is_type(name)) || form.open_fields.iter().any(|open| is_type(open.name()));
    match (said, guessed) {
        // OSS takes the type of the part then.
        (Some(_), _) if !is_said && provider == Provider::Oss => Ok(form),
        (Some(said), _) => Ok(form.fill_content_type(said).map_err(PresignError::from)?),
        (None, _) if !form.unfilled().any(|open| is_type(open.name())) => Ok(form),
        (None, Some(guessed)) => form
            .fill_content_type(guessed)
            .map_err(|error| CliError::usage(error.code(), format!("{error}; `{guessed}` was told from the name of the file: give another with --file-type"))),
        (None, None) => Err(CliError::usage("open_field", "the type of the file cannot be told from its name; give it with --file-type")),
    }
}

/// What the store said.
#[derive(Serialize)]
struct Report<'a> {
    status: u16,
    etag: Option<&'a str>,
    location: Option<&'a str>,
}

fn print(uploaded: &Uploaded, format: Option<PostOutput>) -> Result<(), CliError> {
    let report = Report { status: uploaded.status, etag: uploaded.etag.as_deref(), location: uploaded.location.as_deref() };
    if format == Some(PostOutput::Json) {
        let json = serde_json::to_string(&report).map_err(|error| CliError::failure("output", error.to_string()))?;
        return output::json(&json);
    }
    let lines = [("etag", report.etag), ("location", report.location)];
    let lines = lines.into_iter().filter_map(|(name, value)| Some(format!("{name}: {}\n", output::one_line(value?))));
    output::text(&format!("status: {}\n{}", report.status, lines.collect::<String>()))
}
