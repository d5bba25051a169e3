//! What opening the log leaves, cuts and refuses.

use super::*;
use crate::sink::{LineReader, LogReader, check_range};

fn at(log: LogPosition) -> Cursor {
    Cursor { tick: 7, log }
}

fn lines_up_to(folder: &Path, end: LogPosition) -> Vec<String> {
    let mut reader = LogReader::new(folder, LogPosition::START, end).unwrap();
    let mut lines = Vec::new();
    while let Some((_, line)) = reader.next_line().unwrap() {
        lines.push(String::from_utf8(line.to_vec()).unwrap());
    }
    lines
}

#[test]
fn what_was_not_committed_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = RecordLog::open(folder.path(), Cursor::default()).unwrap();
    log.append(b"one\n").unwrap();
    let committed = log.sync().unwrap().end;
    log.append(b"torn").unwrap();
    drop(log);
    let mut log = RecordLog::open(folder.path(), at(committed)).unwrap();
    assert_eq!(log.begin_tick().unwrap(), committed);
    log.append(b"two\n").unwrap();
    let end = log.sync().unwrap().end;
    assert_eq!(lines_up_to(folder.path(), end), ["one", "two"]);
    assert_eq!(LineReader::new(folder.path()).line_at(committed).unwrap(), b"two");
}

#[test]
fn a_full_segment_is_followed_by_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = RecordLog::open(folder.path(), Cursor::default()).unwrap().with_segment_bytes_max(8);
    let mut end = LogPosition::START;
    for text in ["aaaaaaaaa\n", "bb\n", "cccccccc\n", "d\n"] {
        log.begin_tick().unwrap();
        log.append(text.as_bytes()).unwrap();
        end = log.sync().unwrap().end;
    }
    assert_eq!(end, LogPosition { segment: 3, offset: 2 });
    assert_eq!(lines_up_to(folder.path(), end), ["aaaaaaaaa", "bb", "cccccccc", "d"]);
    let before = LogPosition { segment: 2, offset: 3 };
    drop(log);
    let mut log = RecordLog::open(folder.path(), at(before)).unwrap();
    assert_eq!(log.begin_tick().unwrap(), before);
    assert_eq!(segments(folder.path()).unwrap().len(), 2, "the uncommitted segment is gone");
}

#[test]
fn a_log_shorter_than_the_cursor_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = RecordLog::open(folder.path(), Cursor::default()).unwrap();
    log.append(b"one\n").unwrap();
    drop(log);
    let beyond = LogPosition { segment: 1, offset: 5 };
    let error = RecordLog::open(folder.path(), at(beyond)).unwrap_err();
    assert!(matches!(&error, SinkError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("outlast repair"), "{error}");
    let missing = LogPosition { segment: 2, offset: 0 };
    assert!(matches!(RecordLog::open(folder.path(), at(missing)), Err(SinkError::Missing { .. })));
}

#[test]
fn a_file_that_no_tick_can_have_begun_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = RecordLog::open(folder.path(), Cursor::default()).unwrap();
    log.append(b"one\n").unwrap();
    let committed = log.sync().unwrap().end;
    drop(log);
    let next = segment_name(2);
    let own = "records-20261124.ndjson";
    [&next, own].iter().for_each(|name| fs::write(folder.path().join(name), "mine").unwrap());
    for end in [committed, LogPosition::START] {
        let error = RecordLog::open(folder.path(), at(end)).unwrap_err();
        assert!(matches!(&error, SinkError::Damaged { path, .. } if path.ends_with(own)), "{error}");
    }
    assert!(folder.path().join(&next).exists(), "nothing is removed before all is judged");
    fs::rename(folder.path().join(own), folder.path().join("records-0000002.ndjson")).unwrap();
    RecordLog::open(folder.path(), at(committed)).unwrap();
    assert!(!folder.path().join(next).exists());
    assert!(folder.path().join("records-0000002.ndjson").exists(), "this is no number as we write it");
}

#[test]
fn a_log_that_goes_on_for_long_is_not_cut() {
    let folder = tempfile::tempdir().unwrap();
    let line = |tick: u64| {
        format!("{{\"root\":\"r\",\"path\":\"p\",\"status\":\"removed\",\"committed_tick\":{tick}}}\n")
    };
    let path = folder.path().join("records-000001.ndjson");
    let written = [line(3), line(4), line(5)].concat();
    fs::write(&path, &written).unwrap();
    let cursor = |tick| Cursor { tick, log: LogPosition { segment: 1, offset: line(3).len() as u64 } };
    let error = RecordLog::open(folder.path(), cursor(3)).unwrap_err();
    assert!(error.to_string().contains("older copy"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), written);
    fs::write(&path, [line(3), line(4), line(4)].concat()).unwrap();
    drop(RecordLog::open(folder.path(), cursor(3)).unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), line(3), "one tick behind is the rest of a crash");
}

#[test]
fn one_process_writes_and_its_file_must_stay() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = RecordLog::open(folder.path(), Cursor::default()).unwrap();
    assert!(matches!(RecordLog::open(folder.path(), Cursor::default()), Err(SinkError::InUse { .. })));
    log.append(b"one\n").unwrap();
    log.sync().unwrap();
    fs::remove_file(folder.path().join("records-000001.ndjson")).unwrap();
    log.append(b"two\n").unwrap();
    assert!(matches!(log.sync(), Err(SinkError::Lost { .. })));
}

#[test]
fn a_flipped_byte_shows_in_the_range() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = RecordLog::open(folder.path(), Cursor::default()).unwrap();
    log.begin_tick().unwrap();
    log.append(b"{\"a\":1}\n").unwrap();
    let done = log.sync().unwrap();
    let path = folder.path().join("records-000001.ndjson");
    assert!(check_range(&path, 0, done.end.offset, done.crc).unwrap());
    fs::write(&path, b"{\"a\":2}\n").unwrap();
    assert!(!check_range(&path, 0, done.end.offset, done.crc).unwrap());
}

#[test]
fn a_log_that_has_dropped_its_beginning_opens_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = RecordLog::open(folder.path(), Cursor::default()).unwrap();
    let mut end = LogPosition::START;
    for text in ["one\n", "two\n", "three\n"] {
        log.begin_tick().unwrap();
        log.append(text.as_bytes()).unwrap();
        end = log.sync().unwrap().end;
        log.close_segment();
    }
    assert_eq!(end, LogPosition { segment: 3, offset: 6 }, "each tick began a segment");
    assert!(log.remove_one_before(2).unwrap() && !log.remove_one_before(2).unwrap());
    assert_eq!(segments(folder.path()).unwrap().len(), 2);
    drop(log);
    let error = RecordLog::open(folder.path(), at(end)).unwrap_err();
    assert!(
        matches!(&error, SinkError::Missing { path } if path.ends_with("records-000001.ndjson")),
        "{error}"
    );
    assert!(error.to_string().contains("outlast repair"), "{error}");
    // The start before this one was killed before it had removed anything.
    let log = RecordLog::open_from(folder.path(), 3, at(end)).unwrap();
    assert_eq!(segments(folder.path()).unwrap().len(), 1);
    drop(log);
    assert!(RecordLog::open_from(folder.path(), 2, at(end)).is_err());
}
