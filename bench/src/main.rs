//! Presigning, measured: valetkey beside other libraries and beside the work that no signer can leave out.

mod allocations;
mod check;
mod columns;
mod docs;
mod floor;
mod job;
mod measure;

use std::process::ExitCode;
use std::sync::Arc;

use check::Proof;
use columns::{Children, Column, Kind};
use job::{Job, Provider, Task};
use measure::{Effort, Measured};

/// What the sync core and `Box<dyn Presigner>` may cost, in floors of `block_api`.
const GOALS: [(Kind, &str, f64); 2] = [(Kind::Ours, "sync core", 1.3), (Kind::OursDyn, "`Box<dyn Presigner>`", 1.8)];

fn main() -> ExitCode {
    let effort = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => Effort::FULL,
        [option] if option == "--quick" => Effort::QUICK,
        [option, sections @ ..] if option == "--docs" => {
            return docs::write(sections).map_or_else(failed, |()| ExitCode::SUCCESS);
        }
        _ => {
            eprintln!("usage: valetkey-bench [--quick | --docs [presign] [batch] [transfer]]");
            return ExitCode::from(2);
        }
    };
    match run(effort) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error),
    }
}

fn failed(error: String) -> ExitCode {
    eprintln!("valetkey-bench: {error}");
    ExitCode::FAILURE
}

fn run(effort: Effort) -> Result<(), String> {
    let jobs = Job::all();
    let children = Children::start(&jobs);
    let mut tables = vec![];
    for job in jobs.into_iter().map(Arc::new) {
        for provider in Provider::ALL {
            let columns = columns::all(provider, &job, &children)?;
            for column in &columns {
                check(column, provider, &job).map_err(|error| format!("({}) {}, {}: {error}", job.letter, provider.name(), column.name))?;
            }
            tables.push((Arc::clone(&job), provider, columns));
        }
    }
    facts(effort);
    children.facts().iter().for_each(|fact| println!("- {fact}"));
    let signers: Vec<_> = tables.iter().flat_map(|(_, _, columns)| columns.iter().map(|column| &*column.signer)).collect();
    let ids = children.ids();
    let before = Ticks::now(&ids);
    let mut measured = measure::all(&signers, effort).into_iter();
    println!("- beside this program, {}", before.since(&ids));
    let mut costs: Vec<Cost> = vec![];
    for (job, provider, columns) in &tables {
        let rows: Vec<Measured> = measured.by_ref().take(columns.len()).collect();
        costs.extend(table(job, *provider, columns, &rows));
    }
    println!();
    for results in [Task::Put { headers: false }, Task::Post].map(Task::results) {
        for (kind, name, goal) in GOALS {
            for (what, of) in [("medians", (|cost| cost.median) as fn(&Cost) -> f64), ("least of rounds", |cost| cost.least)] {
                let ours = costs.iter().filter(|cost| cost.results == results && cost.kind == kind);
                if let Some(most) = ours.max_by(|a, b| of(a).total_cmp(&of(b))) {
                    let verdict = if of(most) <= goal { "kept" } else { "MISSED" };
                    println!("{results}: {name} at most {goal} floors (`block_api`), by the {what}: {verdict}; the most is {:.2}, in {}.", of(most), most.place);
                }
            }
        }
    }
    Ok(())
}

/// Every key of the job is signed and the result taken apart; a result whose signature has another digit must not pass.
fn check(column: &Column, provider: Provider, job: &Job) -> Result<(), String> {
    // The floors sign one prepared request again and again; `floor::all` has compared that one.
    if matches!(column.kind, Kind::FloorBlocks | Kind::FloorPublic) {
        return Ok(());
    }
    for index in 0..job::KEYS {
        let check = |proof: &Proof| check::proof(proof, provider, job, job.key(index), column.habits);
        let proof = column.signer.proof(index);
        let stages = check(&proof)?;
        if check(&proof.forged(&stages.signature)).is_ok() {
            return Err("a forged signature passes the check".to_owned());
        }
    }
    Ok(())
}

fn facts(effort: Effort) {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| cpu.lines().filter(|line| line.starts_with(name)).find_map(|line| line.split_once(": ")).map_or("unknown", |(_, value)| value);
    let flags: Vec<_> = field("flags").split(' ').filter(|flag| matches!(*flag, "sha_ni" | "avx2" | "avx512f" | "hypervisor")).collect();
    let threads = std::thread::available_parallelism().map_or(0, usize::from);
    println!("- CPU: {} (family {}, model {}), {threads} logical; flags: {}", field("model name"), field("cpu family"), field("model\t"), flags.join(" "));
    println!("- system: {} {}", std::env::consts::OS, std::env::consts::ARCH);
    println!("- compiler: {}, opt-level {}", env!("BENCH_RUSTC"), env!("BENCH_OPT_LEVEL"));
    println!("- crates: {}", versions());
    println!("- command: cargo run --release --manifest-path bench/Cargo.toml{}", if std::env::args().len() > 1 { " -- --quick" } else { "" });
    println!(
        "- {} rounds; a round's value is the best of {} slices of {} ms; the columns of all tables take turns, in another order in each round",
        effort.rounds,
        effort.slices,
        effort.slice.as_millis()
    );
}

/// The versions of what is compared, from the lock file.
fn versions() -> String {
    let lock = include_str!("../Cargo.lock");
    let version = |name: &str| {
        let entry = format!("name = \"{name}\"\nversion = \"");
        let found: Vec<_> = lock.split(&entry).skip(1).filter_map(|rest| rest.split('"').next()).collect();
        format!("{name} {}", found.join(" and "))
    };
    let mut names = vec!["valetkey", "sha2", "hmac", "base64", "rusty-s3", "aws-sigv4", "reqsign-aws-v4", "reqsign-aliyun-oss", "reqsign-core"];
    names.extend(["rust-s3", "rusty-oss", "ossify"]);
    if cfg!(feature = "beside") {
        names.extend(["aws-sdk-s3", "object_store", "minio"]);
    }
    names.into_iter().map(version).collect::<Vec<_>>().join(", ")
}

/// What the machine has done so far, in ticks of its processors.
struct Ticks {
    total: u64,
    idle: u64,
    stolen: u64,
    own: u64,
}

impl Ticks {
    /// Zeros where the system does not tell.
    fn now(children: &[u32]) -> Self {
        // Some are negative.
        let numbers = |text: String| -> Vec<u64> { text.split_whitespace().filter_map(|word| word.parse::<i64>().ok()).map(i64::unsigned_abs).collect() };
        let all = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        let all = numbers(all.lines().next().unwrap_or_default().to_owned());
        // Behind the name in parentheses; the state, a letter, is passed over, so user and system time are the 11th and 12th number.
        let of = |process: String| {
            let text = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            numbers(text.rsplit(')').next().unwrap_or_default().to_owned()).iter().skip(10).take(2).sum::<u64>()
        };
        let own = of("self".to_owned()) + children.iter().map(|id| of(id.to_string())).sum::<u64>();
        let at = |from: &[u64], index: usize| from.get(index).copied().unwrap_or(0);
        // user, nice, system, idle, iowait, irq, softirq, steal
        Self { total: all.iter().take(8).sum(), idle: at(&all, 3) + at(&all, 4), stolen: at(&all, 7), own }
    }

    fn since(&self, children: &[u32]) -> String {
        let now = Self::now(children);
        let (total, idle, stolen, own) = (now.total - self.total, now.idle - self.idle, now.stolen - self.stolen, now.own - self.own);
        let share = |ticks: u64| 100.0 * ticks as f64 / total.max(1) as f64;
        format!(
            "{:.0} % of all processor time went to other work and {:.1} % to other machines",
            share(total.saturating_sub(idle + stolen + own)),
            share(stolen)
        )
    }
}

/// What a column of ours costs in floors of `block_api`.
struct Cost {
    kind: Kind,
    results: &'static str,
    place: String,
    median: f64,
    least: f64,
}

/// Prints a table.
fn table(job: &Job, provider: Provider, columns: &[Column], rows: &[Measured]) -> Vec<Cost> {
    let of = |kind| columns.iter().position(|column| column.kind == kind).map(|index| rows[index]);
    let (Some(blocks), Some(public)) = (of(Kind::FloorBlocks), of(Kind::FloorPublic)) else {
        return vec![];
    };
    println!("\n### ({}) {}: {}, {}\n", job.letter, provider.name(), job.task.method(), job.name);
    println!(
        "| | ns, median of rounds | × floor (public API) | × floor (`block_api`) | ns, least to most | least × least floor (`block_api`) | allocations | bytes |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|");
    for (column, row) in columns.iter().zip(rows) {
        println!(
            "| {} | {:.0} | {:.2} | {:.2} | {:.0} to {:.0} | {:.2} | {} | {} |",
            column.name,
            row.median,
            row.median / public.median,
            row.median / blocks.median,
            row.least,
            row.most,
            row.least / blocks.least,
            // A fraction only where keys differ in what they need.
            row.allocations.map_or("–".to_owned(), |(calls, _)| ((calls * 10.0).round() / 10.0).to_string()),
            row.allocations.map_or("–".to_owned(), |(_, bytes)| format!("{bytes:.0}"))
        );
    }
    let place = format!("({}) {}", job.letter, provider.name());
    let cost = |kind, ours: Measured| Cost {
        kind,
        results: job.task.results(),
        place: place.clone(),
        median: ours.median / blocks.median,
        least: ours.least / blocks.least,
    };
    GOALS.iter().filter_map(|(kind, _, _)| of(*kind).map(|ours| cost(*kind, ours))).collect()
}
