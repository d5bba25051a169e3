//! Limits of the system, reached for real.

use std::fs;
use std::process::Command;

use super::*;

#[test]
fn an_overflow_of_the_kernels_queue_is_noticed_and_nothing_is_missed() {
    let tree = Tree::with(&["a/f", "b/g", "gone/h"]);
    let mut mirror = Mirror::of(&tree, source(&[], &[]));
    let queue: u64 =
        fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap().trim().parse().unwrap();
    if queue > 100_000 {
        eprintln!("skipped: the queue takes {queue} events");
        return;
    }
    {
        // The callback waits for this lock, so that no thread reads the queue.
        let _stalled = mirror.watch.shared.lock();
        for n in 0..queue + 100 {
            // Alternates two files: the kernel merges an event with an identical predecessor.
            tree.write(if n % 2 == 0 { "a/f" } else { "b/g" }, b"");
            if n % 4 == 3 && n > queue {
                break;
            }
        }
        fs::remove_dir_all(tree.at("gone")).unwrap();
        fs::rename(tree.at("a"), tree.at("c")).unwrap();
        tree.write("new/x", b"lost");
    }
    mirror.catch_up();
    assert!(mirror.watch.status().overflows > 0);
    assert_eq!(armed(&mirror.watch), 1 + 3);
    assert_eq!(unwatched(&mirror.watch), ["a", "gone"], "nobody told that they went");
    mirror.poll();
    assert_eq!(unwatched(&mirror.watch), [""; 0]);
    for path in ["c/f", "b/g", "new/x"] {
        tree.write(path, b"changed after it");
    }
    mirror.catch_up();
}

/// Runs the test below with a limit that only it sees: one of a user namespace.
#[test]
fn the_limit_of_watches_is_noticed_and_what_is_above_it_is_polled() {
    let script = "echo 3 > /proc/sys/user/max_inotify_watches || exit 42; exec \"$@\"";
    let inner = "source::watch::tests::limits::within_a_limit_of_three_watches";
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "sh", "-c", script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", inner, "--ignored", "--nocapture"])
        .output();
    let output = match output {
        Ok(output) if output.status.success() || output.status.code() == Some(101) => output,
        other => {
            eprintln!("skipped: a user namespace with a limit is not to be had: {other:?}");
            return;
        }
    };
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "needs a limit of its own; another test starts it"]
fn within_a_limit_of_three_watches() {
    let tree = Tree::with(&["a/f", "b/g", "c/h", "d/i"]);
    let mut mirror = Mirror::of(&tree, source(&[], &[]));
    assert_eq!((armed(&mirror.watch), unwatched(&mirror.watch).len()), (3, 2));
    for path in ["a/f", "b/g", "c/h", "d/i"] {
        tree.write(path, b"changed");
    }
    mirror.until(|mirror| mirror.difference().len() == 2);
    let polled = unwatched(&mirror.watch);
    mirror.poll();
    assert_eq!(mirror.difference(), [""; 0]);
    let watched =
        ["a", "b", "c", "d"].into_iter().find(|folder| !polled.contains(&(*folder).to_owned())).unwrap();
    fs::remove_dir_all(tree.at(watched)).unwrap();
    mirror.catch_up();
    mirror.scan_again(polled[0].as_bytes());
    assert_eq!((armed(&mirror.watch), unwatched(&mirror.watch).len()), (3, 1));
}
