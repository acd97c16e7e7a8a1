//! What a client's program reports of each operation.

use std::collections::BTreeMap;

use libtest_mimic::Failed;
use serde_json::Value;

use crate::clients::{Client, Tools};
use crate::program::{self, Program};
use crate::stores::Stores;

/// The operations that were tried, and what went wrong with each.
#[derive(Clone)]
pub(crate) struct Report(BTreeMap<String, Option<String>>);

impl Report {
    /// Runs the program of a client against stores of its own.
    pub(crate) fn of(client: &Client, operations: &[String], tools: &Tools) -> Result<Self, String> {
        Self::read(client, operations, tools).map_err(|error| error.message().unwrap_or_default().to_owned())
    }

    fn read(client: &Client, operations: &[String], tools: &Tools) -> Result<Self, Failed> {
        let stores = Stores::start()?;
        let [endpoint, of_another_time] = stores.endpoints();
        let program = Program::new(client.program, &program::source(client.program)?, tools)?;
        let wanted = operations.join(" ");
        let variables = [("ENDPOINT", &*endpoint), ("ENDPOINT_OF_ANOTHER_TIME", &*of_another_time), ("REGION", client.region), ("OPERATIONS", &*wanted)];
        let ended = program.run(&variables)?;
        let mut report = BTreeMap::new();
        for line in ended.out.lines() {
            let line: Value = serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
            let name = line["operation"].as_str().ok_or("a line without an operation")?;
            if !operations.iter().any(|operation| operation == name) {
                return Err(format!("the page does not promise {name}").into());
            }
            report.insert(name.to_owned(), line["error"].as_str().map(ToOwned::to_owned));
        }
        if !ended.succeeded || report.len() != operations.len() {
            let missing: Vec<_> = operations.iter().filter(|operation| !report.contains_key(*operation)).collect();
            let cut = format!("not tried: {missing:?}; the program ended so: {}", ended.err);
            report.extend(missing.into_iter().map(|operation| (operation.clone(), Some(cut.clone()))));
        }
        // Clients try again after a fault of the server, so that nobody would see it.
        let faults: Vec<_> = stores.answers().into_iter().filter(|answer| answer.status == 500).collect();
        if faults.is_empty() { Ok(Self(report)) } else { Err(format!("the store had faults of its own: {faults:?}").into()) }
    }

    pub(crate) fn check(&self, operation: &str) -> Result<(), Failed> {
        match self.0.get(operation) {
            Some(None) => Ok(()),
            Some(Some(error)) => Err(error.into()),
            None => Err("it was not tried".into()),
        }
    }
}
