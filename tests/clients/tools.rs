//! What the clients need, where it is found, and how their programs run.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A client of the guide.
pub(crate) struct Client {
    pub(crate) id: &'static str,
    /// Whether `.ci/run` installs what it needs, so that in CI it is an error when it is missing.
    pub(crate) in_ci: bool,
    /// Its tools, or what is missing.
    pub(crate) find: fn() -> Result<Tools, String>,
}

/// How a program is compiled and run. `{source}`, `{stem}` and `{folder}` stand for the program, its name without an ending, and the folder it is in.
#[derive(Default)]
pub(crate) struct Tools {
    pub(crate) compile: Vec<String>,
    pub(crate) run: Vec<String>,
    pub(crate) env: Vec<(&'static str, PathBuf)>,
    /// Files that go beside the program.
    pub(crate) files: Vec<(&'static str, &'static str)>,
    pub(crate) links: Vec<(&'static str, PathBuf)>,
    /// The page that the program becomes a part of.
    pub(crate) browser: Option<&'static str>,
}

pub(crate) const CLIENTS: [Client; 11] = [
    Client { id: "curl", in_ci: true, find: curl },
    Client { id: "python", in_ci: true, find: python },
    Client { id: "node", in_ci: false, find: node },
    Client { id: "axios", in_ci: false, find: axios },
    Client { id: "browser", in_ci: false, find: browser },
    Client { id: "go", in_ci: true, find: go },
    Client { id: "java", in_ci: false, find: java },
    Client { id: "csharp", in_ci: false, find: csharp },
    Client { id: "cpp", in_ci: true, find: cpp },
    Client { id: "ruby", in_ci: true, find: ruby },
    Client { id: "kotlin", in_ci: false, find: kotlin },
];

fn curl() -> Result<Tools, String> {
    runs("curl --version")?;
    runs("jq --version")?;
    Ok(Tools { run: words("sh {source}"), ..Tools::default() })
}

/// The Python of an environment with the requirements, made when it is not there or when they have changed.
fn python() -> Result<Tools, String> {
    let wanted = include_str!("requirements.txt");
    let place = made("clients-python", wanted, |place| {
        runs("python3 --version")?;
        finish(Command::new("python3").args(["-m", "venv", "--clear"]).arg(place))?;
        let requirements = place.join("requirements.txt");
        std::fs::write(&requirements, wanted).map_err(|error| error.to_string())?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
        finish(Command::new(place.join("bin/python")).args(pip).arg(requirements))
    })?;
    let python = place.join("bin/python").display().to_string();
    Ok(Tools { run: vec![python, "{source}".into()], env: vec![("PYTHONDONTWRITEBYTECODE", "1".into())], ..Tools::default() })
}

fn node() -> Result<Tools, String> {
    let version = runs("node --version")?;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
    // `openAsBlob` is there since 19.8.
    if major.is_none_or(|major: u32| major < 20) {
        return Err(format!("node {} is older than 20", version.trim()));
    }
    Ok(Tools { run: words("node --no-warnings {source}"), ..Tools::default() })
}

fn axios() -> Result<Tools, String> {
    let tools = node()?;
    let wanted = include_str!("package.json");
    let place = made("clients-node", wanted, |place| {
        runs("npm --version")?;
        std::fs::create_dir_all(place).map_err(|error| error.to_string())?;
        std::fs::write(place.join("package.json"), wanted).map_err(|error| error.to_string())?;
        finish(Command::new("npm").args(["install", "--silent", "--no-audit", "--no-fund"]).current_dir(place))
    })?;
    Ok(Tools { links: vec![("node_modules", place.join("node_modules"))], ..tools })
}

/// A browser without a window. Its page comes from a file, so its origin is none that a rule could name.
fn browser() -> Result<Tools, String> {
    let names = ["chromium-headless-shell", "chromium", "google-chrome"];
    let name = names.into_iter().find(|name| runs(&format!("{name} --version")).is_ok()).ok_or("no Chromium")?;
    let flags = "--headless --no-sandbox --disable-gpu --user-data-dir={folder}/profile --virtual-time-budget=60000 --dump-dom";
    Ok(Tools { run: words(&format!("{name} {flags}")), browser: Some(include_str!("page.html")), ..Tools::default() })
}

fn go() -> Result<Tools, String> {
    runs("go version")?;
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients-go");
    Ok(Tools { compile: words("go build -o {folder}/program {source}"), run: words("{folder}/program"), env: vec![("GOCACHE", cache)], ..Tools::default() })
}

fn java() -> Result<Tools, String> {
    runs("java --version")?;
    runs("javac --version")?;
    let jars = jars(&["gson"])?;
    Ok(Tools { run: words(&format!("java -cp {jars} {{source}}")), ..Tools::default() })
}

/// Debian has no .NET; it has Mono, which runs the same programs.
fn csharp() -> Result<Tools, String> {
    runs("mcs --version")?;
    runs("mono --version")?;
    let json = Path::new("/usr/lib/cli/Newtonsoft.Json-5.0/Newtonsoft.Json.dll");
    if !json.exists() {
        return Err(format!("no {}", json.display()));
    }
    let compile = format!("mcs -langversion:latest -r:System.Net.Http.dll -r:{} -out:{{folder}}/program.exe {{source}}", json.display());
    let links = vec![("Newtonsoft.Json.dll", json.to_owned())];
    Ok(Tools { compile: words(&compile), run: words("mono {folder}/program.exe"), links, ..Tools::default() })
}

fn cpp() -> Result<Tools, String> {
    runs("g++ --version")?;
    let probe = tempfile::tempdir().map_err(|error| error.to_string())?;
    let source = probe.path().join("probe.cpp");
    std::fs::write(&source, "#include <curl/curl.h>\n#include <nlohmann/json.hpp>\n").map_err(|error| error.to_string())?;
    finish(Command::new("g++").args(["-std=c++17", "-fsyntax-only"]).arg(&source)).map_err(|_| "no headers of libcurl or nlohmann/json")?;
    Ok(Tools { compile: words("g++ -std=c++17 -Wall -Wextra -Werror -o {folder}/program {source} -lcurl"), run: words("{folder}/program"), ..Tools::default() })
}

/// The guide says what Ruby does before 4.0.
fn ruby() -> Result<Tools, String> {
    runs("ruby --version")?;
    let adds_a_type = "exit Net::HTTPGenericRequest.private_method_defined?(:supply_default_content_type)";
    finish(Command::new("ruby").args(["-rnet/http", "-e", adds_a_type])).map_err(|_| "this Ruby adds no type any more: see docs/uploading.md")?;
    Ok(Tools { run: words("ruby {source}"), ..Tools::default() })
}

/// Debian has OkHttp 3, and the guide is written for what followed it: the files make up for the two functions that moved.
fn kotlin() -> Result<Tools, String> {
    runs("kotlinc -version")?;
    let jars = jars(&["okhttp", "okio", "json-android"])?;
    let files = [("okhttp3.kt", include_str!("okhttp3.kt")), ("body.kt", include_str!("okhttp3_body.kt"))];
    let sources = files.map(|(name, _)| format!("{{folder}}/{name}")).join(" ");
    let compile = format!("kotlinc -nowarn {{source}} {sources} -cp {jars} -include-runtime -d {{folder}}/program.jar");
    Ok(Tools { compile: words(&compile), run: words(&format!("java -cp {{folder}}/program.jar:{jars} {{stem}}Kt")), files: files.to_vec(), ..Tools::default() })
}

/// Jars where Debian keeps them.
fn jars(names: &[&str]) -> Result<String, String> {
    let paths: Vec<String> = names.iter().map(|name| format!("/usr/share/java/{name}.jar")).collect();
    match paths.iter().find(|path| !Path::new(path).exists()) {
        Some(missing) => Err(format!("no {missing}")),
        None => Ok(paths.join(":")),
    }
}

/// A folder that is made once for each text of what is wanted.
fn made(name: &str, wanted: &str, make: impl FnOnce(&Path) -> Result<(), String>) -> Result<PathBuf, String> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let note = place.join("made.txt");
    if std::fs::read_to_string(&note).is_ok_and(|text| text == wanted) {
        return Ok(place);
    }
    make(&place)?;
    std::fs::write(&note, wanted).map_err(|error| error.to_string())?;
    Ok(place)
}

/// What a command prints, if it is there and succeeds.
fn runs(line: &str) -> Result<String, String> {
    let words = words(line);
    let (program, arguments) = words.split_first().ok_or("no program")?;
    let output = Command::new(program).args(arguments).output().map_err(|_| format!("no {program}"))?;
    if output.status.success() { Ok(String::from_utf8_lossy(&output.stdout).into_owned()) } else { Err(format!("`{line}` fails")) }
}

fn finish(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))) }
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(ToOwned::to_owned).collect()
}
