//! `outlast records --output`: the records as a file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::support::{Ran, Sandbox, outlast, ran, take_environment};
use crate::user::{AST, BROKEN, wait_until};

/// Three files, of which one is broken.
fn three() -> Sandbox {
    let sandbox = Sandbox::with(&[("a.ast.json", AST), ("b.ast.json", BROKEN), ("c.ast.json", AST)]);
    sandbox.run_code(&[], 3);
    sandbox
}

/// So many files whose records are long, each with kinds of its own: about 20 KB.
fn wide(files: u32) -> Sandbox {
    let sandbox = Sandbox::new();
    for file in 0..files {
        let nodes: Vec<_> =
            (0..900).map(|node| format!(r#"{{"type":"k{}"}}"#, file * 1_000 + node)).collect();
        sandbox.write(format!("{file}.ast.json"), format!("[{}]", nodes.join(",")));
    }
    sandbox.run_ok(&[]);
    sandbox
}

fn export(sandbox: &Sandbox, args: &[&str]) -> Ran {
    ran(&mut sandbox.command([&["records"], args].concat()))
}

/// It ended with this code, and said all of this.
#[track_caller]
fn refused(told: &Ran, code: i32, words: &[&str]) {
    assert_eq!(told.code, Some(code), "{told}");
    assert!(told.stdout.is_empty() && !told.crashed(), "{told}");
    for word in words {
        assert!(told.stderr.contains(word), "no {word:?}: {told}");
    }
}

/// What stands beside the tree and the state.
fn beside(sandbox: &Sandbox) -> Vec<String> {
    let entries = fs::read_dir(sandbox.dir.path()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name != "tree" && name != "state").collect();
    names.sort();
    names
}

#[test]
fn the_lines_of_a_file_are_those_of_stdout() {
    let sandbox = three();
    for args in [&[][..], &["--status", "failed"], &["--format", "ndjson"], &["--since", "1:0"]] {
        let printed = export(&sandbox, args).expect(0);
        let written = export(&sandbox, &[args, &["--output", "out"]].concat()).expect(0);
        assert!(written.stdout.is_empty() && written.stderr.is_empty(), "{written}");
        assert_eq!(fs::read(sandbox.dir.path().join("out")).unwrap(), printed.stdout);
    }
    assert_eq!(beside(&sandbox), ["out"]);
}

#[test]
fn the_cursor_is_told_with_a_file_too() {
    let sandbox = three();
    let told = export(&sandbox, &["--output", "out", "--cursor"]).expect(0);
    let next = export(&sandbox, &["--since", told.stderr.trim()]).expect(0);
    assert!(next.stdout.is_empty(), "{next}");
}

/// The paths of these records.
fn paths(lines: &[u8]) -> Vec<String> {
    let lines = lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let path = |line| {
        serde_json::from_slice::<serde_json::Value>(line).unwrap()["path"].as_str().unwrap().to_owned()
    };
    lines.map(path).collect()
}

#[test]
fn a_dash_is_stdout() {
    let sandbox = three();
    let printed = export(&sandbox, &[]).expect(0).stdout;
    assert_eq!(export(&sandbox, &["--output", "-"]).expect(0).stdout, printed);
    assert!(beside(&sandbox).is_empty());
}

#[test]
fn an_ending_that_says_no_format_or_another_one_is_told() {
    let sandbox = three();
    for name in ["out.csv", "out.zst", "out.parqet", "out.json"] {
        refused(&export(&sandbox, &["--output", name]), 2, &[".ndjson, .ndjson.zst or .parquet", "--format"]);
    }
    assert!(beside(&sandbox).is_empty());
    let printed = export(&sandbox, &[]).expect(0).stdout;
    let told = export(&sandbox, &["--format", "ndjson", "--output", "out.csv"]).expect(0);
    assert_eq!(
        (told.stderr.as_str(), fs::read(sandbox.dir.path().join("out.csv")).unwrap()),
        ("", printed.clone())
    );
    let told = export(&sandbox, &["--format", "ndjson", "--output", "out.parquet"]).expect(0);
    assert!(told.stderr.contains("out.parquet is written as ndjson, as --format says"), "{told}");
    assert_eq!(fs::read(sandbox.dir.path().join("out.parquet")).unwrap(), printed);
}

#[test]
fn roots_paths_and_statuses_select_records_on_stdout_and_in_a_file() {
    let sandbox = Sandbox::new();
    let other = sandbox.dir.path().canonicalize().unwrap().join("other");
    for (path, text) in [("a.ast.json", AST), ("src/b.ast.json", BROKEN), ("src/c.ast.json", AST)] {
        sandbox.write(path, text);
    }
    fs::create_dir(&other).unwrap();
    fs::write(other.join("a.ast.json"), AST).unwrap();
    ran(sandbox.run_command(&[]).arg(&other)).expect(3);
    let (folder, file) = (sandbox.root.join("src"), sandbox.root.join("src/c.ast.json"));
    let (folder, file) = (folder.to_str().unwrap(), file.to_str().unwrap());
    for (args, selected) in [
        (&["--root", "tree"][..], &["a.ast.json", "src/b.ast.json", "src/c.ast.json"][..]),
        (&["--root", "other"], &["a.ast.json"]),
        (&["--root", other.to_str().unwrap()], &["a.ast.json"]),
        (&["--root", "./other/"], &["a.ast.json"]),
        (&["--path", "a.*"], &["a.ast.json", "a.ast.json"]),
        (&["--path", "a.*", "--root", "tree"], &["a.ast.json"]),
        (&["--path", folder], &["src/b.ast.json", "src/c.ast.json"]),
        (&["--path", "tree/src"], &["src/b.ast.json", "src/c.ast.json"]),
        (&["--path", file], &["src/c.ast.json"]),
        (&["--path", "src/*"], &["src/b.ast.json", "src/c.ast.json"]),
        (&["--path", "src/*", "--root", "other"], &[]),
        (&["--path", folder, "--root", "other"], &[]),
        (&["--path", folder, "--root", "tree", "--status", "failed"], &["src/b.ast.json"]),
        (&["--path", "nothing"], &[]),
    ] {
        let printed = export(&sandbox, args).expect(0).stdout;
        assert_eq!(paths(&printed), selected, "{args:?}");
        export(&sandbox, &[args, &["--output", "out"]].concat()).expect(0);
        assert_eq!(fs::read(sandbox.dir.path().join("out")).unwrap(), printed, "{args:?}");
    }
    refused(&export(&sandbox, &["--root", "another"]), 2, &["another", "outlast status"]);
    refused(&export(&sandbox, &["--path", "[a"]), 2, &["[a"]);
    refused(&export(&sandbox, &["--root", "tree", "--since", "1:0"]), 2, &["--root", "--since"]);
}

#[test]
fn what_does_not_go_together_is_refused() {
    let sandbox = three();
    refused(&export(&sandbox, &["--follow", "--output", "out"]), 2, &["--follow", "--output"]);
    refused(&export(&sandbox, &["--format", "xml"]), 2, &["xml", "ndjson", "parquet"]);
    refused(&ran(&mut sandbox.command(["status", "--format", "parquet"])), 2, &["records", "json"]);
    refused(&ran(&mut sandbox.command(["--format", "ndjson", "status"])), 2, &["records", "json"]);
    assert!(beside(&sandbox).is_empty());
}

#[test]
fn a_name_that_no_file_can_have_is_refused() {
    let sandbox = three();
    let to = |name: &str| export(&sandbox, &["--output", name]);
    refused(&to("none/out"), 2, &["none/out", "folder does not exist"]);
    refused(&to("tree"), 2, &["tree", "is a folder"]);
    refused(&to("/dev/null"), 2, &["/dev/null", "no regular file"]);
    refused(&to("state/out"), 2, &["state/out", "elsewhere"]);
    let log = fs::read(sandbox.records().join("records-000001.ndjson")).unwrap();
    refused(&to("state/records/records-000001.ndjson"), 2, &["records-000001", "elsewhere"]);
    assert_eq!(fs::read(sandbox.records().join("records-000001.ndjson")).unwrap(), log);
    std::os::unix::fs::symlink("state/records/records-000001.ndjson", sandbox.dir.path().join("link"))
        .unwrap();
    refused(&to("link"), 2, &["link", "elsewhere"]);
}

#[test]
fn a_folder_that_may_not_be_written_to_is_named() {
    let sandbox = three();
    let locked = sandbox.dir.path().join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o500)).unwrap();
    // Whoever may do anything is refused by the kernel's own folders only.
    let target = if fs::write(locked.join("probe"), "").is_ok() { "/sys/out" } else { "locked/out" };
    refused(&export(&sandbox, &["--output", target]), 1, &[target, "allow writing"]);
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o700)).unwrap();
}

/// The binary under a limit on the size of files, which ends a write as a full disk does.
fn limited(sandbox: &Sandbox, args: &[&str]) -> Ran {
    let mut command = std::process::Command::new("bash");
    command.current_dir(sandbox.dir.path()).args(["-c", "trap '' XFSZ; ulimit -f 1024; exec \"$@\"", "-"]);
    command.arg(outlast().get_program()).args(["records", "--output", "out", "--state"]);
    take_environment(&mut command, &outlast());
    ran(command.arg(&sandbox.state).args(args))
}

#[test]
fn a_file_that_has_no_room_leaves_the_old_one() {
    let sandbox = wide(400);
    fs::write(sandbox.dir.path().join("out"), "old").unwrap();
    for args in FORMATS {
        let told = limited(&sandbox, args);
        refused(&told, 1, &["out", "can't be written", "elsewhere"]);
        assert_eq!(fs::read(sandbox.dir.path().join("out")).unwrap(), b"old");
        assert_eq!(beside(&sandbox), ["out"]);
    }
}

#[cfg(feature = "parquet")]
const FORMATS: &[&[&str]] = &[&[], &["--format", "parquet"]];
#[cfg(not(feature = "parquet"))]
const FORMATS: &[&[&str]] = &[&[]];

#[test]
fn a_kill_leaves_the_old_file_and_the_next_export_clears_up() {
    let sandbox = wide(1_000);
    let out = sandbox.dir.path().join("out");
    let whole = export(&sandbox, &[]).expect(0).stdout;
    fs::write(&out, "old").unwrap();
    let (mut killed, mut unfinished) = (0, false);
    for _ in 0..40 {
        let mut command = sandbox.command(["records", "--output", "out"]);
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        wait_until("the export has begun or ended", || {
            (beside(&sandbox).len() > 1 || child.try_wait().unwrap().is_some()).then_some(())
        });
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
        let found = fs::read(&out).unwrap();
        assert!(found == b"old" || found == whole, "{} bytes of {}", found.len(), whole.len());
        unfinished |= beside(&sandbox).len() > 1;
        if killed > 2 && unfinished {
            break;
        }
    }
    assert!(unfinished, "no export of 40 was killed midway");
    export(&sandbox, &["--output", "out"]).expect(0);
    assert_eq!(beside(&sandbox), ["out"]);
    assert_eq!(fs::read(out).unwrap(), whole);
}

#[test]
fn a_signal_ends_an_export_without_a_trace() {
    let sandbox = wide(1_000);
    let mut stopped = 0;
    for _ in 0..40 {
        let mut command = sandbox.command(["records", "--output", "out"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let pid = rustix::process::Pid::from_child(&child);
        wait_until("the export has begun", || (!beside(&sandbox).is_empty()).then_some(()));
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        let told: Ran = child.wait_with_output().unwrap().into();
        if told.code == Some(130) {
            refused(&told, 130, &["out", "interrupted"]);
            assert!(beside(&sandbox).is_empty());
            stopped += 1;
        } else {
            told.expect(0);
            fs::remove_file(sandbox.dir.path().join("out")).unwrap();
        }
        if stopped > 2 {
            return;
        }
    }
    panic!("only {stopped} exports of 40 were stopped");
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_parquet_says_so() {
    let sandbox = three();
    refused(&export(&sandbox, &["--format", "parquet", "--output", "out"]), 2, &["feature `parquet`"]);
}

#[cfg(feature = "parquet")]
mod table {
    use std::path::{Path, PathBuf};

    use parquet::file::reader::SerializedFileReader;
    use parquet::record::{Row, RowAccessor};
    use serde_json::Value;

    use super::*;

    fn rows(path: &Path) -> Vec<Row> {
        let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
        reader.into_iter().map(Result::unwrap).collect()
    }

    fn place(row: &Row, name: &str) -> usize {
        row.get_column_iter().position(|(column, _)| column == name).unwrap()
    }

    fn text<'a>(row: &'a Row, name: &str) -> Option<&'a str> {
        row.get_string(place(row, name)).ok().map(String::as_str)
    }

    fn number(row: &Row, name: &str) -> Option<i64> {
        row.get_long(place(row, name)).ok()
    }

    #[track_caller]
    fn assert_same(record: &Value, row: &Row) {
        for name in ["root", "path", "status", "digest", "processor"] {
            assert_eq!(text(row, name), record[name].as_str(), "{name} of {record}");
        }
        for name in ["size", "committed_tick"] {
            assert_eq!(number(row, name), record[name].as_i64(), "{name} of {record}");
        }
        for name in ["dialect", "language", "kind_field"] {
            assert_eq!(text(row, name), record["result"][name].as_str(), "{name} of {record}");
        }
        for name in ["values", "depth", "nodes"] {
            assert_eq!(number(row, name), record["result"][name].as_i64(), "{name} of {record}");
        }
        assert_eq!(text(row, "error_message"), record["error"]["message"].as_str(), "{record}");
        assert_eq!(number(row, "error_line"), record["error"]["line"].as_i64(), "{record}");
        assert_eq!(text(row, "result_json"), None, "{record}");
    }

    #[test]
    fn the_sample_is_the_same_as_lines_and_as_a_table() {
        let sandbox = Sandbox::new();
        let sample = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/sample");
        ran(sandbox.command(["run", "--progress", "never"]).arg(sample));
        sandbox.write("broken.ast.json", BROKEN);
        sandbox.run_code(&[], 3);
        let lines = export(&sandbox, &[]).expect(0);
        let told = export(&sandbox, &["--format", "parquet", "--output", "out.parquet"]).expect(0);
        assert!(told.stdout.is_empty() && told.stderr.is_empty(), "{told}");
        let rows = rows(&sandbox.dir.path().join("out.parquet"));
        assert_eq!(rows.len(), lines.lines().len());
        assert!(rows.len() > 40, "only {} rows", rows.len());
        for (line, row) in lines.lines().into_iter().zip(&rows) {
            assert_same(&serde_json::from_slice(line).unwrap(), row);
        }
        assert_eq!(beside(&sandbox), ["out.parquet"]);
    }

    #[test]
    fn a_status_selects_rows_and_a_file_is_replaced() {
        let sandbox = three();
        let out = sandbox.dir.path().join("out");
        for (status, paths) in [("ok", &["a.ast.json", "c.ast.json"][..]), ("failed", &["b.ast.json"])] {
            export(&sandbox, &["--format", "parquet", "--status", status, "--output", "out"]).expect(0);
            let rows = rows(&out);
            assert_eq!(rows.iter().filter_map(|row| text(row, "path")).collect::<Vec<_>>(), paths);
        }
    }

    #[test]
    fn the_global_place_of_the_option_serves_too() {
        let sandbox = three();
        ran(&mut sandbox.command(["--format", "parquet", "records", "--output", "out"])).expect(0);
        assert_eq!(rows(&sandbox.dir.path().join("out")).len(), 3);
    }

    #[test]
    fn the_ending_of_the_name_says_the_format() {
        let sandbox = three();
        let printed = export(&sandbox, &[]).expect(0).stdout;
        let at = |name: &str| sandbox.dir.path().join(name);
        for args in
            [&["--output", "out.ndjson.zst"][..], &["--format", "ndjson", "--output", "out.ndjson.zst"]]
        {
            assert_eq!(export(&sandbox, args).expect(0).stderr, "");
            let lines = zstd::decode_all(fs::File::open(at("out.ndjson.zst")).unwrap()).unwrap();
            assert_eq!(lines, printed);
        }
        for name in ["out.parquet", "OUT.Parquet"] {
            assert_eq!(export(&sandbox, &["--output", name]).expect(0).stderr, "");
            assert_eq!(rows(&at(name)).len(), 3);
        }
        export(&sandbox, &["--output", "out.ndjson"]).expect(0);
        assert_eq!(fs::read(at("out.ndjson")).unwrap(), printed);
        let told = export(&sandbox, &["--format", "parquet", "--output", "out.ndjson"]).expect(0);
        assert!(told.stderr.contains("out.ndjson is written as parquet"), "{told}");
        assert_eq!(rows(&at("out.ndjson")).len(), 3);
        refused(&export(&sandbox, &["--since", "1:0", "--output", "out.parquet"]), 2, &["--since", "ndjson"]);
        let told = export(&sandbox, &["--format", "parquet", "--output", "-", "--root", "tree"]).expect(0);
        fs::write(at("piped"), told.stdout).unwrap();
        assert_eq!(rows(&at("piped")).len(), 3);
    }

    #[test]
    fn a_table_needs_a_file_and_has_no_past() {
        let sandbox = three();
        refused(&export(&sandbox, &["--format", "parquet"]), 2, &["--output FILE"]);
        for more in [&["--since", "1:0"][..], &["--follow"]] {
            let args = [&["--format", "parquet"], more].concat();
            refused(&export(&sandbox, &args), 2, &["--since", "--follow", "ndjson"]);
        }
    }
}
