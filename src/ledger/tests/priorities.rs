//! The queue by priorities: a state of a version without them, and what it costs to sort it again.

use std::fs;
use std::time::Instant;

use super::*;

fn by_language(language: &str, class: BatchPriority) -> PriorityRule {
    PriorityRule { languages: vec![language.to_owned()], class, ..PriorityRule::default() }
}

fn names(reader: &LedgerReader, from: ReadyPosition) -> Vec<String> {
    let files = reader.ready_of_priority(&from, usize::MAX).unwrap().files;
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
