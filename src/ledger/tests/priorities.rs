//! The queue by priorities: a state of a version without them, and what it costs to sort it again.

use std::fs;
use std::time::Instant;

use super::*;
use crate::ledger::asked::AskedState;
use crate::ledger::map::block::BLOCKS_READ;

fn by_language(language: &str, class: BatchPriority) -> PriorityRule {
    PriorityRule { languages: vec![language.to_owned()], class, ..PriorityRule::default() }
}

fn names(reader: &LedgerReader, from: ReadyPosition) -> Vec<String> {
    let files = reader.ready_of_roots(&from, usize::MAX, &[RootId(1)]).unwrap().files;
    files.iter().map(|(key, _)| String::from_utf8(key.name().to_vec()).unwrap()).collect()
}

/// Returns a copy of a state that a version without priorities wrote, with 15 files pending by their size.
fn queued_by_size(folder: &Path) -> std::path::PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/states/queued-by-size");
    let to = folder.join("state");
    for part in ["", "db", "records"] {
        fs::create_dir(to.join(part)).unwrap();
        for entry in fs::read_dir(from.join(part)).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), to.join(part).join(entry.file_name())).unwrap();
            }
        }
    }
    to
}

#[test]
fn a_state_of_a_version_without_priorities_goes_on_and_is_sorted_by_rules() {
    let folder = tempfile::tempdir().unwrap();
    let path = queued_by_size(folder.path());
    let ledger = opened(&path).unwrap();
    let normal = PriorityCounts { normal: 15, ..PriorityCounts::default() };
    assert_eq!(ledger.reader().pending(), normal);
    let before = names(&ledger.reader(), ReadyPosition::default());
    drop(ledger);
    let rules = [by_language("rs", BatchPriority::High), by_language("py", BatchPriority::Low)];
    let mut ledger = opened(&path).unwrap();
    ledger.set_order(Order::Largest, &rules, Timestamp(0)).unwrap();
    drop(ledger);
    // By another process, which knows no rules: they are kept in the state.
    let mut ledger = opened(&path).unwrap();
    let reader = ledger.reader();
    let of = |ending| before.iter().filter(|name| name.ends_with(ending)).cloned().collect::<Vec<_>>();
    for (priority, ending) in [(BatchPriority::High, ".rs.ast.json"), (BatchPriority::Low, ".py.ast.json")] {
        let found = names(&reader, ReadyPosition::first_of(priority));
        assert_eq!(found, of(ending), "in the order that they had");
        assert_eq!(reader.pending().of(priority), found.len() as u64);
    }
    assert_eq!(reader.pending().normal, 0);
    let (key, _) = reader.ready(&ReadyPosition::first_of(BatchPriority::High), 1).unwrap().files.remove(0);
    assert_eq!(reader.rule_of(&key, &Entry::default().fingerprint), Some((1, rules[0].clone())));
    let all = reader.ready(&ReadyPosition::default(), usize::MAX).unwrap().files;
    let mut changes: Vec<_> = all.into_iter().map(|(key, _)| (key, None)).collect();
    changes.sort_by(|(a, _), (b, _): &(FileKey, Option<Entry>)| a.cmp(b));
    commit(&mut ledger, &changes);
    assert_eq!(reader.pending(), PriorityCounts::default());
    ledger.set_order(Order::Path, &[], Timestamp(0)).unwrap();
    drop((ledger, reader));
    opened(&path).unwrap();
}

#[test]
fn while_files_are_sorted_and_after_a_kill_meanwhile_rules_and_counts_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = queued_by_size(folder.path());
    let [first, then] = [BatchPriority::High, BatchPriority::Low].map(|class| vec![by_language("rs", class)]);
    let mut ledger = opened(&path).unwrap();
    ledger.set_order(Order::Path, &first, Timestamp(0)).unwrap();
    let reader = ledger.reader();
    let rust = reader.pending().high;
    let (key, entry) =
        reader.ready(&ReadyPosition::first_of(BatchPriority::High), 1).unwrap().files.remove(0);
    let rule = |reader: &LedgerReader| reader.rule_of(&key, &entry.fingerprint).unwrap();
    let rules = PriorityRules::new(&then).unwrap();
    ledger.begin_order(Classes { order: Order::Path, rules, base: Timestamp(0) }).unwrap();
    // By the rules that held until then.
    assert_eq!(reader.pending(), PriorityCounts { high: rust, normal: 15 - rust, low: 0 });
    assert_eq!(rule(&reader), (1, first[0].clone()));
    drop((ledger, reader));
    let asked = AskedState::open(&path).unwrap().reader();
    assert!(asked.ready(&ReadyPosition::default(), 1).is_err(), "they are sorted");
    let sorted = PriorityCounts { low: rust, normal: 15 - rust, high: 0 };
    assert_eq!(asked.pending(), sorted);
    assert_eq!(rule(&asked), (1, then[0].clone()));
    assert!(asked.priorities().is_some());
    let ledger = opened(&path).unwrap();
    assert_eq!((ledger.reader().pending(), rule(&ledger.reader())), (sorted, rule(&asked)));
}

#[test]
fn sorting_by_age_reads_the_blocks_with_pending_files_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = created(&folder.path().join("state"));
    let file = |n: u64| {
        let entry = if n.is_multiple_of(2000) { pending(n) } else { done(n) };
        (key(&format!("src/file{n:06}.rs.ast.json")), Some(entry))
    };
    commit(&mut ledger, &(0..20_000).map(file).collect::<Vec<_>>());
    let new = PriorityRule { newer_than_seconds: Some(60), ..by_language("rs", BatchPriority::High) };
    assert!(ledger.block_count() > 60);
    for now in 0..3 {
        let before = BLOCKS_READ.get();
        ledger
            .set_order(Order::Path, std::slice::from_ref(&new), Timestamp(now * 1_000_000_000_000))
            .unwrap();
        let read = BLOCKS_READ.get() - before;
        assert!(read <= 10, "{read} blocks are read for 10 files");
        let high = if now == 0 { 10 } else { 0 };
        assert_eq!(ledger.reader().pending(), PriorityCounts { high, normal: 10 - high, low: 0 });
    }
}

#[test]
fn a_job_without_new_settings_is_kept_as_the_version_before_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = opened(&queued_by_size(folder.path())).unwrap();
    let config = &ledger.reader().jobs().unwrap()[0].config;
    let members = |json: &str| -> std::collections::BTreeSet<String> {
        serde_json::from_str::<serde_json::Map<_, _>>(json)
            .unwrap()
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    };
    let ours = serde_json::to_string(&crate::model::BatchConfig::default()).unwrap();
    let unknown: Vec<_> = members(&ours).difference(&members(config)).cloned().collect();
    assert!(unknown.is_empty(), "{unknown:?} are refused there");
    serde_json::from_str::<crate::model::BatchConfig>(config).unwrap();
}

/// Prints how long it takes to sort 1,000,000 pending files by other rules: `cargo test --release --lib -- --ignored
/// sorting_a_million`.
#[test]
#[ignore = "a measurement"]
fn sorting_a_million_pending_files_again_takes_less_than_a_second() {
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let mut ledger = created(&folder.path().join("state"));
    for part in 0..100_u64 {
        let file = |n: u64| {
            let language = ["py", "rs", "go"][n as usize % 3];
            (key(&format!("src/d{part:03}/m{:03}/file{n:07}.{language}.ast.json", n / 100)), Some(pending(n)))
        };
        let mut changes: Vec<_> = (part * 10_000..(part + 1) * 10_000).map(file).collect();
        changes.sort_by(|(a, _), (b, _)| a.cmp(b));
        commit(&mut ledger, &changes);
    }
    let glob =
        PriorityRule { globs: vec!["src/**/m01?/*".to_owned()], ..by_language("go", BatchPriority::Low) };
    let new = PriorityRule { newer_than_seconds: Some(60), ..glob.clone() };
    for (what, rules) in [
        ("by language", vec![by_language("rs", BatchPriority::High)]),
        ("by language and path", vec![by_language("rs", BatchPriority::High), glob]),
        ("by age", vec![new]),
        ("without rules", vec![]),
    ] {
        let begun = Instant::now();
        ledger.set_order(Order::Path, &rules, Timestamp(0)).unwrap();
        println!("{what}: {:?}", begun.elapsed());
        assert!(begun.elapsed().as_secs() < 1 || cfg!(debug_assertions));
    }
}
