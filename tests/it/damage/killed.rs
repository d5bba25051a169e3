//! Repairs that are killed again and again: the last one ends as if nothing had stopped the first.

use std::fs;
use std::path::{Path, PathBuf};

use super::harm::Harm;
use super::judge::Case;
use super::{Patient, copy, seed};
use crate::support::{Aim, Begin, Reach, Rng, Score, from_env, ran, read_segments};

/// States that are repaired with kills.
const ROUNDS: u64 = 16;
const KILLS_MAX: u64 = 6;
const SEGMENT: &str = "records/records-000001.ndjson";

/// The log is damaged; now and then something else of the state is, too.
fn harms(patient: &Patient, rng: &mut Rng) -> Vec<Harm> {
    let length = patient.sandbox.state.join(SEGMENT).metadata().unwrap().len();
    let flip = Harm::Flip { file: SEGMENT.into(), at: rng.within(0..length), bit: 1 };
    let tail = Harm::Tail { file: SEGMENT.into(), bytes: b"{\"torn" };
    match rng.within(0..5) {
        0 => vec![flip],
        1 => vec![flip, tail],
        2 => vec![flip, Harm::Cut { file: "state.json".into(), keep: 10 }],
        3 => vec![flip, Harm::Gone("db".into())],
        // Without its checksums, a flipped bit in a record can't be told.
        _ => vec![tail, Harm::Gone("witness".into())],
    }
}

fn damaged_copy(patient: &Patient, harms: &[Harm], state: &Path) {
    copy(&patient.sandbox.state, state);
    harms.iter().for_each(|harm| harm.apply(patient, state));
}

/// Names in the state and the record folder that only a repair gives, without the numbered ones.
fn leftovers(state: &Path) -> Vec<PathBuf> {
    let names = [state.to_owned(), state.join("records")]
        .into_iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap());
    let is_left = |path: &PathBuf| {
        let ends = ["repairing", "damaged", "new", "copy", "tmp"];
        ends.iter().any(|end| path.file_name().is_some_and(|name| name.to_str().unwrap().ends_with(end)))
    };
    names.map(|entry| entry.unwrap().path()).filter(is_left).collect()
}

fn round(patient: &Patient, rng: &mut Rng, reach: &mut Reach, score: &mut Score) -> Result<u64, String> {
    let harms = harms(patient, rng);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let (whole, state) = (folder.join("whole"), folder.join("state"));
    damaged_copy(patient, &harms, &whole);
    damaged_copy(patient, &harms, &state);
    let damaged = fs::read(state.join(SEGMENT)).unwrap();

    let repair = Case { patient, harm: &harms[0], state: &whole };
    ran(&mut repair.command(&["repair"])).expect(0);

    let case = Case { patient, harm: &harms[0], state: &state };
    let kills = 1 + rng.within(0..KILLS_MAX);
    let mut hits = 0;
    for _ in 0..kills {
        let (met, is_within) = case.kill_repair(&Aim::within(Begin::Change, reach, rng), rng);
        reach.learn(is_within);
        score.note(is_within, &met.step);
        hits += u64::from(is_within);
    }
    let told = ran(&mut case.command(&["repair", "--format", "json"]));
    let wrong = |what: &str| Err(format!("{what} after {hits} of {kills} kills, {harms:?}: {told}"));
    if told.code != Some(0) {
        return wrong("not repaired");
    }
    if read_segments(&state.join("records")) != read_segments(&whole.join("records")) {
        return wrong("another log than that of a repair that nothing stopped");
    }
    let aside = |number: u32| state.join(SEGMENT).with_extension(format!("ndjson.damaged-{number}"));
    let set_aside = fs::read(aside(1)).ok();
    let was_set_aside = fs::exists(whole.join(SEGMENT).with_extension("ndjson.damaged-1")).unwrap();
    if set_aside != was_set_aside.then_some(damaged) || aside(2).exists() {
        return wrong("what was damaged is not kept as it was, once");
    }
    if !leftovers(&state).is_empty() {
        return wrong(&format!("{:?} are left", leftovers(&state)));
    }
    case.is_up_to_date_after_a_run(&told).map(|()| hits)
}

#[test]
fn a_repair_that_is_killed_again_and_again_ends_as_if_it_was_not() {
    let patient = Patient::finished(seed());
    let mut rng = Rng::new(seed());
    let rounds = ROUNDS * from_env("OUTLAST_DAMAGE_ROUNDS", 1);
    let (mut reach, mut score) = (Reach::changes(12), Score::default());
    let mut hits = 0;
    for number in 0..rounds {
        hits += round(&patient, &mut rng, &mut reach, &mut score)
            .unwrap_or_else(|problem| panic!("round {number}: {problem}"));
    }
    eprintln!("{hits} repairs were killed in {rounds} rounds, seed {}", seed());
    score.assert("killed between the mark of a repair and its end");
    assert!(hits > rounds, "only {hits} repairs were killed while they ran");
}

#[test]
fn a_repair_is_killed_at_each_change_that_it_makes() {
    let patient = Patient::finished(seed());
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().canonicalize().unwrap().join("state");
    let harm = Harm::Flip { file: SEGMENT.into(), at: 40, bit: 1 };
    damaged_copy(&patient, std::slice::from_ref(&harm), &state);
    let damaged = fs::read(state.join(SEGMENT)).unwrap();
    let case = Case { patient: &patient, harm: &harm, state: &state };
    // Each goes on from where the one before was killed, a little further.
    let mut rng = Rng::new(seed());
    let mut kills = 0;
    while case.kill_repair(&Aim::at_change(Begin::Change, kills), &mut rng).0.is_there {
        kills += 1;
    }
    assert!(kills > 8, "only {kills} changes of a repair were seen");
    let told = ran(&mut case.command(&["repair"])).expect(0);
    let aside = state.join(SEGMENT).with_extension("ndjson.damaged-1");
    assert_eq!(fs::read(aside).unwrap(), damaged);
    assert_eq!(leftovers(&state), Vec::<PathBuf>::new());
    case.is_up_to_date_after_a_run(&told).unwrap();
}
