//! What `docs/sdks.md` says: its programs, its tables of missing settings, and the operations that it promises.

use libtest_mimic::Failed;

use crate::clients::{Client, Tools};
use crate::guide::Guide;
use crate::program::{Ended, Program};
use crate::stores::Stores;

const PAGE: &str = "docs/sdks.md";
/// What stands on the page in place of the store's port.
const PORT: &str = "9000";

/// A program of the page.
pub(crate) struct Example {
    pub(crate) client: String,
    file: String,
    source: String,
    mistakes: Vec<Vec<String>>,
}

/// The programs, each in the fenced block after `<!-- program: CLIENT FILE -->`.
pub(crate) fn examples() -> Result<Vec<Example>, Failed> {
    let text = std::fs::read_to_string(format!("{}/{PAGE}", env!("CARGO_MANIFEST_DIR")))?;
    let mut examples = Vec::new();
    for rest in text.split("<!-- program: ").skip(1) {
        let (name, rest) = rest.split_once(" -->\n```").ok_or("a program has its block right after its mark")?;
        let (client, file) = name.split_once(' ').ok_or("a program has a client and a file")?;
        let (_, rest) = rest.split_once('\n').ok_or("a block has lines")?;
        let (source, _) = rest.split_once("\n```\n").ok_or("a block ends")?;
        let mistakes = Guide::table_of(PAGE, &format!("mistakes {client}"))?;
        examples.push(Example { client: client.into(), file: file.into(), source: format!("{source}\n"), mistakes });
    }
    let blocks = text.lines().filter(|line| line.starts_with("```") && line.len() > 3 && *line != "```console").count();
    if blocks == examples.len() { Ok(examples) } else { Err(format!("{blocks} blocks of code, {} of them marked", examples.len()).into()) }
}

/// The operations of each client.
pub(crate) fn operations() -> Result<Vec<(String, Vec<String>)>, Failed> {
    let rows = Guide::table_of(PAGE, "operations")?;
    let row = |cells: &Vec<String>| {
        let [client, operations] = &**cells else { return Err(format!("not two cells: {cells:?}").into()) };
        Ok((client.clone(), operations.split(", ").map(ToOwned::to_owned).collect()))
    };
    rows.iter().map(row).collect()
}

impl Example {
    /// It writes an object and prints what it reads.
    pub(crate) fn check(&self, tools: &Tools) -> Result<(), Failed> {
        let stores = Stores::start()?;
        let ended = self.run(&self.source, tools, &stores)?;
        let refused: Vec<_> = stores.answers().into_iter().filter(|answer| answer.status >= 300).collect();
        if ended.succeeded && ended.out == "hello\n" && refused.is_empty() { Ok(()) } else { Err(format!("{ended:?} {refused:?}").into()) }
    }

    /// Without each setting it comes to what the page says.
    pub(crate) fn check_mistakes(&self, tools: &Tools) -> Result<(), Failed> {
        for cells in &self.mistakes {
            let [instead_of, written, wanted] = &**cells else { return Err(format!("not three cells: {cells:?}").into()) };
            let written = if written == "nothing" { "" } else { written.trim_matches('`') };
            let instead_of = instead_of.trim_matches('`');
            if self.source.matches(instead_of).count() != 1 {
                return Err(format!("{instead_of} does not stand once in {}", self.file).into());
            }
            let stores = Stores::start()?;
            let ended = self.run(&self.source.replace(instead_of, written), tools, &stores)?;
            let answers: Vec<_> = stores.answers().iter().map(|answer| format!("{} {}", answer.status, answer.code.as_deref().unwrap_or_default())).collect();
            let said = answers.iter().any(|answer| answer == wanted) || ended.err.contains(&**wanted);
            if ended.succeeded || !said {
                return Err(format!("`{written}` instead of `{instead_of}`: {ended:?}, the store answered {answers:?}").into());
            }
        }
        Ok(())
    }

    fn run(&self, source: &str, tools: &Tools, stores: &Stores) -> Result<Ended, Failed> {
        let shell = Tools { run: vec!["sh".into(), "{source}".into()], ..tools.clone() };
        let tools = if self.file.ends_with(".sh") { &shell } else { tools };
        Program::new(&self.file, &source.replace(PORT, &stores.port()), tools)?.run(&[])
    }

    pub(crate) fn has_mistakes(&self) -> bool {
        !self.mistakes.is_empty()
    }
}

/// Each client has its row, in the page's order, and each program is of a client.
pub(crate) fn check(clients: &[Client]) -> Result<(), Failed> {
    let rows: Vec<_> = operations()?.into_iter().map(|(client, _)| client).collect();
    let ids: Vec<_> = clients.iter().map(|client| client.id.to_owned()).collect();
    let stray: Vec<_> = examples()?.into_iter().map(|example| example.client).filter(|client| !ids.contains(client)).collect();
    if rows == ids && stray.is_empty() { Ok(()) } else { Err(format!("the page has {rows:?} and programs of {stray:?}, the test {ids:?}").into()) }
}
