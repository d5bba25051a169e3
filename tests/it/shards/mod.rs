//! Parts of a tree, each in a state of its own.

mod emit;
mod locks;
mod overview;
mod union;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::support::{Ran, Sandbox, outlast, ran};

/// A tree, and the folder with the states of its shards.
struct Shards {
    sandbox: Sandbox,
    states: PathBuf,
}

impl Shards {
    /// A tree of this many small files in folders, with other entries between them.
    fn of(files: usize) -> Self {
        let sandbox = Sandbox::new();
        for number in 0..files {
            let ast = format!(r#"{{"type":"Program","body":[{{"type":"Name","id":"x{number}"}}]}}"#);
            let broken = r#"{"type":"Program","body":["#.to_owned();
            let text = if number % 17 == 3 { broken } else { ast };
            sandbox.write(format!("d{}/e{}/f{number:04}.ast.json", number % 5, number % 3), text);
        }
        sandbox.write("d1/left_out.txt", "x");
        sandbox.write("d2/.outlastignore", "f0007*\n");
        std::os::unix::fs::symlink("d1", sandbox.root.join("link.ast.json")).unwrap();
        sandbox.settle();
        let states = sandbox.dir.path().canonicalize().unwrap().join("states");
        Self { sandbox, states }
    }

    /// The binary on this state, in the scratch folder.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = outlast();
        command.current_dir(self.sandbox.dir.path()).args(args);
        command
    }

    fn run_command(&self, shard: &str) -> Command {
        let mut command =
            self.command(&["run", "tree", "--format", "json", "--progress", "never", "--shard", shard]);
        command.arg("--state").arg(self.states.join("{shard}"));
        command
    }

    fn run(&self, shard: &str) -> Ran {
        ran(&mut self.run_command(shard))
    }

    fn state(&self, index: u32) -> PathBuf {
        self.states.join(format!("{index:04}"))
    }
}

/// Each record by its line without what differs between any two runs: the number of the tick.
fn by_line(output: &Ran) -> BTreeMap<String, Value> {
    let parsed = output.lines().into_iter().map(|line| serde_json::from_slice::<Value>(line).unwrap());
    let stripped = parsed.map(|mut record| {
        record.as_object_mut().unwrap().remove("committed_tick");
        (record.to_string(), record)
    });
    stripped.collect()
}
