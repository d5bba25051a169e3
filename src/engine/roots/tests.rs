use std::fs;

use super::*;
use crate::engine::run::engine::{Engine, RunOptions};
use crate::ledger::StateFolder;
use crate::model::BatchConfig;
use crate::process::{FileContent, from_fn};

fn info(id: u32, path: &str, target: &str) -> RootInfo {
    RootInfo { target: target.into(), ..RootInfo::new(id, name_of(Path::new(path)), path, "one/1") }
}

fn given(path: &str, target: &str) -> GivenRoot {
    GivenRoot { path: path.into(), target: target.into(), name: None }
}

#[test]
fn a_path_is_made_absolute_and_no_link_is_followed() {
    for (path, expected) in [
        ("/a/./b//c/", "/a/b/c"),
        ("//a/b/.", "/a/b"),
        ("/nowhere/x/../y", "/nowhere/y"),
        ("/../a", "/a"),
        ("/", "/"),
    ] {
        assert_eq!(root_path(Path::new(path)), Path::new(expected), "{path}");
    }
}

#[test]
fn a_root_of_an_earlier_version_takes_the_path_that_is_given_once_and_keeps_its_name() {
    let mut infos = vec![info(1, "/x/rel1", "")];
    let current = given("/x/current", "/x/rel1");
    assert_eq!(find_or_add(&mut infos, &current, "one/1", 0).unwrap(), 0);
    assert_eq!((infos[0].name.as_str(), infos[0].path.as_path()), ("rel1", Path::new("/x/current")));
    assert_eq!(infos[0].target(), Path::new("/x/rel1"));
    // It is one of this version from now on: another path to the same folder is another root.
    assert_eq!(find_or_add(&mut infos, &given("/x/other", "/x/rel1"), "one/1", 0).unwrap(), 1);
    assert_eq!(find_or_add(&mut infos, &given("/x/rel1", "/x/rel1"), "one/1", 7).unwrap(), 2);
    assert_eq!((infos[2].name.as_str() == "rel1", infos[2].id), (false, 8));
}

#[test]
fn names_and_numbers_are_never_given_twice() {
    let mut infos = vec![info(3, "/a/tree", "/a/tree")];
    for at in 1..4 {
        infos.iter_mut().filter(|info| info.path == Path::new("/b/tree")).for_each(|info| {
            info.path = format!("/moved/{}", info.id).into();
        });
        assert_eq!(find_or_add(&mut infos, &given("/b/tree", "/b/tree"), "one/1", 0).unwrap(), at);
    }
    let mut names: Vec<_> = infos.iter().map(|info| info.name.clone()).collect();
    names.dedup();
    assert_eq!(names.len(), 4, "{names:?}");
}

#[test]
fn a_state_knows_so_many_roots_and_says_so() {
    let mut infos: Vec<_> = (1..=ROOTS_MAX as u32).map(|id| info(id, &format!("/r/{id}"), "/t")).collect();
    let error = find_or_add(&mut infos, &given("/r/more", "/r/more"), "one/1", 0).unwrap_err();
    assert!(error.to_string().contains("4096 roots"), "{error}");
    assert!(find_or_add(&mut infos, &given("/r/7", "/r/7"), "one/1", 0).is_ok());
}

#[test]
fn two_ways_to_one_folder_are_one_root_the_known_one_first() {
    let known = [info(1, "/x/b", "/x/t")];
    let both = [given("/x/a", "/x/t"), given("/x/b", "/x/t")];
    assert_eq!(each_once(&known, &both), [&both[1]]);
    assert_eq!(each_once(&[], &both), [&both[0]]);
}

/// Returns a copy of a state of an earlier version: its root was given as a link, and kept as where that led.
fn state_of_earlier_version(folder: &Path) -> PathBuf {
    let (from, to) =
        (Path::new(env!("CARGO_MANIFEST_DIR")).join("data/states/resolved-root"), folder.join("state"));
    for part in ["", "db", "records"] {
        fs::create_dir(to.join(part)).unwrap();
        for entry in fs::read_dir(from.join(part)).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), to.join(part).join(entry.file_name())).unwrap();
            }
        }
    }
    // Its original path was another.
    let path = folder.join("rel1");
    StateFolder::open(&to).unwrap().update(|info| info.roots[0].path = path).unwrap();
    to
}

#[test]
fn a_state_of_an_earlier_version_goes_on_without_a_second_record() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().canonicalize().unwrap();
    let state = state_of_earlier_version(&base);
    for (path, text) in [
        ("a.py.ast.json", r#"{"_type":"Module","body":[]}"#),
        ("sub/b.py.ast.json", r#"{"_type":"Module","body":[1]}"#),
    ] {
        for release in ["rel1", "rel2"] {
            let path = base.join(release).join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
    fs::remove_file(base.join("rel2/a.py.ast.json")).unwrap();
    std::os::unix::fs::symlink("rel1", base.join("current")).unwrap();
    // The processor version that made it: with another one, every file is due again.
    let of_then = from_fn("ast/2", &["*.ast.json"], |_: &FileContent<'_>| Ok(()));
    let engine = Engine::new(of_then);
    let run = || {
        let done =
            engine.run(&[base.join("current")], &BatchConfig::default(), &RunOptions::new(&state)).unwrap();
        (done.progress.ok, done.progress.unchanged, done.progress.removed)
    };
    assert_eq!(run(), (0, 2, 0));
    fs::remove_file(base.join("current")).unwrap();
    std::os::unix::fs::symlink("rel2", base.join("current")).unwrap();
    assert_eq!(run(), (0, 1, 1));
    let info = StateFolder::open(&state).unwrap().info().clone();
    let [root] = info.roots.as_slice() else { panic!("{info:?}") };
    assert_eq!(
        (root.name.as_str(), &root.path, &root.target),
        ("rel1", &base.join("current"), &base.join("rel2"))
    );
}

#[test]
fn another_processor_takes_a_root_over_only_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("a"), "a").unwrap();
    let options = RunOptions::new(folder.path().join("state"));
    let run = |identity: &'static str, change_processor| {
        let processor = from_fn(identity, &["*"], |_: &FileContent<'_>| Ok(()));
        let config = BatchConfig { change_processor, ..BatchConfig::default() };
        Engine::new(processor)
            .run(std::slice::from_ref(&tree), &config, &options)
            .map(|done| done.progress.ok)
    };
    assert_eq!(run("one/1", false).unwrap(), 1);
    assert_eq!(run("one/2", false).unwrap(), 1, "a new version");
    let error = run("other/2", false).unwrap_err();
    assert!(
        matches!(&error, EngineError::OtherProcessor { found, wanted, .. } if found == "one/2" && wanted == "other/2")
    );
    assert!(error.to_string().contains("--change-processor"), "{error}");
    assert_eq!(run("one/2", false).unwrap(), 0, "nothing was changed");
    assert_eq!(run("other/2", true).unwrap(), 1);
}

/// The definition of what [`Nesting::around`] finds.
fn lies_in(inner: &RootInfo, outer: &RootInfo) -> bool {
    let is_known = !outer.path.as_os_str().is_empty() && outer.id != inner.id;
    if inner.target() == outer.target() {
        return is_known && inner.id > outer.id;
    }
    is_known && (inner.path.starts_with(&outer.path) || inner.target().starts_with(outer.target()))
}

#[test]
fn a_root_lies_in_the_first_one_that_holds_it_by_its_path_or_by_where_it_leads() {
    let names = ["", "/", "/a", "/a/b", "/ab", "/a/b/c", "/l", "/l/b"];
    let mut infos = Vec::new();
    for (path, target) in names.iter().flat_map(|path| names.map(|target| (path, target))) {
        // The numbers don't follow the order.
        infos.push(info((infos.len() as u32 * 37) % 64 + 1, path, target));
    }
    for step in 1..infos.len() {
        let some: Vec<_> = infos.iter().step_by(step).collect();
        let nesting = Nesting::of(some.iter().copied());
        for inner in &infos {
            let expected = some.iter().find(|outer| lies_in(inner, outer)).map(|outer| outer.id);
            assert_eq!(nesting.around(inner).map(|outer| outer.id), expected, "{inner:?}");
        }
    }
}

#[test]
fn as_many_roots_as_a_state_knows_are_compared_at_once() {
    let infos: Vec<_> =
        (1..=ROOTS_MAX as u32).map(|id| info(id, &format!("/mnt/data/{id:05}/tree"), "/t")).collect();
    let begun = std::time::Instant::now();
    let nesting = Nesting::of(infos.iter());
    assert_eq!(infos.iter().filter(|info| nesting.around(info).is_some()).count(), ROOTS_MAX - 1);
    // Each with each other, it takes seconds.
    assert!(begun.elapsed() < std::time::Duration::from_millis(500), "{:?}", begun.elapsed());
}
