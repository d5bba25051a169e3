//! What happens between the portions of a pass, and between two attempts.

use super::*;

const MANY: u8 = 240;

/// The lines of a file in all segments.
fn lines_of(world: &World, file: u8) -> usize {
    let name = format!("\"f{file:03}\"");
    let segments = crate::sink::segments(world.path.join("records")).unwrap();
    let text: String = segments.iter().map(|(_, path)| std::fs::read_to_string(path).unwrap()).collect();
    text.lines().filter(|line| line.contains(&name)).count()
}

#[test]
fn what_is_committed_between_two_portions_stands() {
    let mut world = World::new();
    // So long that a portion ends in the middle of a block.
    world.commit(&(0..MANY).map(|file| (file, Some(4000))).collect());
    world.commit(&BTreeMap::from([(MANY - 1, Some(9))]));
    let first = world.store().reader.get(&key(0)).unwrap().unwrap().record.unwrap().position;
    while world.store().reader.get(&key(0)).unwrap().unwrap().record.unwrap().position == first {
        assert!(!world.compact(1).unwrap());
    }
    let next = world.store().reader.get(&key(150)).unwrap().unwrap().record.unwrap().position;
    assert_eq!(next.segment, first.segment, "the portion ends before");

    let (newer, gone, due): (Vec<u8>, Vec<u8>, Vec<u8>) =
        ((150..170).collect(), (170..190).collect(), (190..210).collect());
    let mut files: BTreeMap<u8, Option<usize>> = newer.iter().map(|&file| (file, Some(7))).collect();
    files.extend(gone.iter().map(|&file| (file, None)));
    world.commit(&files);
    let mut changes = Vec::new();
    for &file in &due {
        let entry = world.store().reader.get(&key(file)).unwrap().unwrap();
        changes.push((key(file), Some(Entry { pending: true, attempts: 2, ..entry })));
    }
    world.store().commit_without_lines(&changes, None).unwrap();

    assert!(world.compact(usize::MAX).unwrap());
    world.check();
    for file in due {
        let entry = world.store().reader.get(&key(file)).unwrap().unwrap();
        assert!(entry.pending && entry.attempts == 2, "{file}: {entry:?}");
    }
    assert!(gone.iter().all(|&file| world.store.as_ref().unwrap().reader.get(&key(file)).unwrap().is_none()));
    for file in 0..MANY {
        assert_eq!(lines_of(&world, file), 1, "lines of file {file}");
    }
}

#[test]
fn what_an_attempt_has_left_of_dropped_segments_goes_with_the_next_one() {
    let mut world = worn();
    let before = segments(&world);
    let start = world.store().ledger.log_start();
    while world.store().ledger.log_start() == start {
        assert!(!world.compact(1).unwrap());
    }
    assert!(segments(&world) >= before, "none is removed yet");
    let cursor = world.store().ledger.cursor();

    let mut next = Compaction::new(&BatchConfig::default(), Some(world.run_start));
    assert!(next.is_busy(world.store()));
    while next.step(world.store(), Instant::now()).unwrap() {}
    let first = world.store().ledger.log_start().segment;
    let left = crate::sink::segments(world.path.join("records")).unwrap();
    assert!(left.iter().all(|(segment, _)| *segment >= first), "{left:?}, the log begins at {first}");
    let bytes: u64 = left.iter().map(|(_, path)| std::fs::metadata(path).unwrap().len()).sum();
    assert_eq!((world.store().ledger.log_bytes(), world.store().ledger.cursor()), (bytes, cursor));
    world.check();
}

#[test]
fn a_segment_that_goes_while_the_status_is_told_is_passed_over() {
    let mut world = worn();
    let records = world.path.join("records");
    let before = world.store().view().status(None).unwrap().records_bytes;
    // Listed but missing, like a segment that is dropped meanwhile.
    std::os::unix::fs::symlink("gone", records.join(crate::sink::segment_name(9999))).unwrap();
    assert_eq!(crate::sink::segments(&records).unwrap().last().unwrap().0, 9999);
    assert_eq!(world.store().view().status(None).unwrap().records_bytes, before);
}

#[test]
fn what_is_committed_while_it_is_counted_counts_only_for_the_lines_before() {
    let mut world = World::new();
    world.commit(&(1..FILES).map(|file| (file, Some(9))).collect());
    // One entry or line with each call.
    let mut counted = |between: BTreeMap<u8, Option<usize>>| {
        let mut count = Count::new(world.store());
        assert_eq!(count.step(world.store(), Instant::now()).unwrap(), None);
        world.commit(&between);
        loop {
            if let Some(is_worn) = count.step(world.store(), Instant::now()).unwrap() {
                break is_worn;
            }
        }
    };
    assert!(!counted(BTreeMap::from([(0, Some(9)), (FILES, Some(9))])), "none of them is out of date");
    assert!(counted(BTreeMap::from([(FILES, Some(10))])), "its line before is");
    assert!(counted(BTreeMap::new()), "and stays so");
}
