//! Whether what follows on a damage is right.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use super::harm::Harm;
use super::{Patient, copy};
use crate::support::{Aim, Begin, Checker, Met, Ran, Reach, Record, Rng, Trail, outlast, ran, read_segments};

/// A copy of the state, damaged.
pub(super) struct Case<'a> {
    pub(super) patient: &'a Patient,
    pub(super) harm: &'a Harm,
    pub(super) state: &'a Path,
}

/// Damages a copy and follows what a user would do. Returns whether the damage was refused.
pub(super) fn judge(patient: &Patient, harm: &Harm, rng: &mut Rng) -> Result<bool, String> {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().canonicalize().unwrap().join("state");
    copy(&patient.sandbox.state, &state);
    harm.apply(patient, &state);
    let case = Case { patient, harm, state: &state };
    if rng.chance(30) {
        case.ask(rng)?;
    }
    let told = case.run();
    if told.crashed() {
        return Err(format!("run went down: {told}"));
    }
    case.ask(rng)?;
    match told.code {
        Some(0 | 3) => case.is_right().map(|()| false).map_err(|error| format!("silently wrong: {error}")),
        Some(12) => {
            is_a_good_message(&told, &state)?;
            case.repair(rng).map(|()| true)
        }
        _ => Err(format!("neither done nor refused: {told}")),
    }
}

impl Case<'_> {
    pub(super) fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = outlast();
        command.args(args).arg("--state").arg(self.state);
        command
    }

    fn run(&self) -> Ran {
        let mut command = self.command(&["run", "--format", "json", "--progress", "never"]);
        ran(command.arg(&self.patient.sandbox.root))
    }

    /// Whatever is damaged, a question is answered or refused.
    fn ask(&self, rng: &mut Rng) -> Result<(), String> {
        let file = self.patient.sandbox.root.join(".hidden.syntax.json");
        let questions = [
            &["status".as_ref(), "--format".as_ref(), "json".as_ref()][..],
            &["records".as_ref()],
            &["records".as_ref(), "--since".as_ref(), "1:0".as_ref()],
            &["explain".as_ref(), file.as_os_str()],
        ];
        let mut command = self.command(rng.pick::<&[&OsStr]>(&questions));
        let told = ran(&mut command);
        let is_fine = match told.code {
            Some(0) => true,
            Some(12) => told.stderr.contains("outlast repair"),
            _ => false,
        };
        if told.crashed() || !is_fine { Err(format!("{command:?}: {told}")) } else { Ok(()) }
    }

    fn checker(&self) -> Checker<'_> {
        Checker::new(self.state, &[&self.patient.sandbox.root]).with_history(&self.patient.tree.history)
    }

    /// A run that came to its end, as if nothing was damaged.
    fn is_right(&self) -> Result<(), String> {
        if self.harm.flips_a_record() && self.patient.finished {
            return Err("a record that is not as committed was not noticed".to_owned());
        }
        self.checker().check()
    }

    /// Every record in the log is one that stood there before, or of the run that noticed the damage.
    fn nothing_is_made_up(&self) -> Result<(), String> {
        for bytes in read_segments(&self.state.join("records")).values() {
            for line in bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
                let record = Record::parse(line).map_err(|error| format!("in the repaired log: {error}"))?;
                if !self.patient.lines.contains(line) && record.tick <= self.patient.tick {
                    return Err(format!("the repaired log holds what was never recorded: {}", record.json));
                }
            }
        }
        Ok(())
    }

    /// After a repair, which may be killed, only what was recorded is there, and a run brings it up to date.
    fn repair(&self, rng: &mut Rng) -> Result<(), String> {
        let kills = if rng.chance(30) { 1 + rng.within(0..4) } else { 0 };
        for _ in 0..kills {
            self.kill_repair(&Aim::within(Begin::Change, &Reach::changes(25), rng), rng);
        }
        let told = ran(&mut self.command(&["repair", "--format", "json"]));
        if told.code != Some(0) || told.crashed() {
            return Err(format!("repair: {told}"));
        }
        self.nothing_is_made_up()?;
        self.ask(rng).map_err(|error| format!("after the repair: {error}"))?;
        self.is_up_to_date_after_a_run(&told)
    }

    /// Kills a repair there. Tells where it was met, and whether it was killed within.
    pub(super) fn kill_repair(&self, aim: &Aim, rng: &mut Rng) -> (Met, bool) {
        let mut command = self.command(&["repair"]);
        let mut trail = Trail::new(self.state);
        let mut repair = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let met = aim.meet(&repair, &mut trail, rng);
        repair.kill().unwrap();
        let was_interrupted = repair.wait().unwrap().code().is_none();
        (met, was_interrupted && self.state.join("repairing").exists())
    }

    /// What a run makes of the repaired state.
    pub(super) fn is_up_to_date_after_a_run(&self, told: &Ran) -> Result<(), String> {
        let run = self.run();
        if !matches!(run.code, Some(0 | 3)) || run.crashed() {
            return Err(format!("the run after {told}: {run}"));
        }
        self.checker().repaired().check().map_err(|error| format!("wrong after {told}: {error}"))
    }
}

/// It names the place and the remedy.
fn is_a_good_message(told: &Ran, state: &Path) -> Result<(), String> {
    let names_a_path = told.stderr.contains(state.to_str().unwrap());
    if names_a_path && told.stderr.contains("outlast repair") && told.stdout.is_empty() {
        return Ok(());
    }
    Err(format!("not a message to go on from: {told}"))
}
