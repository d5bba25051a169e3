//! The guide's loaders have each record exactly once, although they and the runs beside them are killed.
//!
//! `OUTLAST_LOADER_ROUNDS` sets the number of rounds, `OUTLAST_LOADER_SEED` the seed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;

use super::commands::has_duckdb;
use super::page::Page;
use crate::support::{Ran, Rng, Sandbox, from_env, outlast, ran, skip, take_environment};

/// Prints the cursor, then a row a line.
const DUMP_SQLITE: &str = r#"
import json, sqlite3
db = sqlite3.connect("asts.db")
print(json.dumps(db.execute("SELECT cursor FROM loaded").fetchone()))
for row in db.execute("SELECT root, path, path_bytes, nodes FROM file"):
    print(json.dumps(row))
"#;
const DUMP_DUCKDB: &str = r#"
import duckdb, json
db = duckdb.connect("asts.duckdb")
print(json.dumps(db.execute("SELECT cursor FROM loaded").fetchone()))
for row in db.execute("SELECT root, path, coalesce(path_bytes, ''), nodes FROM file").fetchall():
    print(json.dumps(row))
"#;

/// Number of nodes by root, path, and the path's bytes if it is not UTF-8.
type Rows = BTreeMap<[String; 3], u64>;

/// The rows after these records, in the order of the log.
fn rows_after(mut rows: Rows, records: &[Value]) -> Rows {
    for record in records {
        let file = ["root", "path", "path_bytes"].map(|part| record[part].as_str().unwrap_or("").to_owned());
        match record["result"]["nodes"].as_u64() {
            Some(nodes) => rows.insert(file, nodes),
            None => rows.remove(&file),
        };
    }
    rows
}

fn records_of(output: &Ran) -> Vec<Value> {
    output.lines().into_iter().map(|line| serde_json::from_slice(line).unwrap()).collect()
}

/// A tree below two roots of one name, and a database that a loader fills.
struct Loading {
    sandbox: Sandbox,
    roots: [PathBuf; 2],
    dump: &'static str,
    rng: Rng,
    /// How long the loader takes, about.
    took: Duration,
}

impl Loading {
    fn new(page: &str, dump: &'static str, seed: u64) -> Self {
        let sandbox = Sandbox::new();
        let blocks = Page::guide(page).blocks().into_iter();
        let mut loaders = blocks.filter(|block| block.info == "python" && block.text.contains("cursor"));
        let folder = sandbox.dir.path();
        fs::write(folder.join("loader.py"), loaders.next().unwrap().text).unwrap();
        fs::create_dir(folder.join("bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_outlast"), folder.join("bin/outlast")).unwrap();
        let roots = ["a/tree", "b/tree"].map(|root| folder.join(root));
        roots.iter().for_each(|root| fs::create_dir_all(root).unwrap());
        Self { roots, sandbox, dump, rng: Rng::new(seed), took: Duration::from_secs(1) }
    }

    fn python(&self) -> Command {
        let folder = self.sandbox.dir.path();
        let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("python3");
        take_environment(&mut command, &outlast());
        command.env("PATH", path).env("OUTLAST_STATE", &self.sandbox.state).current_dir(folder);
        command
    }

    fn records(&self, args: &[&str]) -> Ran {
        ran(self.sandbox.command(["records"]).args(args))
    }

    fn run(&self) -> Command {
        let mut command = self.sandbox.command(["run", "--progress", "never"]);
        command.args(&self.roots).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Changes some files: their number of nodes, whether they are sound, and whether they exist.
    fn change(&mut self) {
        for root in &self.roots {
            for _ in 0..self.rng.within(1..60) {
                let number = self.rng.within(0..40);
                let name = match number {
                    0 => "line\u{2028}separator\u{85}.ast.json".into(),
                    // In text they are the same.
                    1 | 2 => OsString::from_vec([b"odd", &[0xfd + number as u8][..], b".ast.json"].concat()),
                    _ => format!("{number}.ast.json").into(),
                };
                let path = root.join(name);
                let body = vec![r#"{"_type":"Pass"}"#; self.rng.within(0..30) as usize].join(",");
                match self.rng.within(0..10) {
                    0 => drop(fs::remove_file(path)),
                    1 => fs::write(path, "{").unwrap(),
                    _ => fs::write(path, format!(r#"{{"_type":"Module","body":[{body}]}}"#)).unwrap(),
                }
            }
        }
    }

    /// Runs the loader to its end.
    #[track_caller]
    fn load(&mut self) {
        let begun = Instant::now();
        ran(self.python().arg("loader.py")).expect(0);
        self.took = begun.elapsed();
    }

    /// Starts a run and the loader, and kills both. Returns whether the loader had not come to its end.
    fn killed(&mut self) -> bool {
        let mut run = self.run().spawn().unwrap();
        let mut command = self.python();
        command.arg("loader.py").process_group(0).stderr(Stdio::null());
        std::thread::sleep(self.rng.time_up_to(self.took / 4));
        let mut loader: Child = command.spawn().unwrap();
        std::thread::sleep(self.rng.time_up_to(self.took));
        let pid = Pid::from_child(&loader);
        // Its `outlast records` may outlive it.
        let killed = if self.rng.chance(50) { kill_process } else { kill_process_group }(pid, Signal::KILL);
        killed.unwrap();
        let ended = loader.wait().unwrap();
        run.kill().unwrap();
        run.wait().unwrap();
        assert!(ended.success() || ended.code().is_none(), "{ended}");
        !ended.success()
    }

    /// The cursor and rows of the database; `None` as long as there are none.
    fn database(&self) -> Option<(String, Rows)> {
        let output = ran(self.python().args(["-c", self.dump]));
        if output.code != Some(0) {
            assert!(output.stderr.contains("loaded"), "no table has been made yet, or what? {output}");
            return None;
        }
        let mut lines = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let cursor: Value = serde_json::from_slice(lines.next().unwrap()).unwrap();
        let rows = lines.map(|line| {
            let (root, path, bytes, nodes) = serde_json::from_slice(line).unwrap();
            ([root, path, bytes], nodes)
        });
        let rows: Vec<([String; 3], u64)> = rows.collect();
        let count = rows.len();
        let rows = Rows::from_iter(rows);
        assert_eq!(rows.len(), count, "a file is there twice");
        Some((cursor[0].as_str().unwrap().to_owned(), rows))
    }

    /// The database holds what the log holds up to its cursor, and no more.
    fn assert_is_of_cursor(&self) {
        let Some((cursor, rows)) = self.database() else { return };
        let all = records_of(&self.records(&["--since", "1:0"]).expect(0));
        let rest = records_of(&self.records(&["--since", &cursor]).expect(0));
        assert_eq!(rows, rows_after(Rows::new(), &all[..all.len() - rest.len()]), "at {cursor}");
    }

    fn current(&self) -> Rows {
        rows_after(Rows::new(), &records_of(&self.records(&[]).expect(0)))
    }

    #[track_caller]
    fn assert_is_current(&mut self) {
        let code = self.run().status().unwrap().code();
        assert!(matches!(code, Some(0 | 3)), "{code:?}");
        self.load();
        let (current, rows) = (self.current(), self.database().unwrap().1);
        assert_eq!(rows, current);
        assert!(rows.keys().any(|file| file[0] == "tree") && rows.keys().any(|file| file[0] != "tree"));
    }
}

fn assert_loads_once(page: &str, dump: &'static str) {
    let seed = from_env("OUTLAST_LOADER_SEED", 7);
    eprintln!("OUTLAST_LOADER_SEED={seed}");
    let mut loading = Loading::new(page, dump, seed);
    let mut killed = 0;
    for round in 0..from_env("OUTLAST_LOADER_ROUNDS", 8) {
        loading.change();
        if round == 0 {
            // So that there is a state.
            loading.run().status().unwrap();
        }
        killed += u32::from(loading.killed());
        loading.assert_is_of_cursor();
        if round % 3 == 2 {
            loading.assert_is_current();
        }
    }
    assert!(killed > 0, "no loader was killed");
    loading.assert_is_current();
    // A compaction drops what the loader has not read only where that is no consumer; kills come between it and its
    // full load.
    for _ in 0..2 {
        let before = loading.database().unwrap();
        loading.change();
        loading.run().status().unwrap();
        loading.change();
        loading.run().status().unwrap();
        ran(&mut loading.sandbox.command(["compact"])).expect(0);
        loading.records(&["--since", &before.0]).expect(0);
        loading.records(&["--consumer", "asts", "--forget"]).expect(0);
        ran(&mut loading.sandbox.command(["compact"])).expect(0);
        loading.records(&["--since", &before.0]).expect(13);
        if loading.killed() {
            let after = loading.database().unwrap();
            // It did all, or nothing.
            if after != before {
                let rest = records_of(&loading.records(&["--since", &after.0]).expect(0));
                assert_eq!(rows_after(after.1, &rest), loading.current());
            }
        }
        loading.assert_is_current();
    }
}

#[test]
fn the_loader_for_sqlite_has_each_record_once() {
    if Command::new("python3").arg("--version").output().is_err() {
        return skip("a loader needs python3");
    }
    assert_loads_once("records", DUMP_SQLITE);
}

#[test]
fn the_loader_for_duckdb_has_each_record_once() {
    if !has_duckdb() {
        return skip("a loader for DuckDB, which is not installed: pip install duckdb");
    }
    assert_loads_once("tables", DUMP_DUCKDB);
}
