//! `outlast shards emit`: scripts and manifests that have a scheduler run all shards.
//!
//! What they have in common: a shard that ends with 11, 75, 137 or 143 is tried again, since another runner of it, a
//! missing resource, a kill or a shutdown may pass; one that ends otherwise is not.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use outlast::Shard;

use crate::cli::exit_code;
use crate::cli::options::global::Global;
use crate::cli::output::terminal;

const RAY: &str = include_str!("emit/ray.py");
const DASK: &str = include_str!("emit/dask.py");
const SLURM: &str = include_str!("emit/slurm.sh");
const KUBERNETES: &str = include_str!("emit/kubernetes.yaml");

/// What runs the shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scheduler {
    Ray,
    Dask,
    Slurm,
    Kubernetes,
}

#[derive(Debug, Args)]
pub(crate) struct EmitArgs {
    /// What runs the shards
    #[arg(value_enum, value_name = "SCHEDULER")]
    scheduler: Scheduler,

    /// How many shards: 64 to 256 leave room for more machines later, and the number stays
    #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(Shard::COUNT_MAX)))]
    count: u32,

    /// Folders to ingest, at the same path on every machine
    #[arg(value_name = "ROOT", required = true)]
    roots: Vec<PathBuf>,

    /// Cores of each shard's runner
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    cpus: u32,

    /// Kubernetes: the container's image, with `outlast` in its path
    #[arg(long, value_name = "IMAGE", default_value = concat!("outlast:", env!("CARGO_PKG_VERSION")))]
    image: String,

    /// Kubernetes: the volume claim that holds the roots and the states
    #[arg(long, value_name = "NAME", default_value = "outlast")]
    claim: String,

    /// Further arguments of `outlast run`, after `--`
    #[arg(last = true, value_name = "ARGUMENT")]
    run: Vec<String>,
}

/// Prints the script or manifest. The states are below what `--state` names.
pub(super) fn emit(global: &Global, args: &EmitArgs) -> Result<u8> {
    let state = std::path::absolute(&global.state)?;
    let has_place = state.to_string_lossy().contains("{shard}");
    let state = if has_place { state } else { state.join("{shard}") };
    let mut roots = Vec::new();
    for root in &args.roots {
        roots.push(std::path::absolute(root)?);
    }
    let mut command = vec!["outlast".to_owned(), "run".to_owned()];
    for root in &roots {
        command.push(text(root)?);
    }
    command.extend(["--state".to_owned(), text(&state)?]);
    command.extend(args.run.iter().cloned());
    command.extend(["--workers".to_owned(), args.cpus.to_string()]);
    let mut values = vec![
        ("count", args.count.to_string()),
        ("cpus", args.cpus.to_string()),
        ("last", (args.count - 1).to_string()),
    ];
    let template = match args.scheduler {
        Scheduler::Ray => RAY,
        Scheduler::Dask => DASK,
        Scheduler::Slurm => SLURM,
        Scheduler::Kubernetes => KUBERNETES,
    };
    if matches!(args.scheduler, Scheduler::Slurm | Scheduler::Kubernetes) {
        command.extend(["--shard".to_owned(), format!("auto/{}", args.count)]);
    }
    if args.scheduler == Scheduler::Slurm {
        let quoted = shlex::try_join(command.iter().map(String::as_str));
        values.push(("command", quoted.context("no argument may have a zero byte")?));
    } else {
        // A list of JSON is one of Python and of YAML, too.
        values.push(("command", serde_json::to_string(&command)?));
    }
    if args.scheduler == Scheduler::Kubernetes {
        let Some(mount) = shared_folder(&roots, &state) else {
            let what =
                "the roots and the states share no folder for a volume: put them below one, such as /shared";
            terminal::tell(&format!("outlast: {what}"));
            return Ok(exit_code::USAGE);
        };
        for (name, text) in [("image", &args.image), ("claim", &args.claim), ("mount", &text(&mount)?)] {
            values.push((name, serde_json::to_string(text)?));
        }
    }
    terminal::print_own(&filled(template, &values))?;
    Ok(exit_code::DONE)
}

/// Puts the values in place of `%{NAME}`. A value may have such a text itself.
fn filled(template: &str, values: &[(&str, String)]) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, (name, after))) =
        rest.split_once("%{").and_then(|(before, place)| Some((before, place.split_once('}')?)))
    {
        filled += before;
        filled.extend(values.iter().filter(|(known, _)| *known == name).map(|(_, value)| value.as_str()));
        rest = after;
    }
    filled + rest
}

fn text(path: &Path) -> Result<String> {
    let text = path.to_str().map(str::to_owned);
    text.with_context(|| {
        format!("{}: a path that is not UTF-8 can't be in a script; use another", path.display())
    })
}

/// Returns the innermost folder that holds all roots and states; `None` where that is the root of the file system.
fn shared_folder(roots: &[PathBuf], state: &Path) -> Option<PathBuf> {
    let states: PathBuf = state
        .components()
        .take_while(|part| !part.as_os_str().to_string_lossy().contains("{shard}"))
        .collect();
    let mut paths = roots.iter().map(PathBuf::as_path).chain([states.as_path()]);
    let mut shared: Vec<Component<'_>> = paths.next()?.components().collect();
    for path in paths {
        let same = shared.iter().zip(path.components()).take_while(|(one, other)| *one == other).count();
        shared.truncate(same);
    }
    (shared.len() > 1).then(|| shared.iter().collect())
}
