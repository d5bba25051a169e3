//! The commands of README and guide work, page by page, in the order in which they are written.
//!
//! Blocks of `sh`, `python` and `sql` are run; those of `sh example` are not: they build, take long, or need more than
//! this machine.

use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::page::{Block, Page, project};
use crate::support::{Ran, outlast, ran, skip, take_environment};

/// Pages with commands, which are those below.
const PAGES: [&str; 15] = [
    "README",
    "backup",
    "clusters",
    "configuration",
    "exec",
    "failures",
    "filters",
    "http",
    "inspect",
    "priorities",
    "python",
    "records",
    "state",
    "tables",
    "tour",
];
/// Tools that they use.
const TOOLS: [&str; 4] = ["bash", "curl", "jq", "python3"];
/// The address that the pages name.
const ADDRESS: &str = "127.0.0.1:7650";

/// A failed command ends the script, unless it is `outlast`, which reports failed files.
const PRELUDE: &str = r#"
set -uo pipefail
trap 'kill -9 $(jobs -p) 2>/dev/null || true' EXIT
trap 'code=$?; [[ $code = 3 && $BASH_COMMAND = outlast* ]] || { echo "exit code $code: $BASH_COMMAND" >&2; exit 1; }' ERR
"#;

fn is_run(block: &Block) -> bool {
    ["sh", "python", "sql"].contains(&block.info.as_str())
}

fn page(name: &str) -> Page {
    if name == "README" { Page::read("README.md") } else { Page::guide(name) }
}

pub(super) fn has_duckdb() -> bool {
    let import = Command::new("python3").args(["-c", "import duckdb"]).output();
    import.is_ok_and(|output| output.status.success())
}

/// A page's blocks as one script. Rows of a query are printed as those of a table.
fn script(page: &Page) -> String {
    let python = |code: &str| format!("python3 - <<'END_OF_BLOCK'\n{code}END_OF_BLOCK\n");
    let has_duckdb = has_duckdb();
    let mut script = PRELUDE.to_owned();
    for Block { info, text, .. } in page.blocks().into_iter().filter(is_run) {
        match info.as_str() {
            "sh" => script += &text,
            "python" if has_duckdb || !text.contains("import duckdb") => script += &python(&text),
            "python" => skip("a loader for DuckDB, which is not installed: pip install duckdb"),
            _ if has_duckdb => {
                let rows = format!("for row in duckdb.sql(\"\"\"{text}\"\"\").fetchall():\n");
                script += &python(&format!(
                    "import duckdb\n{rows}    print('|', ' | '.join(map(str, row)), '|')\n"
                ));
            }
            _ => skip("a query for DuckDB, which is not installed: pip install duckdb"),
        }
    }
    script
}

/// Runs a script in a folder that looks like a clone of the project. `None` where a tool is missing.
fn in_clone(script: &str) -> Option<Ran> {
    let works = |tool: &&str| Command::new(tool).arg("--version").output().is_ok();
    if let Some(missing) = TOOLS.iter().find(|tool| !works(tool)) {
        skip(&format!("commands of the pages need {missing}"));
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    symlink(project().join("data"), folder.path().join("data")).unwrap();
    let bin = folder.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    symlink(env!("CARGO_BIN_EXE_outlast"), bin.join("outlast")).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("timeout");
    command.args(["120", "bash", "-c", script]).current_dir(folder.path());
    take_environment(&mut command, &outlast());
    // As if the package were installed, and without a trace in the project.
    command.env("PYTHONPATH", project().join("src/python")).env("PYTHONDONTWRITEBYTECODE", "1");
    Some(ran(command.env("PATH", path).env("OUTLAST_PROGRESS", "never")))
}

/// Runs a page's commands as they are, but for the port, which another process may have.
#[track_caller]
fn assert_works(name: &str) -> Option<Ran> {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let script = script(&page(name)).replace(ADDRESS, &free.to_string());
    let ran = in_clone(&script)?;
    assert_eq!(ran.code, Some(0), "{name}: {ran}\n{script}");
    Some(ran)
}

macro_rules! works {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                assert_works(stringify!($name));
            }
        )*
    };
}

works! { backup configuration exec failures filters http inspect priorities python records state tour }

#[test]
fn tables() {
    let Some(ran) = assert_works("tables").filter(|_| has_duckdb()) else { return };
    let (text, output) = (page("tables").text, ran.text());
    let tables = text
        .split("\n|---")
        .skip(1)
        .map(|rest| rest.lines().skip(1).take_while(|line| line.starts_with('|')));
    let missing: Vec<_> = tables.flatten().filter(|row| !output.lines().any(|line| line == *row)).collect();
    assert!(missing.is_empty(), "{missing:#?}\n{output}");
}

/// With a smaller tree, on one thread, so that it is not done before it is killed.
#[test]
fn readme() {
    let script = script(&page("README"));
    let small = script.replace("range(200)", "range(80)").replace("10000", "200");
    assert_ne!(small, script);
    let Some(ran) = in_clone(&format!("export OUTLAST_WORKERS=1\n{small}")) else { return };
    assert_eq!(ran.code, Some(0), "{ran}\n{small}");
    assert!(ran.text().contains(": killed, ") && ran.text().contains("\n6400\n0\n"), "{ran}");
}

#[test]
fn every_page_with_commands_is_run() {
    let mut with_commands: Vec<String> = Page::summary();
    with_commands.push("README".to_owned());
    with_commands.retain(|name| page(name).blocks().iter().any(is_run));
    with_commands.sort();
    assert_eq!(with_commands, PAGES);
}
