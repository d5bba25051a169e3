//! Faults of the system while state is made durable: no room, a device that fails, a process that ends.

mod full;
mod hits;
mod mount;
mod reads;
mod syncs;
mod waiting;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Promise, Ran, outlast, ran};

/// A state that a test lets fail, and the tree that is ingested into it.
struct Place {
    root: PathBuf,
    state: PathBuf,
}

impl Place {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = outlast();
        command.args(args).arg("--state").arg(&self.state);
        command
    }

    fn run_command(&self) -> Command {
        let mut command = self.command(&["run", "--format", "json", "--progress", "never", "--workers", "1"]);
        command.arg(&self.root);
        command
    }

    /// The last committed tick; none where there is no state.
    fn tick(&self) -> Result<Option<u64>, String> {
        let told = ran(&mut self.command(&["status", "--format", "json"]));
        match told.code {
            Some(0) => Ok(Some(Promise::of(&told.json()).tick)),
            Some(10) => Ok(None),
            _ => Err(format!("the state is not told: {told}")),
        }
    }

    /// A run to the end.
    fn finish(&self) -> Result<Ran, String> {
        let told = ran(&mut self.run_command());
        let is_done = matches!(told.code, Some(0 | 3)) && !told.crashed();
        if is_done { Ok(told) } else { Err(format!("not done: {told}")) }
    }
}

/// It names the file or folder that failed, and what the system said, and no damage.
fn is_a_good_message(told: &Ran, within: &Path, said: &str) -> Result<(), String> {
    let names_it = told.stderr.contains(within.to_str().unwrap()) && told.stderr.contains(said);
    if names_it && !told.stderr.contains("outlast repair") && told.stdout.is_empty() {
        return Ok(());
    }
    Err(format!("not a message to go on from: {told}"))
}

const FILES: u64 = 60;

/// Makes a tree of small files. Some are broken.
fn grow(root: &Path) {
    (0..4).for_each(|folder| fs::create_dir_all(root.join(format!("m{folder}"))).unwrap());
    (0..FILES).for_each(|number| write(root, number, number));
}

/// Changes a third of the files.
fn change(root: &Path, salt: u64) {
    (0..FILES / 3).for_each(|number| write(root, number * 3, number + salt * FILES));
}

fn write(root: &Path, number: u64, salt: u64) {
    let end = if salt % 13 == 5 { "" } else { "}" };
    let text = format!("{{\"type\":\"Module\",\"salt\":{salt}{end}");
    fs::write(root.join(format!("m{}/f{number}.ast.json", number % 4)), text).unwrap();
}
