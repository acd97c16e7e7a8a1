//! `valetkey get LOCATION [FILE|-]`

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use valetkey::transfer::{Fetched, Transfer};
use valetkey::{ObjectKey, ObjectRequest, Operation};

use super::teller::Teller;
use super::{beside, explain, interrupt, json, life, options, presigner, print, tell_unused, text};
use crate::args::{GetArgs, Global, RequestArgs, TransferArgs, TransferOutput};
use crate::error::CliError;
use crate::location::{Location, Signer};
use crate::{output, request};

/// Headers by which a transfer gets all of one object.
const OWNED: [&str; 4] = ["range", "if-range", "if-match", "if-none-match"];

/// Fetches an object.
pub(crate) fn run(global: &Global, args: GetArgs) -> Result<(), CliError> {
    let location: Location = args.location.parse()?;
    if let Some((name, _)) = args.header.iter().find(|(name, _)| OWNED.iter().any(|owned| name.eq_ignore_ascii_case(owned))) {
        let message = format!("--header: `{}` is set by the transfer itself; `valetkey presign get` signs it for other programs", name.escape_debug());
        return Err(CliError::usage("usage", message));
    }
    let request_args = RequestArgs { version_id: args.version_id, header: args.header, ..RequestArgs::default() };
    let request = request::build(Operation::Get, location.key(), request_args)?;
    let target = Target::of(args.file.as_deref(), request.key())?;
    let transfer = args.transfer;
    if transfer.resume && !matches!(target, Target::File(_)) {
        return Err(CliError::usage("usage", "--resume needs a FILE, beside which it keeps what came; name one, or leave --resume out"));
    }
    let signer = Signer::of(&location, global, &transfer.place)?;
    signer.sign(&request, &life(&transfer))?;
    let teller = Arc::new(Teller::new(&transfer, "fetching", target.is_terminal()));
    let state = target.state();
    tell_unused(state.as_deref(), &transfer, &teller);
    let fetched = interrupt::run(|stop| fetch(signer, request, &target, &transfer, &teller, stop));
    teller.end();
    let fetched = fetched.map_err(|error| explain(error, state.as_deref(), &transfer, |at_once| target.left(at_once)))?;
    target.print(&location.to_string(), &fetched, &transfer)
}

async fn fetch(
    signer: Signer,
    request: ObjectRequest,
    target: &Target,
    args: &TransferArgs,
    teller: &Arc<Teller>,
    stop: CancellationToken,
) -> Result<Fetched, CliError> {
    let client = Transfer::new()?;
    let presigner = presigner(signer, args);
    let options = options(args, teller, stop.clone());
    let writer = match target {
        Target::File(path) => return Ok(Box::pin(client.download_file(presigner, request, path, options)).await?),
        Target::Stdout => unbuffered_stdout()?,
        Target::Stream(path) => open_stream(path, &stop).await?,
    };
    Ok(Box::pin(client.download_to(presigner, request, writer, options)).await?)
}

/// Opens a device or a pipe, which may wait for its reader.
async fn open_stream(path: &Path, stop: &CancellationToken) -> Result<File, CliError> {
    let opened = path.to_owned();
    let opening = tokio::task::spawn_blocking(move || File::options().write(true).open(opened));
    tokio::select! {
        opened = opening => {
            let unwritable = |error: io::Error| CliError::failure("output", format!("{} cannot be written: {error}", path.display()));
            opened.map_err(|_| CliError::internal())?.map_err(unwritable)
        }
        () = stop.cancelled() => Err(CliError::interrupted()),
    }
}

/// Standard output without its search for line ends, and without a buffer whose errors nobody would see.
fn unbuffered_stdout() -> Result<File, CliError> {
    #[cfg(unix)]
    let stdout = std::os::fd::AsFd::as_fd(&io::stdout()).try_clone_to_owned()?;
    #[cfg(windows)]
    let stdout = std::os::windows::io::AsHandle::as_handle(&io::stdout()).try_clone_to_owned()?;
    Ok(stdout.into())
}

/// Where the bytes go.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    Stdout,
    /// A file that comes or is replaced as a whole.
    File(PathBuf),
    /// What cannot be replaced: a device, a pipe.
    Stream(PathBuf),
}

impl Target {
    fn of(file: Option<&Path>, key: Option<&ObjectKey>) -> Result<Self, CliError> {
        let Some(path) = file.filter(|path| *path != Path::new("-")) else {
            return Ok(Self::Stdout);
        };
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Self::below(path, key),
            Ok(metadata) if metadata.is_file() => Self::file(path),
            Ok(_) => Ok(Self::Stream(path.to_owned())),
            // A name with a separator at its end is a folder's.
            Err(error) if path.file_name().is_none() || ends_like_a_folder(path) => {
                Err(CliError::usage("usage", format!("the folder {} cannot be used: {error}; make it first", path.display())))
            }
            Err(_) => Self::new_file(path.to_owned()),
        }
    }

    /// The last name of the key in a folder.
    fn below(folder: &Path, key: Option<&ObjectKey>) -> Result<Self, CliError> {
        let name = key.and_then(|key| key.as_str().rsplit('/').next()).unwrap_or_default();
        // On some systems names of objects lead to other folders and devices.
        if Path::new(name).file_name() != Some(name.as_ref()) || (cfg!(windows) && name.contains([':', '\\'])) {
            return Err(CliError::usage(
                "usage",
                format!("{} is a folder, and the last name of the key is no name of a file; name the file", folder.display()),
            ));
        }
        let path = folder.join(name);
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => {
                Err(CliError::usage("usage", format!("{} is a folder as well; name the file that the object shall become", path.display())))
            }
            Ok(metadata) if metadata.is_file() => Self::file(&path),
            Ok(_) => Ok(Self::Stream(path)),
            Err(_) => Self::new_file(path),
        }
    }

    /// A name that no file has yet.
    fn new_file(path: PathBuf) -> Result<Self, CliError> {
        if path.is_symlink() {
            let message = format!("{} cannot be written: it is a link that leads nowhere; remove it, or make what it leads to", path.display());
            return Err(CliError::failure("file", message));
        }
        Ok(Self::File(path))
    }

    /// What a link leads to is replaced, as `cp` does it, and not the link.
    fn file(path: &Path) -> Result<Self, CliError> {
        if !path.is_symlink() {
            return Ok(Self::File(path.to_owned()));
        }
        let unusable = |error: io::Error| CliError::failure("file", format!("{} cannot be followed: {error}", path.display()));
        Ok(Self::File(std::fs::canonicalize(path).map_err(unusable)?))
    }

    /// Whether the bytes are shown where the bar would be.
    fn is_terminal(&self) -> bool {
        *self == Self::Stdout && std::io::stdout().is_terminal()
    }

    /// What a later run goes on with.
    fn state(&self) -> Option<PathBuf> {
        match self {
            Self::File(path) => Some(beside(path, ".", ".valetkey-download")),
            Self::Stdout | Self::Stream(_) => None,
        }
    }

    /// What an interruption left.
    fn left(&self, at_once: bool) -> String {
        match self {
            Self::File(path) if at_once => format!("{} is as it was, and a temporary file may be left beside it", path.display()),
            Self::File(path) => format!("{} is as it was, and nothing is left beside it", path.display()),
            Self::Stdout | Self::Stream(_) => "what came before was written".to_owned(),
        }
    }

    /// Standard output is for the object's bytes, where they go there.
    fn print(&self, location: &str, fetched: &Fetched, args: &TransferArgs) -> Result<(), CliError> {
        let file = match self {
            Self::Stdout => None,
            Self::File(path) | Self::Stream(path) => Some(path.to_string_lossy()),
        };
        let report = Report {
            location,
            file: file.as_deref(),
            size: fetched.size,
            etag: fetched.etag.as_deref(),
            content_type: fetched.content_type.as_deref(),
            checked: fetched.checked,
        };
        let lines = [
            ("file", file.as_deref().map(str::to_owned)),
            ("size", Some(fetched.size.to_string())),
            ("etag", fetched.etag.clone()),
            ("checked", fetched.checked.map(str::to_owned)),
        ];
        match (self, args.output) {
            (Self::Stdout, None) => {}
            (Self::Stdout, Some(TransferOutput::Json)) => output::json_aside(&json(&report)?),
            (Self::Stdout, Some(TransferOutput::Text)) => text(&lines).lines().for_each(output::aside),
            _ => print(&report, &lines, args)?,
        }
        Ok(())
    }
}

/// What was fetched and where it is.
#[derive(Serialize)]
struct Report<'a> {
    location: &'a str,
    file: Option<&'a str>,
    size: u64,
    etag: Option<&'a str>,
    content_type: Option<&'a str>,
    checked: Option<&'a str>,
}

fn ends_like_a_folder(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().last().is_some_and(|byte| std::path::is_separator(char::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_an_object_goes() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("there"), "x").unwrap();
        std::fs::create_dir_all(at("dir/taken")).unwrap();
        let of = |file: &str, key: &str| Target::of(Some(&at(file)), Some(&key.parse().unwrap()));
        for (file, key, want) in [("there", "k", "there"), ("new", "k", "new"), ("dir", "a/b.txt", "dir/b.txt"), ("dir/", "été 文", "dir/été 文")] {
            assert_eq!(of(file, key).unwrap(), Target::File(at(want)), "{file} {key}");
        }
        for (file, key) in [("nowhere/", "k"), ("dir", "a/"), ("dir", "x/taken")] {
            assert_eq!(of(file, key).unwrap_err().exit(), 2, "{file} {key}");
        }
        for none in [None, Some(Path::new("-"))] {
            assert_eq!(Target::of(none, None).unwrap(), Target::Stdout);
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_devices_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        std::fs::write(&file, "x").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(Target::of(Some(&link), None).unwrap(), Target::File(std::fs::canonicalize(&file).unwrap()));
        std::fs::remove_file(&file).unwrap();
        for (path, key) in [(link.as_path(), "k"), (folder.path(), "a/link")] {
            let error = Target::of(Some(path), Some(&key.parse().unwrap())).unwrap_err();
            assert!(error.code() == "file" && error.to_string().contains("leads nowhere; remove it"), "{error}");
        }
        assert_eq!(Target::of(Some(Path::new("/dev/null")), None).unwrap(), Target::Stream("/dev/null".into()));
    }
}
