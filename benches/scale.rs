//! How a run grows with the number of files: a [`Source`] that makes them up, nothing on disk but the state,
//! and a processor that does nothing, so that what is measured is Outlast itself. Cost of a file, memory and
//! state beside those of 100,000 files; then a run of all again is killed in the middle, and the next one is
//! timed up to its first commit.
//!
//! `cargo bench --bench scale`; `OUTLAST_BENCH_FILES` sets the number of files, such as 10000000, and
//! `OUTLAST_BENCH_RUNS` how often.

#[expect(dead_code, reason = "each benchmark uses a part of it")]
mod support;

use std::fs;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use outlast::source::{
    Content, Folder, FolderVisitor, Listed, ListedKind, Names, ReadError, ScanReport, Source,
};
use outlast::{BatchConfig, Engine, FileContent, FileKey, Fingerprint, FolderKey, Root, Timestamp, from_fn};
use support::library::{Halt, ingest};
use support::measure::{Figures, run_measured};
use support::measure::{median, middle};
use support::ratio::spread;
use support::{Done, bytes_below, number, own};

/// Files in the run that others are compared with.
const FEW: u64 = 100_000;
/// Files in a folder, and such folders in one above.
const FANOUT: (u64, u64) = (1000, 100);

/// So many files, in folders of 1,000.
struct MadeUp(u64);

impl MadeUp {
    fn folder(&self, visitor: &mut dyn FolderVisitor, key: &FolderKey, first: u64) -> ControlFlow<()> {
        let numbers = first..(first + FANOUT.0).min(self.0);
        let mut files = numbers.map(|number| Listed {
            name: format!("file_{number:08}.ast.json").into_bytes().into(),
            kind: ListedKind::File(fingerprint(number)),
        });
        visitor.folder(Folder { key: key.clone(), files: &mut files, folders: &Names::default() })
    }

    /// A folder of folders, and all in it.
    fn repository(&self, visitor: &mut dyn FolderVisitor, root: &FolderKey, number: u64) -> ControlFlow<()> {
        let key = root.child(repository(number).as_bytes());
        let first = number * FANOUT.1;
        let modules = first..(first + FANOUT.1).min(self.0.div_ceil(FANOUT.0));
        let name = |module: u64| format!("module-{module:05}");
        let folders: Names = modules.clone().map(name).collect();
        visitor.folder(Folder { key: key.clone(), files: &mut std::iter::empty(), folders: &folders })?;
        modules.into_iter().try_for_each(|module| {
            self.folder(visitor, &key.child(name(module).as_bytes()), module * FANOUT.0)
        })
    }

    fn number_of(&self, key: &FileKey) -> Option<u64> {
        let digits = key.name().strip_prefix(b"file_")?.strip_suffix(b".ast.json")?;
        str::from_utf8(digits).ok()?.parse().ok().filter(|&number| number < self.0)
    }
}

fn repository(number: u64) -> String {
    format!("organisation-repository-{number:04}")
}

fn fingerprint(number: u64) -> Fingerprint {
    let time = Timestamp::from_parts(1_790_000_000 + number as i64 / 50, number as u32 % 1000 * 1_000_003);
    Fingerprint { size: 2000 + number * 7919 % 6144, mtime: time, ctime: time, inode: 5_000_000 + number }
}

impl Source for MadeUp {
    fn scan(
        &self,
        root: &Root,
        threads: usize,
        visitors: &(dyn Fn() -> Box<dyn FolderVisitor> + Sync),
    ) -> std::io::Result<ScanReport> {
        let repositories = self.0.div_ceil(FANOUT.0 * FANOUT.1);
        let key = FolderKey::root(root.id);
        let folders: Names = (0..repositories).map(repository).collect();
        let top = Folder { key: key.clone(), files: &mut std::iter::empty(), folders: &folders };
        if visitors().folder(top).is_break() {
            return Ok(ScanReport::default());
        }
        let next = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let mut visitor = visitors();
                    let mut numbers = std::iter::from_fn(|| {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        (number < repositories).then_some(number)
                    });
                    let _ = numbers.try_for_each(|number| self.repository(visitor.as_mut(), &key, number));
                });
            }
        });
        let folders = 1 + repositories + self.0.div_ceil(FANOUT.0);
        Ok(ScanReport { folders, ..ScanReport::default() })
    }

    fn read(&self, _: &Root, key: &FileKey, _: u64, buffer: &mut Vec<u8>) -> Result<Content, ReadError> {
        let number = self.number_of(key).ok_or(ReadError::Gone)?;
        buffer.clear();
        write!(buffer, "{{\"type\": \"Program\", \"number\": {number}}}")?;
        Ok(Content { fingerprint: fingerprint(number), size: buffer.len() as u64, racy: false })
    }

    fn root_mark(&self, _: &Root) -> std::io::Result<u128> {
        Ok(1)
    }

    fn exists(&self, _: &Root, key: &FileKey) -> bool {
        self.number_of(key).is_some()
    }

    fn accepts(&self, _: &[u8]) -> bool {
        true
    }

    fn filters(&self) -> String {
        "made up".to_owned()
    }
}

fn main() -> Done {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, root, state, files, reprocess, halt, at] = args.as_slice()
        && mode == "made-up"
    {
        let processor = from_fn("nothing/1", &["*"], |file: &FileContent<'_>| Ok(file.bytes.len()));
        let engine = Engine::new(processor).with_source(MadeUp(files.parse()?));
        let config = BatchConfig { reprocess: reprocess == "again", ..BatchConfig::default() };
        let halt = match halt.as_str() {
            "kill" => Halt::Kill(at.parse()?),
            "stop" => Halt::Stop(at.parse()?),
            _ => Halt::No,
        };
        return ingest(engine, root.as_ref(), state.as_ref(), config, halt);
    }
    let many = number("OUTLAST_BENCH_FILES", 1_000_000) as u64;
    let runs = number("OUTLAST_BENCH_RUNS", 5);
    let (mut few_rows, mut many_rows) = (Rows::default(), Rows::default());
    for _ in 0..runs {
        few_rows.measure(FEW)?;
        many_rows.measure(many)?;
    }
    println!("medians of {runs} runs each, in turn\n");
    println!(
        "| files | what | wall us a file | CPU us a file | peak MB | state bytes a file |\n|---|---|---|---|---|---|"
    );
    few_rows.report(FEW);
    many_rows.report(many);
    println!("\n| {many} files | figure | wanted |\n|---|---|---|");
    let ratio = |get: fn(&Figures) -> f64| {
        let times = FEW as f64 / many as f64;
        let pairs = many_rows.first.iter().zip(&few_rows.first);
        spread(pairs.map(|(many, few)| get(many) / get(few) * times).collect())
    };
    println!("| wall time of a file, of that at {FEW} | {} | 1.15 or less |", ratio(|one| one.wall));
    println!("| CPU of a file, of that at {FEW} | {} | 1.15 or less |", ratio(Figures::cpu));
    let commit = middle(many_rows.first_commit.clone()) * 1e3;
    println!("| from open after kill -9 to the first commit | {commit:.0} ms | less than 500 ms |");
    Ok(())
}

#[derive(Default)]
struct Rows {
    first: Vec<Figures>,
    second: Vec<Figures>,
    after_kill: Vec<Figures>,
    state_bytes: Vec<f64>,
    first_commit: Vec<f64>,
}

impl Rows {
    fn measure(&mut self, files: u64) -> Done {
        let scratch = support::scratch()?;
        let (root, state) = (scratch.path().join("root"), scratch.path().join("state"));
        fs::create_dir(&root)?;
        let child = |reprocess: &str, halt: &str, at: u64| {
            let (files, at) = (files.to_string(), at.to_string());
            own("made-up", &[&root, &state, &files, &reprocess, &halt, &at])
        };
        let (first, summary) = run_measured(child("due", "no", 0)?)?;
        assert_eq!(summary["ok"].as_u64(), Some(files));
        self.first.push(first);
        self.state_bytes.push(state_bytes(&state)? as f64 / files as f64);
        let (second, summary) = run_measured(child("due", "no", 0)?)?;
        assert_eq!(summary["unchanged"].as_u64(), Some(files));
        self.second.push(second);
        let killed = child("again", "kill", files / 2)?.output()?.status;
        assert!(!killed.success(), "it was killed");
        // It goes on with the rest; a few ticks of that are enough.
        let (after, summary) = run_measured(child("due", "stop", 1)?)?;
        self.after_kill.push(after);
        self.first_commit.push(summary["first_commit_seconds"].as_f64().ok_or("nothing was left to do")?);
        Ok(())
    }

    fn report(&self, files: u64) {
        let each = |seconds: f64| seconds * 1e6 / files as f64;
        let bytes = middle(self.state_bytes.clone());
        for (what, figures) in [("first run", &self.first), ("nothing changed", &self.second)] {
            println!(
                "| {files} | {what} | {:.2} | {:.2} | {:.0} | {bytes:.0} |",
                each(median(figures, |one| one.wall)),
                each(median(figures, Figures::cpu)),
                median(figures, |one| one.peak_bytes) / 1e6
            );
        }
        let peak = median(&self.after_kill, |one| one.peak_bytes) / 1e6;
        println!("| {files} | after kill -9, up to some commits | | | {peak:.0} | |");
    }
}

/// Without the records.
fn state_bytes(state: &Path) -> std::io::Result<u64> {
    bytes_below(state, "records")
}
