//! Every call of the log fails once, with segments so small that each tick begins one.

use std::fs;

use super::*;
use crate::model::Resource;
use crate::model::failpoint::{Fault, arm};
use crate::sink::check_range;

/// Appends ticks until one fails. Returns the cursor after the last good one, and the number of calls.
fn write_until_it_fails(folder: &Path, mut cursor: Cursor, hit: u64, fault: Fault) -> (Cursor, u64) {
    let armed = arm(hit..hit + 1, fault);
    let written = (|| -> Result<(), SinkError> {
        let mut log = RecordLog::open(folder, cursor)?.with_segment_bytes_max(8);
        for tick in cursor.tick + 1..cursor.tick + 4 {
            log.begin_tick()?;
            log.append(line(tick).as_bytes())?;
            cursor = Cursor { tick, log: log.sync()?.end };
        }
        Ok(())
    })();
    if let Err(error) = written {
        assert_eq!(error.short_of(), (fault != Fault::Io).then_some(Resource::Disk), "{error}");
    }
    (cursor, armed.hits())
}

fn line(tick: u64) -> String {
    format!("{{\"root\":\"r\",\"path\":\"{tick}\",\"status\":\"removed\",\"committed_tick\":{tick}}}\n")
}

#[test]
fn after_a_failed_call_the_log_opens_and_holds_each_acknowledged_line_once() {
    for fault in [Fault::Io, Fault::NoSpace, Fault::Short] {
        for hit in 1.. {
            let folder = tempfile::tempdir().unwrap();
            let (begun, _) = write_until_it_fails(folder.path(), Cursor::default(), 0, fault);
            let (cursor, calls) = write_until_it_fails(folder.path(), begun, hit, fault);
            if calls < hit {
                assert!(hit > 15, "only {hit} calls");
                assert_eq!(cursor.tick, 6);
                break;
            }
            let (cursor, _) = write_until_it_fails(folder.path(), cursor, 0, fault);
            for tick in 1..=cursor.tick {
                let path = folder.path().join(segment_name(tick as u32));
                assert_eq!(fs::read_to_string(&path).unwrap(), line(tick), "{fault:?} at call {hit}");
                let length = line(tick).len() as u64;
                assert!(check_range(&path, 0, length, crc32fast::hash(line(tick).as_bytes())).unwrap());
            }
            assert_eq!(segments(folder.path()).unwrap().len() as u64, cursor.tick);
        }
    }
}
