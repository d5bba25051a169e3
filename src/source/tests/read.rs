use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use rustix::fs::{CWD, Mode};

use super::*;
use crate::model::ErrorClass;

fn read_of(tree: &Tree, path: &str, buffer: &mut Vec<u8>) -> Result<Content, ReadError> {
    source(&[], &[]).read(&tree.root(), &tree.key(path), 1 << 30, buffer)
}

/// Makes a writing thread end, also when the reading test fails.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn age(path: &Path, seconds: u64) {
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
}

#[test]
fn a_file_is_read_whole_with_the_version_that_the_scan_tells() {
    let tree = Tree::new();
    let mut buffer = b"what was in it before".to_vec();
    for size in [0, 1, 4096, 5_000_000, 3] {
        tree.write("d/f", &vec![b'x'; size]);
        let content = read_of(&tree, "d/f", &mut buffer).unwrap();
        assert_eq!((buffer.len(), content.fingerprint.size), (size, size as u64));
        assert!(buffer.capacity() < 5_200_000);
        let (seen, _) = scan(&source(&[], &[]), &tree.root(), 1).unwrap();
        assert_eq!(seen.files[b"d/f".as_slice()], [ListedKind::File(content.fingerprint)]);
    }
}

#[test]
fn a_root_behind_a_link_and_a_path_from_the_file_systems_root_are_read() {
    let tree = Tree::with(&["real/d/f"]);
    symlink("real", tree.at("root")).unwrap();
    let mut buffer = Vec::new();
    let root = Root { path: tree.at("root"), ..tree.root() };
    source(&[], &[]).read(&root, &tree.key("d/f"), 9, &mut buffer).unwrap();
    assert_eq!(buffer, b"{}");
    let key = FileKey::from_absolute_path(tree.at("root/d/f")).unwrap();
    let root = Root { id: RootId::FILE_SYSTEM, name: "/".to_owned(), path: "/".into() };
    source(&[], &[]).read(&root, &key, 9, &mut buffer).unwrap();
}

#[test]
fn what_is_no_file_any_more_is_told_apart_and_never_waited_for() {
    let tree = Tree::with(&["file", "outside/f"]);
    symlink("file", tree.at("link")).unwrap();
    symlink("outside", tree.at("folder-link")).unwrap();
    rustix::fs::mkfifoat(CWD, tree.at("pipe"), Mode::RWXU).unwrap();
    let _socket = UnixListener::bind(tree.at("socket")).unwrap();
    let began = Instant::now();
    let error = |path| read_of(&tree, path, &mut Vec::new()).unwrap_err();
    assert!(matches!(error("none"), ReadError::Gone));
    assert!(matches!(error("file/f"), ReadError::Gone));
    assert!(matches!(error("outside"), ReadError::Gone));
    assert!(matches!(error("folder-link/f"), ReadError::Gone), "never through a link");
    assert!(matches!(error("link"), ReadError::NotAFile(SkipReason::Symlink)));
    assert!(matches!(error("pipe"), ReadError::NotAFile(SkipReason::Fifo)));
    assert!(matches!(error("socket"), ReadError::NotAFile(SkipReason::Socket)));
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_version_that_is_expected_and_not_there_any_more_is_read_as_it_is_now() {
    let tree = Tree::with(&["d/f", "d/other"]);
    let source = source(&[], &[]);
    let mut buffer = Vec::new();
    let expected = read_of(&tree, "d/f", &mut buffer).unwrap().fingerprint;
    let mut read_expected = |size_max| {
        let read = source.read_expected(&tree.root(), &tree.key("d/f"), &expected, size_max, &mut buffer);
        (read, buffer.clone())
    };
    assert_eq!(read_expected(9).0.unwrap().fingerprint, expected);
    assert!(matches!(read_expected(1).0, Err(ReadError::TooLarge { size: 2 })));
    tree.write("d/f", b"longer");
    let (read, content) = read_expected(9);
    assert_eq!((read.unwrap().fingerprint.size, content.as_slice()), (6, b"longer".as_slice()));
    std::fs::rename(tree.at("d/other"), tree.at("d/f")).unwrap();
    let (read, content) = read_expected(9);
    assert_ne!(read.unwrap().fingerprint.inode, expected.inode);
    assert_eq!(content, b"{}");
    std::fs::remove_file(tree.at("d/f")).unwrap();
    assert!(matches!(read_expected(9).0, Err(ReadError::Gone)));
}

#[test]
fn what_waits_in_a_pipe_that_took_a_files_place_stays_in_it() {
    let tree = Tree::with(&["d/f"]);
    let mut buffer = Vec::new();
    let expected = read_of(&tree, "d/f", &mut buffer).unwrap().fingerprint;
    std::fs::remove_file(tree.at("d/f")).unwrap();
    rustix::fs::mkfifoat(CWD, tree.at("d/f"), Mode::RWXU).unwrap();
    let mut pipe = std::fs::File::options().read(true).write(true).open(tree.at("d/f")).unwrap();
    io::Write::write_all(&mut pipe, b"for somebody else").unwrap();
    let read = source(&[], &[]).read_expected(&tree.root(), &tree.key("d/f"), &expected, 99, &mut buffer);
    assert!(matches!(read, Err(ReadError::NotAFile(SkipReason::Fifo))));
    assert_eq!(rustix::io::ioctl_fionread(&pipe).unwrap(), 17);
}

#[test]
fn a_file_that_is_asked_for_comes_into_memory_and_a_pipe_keeps_what_is_in_it() {
    let tree = Tree::with(&["d/f", "d/gone"]);
    let ask = |name| source(&[], &[]).ahead(&tree.root(), &tree.key(name));
    let file = std::fs::File::open(tree.at("d/f")).unwrap();
    file.sync_all().unwrap();
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    assert_ne!(ask("d/f"), Ahead::Unable);
    let begun = Instant::now();
    while ask("d/f") != Ahead::InMemory {
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
    std::fs::remove_file(tree.at("d/gone")).unwrap();
    assert_eq!(ask("d/gone"), Ahead::Unopened);
    rustix::fs::mkfifoat(CWD, tree.at("d/gone"), Mode::RWXU).unwrap();
    let mut pipe = std::fs::File::options().read(true).write(true).open(tree.at("d/gone")).unwrap();
    io::Write::write_all(&mut pipe, b"another's").unwrap();
    assert_eq!(ask("d/gone"), Ahead::Unable);
    assert_eq!(rustix::io::ioctl_fionread(&pipe).unwrap(), 9);
}

#[test]
fn a_file_above_the_limit_is_not_read() {
    let tree = Tree::new();
    tree.write("f", b"12345");
    let source = source(&[], &[]);
    let mut buffer = Vec::new();
    let error = source.read(&tree.root(), &tree.key("f"), 4, &mut buffer).unwrap_err();
    assert!(matches!(error, ReadError::TooLarge { size: 5 }));
    assert_eq!(error.class(), Some(ErrorClass::TooLarge));
    source.read(&tree.root(), &tree.key("f"), 5, &mut buffer).unwrap();
}

#[test]
fn a_file_that_keeps_changing_is_whole_or_unstable() {
    let tree = Tree::new();
    let path = tree.at("f");
    tree.write("f", &[b'a'; 300_000]);
    let stop = AtomicBool::new(false);
    let unstable = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = std::fs::File::options().write(true).open(&path).unwrap();
            for round in 0u64.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                file.set_len(200_000 + round % 1000).unwrap();
                io::Seek::seek(&mut file, io::SeekFrom::Start(0)).unwrap();
                io::Write::write_all(&mut file, b"b").unwrap();
            }
        });
        let _end = StopAtEnd(&stop);
        let began = Instant::now();
        let mut unstable = 0;
        while unstable == 0 && began.elapsed() < Duration::from_secs(10) {
            match read_of(&tree, "f", &mut Vec::new()) {
                Err(ReadError::Unstable) => unstable += 1,
                Ok(_) => (),
                Err(error) => panic!("{error}"),
            }
        }
        unstable
    });
    assert_eq!(unstable, 1);
    let mut buffer = Vec::new();
    let content = read_of(&tree, "f", &mut buffer).unwrap();
    assert_eq!(buffer.len() as u64, content.fingerprint.size);
}

#[test]
fn a_replaced_file_is_one_version_or_the_other() {
    let tree = Tree::with(&["f"]);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0usize.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let letter = if round.is_multiple_of(2) { b'a' } else { b'b' };
                tree.write("new", &vec![letter; 2000 + round % 2 * 500]);
                std::fs::rename(tree.at("new"), tree.at("f")).unwrap();
            }
        });
        let _end = StopAtEnd(&stop);
        let mut buffer = Vec::new();
        for _ in 0..2000 {
            match read_of(&tree, "f", &mut buffer) {
                Ok(_) => assert!(
                    matches!(buffer.len(), 2 | 2000 | 2500)
                        && buffer.iter().all(|b| *b == buffer[0] || buffer == b"{}")
                ),
                Err(error) => assert!(matches!(error, ReadError::Unstable), "{error}"),
            }
        }
    });
}

#[test]
fn a_fresh_file_is_racy_and_an_old_one_is_not() {
    let tree = Tree::with(&["f", "g"]);
    let racy = |path| read_of(&tree, path, &mut Vec::new()).unwrap().racy;
    // On a busy machine the thread may be descheduled between the two for longer than the window.
    let fresh = || {
        tree.write("f", b"{}");
        racy("f")
    };
    assert!((0..100).any(|_| fresh()));
    age(&tree.at("g"), 3600);
    std::thread::sleep(Duration::from_millis(40));
    assert!(!racy("g"), "its inode changed 40 ms ago");
}

#[test]
fn a_file_is_read_to_its_end_whatever_size_its_file_system_tells() {
    let root = Root { id: RootId(1), name: "proc".to_owned(), path: "/proc".into() };
    let read = |path: &str, size_max: u64| {
        let (key, mut buffer) =
            (FileKey::from_relative_path(RootId(1), path.as_bytes()).unwrap(), Vec::new());
        (source(&[], &[]).read(&root, &key, size_max, &mut buffer), buffer)
    };
    let (content, buffer) = read("version", 1 << 20);
    let content = content.unwrap();
    assert_eq!(buffer, std::fs::read("/proc/version").unwrap());
    assert_eq!((content.fingerprint.size, content.size), (0, buffer.len() as u64));
    // Longer than one call returns: it arrives in pieces.
    let long = std::fs::read("/proc/kallsyms").unwrap_or_default();
    if long.len() > 100_000 {
        let (content, buffer) = read("kallsyms", 1 << 30);
        assert!(content.unwrap().size == long.len() as u64 && buffer == long);
        let (content, buffer) = read("kallsyms", 70_000);
        assert!(matches!(content, Err(ReadError::Longer { read: 70_000 })));
        assert!(buffer.capacity() < 200_000, "{}", buffer.capacity());
    }
}
