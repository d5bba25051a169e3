//! Processors that have several files at once: the same outcomes as one at a time, sooner.

#[cfg(feature = "async")]
mod calls;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use outlast::{
    BatchAnswers, BatchConfig, BatchProcessor, Engine, ErrorClass, FileContent, FileError, RetryPolicy,
    RunOptions, from_fn,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::Sandbox;

/// How processing a file ends; the first three for all files of the call.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Act {
    Panic,
    Whole,
    Silent,
    Error,
    Parse,
    /// Fails so many times with an error that may pass.
    Busy(u8),
    Fine,
}

impl Act {
    fn of(bytes: &[u8]) -> Self {
        match bytes.split(|byte| *byte == b' ').next().unwrap_or_default() {
            b"panic" => Self::Panic,
            b"whole" => Self::Whole,
            b"silent" => Self::Silent,
            b"error" => Self::Error,
            b"parse" => Self::Parse,
            b"busy1" => Self::Busy(1),
            b"busy9" => Self::Busy(9),
            _ => Self::Fine,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::Whole => "whole",
            Self::Silent => "silent",
            Self::Error => "error",
            Self::Parse => "parse",
            Self::Busy(1) => "busy1",
            Self::Busy(_) => "busy9",
            Self::Fine => "fine",
        }
    }
}

/// How often each file was answered as busy.
type Answered = Mutex<BTreeMap<Vec<u8>, u8>>;

/// The answer for a file that fails alone or not at all.
fn answer(file: &FileContent<'_>, answered: &Answered) -> Result<usize, FileError> {
    let processor = |text| Err(FileError::new(ErrorClass::Processor, text));
    match Act::of(file.bytes) {
        Act::Panic => std::panic::resume_unwind(Box::new("as it was told")),
        Act::Whole => processor("all of it"),
        Act::Silent => processor("the processor gave 0 answers for 1 files"),
        Act::Error => processor("this one"),
        Act::Parse => Err(FileError::new(ErrorClass::Parse, "no sense")),
        Act::Busy(times) => {
            let mut answered = answered.lock().unwrap();
            let before = answered.entry(file.path.to_vec()).or_default();
            *before += 1;
            if *before > times { Ok(1) } else { processor("busy").map_err(FileError::may_pass) }
        }
        Act::Fine => Ok(file.bytes.len()),
    }
}

/// The same for batches, which fail as a whole before any file is answered.
struct Batches {
    files_max: usize,
    bytes_max: u64,
    answered: Answered,
    /// The largest call.
    largest: AtomicUsize,
}

impl BatchProcessor for Batches {
    fn identity(&self) -> &str {
        "acts/1"
    }

    fn files_max(&self) -> usize {
        self.files_max
    }

    fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    fn process_batch(&self, files: &[FileContent<'_>], answers: &mut BatchAnswers) -> Result<(), FileError> {
        let bytes: usize = files.iter().map(|file| file.bytes.len()).sum();
        assert!(files.len() <= self.files_max && (bytes as u64 <= self.bytes_max || files.len() == 1));
        self.largest.fetch_max(files.len(), Ordering::Relaxed);
        let has = |act| files.iter().any(|file| Act::of(file.bytes) == act);
        if has(Act::Panic) {
            std::panic::resume_unwind(Box::new("as it was told"));
        }
        if has(Act::Whole) {
            return Err(FileError::new(ErrorClass::Processor, "all of it"));
        }
        if !has(Act::Silent) {
            files.iter().for_each(|file| answers.push(answer(file, &self.answered)));
        }
        Ok(())
    }
}

/// Runs to the end, and returns what the latest record of each path says.
fn outcomes(engine: &Engine, sandbox: &Sandbox, name: &str, config: &BatchConfig) -> BTreeMap<String, Value> {
    let state = sandbox.dir.path().join(name);
    engine.run(&sandbox.root, config, &RunOptions::new(&state)).unwrap();
    let sandbox = crate::support::ran(crate::support::outlast().args(["records", "--state"]).arg(state));
    let told = sandbox.expect(0);
    let record = |line: &[u8]| {
        let record: Value = serde_json::from_slice(line).unwrap();
        let mut told = ["status", "digest", "result", "error", "attempts"].map(|name| record[name].clone());
        // Several failures in a row pause the run: one that may pass is no attempt then.
        if record["status"] == "ok" {
            told[4] = Value::Null;
        }
        (record["path"].as_str().unwrap().to_owned(), Value::from(told.to_vec()))
    };
    told.lines().into_iter().map(record).collect()
}

/// The paths whose outcomes are not the same.
fn different<'a>(
    some: &'a BTreeMap<String, Value>,
    others: &'a BTreeMap<String, Value>,
) -> Vec<(&'a str, &'a Value, Option<&'a Value>)> {
    assert_eq!(some.len(), others.len());
    let both = some.iter().map(|(path, one)| (path.as_str(), one, others.get(path)));
    both.filter(|(_, one, other)| Some(*one) != *other).collect()
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        1 => Just(Act::Panic),
        1 => Just(Act::Whole),
        1 => Just(Act::Silent),
        1 => Just(Act::Error),
        1 => Just(Act::Parse),
        1 => Just(Act::Busy(1)),
        1 => Just(Act::Busy(9)),
        20 => Just(Act::Fine),
    ];
    proptest::collection::vec(act, 1..120)
}

fn config(worker_count: usize, concurrency: usize) -> BatchConfig {
    let soon = RetryPolicy { attempts: 3, backoff_ms: 1, backoff_max_ms: 2 };
    let retry = [ErrorClass::Processor, ErrorClass::Panic].map(|class| (class, soon)).into();
    BatchConfig { worker_count, concurrency, retry, ..BatchConfig::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn files_at_once_have_the_outcomes_that_they_have_one_by_one(
        acts in acts(),
        files_max in 1_usize..40,
        bytes_max in 1_u64..2_000,
        workers in 1_usize..4,
        concurrency in 1_usize..20,
    ) {
        let sandbox = Sandbox::new();
        for (number, act) in acts.iter().enumerate() {
            sandbox.write(format!("d{}/{number:03}", number % 5), format!("{} {number}", act.word()));
        }
        let config = config(workers, concurrency);
        let answered = Answered::default();
        let one_by_one = from_fn("acts/1", &["*"], move |file: &FileContent<'_>| answer(file, &answered));
        let expected = outcomes(&Engine::new(one_by_one), &sandbox, "one", &config);
        prop_assert_eq!(expected.len(), acts.len());
        let (answered, largest) = Default::default();
        let batches = Arc::new(Batches { files_max, bytes_max, answered, largest });
        let together = outcomes(&Engine::new(Arc::clone(&batches)), &sandbox, "together", &config);
        prop_assert_eq!(different(&together, &expected), []);
        #[cfg(feature = "async")]
        let together = calls::outcomes_of_futures(&sandbox, &config);
        prop_assert_eq!(different(&together, &expected), []);
    }
}

#[test]
fn a_call_gets_what_there_is_up_to_its_limits() {
    let sandbox = Sandbox::new();
    (0..100).for_each(|number| drop(sandbox.write(format!("{number:03}"), "fine content")));
    let run = |files_max, bytes_max| {
        let (answered, largest) = Default::default();
        let batches = Arc::new(Batches { files_max, bytes_max, answered, largest });
        let name = format!("{files_max} {bytes_max}");
        let outcomes = outcomes(&Engine::new(Arc::clone(&batches)), &sandbox, &name, &config(1, 1));
        assert_eq!(outcomes.len(), 100);
        batches.largest.load(Ordering::Relaxed)
    };
    assert_eq!(run(10, 1 << 20), 10);
    assert_eq!(run(1_000, 12 * 7 + 3), 7);
    assert_eq!(run(1_000, 1), 1, "a file that is larger than the limit is alone");
}

#[test]
fn a_file_that_changes_while_its_batch_runs_is_due_again_and_no_other() {
    let sandbox = Sandbox::new();
    (0..20).for_each(|number| drop(sandbox.write(format!("{number:03}"), "fine content")));
    sandbox.settle();
    let changed = sandbox.root.join("007");
    let batches = outlast::batch_from_fn("sizes/1", &["*"], move |files: &[FileContent<'_>]| {
        if files.iter().any(|file| file.path == b"007") {
            std::fs::write(&changed, "another content").unwrap();
        }
        Ok(files.iter().map(|file| Ok(file.bytes.len())).collect::<Vec<_>>())
    });
    let engine = Engine::new(batches);
    let run = || engine.run(&sandbox.root, &config(1, 1), &RunOptions::new(&sandbox.state)).unwrap();
    assert_eq!(run().progress.ok, 20);
    sandbox.settle();
    let again = run().progress;
    assert_eq!((again.ok, again.unchanged), (1, 19));
    assert_eq!(sandbox.log().last().unwrap()["result"], "another content".len());
}
