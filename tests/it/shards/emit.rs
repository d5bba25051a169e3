//! Scripts and manifests for schedulers: what they run is run here.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use super::Shards;
use crate::support::{Ran, outlast, ran};

fn emitted(shards: &Shards, scheduler: &str, more: &[&str]) -> String {
    let mut command = shards.command(&["shards", "emit", scheduler, "4", "tree", "--state"]);
    ran(command.arg(&shards.states).args(more)).expect(0).text()
}

/// A folder with the binary and programs of a scheduler, for the path.
fn programs(shards: &Shards, scripts: &[(&str, &str)]) -> std::ffi::OsString {
    let folder = shards.sandbox.dir.path().join("bin");
    fs::create_dir_all(&folder).unwrap();
    symlink(env!("CARGO_BIN_EXE_outlast"), folder.join("outlast")).unwrap();
    for (name, text) in scripts {
        fs::write(folder.join(name), text).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut path = folder.into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    path
}

fn status(shards: &Shards) -> Ran {
    ran(shards.command(&["shards", "status", "--format", "json"]).arg(&shards.states))
}

#[test]
fn the_script_for_slurm_runs_a_shard_of_each_task_and_asks_for_another_try_where_that_helps() {
    let shards = Shards::of(40);
    let script = emitted(&shards, "slurm", &["--cpus", "2", "--", "--exclude", "d 1/"]);
    for line in ["#SBATCH --array=0-3", "#SBATCH --cpus-per-task=2", "#SBATCH --requeue"] {
        assert!(script.lines().any(|one| one == line), "{script}");
    }
    let file = shards.sandbox.dir.path().join("job.sh");
    fs::write(&file, script.replace("sleep 10", "").replace("sleep 60", "true")).unwrap();
    let path = programs(
        &shards,
        &[("srun", "#!/bin/sh\nexec \"$@\"\n"), ("scontrol", "#!/bin/sh\necho \"$@\" >> scontrol.log\n")],
    );
    let task = |id: u32, restarts: &str| {
        let mut command = Command::new("bash");
        command.arg(&file).current_dir(shards.sandbox.dir.path()).env("PATH", &path);
        let id = id.to_string();
        command.envs([("SLURM_ARRAY_TASK_ID", &*id), ("SLURM_ARRAY_TASK_MIN", "0"), ("SLURM_JOB_ID", "77")]);
        ran(command.env("SLURM_RESTART_COUNT", restarts).env_remove("JOB_COMPLETION_INDEX"))
    };
    for id in 0..4 {
        let output = task(id, "0");
        assert!(matches!(output.code, Some(0 | 3)), "{output}");
    }
    assert_eq!(status(&shards).expect(3).json()["pending"], 0);
    let requests = shards.sandbox.dir.path().join("scontrol.log");
    assert!(!requests.exists(), "a shard that is done is not tried again");
    let lock = fs::File::open(shards.state(1).join("lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    task(1, "0").expect(11);
    assert_eq!(fs::read_to_string(&requests).unwrap(), "requeue 77\n");
    task(1, "20").expect(11);
    assert_eq!(fs::read_to_string(&requests).unwrap().lines().count(), 1, "not for ever");
}

#[test]
fn the_manifest_for_kubernetes_runs_the_shard_of_its_index() {
    let shards = Shards::of(40);
    let manifest = emitted(&shards, "kubernetes", &["--image", "example.org/\"x\":1", "--claim", "files"]);
    for part in [
        "completionMode: Indexed",
        "completions: 4",
        "values: [2, 3, 12, 78]",
        "values: [11, 75, 137, 143]",
        r#"image: "example.org/\"x\":1""#,
        r#"claimName: "files""#,
    ] {
        assert!(manifest.contains(part), "no {part}: {manifest}");
    }
    let line = manifest.lines().find_map(|line| line.trim().strip_prefix("command: ")).unwrap();
    let words: Vec<String> = serde_json::from_str(line).unwrap();
    assert_eq!(words[..2], ["outlast", "run"]);
    for index in 0..4 {
        let mut command = outlast();
        let output = ran(command.args(&words[1..]).env("JOB_COMPLETION_INDEX", index.to_string()));
        assert!(matches!(output.code, Some(0 | 3)), "{output}");
    }
    assert_eq!(status(&shards).expect(3).json()["pending"], 0);
    let mut apart = shards.command(&["shards", "emit", "kubernetes", "4", "/proc", "--state", "/tmp/x"]);
    assert!(ran(&mut apart).expect(2).stderr.contains("share no folder"));
}

#[test]
fn the_scripts_for_ray_and_dask_are_python_with_the_same_command() {
    let shards = Shards::of(1);
    for scheduler in ["ray", "dask"] {
        let script = emitted(&shards, scheduler, &["--", "--include", "%{count} it's.txt"]);
        assert!(script.contains("SHARDS = 4\n"), "{script}");
        let line = script.lines().find_map(|line| line.strip_prefix("COMMAND = ")).unwrap();
        let words: Vec<String> = serde_json::from_str(line).unwrap();
        assert!(words.contains(&"%{count} it's.txt".to_owned()), "{words:?}");
        assert!(words.contains(&shards.states.join("{shard}").to_str().unwrap().to_owned()), "{words:?}");
        let file = shards.sandbox.dir.path().join(format!("{scheduler}_job.py"));
        fs::write(&file, &script).unwrap();
        compiles(&file);
    }
}

fn compiles(script: &Path) {
    match Command::new("python3").args(["-m", "py_compile"]).arg(script).output() {
        Err(error) => crate::support::skip(&format!("python3: {error}")),
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
    }
}
