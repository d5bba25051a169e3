use std::fs;
use std::path::Path;

use super::*;
use crate::engine::{Command, Engine, RepositoryProcessingResult, RunOptions, StoreView, inspect};
use crate::model::{BatchConfig, LogPosition, RecordCursor};
use crate::process::from_fn;

fn engine() -> Engine {
    Engine::new(from_fn("length/1", &["*"], |file| Ok(file.bytes.len())))
}

fn run(root: &Path, state: &Path) -> Result<RepositoryProcessingResult, EngineError> {
    engine().run(root, &BatchConfig::default(), &RunOptions::new(state))
}

#[test]
fn a_caller_can_tell_what_is_wrong_with_a_root() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let at = |name: &str| folder.path().join(name);
    fs::write(at("file"), "x").unwrap();
    std::os::unix::fs::symlink(at("nowhere"), at("link")).unwrap();
    let reason_of = |name: &str| match run(&at(name), &state) {
        Err(EngineError::Root { path, reason }) if path == at(name) => reason,
        other => panic!("{other:?}"),
    };
    assert!(matches!(reason_of("nothing"), RootError::NotFound));
    assert!(matches!(reason_of("file"), RootError::NotAFolder));
    assert!(matches!(reason_of("link"), RootError::DanglingLink));
    let none = engine().run(Vec::<String>::new(), &BatchConfig::default(), &RunOptions::new(&state));
    assert!(matches!(none, Err(EngineError::Refused(Refusal::NoRoot))));
    assert!(!state.exists());
}

#[test]
fn a_name_that_is_taken_is_told_with_the_root_that_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    fs::create_dir(&one).unwrap();
    fs::create_dir(&other).unwrap();
    let named = |root: &Path, name: &str| {
        let mut options = RunOptions::new(folder.path().join("state"));
        options.names.insert(root.to_owned(), name.parse().unwrap());
        engine().run(root, &BatchConfig::default(), &options)
    };
    named(&one, "asts").unwrap();
    let Err(EngineError::Root { reason: RootError::NameTaken { other: has_it, .. }, .. }) =
        named(&other, "asts")
    else {
        panic!("the name is taken");
    };
    assert_eq!(has_it, one);
    let Err(EngineError::Root { reason: RootError::OtherName { name, wanted, .. }, .. }) =
        named(&one, "trees")
    else {
        panic!("the name stays");
    };
    assert_eq!((name.as_str(), wanted.as_str()), ("asts", "trees"));
}

#[test]
fn a_reader_can_tell_a_cursor_to_start_over_from_from_a_wrong_one() {
    let folder = tempfile::tempdir().unwrap();
    let (tree, state) = (folder.path().join("tree"), folder.path().join("state"));
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("a"), "a").unwrap();
    run(&tree, &state).unwrap();
    let log = StoreView::open(&state).unwrap().log();
    let end = log.end;
    let check = |offset, state: Option<&str>| {
        let position = LogPosition { segment: 1, offset };
        log.check_cursor(&RecordCursor { position, state: state.map(str::to_owned) }).unwrap_err()
    };
    let own = log.state.as_deref();
    let gone = |error| match error {
        EngineError::CursorGone { consumer: None, error } => error.reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(gone(check(0, Some("another"))), CursorReason::OtherState { state: log.state.clone() });
    assert_eq!(gone(check(end.offset + 1, own)), CursorReason::BehindEnd { end });
    assert_eq!(gone(check(1, own)), CursorReason::NoRecord);
    let wrong = check(1, None);
    assert!(
        matches!(&wrong, EngineError::Refused(Refusal::Cursor(error)) if error.reason == CursorReason::NoRecord)
    );
    assert!(wrong.is_refusal() && wrong.to_string().contains("cursor 1:1 is not the start of a record; use"));
}

#[test]
fn what_does_not_fit_is_told_without_a_text_to_search() {
    let folder = tempfile::tempdir().unwrap();
    let seen = inspect(folder.path(), &from_fn("nothing/1", &["*"], |_| Ok(())), &BatchConfig::default());
    assert!(matches!(seen, Err(EngineError::Inspect { reason: InspectError::Folder, .. })));
    let reload = engine().order(Command::Reload);
    assert!(matches!(reload, Err(EngineError::Refused(Refusal::NoConfiguration))));
}
