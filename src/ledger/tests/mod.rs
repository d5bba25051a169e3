//! The room as a whole, against a plain map.

pub(crate) mod checking;
mod concurrent;
mod damage;
mod in_hand;
mod jobs;
mod kept;
mod priorities;
mod state;
mod unsynced;

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::ledger::map::block::tests::any_entry;
use crate::ledger::map::ready::Classes;
use crate::model::{
    BatchPriority, Digest, FileKey, FolderKey, LogPosition, Order, PriorityCounts, PriorityRule,
    PriorityRules, RootId, Timestamp,
};

type Model = BTreeMap<FileKey, Entry>;

fn opened(path: &Path) -> Result<Ledger, LedgerError> {
    Ledger::open(&StateFolder::open(path)?)
}

fn created(path: &Path) -> Ledger {
    Ledger::open(&StateFolder::create(path, "records".as_ref()).unwrap()).unwrap()
}

fn key(path: &str) -> FileKey {
    FileKey::from_relative_path(RootId(1), path.as_bytes()).unwrap()
}

fn pending(size: u64) -> Entry {
    let mut entry = Entry { pending: true, ..Entry::default() };
    entry.fingerprint.size = size;
    entry
}

fn done(size: u64) -> Entry {
    let position = LogPosition { segment: 1, offset: size * 600 };
    let digest = Some(Digest([7; 16]));
    let record = Some(RecordRef { position, epoch: 1, digest, failure: None, carried: false });
    Entry { pending: false, record, ..pending(size) }
}

/// Commits changes, and one byte of log for each.
fn commit(ledger: &mut Ledger, changes: &[(FileKey, Option<Entry>)]) {
    let mut log = ledger.cursor().log;
    log.offset += changes.len() as u64;
    let log_crc = crc32fast::hash(&vec![b'x'; changes.len()]);
    let tick = ledger.cursor().tick;
    let after = ledger.commit(Tick { changes, log, log_crc, job: None }).unwrap();
    assert_eq!((after.tick, after.log), (tick + 1, log));
}

fn contents(reader: &LedgerReader) -> Result<Vec<(Vec<u8>, Entry)>, LedgerError> {
    let mut scan = reader.scan();
    let mut all = Vec::new();
    while let Some((key, entry)) = scan.peek()? {
        all.push((key.to_vec(), *entry));
        scan.advance();
    }
    Ok(all)
}

fn any_component() -> impl Strategy<Value = Vec<u8>> {
    let odd = prop_oneof![1..b'.', b'0'..=255];
    prop_oneof![
        10 => "[ab]{1,3}".prop_map(String::into_bytes),
        1 => (b'a'..=b'c').prop_map(|letter| vec![letter; 255]),
        1 => proptest::collection::vec(odd, 1..12),
    ]
}

fn any_key() -> impl Strategy<Value = FileKey> {
    let path = prop_oneof![
        12 => proptest::collection::vec(any_component(), 1..6),
        1 => (b'a'..=b'c').prop_map(|letter| vec![vec![letter; 250]; 15]),
    ];
    (1..4_u32, path, any::<u16>()).prop_map(|(root, path, number)| {
        let folder = path.iter().fold(FolderKey::root(RootId(root)), |folder, name| folder.child(name));
        folder.file(format!("file{number:05}.ast.json").as_bytes())
    })
}

#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<(Index, Option<Entry>)>),
    Reopen,
    Order(Order, Vec<PriorityRule>),
}

fn any_rule() -> impl Strategy<Value = PriorityRule> {
    let glob = prop_oneof![Just("*[02468].ast.json"), Just("a*/**"), Just("*1*")];
    let class = prop_oneof![Just(BatchPriority::High), Just(BatchPriority::Normal), Just(BatchPriority::Low)];
    let condition =
        (proptest::option::of(glob), any::<Option<u64>>(), proptest::option::of(1..9_000_000_000_u64));
    (condition, class).prop_filter_map("an empty rule", |((glob, larger_than, newer_than_seconds), class)| {
        let globs = glob.into_iter().map(str::to_owned).collect();
        let rule = PriorityRule { globs, larger_than, newer_than_seconds, class, ..PriorityRule::default() };
        PriorityRules::new(std::slice::from_ref(&rule)).is_ok().then_some(rule)
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let change = (any::<Index>(), proptest::option::weighted(0.6, any_entry()));
    let order = prop_oneof![
        Just(Order::Path),
        Just(Order::Smallest),
        Just(Order::Largest),
        Just(Order::Newest),
        Just(Order::Oldest),
    ];
    prop_oneof![
        8 => proptest::collection::vec(change, 0..250).prop_map(Step::Commit),
        1 => Just(Step::Reopen),
        1 => (order, proptest::collection::vec(any_rule(), 0..4)).prop_map(|(order, rules)| Step::Order(order, rules)),
    ]
}

fn check(reader: &LedgerReader, model: &Model, pool: &[FileKey], classes: &Classes, step: usize) {
    let expected: Vec<_> = model.iter().map(|(key, entry)| (key.as_bytes().to_vec(), *entry)).collect();
    assert_eq!(contents(reader).unwrap(), expected);
    let found: Vec<_> = pool.iter().map(|key| model.get(key).copied()).collect();
    assert_eq!(reader.lookup(pool).unwrap(), found);
    let mut scan = reader.scan();
    for (at, key) in pool.iter().enumerate().cycle().step_by(7).take(40) {
        assert_eq!(reader.get(key).unwrap(), model.get(key).copied());
        let target = &key.as_bytes()[..key.as_bytes().len() - (at + step) % 3];
        scan.seek(target).unwrap();
        let next = model.iter().find(|(key, _)| key.as_bytes() >= target);
        assert_eq!(scan.peek().unwrap(), next.map(|(key, entry)| (key.as_bytes(), entry)));
        scan.advance();
    }
    // Like the scan of a tree: where one folder's entries end, those of the next one mostly begin.
    for (at, key) in pool.iter().enumerate().step_by(3) {
        let prefix = key.folder().files_prefix();
        scan.seek(&prefix).unwrap();
        let next = model.iter().find(|(key, _)| key.as_bytes() >= prefix.as_slice());
        assert_eq!(scan.peek().unwrap(), next.map(|(key, entry)| (key.as_bytes(), entry)));
        if at % 2 == 0 {
            scan.advance();
        }
        scan.peek().unwrap();
    }
    check_ready(reader, model, classes, step % 50);
    check_counts(reader, model);
}

fn check_ready(reader: &LedgerReader, model: &Model, classes: &Classes, limit: usize) {
    let mut due: Vec<_> = model.iter().filter(|(_, entry)| entry.pending).collect();
    due.sort_by_key(|(key, entry)| (classes.of(key.as_bytes(), entry), *key));
    let mut found = Vec::new();
    let mut from = Some(ReadyPosition::default());
    while let Some(position) = from {
        let ready = reader.ready(&position, limit).unwrap();
        assert!(ready.next.is_none() || ready.files.len() >= limit.max(1));
        found.extend(ready.files);
        from = ready.next;
    }
    assert!(found.iter().map(|(key, entry)| (key, entry)).eq(due.iter().copied()));
    for priority in BatchPriority::ALL {
        let class_of = |(key, entry): &(&FileKey, &Entry)| {
            classes.rules.class_of(key.as_bytes(), &entry.fingerprint, classes.base)
        };
        let of_class: Vec<_> = due.iter().copied().filter(|file| class_of(file) == priority).collect();
        assert_eq!(reader.pending().of(priority), of_class.len() as u64);
        for roots in [&[1, 2, 3][..], &[2], &[3, 1], &[7]] {
            let roots: Vec<_> = roots.iter().map(|&root| RootId(root)).collect();
            let mut found = Vec::new();
            let mut from = Some(ReadyPosition::first_of(priority));
            while let Some(position) = from {
                let ready = reader.ready_of_roots(&position, limit, &roots).unwrap();
                found.extend(ready.files.into_iter().filter(|(key, _)| roots.contains(&key.root())));
                from = ready.next;
            }
            let of_roots = of_class.iter().copied().filter(|(key, _)| roots.contains(&key.root()));
            assert!(found.iter().map(|(key, entry)| (key, entry)).eq(of_roots), "{roots:?}");
        }
    }
}

fn check_counts(reader: &LedgerReader, model: &Model) {
    let mut total = Counts::default();
    for root in 1..4 {
        let mut counts = Counts::default();
        model.iter().filter(|(key, _)| key.root().0 == root).for_each(|(_, entry)| counts.add(entry));
        assert_eq!(reader.counts(RootId(root)), counts);
        total += counts;
    }
    assert_eq!(reader.total(), total);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 300, ..ProptestConfig::default() })]
    #[test]
    fn the_ledger_holds_what_a_plain_map_would(
        pool in proptest::collection::btree_set(any_key(), 1..500),
        steps in proptest::collection::vec(any_step(), 1..16),
    ) {
        let pool: Vec<_> = pool.into_iter().collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let mut ledger = created(&path);
        let mut model = Model::new();
        let mut classes = Classes { order: Order::Path, rules: PriorityRules::default(), base: Timestamp(0) };
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Commit(changes) => {
                    let changes: BTreeMap<_, _> =
                        changes.into_iter().map(|(at, entry)| (at.get(&pool).clone(), entry)).collect();
                    let changes: Vec<_> = changes.into_iter().collect();
                    commit(&mut ledger, &changes);
                    for (key, entry) in changes {
                        match entry {
                            Some(entry) => model.insert(key, entry),
                            None => model.remove(&key),
                        };
                    }
                }
                Step::Reopen => {
                    drop(ledger);
                    ledger = opened(&path).unwrap();
                }
                Step::Order(order, rules) => {
                    let base = Timestamp(number as i64 * 1_000_000_000_000);
                    ledger.set_order(order, &rules, base).unwrap();
                    let rules = PriorityRules::new(&rules).unwrap();
                    if order != classes.order || rules != classes.rules || rules.age() {
                        classes = Classes { order, rules, base };
                    }
                }
            }
            check(&ledger.reader(), &model, &pool, &classes, number);
        }
    }
}

#[test]
fn appended_files_fill_their_blocks_once_they_are_done() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = created(&folder.path().join("state"));
    let mut in_ticks = |entry: fn(u64) -> Entry| {
        let all: Vec<_> =
            (0..8000).map(|n| (key(&format!("src/module/file{n:06}.ast.json")), Some(entry(n)))).collect();
        all.chunks(1000).for_each(|changes| commit(&mut ledger, changes));
        ledger.block_count()
    };
    let new = in_ticks(pending);
    // No block was split, since there was room for the records; and not for much more.
    assert_eq!(in_ticks(done), new);
    let mut packed = created(&folder.path().join("packed"));
    let all: Vec<_> =
        (0..8000).map(|n| (key(&format!("src/module/file{n:06}.ast.json")), Some(done(n)))).collect();
    commit(&mut packed, &all);
    assert!(new <= packed.block_count() * 5 / 4, "{new} blocks, {} are enough", packed.block_count());
}

#[test]
fn files_that_come_and_go_leave_no_trail_of_small_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = created(&folder.path().join("state"));
    let name = |n: u64| key(&format!("src/module{:02}/file{n:06}.ast.json", n % 40));
    let mut all: Vec<_> = (0..6000).map(|n| (name(n), Some(pending(n)))).collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    commit(&mut ledger, &all);
    let full = ledger.block_count();
    let mut random = 1_u64;
    for _ in 0..30 {
        let mut changes = BTreeMap::new();
        for _ in 0..300 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let n = (random >> 33) % 6000;
            changes.insert(name(n), ((random >> 20).is_multiple_of(2)).then(|| pending(n)));
        }
        commit(&mut ledger, &changes.into_iter().collect::<Vec<_>>());
        assert!(ledger.block_count() <= 2 * full, "{} blocks, {full} at first", ledger.block_count());
    }
    // All but a few go, in the order that makes merging hardest: from the front, tick by tick.
    let few: Vec<_> = all.iter().enumerate().filter(|(at, _)| at % 50 != 0).collect();
    for part in few.chunks(250) {
        let changes: Vec<_> = part.iter().map(|(_, (key, _))| (key.clone(), None)).collect();
        commit(&mut ledger, &changes);
    }
    assert!(ledger.block_count() <= 1 + full / 8, "{} blocks, {full} at first", ledger.block_count());
}

#[test]
fn a_tick_that_breaks_the_rules_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = created(&folder.path().join("state"));
    commit(&mut ledger, &[(key("a"), Some(pending(1)))]);
    let done_without_record = Entry { pending: false, ..pending(1) };
    let start = LogPosition::START;
    let at = ledger.cursor().log;
    for (changes, log) in [
        (vec![(key("c"), None), (key("b"), None)], at),
        (vec![(key("b"), None), (key("b"), None)], at),
        (vec![(key("b"), Some(done_without_record))], at),
        (vec![(key(&"b".repeat(KEY_BYTES_MAX)), None)], at),
        (vec![], start),
    ] {
        let tick = Tick { changes: &changes, log, log_crc: 0, job: None };
        assert!(matches!(ledger.commit(tick), Err(LedgerError::Invalid(_))));
    }
    assert_eq!(ledger.cursor().tick, 1);
    commit(&mut ledger, &[(key("b"), Some(pending(1)))]);
}

#[test]
fn a_refreshed_scan_goes_on_where_it_was_and_meets_what_was_committed_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = created(&folder.path().join("state"));
    commit(&mut ledger, &["a", "b", "c", "d", "e"].map(|name| (key(name), Some(pending(1)))));
    let mut scan = ledger.reader().scan();
    let mut met = Vec::new();
    let mut meet = |scan: &mut Scan| {
        let (key, entry) = scan.peek().unwrap().unwrap();
        met.push((FileKey::from_bytes(key).unwrap(), entry.fingerprint.size));
    };
    scan.refresh();
    meet(&mut scan);
    scan.refresh();
    meet(&mut scan);
    scan.advance();
    commit(&mut ledger, &[(key("b"), Some(pending(2))), (key("c"), None), (key("d"), Some(pending(3)))]);
    scan.refresh();
    for _ in 0..3 {
        meet(&mut scan);
        scan.advance();
    }
    assert_eq!(met, [("a", 1), ("a", 1), ("b", 2), ("d", 3), ("e", 1)].map(|(name, size)| (key(name), size)));
    assert!(scan.peek().unwrap().is_none());
    scan.refresh();
    assert!(scan.peek().unwrap().is_none());
}
