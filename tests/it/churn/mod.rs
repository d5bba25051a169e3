//! Trees that change while they are ingested, and disks that fill up while they are written.

mod soak;

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::{Rng, Sandbox, Tree, skip, summary_adds_up};

#[test]
fn a_tree_that_changes_all_the_time_is_right_when_it_rests() {
    for seed in 0..2 {
        let sandbox = Sandbox::new();
        let mut tree = Tree::grow(&sandbox.root, seed, 150);
        let rest = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !rest.load(Ordering::Relaxed) {
                    tree.change(3);
                }
            });
            let mut rng = Rng::new(seed);
            for _ in 0..6 {
                let workers = rng.within(1..4).to_string();
                let told = sandbox.run(&["--workers", &workers]);
                assert!(matches!(told.code, Some(0 | 3)), "{told}");
                summary_adds_up(&told.json()).unwrap();
            }
            rest.store(true, Ordering::Relaxed);
        });
        let last = sandbox.run(&[]).json();
        assert_eq!(last["pending"], 0, "{last}");
        sandbox.check();
    }
}

/// A memory disk on a folder, of a size that can be changed, until it is dropped.
struct SmallDisk<'a>(&'a Sandbox);

impl SmallDisk<'_> {
    fn mount(&self, options: &str) -> bool {
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&self.0.state).output();
        mount.is_ok_and(|output| output.status.success())
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0.state).output();
    }
}

#[test]
fn a_disk_that_fills_up_ends_the_run_and_costs_nothing() {
    let sandbox = Sandbox::new();
    let tree = Tree::grow(&sandbox.root, 8, 1500);
    for size in ["size=540k", "size=600k", "size=900k"] {
        std::fs::create_dir_all(&sandbox.state).unwrap();
        let disk = SmallDisk(&sandbox);
        if !disk.mount(size) {
            return skip("a full disk needs the right to mount a memory disk");
        }
        let told = sandbox.run(&["--workers", "1", "--wait", "0s"]).expect(75);
        let state = sandbox.state.to_str().unwrap();
        assert!(told.stderr.contains(state) && told.stderr.contains("work is kept"), "{told}");
        assert!(!told.crashed() && told.stdout.is_empty(), "{told}");
        sandbox.run(&["--wait", "0s"]).expect(75);
        assert!(disk.mount("remount,size=200m"));
        let last = sandbox.run(&[]).expect(3).json();
        assert_eq!(last["discovered"], tree.files().len());
        sandbox.check();
    }
}
