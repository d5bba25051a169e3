//! A real file system without room: it is said, it is never taken for damage, and what was acknowledged
//! stays. With room again, the next run ends as if nothing had happened.

use std::fs;

use outlast::ledger::{Entry, Ledger, LedgerError, StateFolder, Tick};
use outlast::{Cursor, FileKey, LogPosition, RootId};

use super::mount::Mount;
use super::{Place, change, grow, is_a_good_message};
use crate::support::{Checker, Sandbox, ran};

const MIB: u64 = 1 << 20;
const KIB: u64 = 1 << 10;

/// Room for a run, from none on: what making a state takes, then about what a run wants to have free.
fn rooms() -> impl Iterator<Item = u64> {
    let making = (0..9).map(|step| step * 8 * KIB);
    let running = (0..9).map(|step| 6 * MIB + step * MIB);
    making.chain(running)
}

#[test]
fn a_run_on_a_full_disk_says_so_and_the_next_one_goes_on() {
    let Some(mount) = Mount::ext4(48 * MIB) else { return };
    let sandbox = Sandbox::new();
    grow(&sandbox.root);
    let place = Place { root: sandbox.root.clone(), state: mount.disk.mount.join("state") };
    let (mut refused, mut done) = (0, 0);
    for room in rooms() {
        let before = place.tick().unwrap().unwrap_or(0);
        let ballast = mount.disk.fill(room);
        let told = ran(place.run_command().args(["--wait", "0s"]));
        let asked = ran(&mut place.command(&["status", "--format", "json"]));
        fs::remove_file(ballast).unwrap();
        match told.code {
            _ if told.crashed() => panic!("room of {room}: {told}"),
            Some(0 | 3) => done += 1,
            Some(75) => {
                is_a_good_message(&told, &mount.disk.mount, "work is kept").unwrap();
                refused += 1;
            }
            _ => panic!("room of {room}: {told}"),
        }
        assert!(matches!(asked.code, Some(0 | 1 | 10)) && !asked.crashed(), "room of {room}: {asked}");
        let after = place.tick().unwrap().unwrap_or(0);
        assert!(after >= before, "room of {room}: {before} ticks were committed, and {after} are left");
        if told.code != Some(75) {
            place.finish().unwrap();
            Checker::new(&place.state, &[&place.root]).assert();
            change(&place.root, after);
        }
    }
    place.finish().unwrap();
    Checker::new(&place.state, &[&place.root]).assert();
    eprintln!("{refused} runs had no room, {done} had enough");
    assert!(refused >= 5 && done >= 3, "{refused} runs had no room, {done} had enough");
}

/// Commits ticks until one fails. Returns the last one that did not, and the failure.
fn commit_until_full(ledger: &mut Ledger) -> (Cursor, LedgerError) {
    loop {
        let tick = ledger.cursor().tick;
        let name = |file| format!("src/module{tick:05}/some-file-{file:05}.ast.json");
        let key = |file| FileKey::from_relative_path(RootId(1), name(file).as_bytes()).unwrap();
        let entry = Entry { pending: true, ..Entry::default() };
        let changes: Vec<_> = (0..1500).map(|file| (key(file), Some(entry))).collect();
        let tick = Tick { changes: &changes, log: LogPosition::START, log_crc: 0, job: None };
        if let Err(error) = ledger.commit(tick) {
            return (ledger.cursor(), error);
        }
    }
}

#[test]
fn a_ledger_on_a_full_disk_keeps_what_was_committed() {
    let Some(mount) = Mount::ext4(24 * MIB) else { return };
    let path = mount.disk.mount.join("state");
    drop(StateFolder::create(&path, "records".as_ref()).unwrap());
    for round in 0..8 {
        let (state, ballast) = (StateFolder::open(&path).unwrap(), mount.disk.fill((60 + 223 * round) * KIB));
        let opened = Ledger::open(&state);
        let committed = opened.map(|mut ledger| commit_until_full(&mut ledger));
        // Another start, with as little room.
        let again = Ledger::open(&state).map(|ledger| ledger.cursor());
        fs::remove_file(ballast).unwrap();
        let cursor = Ledger::open(&state).map(|ledger| ledger.cursor()).unwrap();
        match committed {
            Ok((committed, error)) => {
                assert!(error.short_of() == Some(outlast::Resource::Disk), "round {round}: {error}");
                assert!(
                    cursor.tick >= committed.tick,
                    "round {round}: {committed:?} was committed, and there is {cursor:?}"
                );
            }
            Err(error) => {
                assert!(error.short_of() == Some(outlast::Resource::Disk), "round {round}, opening: {error}");
            }
        }
        if let Err(error) = again {
            assert!(
                error.short_of() == Some(outlast::Resource::Disk),
                "round {round}, opening again: {error}"
            );
        }
    }
}
