use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::*;
use crate::model::{BatchPriority, FileBatch, FileKey, Fingerprint, Order, PriorityRule, RootId, Timestamp};

fn file(number: usize, size: u64) -> DiscoveredFile {
    let key = FileKey::from_relative_path(RootId(1), format!("d/f{number:07}").as_bytes()).unwrap();
    let mtime = Timestamp((number as i64 * 7919) % 1000);
    DiscoveredFile {
        key,
        fingerprint: Fingerprint { size, mtime, ..Fingerprint::default() },
        attempts: 0,
        recorded: None,
    }
}

fn files(sizes: &[u64]) -> Vec<DiscoveredFile> {
    sizes.iter().enumerate().map(|(number, &size)| file(number, size)).collect()
}

const CALM: Load = Load { workers: 2, memory_percent: 0, pending_after: 1_000_000 };

fn sizes() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(prop_oneof![Just(0), 1u64..10_000, 1u64..40_000_000, Just(u64::MAX)], 0..1500)
}

/// Returns a number unrelated to the files.
struct Any(usize);

impl BatchStrategy for Any {
    fn next_batch(&self, _: &[DiscoveredFile], _: &Load) -> usize {
        self.0
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_strategy_gives_each_file_once_and_in_order(
        sizes in sizes(), which in 0..5, n in prop_oneof![Just(0), 1usize..600, Just(usize::MAX)],
        workers in 0usize..9, memory_percent in 0u8.., pending_after in prop_oneof![Just(0), any::<u64>()],
    ) {
        let strategy: Box<dyn BatchStrategy> = match which {
            0 => Box::new(CountStrategy::new(n)),
            1 => Box::new(SizeStrategy::default()),
            2 => Box::new(AdaptiveStrategy::new(n)),
            3 => Box::new(LanguageStrategy::new(n)),
            _ => Box::new(Any(n)),
        };
        let load = Load { workers, memory_percent, pending_after };
        let mut planner = Planner::new(strategy);
        let all = files(&sizes);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(5);
        let batches = planner.plan(all.clone(), load, now);
        for (at, batch) in batches.iter().enumerate() {
            prop_assert_eq!(batch.batch_id, at as u64 + 1);
            prop_assert!(!batch.files.is_empty());
            let total = batch.files.iter().fold(0u64, |sum, f| sum.saturating_add(f.fingerprint.size));
            prop_assert_eq!(batch.total_size, total);
            prop_assert_eq!(batch.created_at, now);
        }
        let again: Vec<_> = batches.into_iter().flat_map(|batch| batch.files).collect();
        prop_assert_eq!(again, all);
        prop_assert!(planner.plan(files(&[1]), load, now).iter().all(|batch| batch.batch_id as usize > 0));
    }

    #[test]
    fn the_limits_hold(sizes in sizes(), bytes in 0u64..50_000_000) {
        let within = |batches: Vec<FileBatch>, files_max: usize, bytes_max: u64| {
            batches.iter().all(|b| b.files.len() <= files_max && (b.total_size <= bytes_max || b.files.len() == 1))
        };
        let plan = |strategy: Box<dyn BatchStrategy>| {
            Planner::new(strategy).plan(files(&sizes), CALM, SystemTime::UNIX_EPOCH)
        };
        prop_assert!(within(plan(Box::new(SizeStrategy::new(bytes))), 500, bytes));
        prop_assert!(within(plan(Box::new(AdaptiveStrategy::new(200))), 500, AdaptiveStrategy::BYTES_MAX));
    }
}

fn run_batches(
    strategy: AdaptiveStrategy,
    size: u64,
    per_file_s: f64,
    per_byte_s: f64,
    rounds: usize,
) -> FileBatch {
    let mut planner = Planner::new(Box::new(strategy));
    let all = files(&vec![size; 500]);
    let mut last = None;
    for _ in 0..rounds {
        let batch = planner.plan(all.clone(), CALM, SystemTime::UNIX_EPOCH).remove(0);
        let busy = per_file_s * batch.files.len() as f64 + per_byte_s * batch.total_size as f64;
        let busy = Duration::from_secs_f64(busy);
        planner.observe(&BatchObservation { files: batch.files.len(), bytes: batch.total_size, busy });
        last = Some(batch);
    }
    last.unwrap()
}

#[test]
fn adaptive_converges_to_the_target() {
    for (size, per_file_s, per_byte_s) in [(4096, 2e-4, 1e-9), (4096, 5e-4, 0.0), (100_000, 1e-5, 3e-9)] {
        let batch = run_batches(AdaptiveStrategy::new(200), size, per_file_s, per_byte_s, 20);
        let took = per_file_s * batch.files.len() as f64 + per_byte_s * batch.total_size as f64;
        assert!((0.04..=0.055).contains(&took), "{took} s for {} files", batch.files.len());
        let estimate = batch.estimated_processing_time.as_secs_f64();
        assert!((estimate - took).abs() < 0.005, "{estimate} s instead of {took} s");
    }
    assert_eq!(run_batches(AdaptiveStrategy::new(200), 4096, 1e-5, 1e-9, 5).files.len(), 500, "cheap files");
    assert_eq!(run_batches(AdaptiveStrategy::new(200), 4096, 1.0, 0.0, 5).files.len(), 50, "costly files");
    assert_eq!(run_batches(AdaptiveStrategy::new(120), 4096, 1.0, 0.0, 1).files.len(), 120, "the start");
}

#[test]
fn memory_pressure_shrinks_batches_down_to_one_file_and_its_end_restores_them() {
    let strategy = AdaptiveStrategy::new(500);
    let all = files(&vec![100; 2000]);
    let at = |memory_percent| strategy.next_batch(&all, &Load { memory_percent, ..CALM });
    let counts: Vec<_> = [0, 80, 81, 83, 85, 90, 97, 100, 255].map(at).into();
    assert_eq!(counts, [500, 500, 250, 125, 62, 15, 1, 1, 1]);
    assert_eq!(at(80), 500);
}

#[test]
fn the_end_of_the_work_is_spread_over_all_workers() {
    for workers in [1, 2, 3, 8] {
        let load = Load { workers, memory_percent: 0, pending_after: 0 };
        let batches = Planner::new(Box::new(AdaptiveStrategy::new(500))).plan(
            files(&vec![4096; 700]),
            load,
            SystemTime::UNIX_EPOCH,
        );
        // Each batch goes to the worker that is free first.
        let mut ends = vec![0usize; workers];
        for batch in &batches {
            let first = ends.iter_mut().min().unwrap();
            *first += batch.files.len();
        }
        let least = ends.iter().min().unwrap();
        let most = ends.iter().max().unwrap();
        assert!(most - least <= 2, "{workers} workers end at {ends:?}");
        assert!(batches.len() < 20 * workers, "{} batches for {workers} workers", batches.len());
    }
}

#[test]
fn batches_follow_the_configured_order_and_strategy() {
    let all = files(&(0..1000u64).map(|n| (n * 7919) % 500).collect::<Vec<_>>());
    let config = |order, strategy| BatchConfig { order, strategy, worker_count: 2, ..BatchConfig::default() };
    for order in [Order::Path, Order::Smallest, Order::Largest, Order::Newest, Order::Oldest] {
        let mut shuffled = all.clone();
        shuffled.sort_by_key(|f| blake3::hash(f.key.as_bytes()).to_hex());
        let batches = create_optimal_batches(shuffled, &config(order, StrategyKind::Adaptive)).unwrap();
        let sorted: Vec<_> = batches.into_iter().flat_map(|batch| batch.files).collect();
        assert_eq!(sorted.len(), all.len());
        let (size, time) =
            (|f: &DiscoveredFile| f.fingerprint.size, |f: &DiscoveredFile| f.fingerprint.mtime);
        assert!(sorted.windows(2).all(|pair| match order {
            Order::Path => pair[0].key < pair[1].key,
            Order::Smallest => (size(&pair[0]), &pair[0].key) < (size(&pair[1]), &pair[1].key),
            Order::Largest => size(&pair[0]) >= size(&pair[1]),
            Order::Newest => time(&pair[0]) >= time(&pair[1]),
            Order::Oldest => time(&pair[0]) <= time(&pair[1]),
        }));
    }
    let counted = create_optimal_batches(all.clone(), &config(Order::Path, StrategyKind::Count)).unwrap();
    assert!(counted.iter().all(|batch| batch.files.len() == 200) && counted.len() == 5);
    let sized = create_optimal_batches(all, &config(Order::Path, StrategyKind::Size)).unwrap();
    assert_eq!(sized.len(), 2);
    let wrong = BatchConfig { batch_size: 0, ..BatchConfig::default() };
    assert_eq!(create_optimal_batches(Vec::new(), &wrong).unwrap_err().name, "batch_size");
}

#[test]
fn a_batch_of_the_language_strategy_has_one_language() {
    let endings = ["py.ast.json", "rs_ast.json", "ast.json", "PY.ast.json"];
    let named = |(number, file): (usize, DiscoveredFile)| {
        let path = format!("d/f{number:04}.{}", endings[number % 4]);
        DiscoveredFile { key: FileKey::from_relative_path(RootId(1), path.as_bytes()).unwrap(), ..file }
    };
    let all: Vec<_> = files(&vec![4096; 4000]).into_iter().enumerate().map(named).collect();
    let config = BatchConfig { strategy: StrategyKind::Language, worker_count: 2, ..BatchConfig::default() };
    let batches = create_optimal_batches(all.clone(), &config).unwrap();
    let language = |file: &DiscoveredFile| file.language().map(str::to_lowercase);
    for batch in &batches {
        assert!(batch.files.iter().all(|file| language(file) == language(&batch.files[0])));
        assert!(batch.files.is_sorted_by_key(|file| &file.key), "the order within a language stays");
    }
    let is_mixed = |batch: &FileBatch| batch.files.iter().any(|file| file.language() == Some("PY"));
    assert!(batches.iter().filter(|batch| batch.files[0].language() == Some("py")).all(is_mixed));
    let mut again: Vec<_> = batches.iter().flat_map(|batch| batch.files.clone()).collect();
    again.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(again, all);
    assert!(batches.len() < 60, "{} batches", batches.len());
}

#[test]
fn batches_have_the_priority_of_their_files_the_highest_first() {
    let rule = |larger_than, smaller_than, class| PriorityRule {
        larger_than,
        smaller_than,
        class,
        ..PriorityRule::default()
    };
    let priorities =
        vec![rule(Some(900), None, BatchPriority::High), rule(None, Some(100), BatchPriority::Low)];
    let config = BatchConfig { priorities, strategy: StrategyKind::Count, ..BatchConfig::default() };
    let batches = create_optimal_batches(files(&(0..1001).collect::<Vec<_>>()), &config).unwrap();
    assert!(batches.is_sorted_by(|a, b| a.priority >= b.priority));
    let sizes = |priority| {
        let of_class = batches.iter().filter(|batch| batch.priority == priority);
        of_class.flat_map(|batch| &batch.files).map(|file| file.fingerprint.size).collect::<Vec<_>>()
    };
    assert_eq!(sizes(BatchPriority::High), (901..1001).collect::<Vec<_>>());
    assert_eq!(sizes(BatchPriority::Low), (0..100).collect::<Vec<_>>());
    assert_eq!(sizes(BatchPriority::Normal).len(), 801);
}
