//! Names as file systems allow them.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use base64::Engine;

use crate::support::{ODD_NAMES, Record, Sandbox, ran};
use crate::user::{AST, OTHER};

fn odd() -> (Sandbox, Vec<OsString>) {
    let sandbox = Sandbox::new();
    let mut paths: Vec<OsString> = ODD_NAMES.iter().map(|name| OsString::from_vec(name.to_vec())).collect();
    paths.push(format!("{}.ast.json", "n".repeat(240)).into());
    paths.push(format!("{}/{}.ast.json", "é".repeat(120), "ü".repeat(120)).into());
    for name in ODD_NAMES {
        let folder = [b"in ", name, b"/plain.ast.json"].concat();
        paths.push(OsString::from_vec(folder));
    }
    paths.iter().for_each(|path| drop(sandbox.write(path, AST)));
    sandbox.settle();
    (sandbox, paths)
}

#[test]
fn any_name_is_ingested_explained_and_noticed_when_it_goes() {
    let (sandbox, paths) = odd();
    assert_eq!(sandbox.run_ok(&[])["ok"], paths.len());
    assert_eq!(sandbox.run_ok(&[])["unchanged"], paths.len());
    sandbox.check();
    for path in &paths {
        let told = sandbox.explain(sandbox.root.join(path));
        assert_eq!((&told["state"], &told["scan"]), (&"ok".into(), &"ingested".into()), "{path:?}");
        let record = Record::parse(told["record"].to_string().as_bytes()).unwrap();
        assert_eq!(OsStr::from_bytes(&record.path), path);
    }
    for path in paths.iter().step_by(2) {
        std::fs::remove_file(sandbox.root.join(path)).unwrap();
    }
    assert_eq!(sandbox.run_ok(&[])["removed"], paths.len().div_ceil(2));
    sandbox.check();
}

#[test]
fn a_name_that_is_no_text_has_its_bytes_in_the_record() {
    let sandbox = Sandbox::new();
    for (name, text) in
        [(&b"x\xff.ast.json"[..], AST), (b"x\xfe.ast.json", OTHER), (b"x\xef\xbf\xbd.ast.json", AST)]
    {
        sandbox.write(OsStr::from_bytes(name), text);
    }
    sandbox.run_ok(&[]);
    let log = sandbox.log();
    assert!(log.iter().all(|record| record["path"] == "x\u{fffd}.ast.json"), "{log:?}");
    let encoded = base64::prelude::BASE64_STANDARD.encode(b"x\xff.ast.json");
    let with_bytes: Vec<_> = log.iter().filter_map(|record| record["path_bytes"].as_str()).collect();
    assert_eq!(with_bytes.len(), 2, "the name that is text needs none");
    assert!(with_bytes.contains(&encoded.as_str()));
    sandbox.check();
}

#[test]
fn a_root_and_a_state_with_odd_names() {
    let sandbox = Sandbox::new();
    let root = sandbox.dir.path().join(OsStr::from_bytes(b"-ro\"ot\n\xff"));
    let long = OsString::from_vec([&b"-st\xff"[..], &[b'l'; 200]].concat());
    std::fs::create_dir(&root).unwrap();
    std::fs::write(root.join("a.ast.json"), AST).unwrap();
    let command = |args: &[&str]| {
        let mut command = crate::support::outlast();
        let mut state = OsString::from("--state=");
        state.push(&long);
        command.current_dir(sandbox.dir.path()).args(args).arg(state);
        command
    };
    let run = || {
        let mut command = command(&["run", "--format", "json", "--progress", "never"]);
        ran(command.arg("--").arg(root.file_name().unwrap())).expect(0).json()
    };
    assert_eq!(run()["ok"], 1);
    assert_eq!(run()["unchanged"], 1);
    assert_eq!(ran(&mut command(&["records"])).expect(0).lines().len(), 1);
    let told = ran(command(&["explain", "--format", "json"]).arg(root.join("a.ast.json"))).expect(0).json();
    assert_eq!(told["state"], "ok");
    ran(&mut command(&["status", "--format", "json"])).expect(0).json();
}
