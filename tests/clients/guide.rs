//! What `docs/uploading.md` says: its programs, letter by letter, and its tables of what goes wrong.
//!
//! A program stands in the fenced block after `<!-- snippet: CLIENT FILE -->`, its mistakes in the table after `<!-- mistakes: CLIENT FILE -->`.

use libtest_mimic::Failed;

pub(crate) struct Guide {
    pub(crate) snippets: Vec<Snippet>,
    text: String,
}

/// One program.
pub(crate) struct Snippet {
    pub(crate) client: String,
    /// The name of its file, which some languages insist on.
    pub(crate) file: String,
    pub(crate) source: String,
    pub(crate) mistakes: Vec<Mistake>,
}

/// A change to a program and what it leads to on S3 and on OSS.
pub(crate) struct Mistake {
    pub(crate) instead_of: String,
    pub(crate) written: String,
    pub(crate) answers: [Expected; 2],
}

/// What a cell of a table promises: `not sent`, `403 SignatureDoesNotMatch`, `200, stored as TYPE`, `200, other bytes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    NotSent,
    Refused { status: u16, code: String },
    Stored { status: u16, content_type: Option<String>, other_bytes: bool },
}

impl Guide {
    pub(crate) fn read() -> Result<Self, Failed> {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/uploading.md"))?;
        let mut snippets = Vec::new();
        for place in marked(&text, "snippet") {
            let mistakes = rows(&text, &format!("mistakes: {}", place.name))?.iter().map(|cells| Mistake::read(cells)).collect::<Result<_, _>>()?;
            let (client, file) = place.name.split_once(' ').ok_or("a snippet has a client and a file")?;
            let (_, block) =
                place.rest.split_once('\n').filter(|(fence, _)| fence.starts_with("```")).ok_or_else(|| format!("no block after {}", place.name))?;
            let (source, _) = block.split_once("\n```\n").ok_or_else(|| format!("the block of {} does not end", place.name))?;
            snippets.push(Snippet { client: client.to_owned(), file: file.to_owned(), source: format!("{source}\n"), mistakes });
        }
        Ok(Self { snippets, text })
    }

    pub(crate) fn snippet(&self, client: &str, method: &str) -> Result<&Snippet, Failed> {
        let found = self.snippets.iter().find(|snippet| snippet.client == client && snippet.method() == method);
        Ok(found.ok_or_else(|| format!("the guide has no {method} for {client}"))?)
    }

    /// The cells of a table of another guide.
    pub(crate) fn table_of(path: &str, name: &str) -> Result<Vec<Vec<String>>, Failed> {
        let text = std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR")))?;
        rows(&text, &format!("table: {name}"))
    }

    /// The cells of a table that stands after `<!-- table: NAME -->`.
    pub(crate) fn table(&self, name: &str) -> Result<Vec<Vec<String>>, Failed> {
        rows(&self.text, &format!("table: {name}"))
    }

    /// Each client has its programs, each program its mistakes, and nothing stands in the guide that is not run.
    pub(crate) fn check<'c>(&self, clients: impl Iterator<Item = &'c str>) -> Result<(), Failed> {
        let clients: Vec<&str> = clients.collect();
        for client in &clients {
            for method in METHODS {
                let snippet = self.snippet(client, method)?;
                if snippet.mistakes.is_empty() {
                    return Err(format!("{client} {method} has no mistake").into());
                }
                for mistake in &snippet.mistakes {
                    snippet.with(mistake)?;
                }
            }
        }
        let stray = self.snippets.iter().find(|snippet| !clients.contains(&&*snippet.client) || !METHODS.contains(&&*snippet.method()));
        let blocks = self.text.lines().filter(|line| line.starts_with("```") && line.len() > 3 && *line != "```console").count();
        match stray {
            Some(snippet) => Err(format!("{} is not run", snippet.file).into()),
            None if blocks != self.snippets.len() => Err(format!("{blocks} blocks of code, {} of them marked", self.snippets.len()).into()),
            None => Ok(()),
        }
    }
}

const METHODS: [&str; 2] = ["put", "post"];

impl Snippet {
    /// `put` or `post`, as its file is called.
    pub(crate) fn method(&self) -> String {
        self.file.split('.').next().unwrap_or_default().to_lowercase()
    }

    /// The program with a mistake in it.
    pub(crate) fn with(&self, mistake: &Mistake) -> Result<String, Failed> {
        match self.source.matches(&mistake.instead_of).count() {
            1 => Ok(self.source.replace(&mistake.instead_of, &mistake.written)),
            times => Err(format!("`{}` stands {times} times in {} of {}", mistake.instead_of, self.file, self.client).into()),
        }
    }
}

impl Mistake {
    fn read(cells: &[String]) -> Result<Self, Failed> {
        let [instead_of, written, s3, oss] = cells else { return Err(format!("not four cells: {cells:?}").into()) };
        let written = if written == "nothing" { String::new() } else { code(written)? };
        Ok(Self { instead_of: code(instead_of)?, written, answers: [Expected::read(s3)?, Expected::read(oss)?] })
    }
}

impl Expected {
    pub(crate) fn read(cell: &str) -> Result<Self, Failed> {
        if cell == "not sent" {
            return Ok(Self::NotSent);
        }
        let (head, remarks) = cell.split_once(", ").unwrap_or((cell, ""));
        let (status, refused) = head.split_once(' ').unwrap_or((head, ""));
        let status: u16 = status.parse().map_err(|_| format!("no status: {cell}"))?;
        if status >= 400 {
            return Ok(Self::Refused { status, code: refused.to_owned() });
        }
        let content_type = remarks.split(", ").find_map(|remark| remark.strip_prefix("stored as ")).map(code).transpose()?;
        Ok(Self::Stored { status, content_type, other_bytes: remarks.ends_with("other bytes") })
    }

    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::NotSent => None,
            Self::Refused { status, .. } | Self::Stored { status, .. } => Some(*status),
        }
    }
}

struct Place<'t> {
    name: &'t str,
    rest: &'t str,
}

/// The places after `<!-- KIND: NAME -->`.
fn marked<'t>(text: &'t str, kind: &str) -> Vec<Place<'t>> {
    let start = format!("<!-- {kind}: ");
    text.match_indices(&start).filter_map(|(at, _)| text[at + start.len()..].split_once(" -->\n")).map(|(name, rest)| Place { name, rest }).collect()
}

/// The rows of the table after a mark, without its head. A table that is not there has none.
fn rows(text: &str, mark: &str) -> Result<Vec<Vec<String>>, Failed> {
    let Some((_, rest)) = text.split_once(&format!("<!-- {mark} -->\n")) else { return Ok(Vec::new()) };
    let rows: Vec<_> = rest.lines().take_while(|line| line.starts_with('|')).skip(2).map(cells).collect();
    if rows.is_empty() { Err(format!("no table after {mark}").into()) } else { Ok(rows) }
}

/// The cells of a row, where `\|` is a bar that stands in a cell.
fn cells(row: &str) -> Vec<String> {
    let row = row.replace("\\|", "\0");
    let inner = row.trim().trim_matches('|');
    inner.split('|').map(|cell| cell.trim().replace('\0', "|")).collect()
}

/// What stands in a span of code.
fn code(cell: &str) -> Result<String, Failed> {
    let inner = cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`')).ok_or_else(|| format!("no code: {cell}"))?;
    // A span that holds a backtick is written with two.
    Ok(inner.strip_prefix("` ").and_then(|inner| inner.strip_suffix(" `")).unwrap_or(inner).to_owned())
}
