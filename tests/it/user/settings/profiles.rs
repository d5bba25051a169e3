//! Settings of one environment, in tables of the configuration files.

use std::process::Command;

use serde_json::{Value, json};

use super::config::{Place, refused, row};
use crate::support::ran;
use crate::user::AST;

fn shown(command: &mut Command) -> Value {
    ran(command.args(["--format", "json"])).expect(0).json()
}

/// Each layer loses to the one before it, and says who it is.
#[test]
fn a_profile_wins_over_its_own_file_and_a_projects_file_over_a_users_profile() {
    let place = Place::new();
    let mut project = "batch-size = 5\n[profile.p]\nbatch-size = 6\n".to_owned();
    let mut user = "batch-size = 3\n[profile.p]\nbatch-size = 4\n".to_owned();
    let files = (place.project(&project), place.users(&user));
    let command = || place.command(["config", "show", "--profile", "p"]);
    let told = shown(command().env("OUTLAST_BATCH_SIZE", "7").args(["--batch-size", "8"]));
    assert_eq!(row(&told, "batch-size"), (8.into(), "flag --batch-size".to_owned()));
    let told = shown(command().env("OUTLAST_BATCH_SIZE", "7"));
    assert_eq!(row(&told, "batch-size"), (7.into(), "env OUTLAST_BATCH_SIZE".to_owned()));
    let (by_project, by_user) = (files.0.display(), files.1.display());
    let wanted = [
        (6, format!("{by_project}:3 [profile.p]")),
        (5, format!("{by_project}:1")),
        (4, format!("{by_user}:3 [profile.p]")),
        (3, format!("{by_user}:1")),
    ];
    for (value, origin) in wanted {
        assert_eq!(row(&shown(&mut command()), "batch-size"), (value.into(), origin));
        let line = format!("batch-size = {value}\n");
        (project, user) = (project.replace(&line, "\n"), user.replace(&line, "\n"));
        place.project(&project);
        place.users(&user);
    }
    assert_eq!(row(&shown(&mut command()), "batch-size"), (200.into(), "default".to_owned()));
    let without = shown(&mut place.command(["config", "show"]));
    assert_eq!(without["profiles"], json!([]));
}

#[test]
fn a_profile_inherits_another_one_wherever_its_tables_are() {
    let place = Place::new();
    let project = place.project(
        "[profile.night]\ninherits = \"quiet\"\nretry.timeout.attempts = 4\n[profile.night.limit]\nkinds = 7\n",
    );
    let user = place.users(
        "[profile.quiet]\ninherits = \"base\"\nworkers = 2\nretry.timeout.attempts = 9\n[profile.base]\n\
         workers = 3\nwait = \"1m\"\n[profile.night]\ninherits = \"base\"\ntimeout = \"7s\"\n",
    );
    let told = shown(place.command(["config", "show"]).env("OUTLAST_PROFILE", "night"));
    let (project, user) = (project.display(), user.display());
    assert_eq!(told["profiles"], json!(["night", "quiet", "base"]), "the project's `inherits` counts");
    for (key, value, origin) in [
        ("retry.timeout.attempts", json!(4), format!("{project}:3 [profile.night]")),
        ("limit.kinds", json!(7), format!("{project}:5 [profile.night]")),
        ("workers", json!(2), format!("{user}:3 [profile.quiet]")),
        ("wait", json!("1m"), format!("{user}:7 [profile.base]")),
        ("timeout", json!("7s"), format!("{user}:10 [profile.night]")),
    ] {
        assert_eq!(row(&told, key), (value, origin), "{key}");
    }
    let text = ran(&mut place.command(["config", "show", "--profile", "night"])).expect(0).text();
    assert!(text.ends_with("profile night, which inherits quiet, which inherits base\n"), "{text}");
    let told = shown(place.command(["config", "show", "--profile", "base"]).env("OUTLAST_PROFILE", "night"));
    assert_eq!(row(&told, "workers").0, 3, "the flag chooses before the variable");
}

#[test]
fn an_unknown_profile_is_refused_by_each_command_with_the_known_ones() {
    let place = Place::new();
    place.sandbox.write("a.ast.json", AST);
    let of_none = "there is no profile \"prod\" (no file that counts here has one)";
    refused(
        &ran(&mut place.command(["run", "tree", "--profile", "prod"])),
        78,
        &["flag --profile: ", of_none],
    );
    place.project("[profile.production]\nworkers = 2\n[profile.staging]\nstate = \"other\"\n");
    let what =
        "there is no profile \"produktion\"; did you mean production? (the profiles are production, staging)";
    for command in
        [&["run", "tree"][..], &["watch", "tree"], &["status"], &["ctl", "stop"], &["config", "show"]]
    {
        let mut command = place.command(command.iter().copied());
        refused(&ran(command.env("OUTLAST_PROFILE", "produktion")), 78, &["env OUTLAST_PROFILE: ", what]);
    }
    let told = ran(&mut place.command(["config", "check", "outlast.toml", "--profile", "qa"])).expect(78);
    assert_eq!(told.text().lines().count(), 1, "{told}");
    assert!(told.text().contains("\"qa\" (the profiles are production, staging)"), "{told}");
    refused(&ran(&mut place.command(["status", "--profile", ""])), 2, &["--profile"]);
    for twice in [
        &["config", "show", "--profile", "staging", "--profile", "production"][..],
        &["--profile", "staging", "config", "show", "--profile=production"],
    ] {
        let told = ran(&mut place.command(twice.iter().copied()));
        refused(&told, 2, &["'--profile <NAME>' cannot be used multiple times"]);
    }
    let told = shown(place.command(["config", "show"]).env("OUTLAST_PROFILE", ""));
    assert_eq!(told["profiles"], json!([]), "an empty variable counts as not set");
    let mut command = place.command(["status"]);
    refused(&ran(command.env("OUTLAST_PROFIL", "staging")), 10, &["did you mean OUTLAST_PROFILE?"]);
}

#[test]
fn a_check_finds_what_is_wrong_in_each_profile() {
    let place = Place::new();
    let project = place.project(
        "retry.timeout.backoff-max = \"1m\"\n[profile.a]\ninherits = \"b\"\nwokers = 2\n[profile.b]\n\
         inherits = \"a\"\n[profile.c]\ninherits = \"cc\"\nlimit.depth = 0\n[profile.own]\ninherits = \"own\"\n\
         [profile.lists]\ninherits = [\"a\"]\nlimit = 3\n[profile.lists.root.x]\nfolder = \"/x\"\n\
         [profile.\"no name\"]\n[profile.\"\"]\n[profile.open]\nlisten = \"0.0.0.0:80\"\n[profile.open-too]\n\
         inherits = \"open\"\n[profile.slow]\nretry.timeout.backoff = \"2m\"\n[profile.outer.profile.inner]\n",
    );
    let user = place.users("profile = \"a\"\n");
    let at = |line: u32, profile: &str| format!("{}:{line} [profile.{profile}]", project.display());
    let plain = |line: u32| format!("{}:{line}", project.display());
    let wanted = [
        format!("{}: profiles inherit each other in a circle, a -> b -> a: leave out", at(3, "a")),
        format!("{}: wokers is no setting; did you mean workers?", at(4, "a")),
        format!("{}: inherits \"cc\": there is no profile \"cc\" (the profiles are ", at(8, "c")),
        format!("{}: limit.depth is 0: must be 1 to 1000000 levels", at(9, "c")),
        format!("{}: profiles inherit each other in a circle, own -> own: leave out", at(11, "own")),
        format!("{}: inherits is a list: must be the name of one other profile", at(13, "lists")),
        format!("{}: limit is a table: write [limit]", at(14, "lists")),
        format!("{}: root.x.folder is no setting", at(15, "lists")),
        format!("{}: \"no name\" is no name of a profile", plain(17)),
        format!("{}: \"\" is no name of a profile", plain(18)),
        format!("{}: 0.0.0.0:80 can be reached from elsewhere", at(20, "open")),
        format!("{}: with profile slow, retry.timeout.backoff-max is 1m: must be", plain(1)),
        format!("{}: profile is no setting", at(25, "outer")),
        format!("{}:1: profile is no setting of a file: choose one with --profile", user.display()),
    ];
    let told = ran(&mut place.command(["config", "check"])).expect(78);
    for begin in &wanted {
        assert!(told.text().lines().any(|line| line.starts_with(begin)), "no {begin:?}: {told}");
    }
    assert_eq!(told.text().lines().count(), wanted.len(), "each is told once: {told}");
}

#[test]
fn what_does_not_go_together_in_a_profile_keeps_only_those_from_starting_who_choose_it() {
    let place = Place::new();
    place.sandbox.write("a.ast.json", AST);
    place.project("[profile.open]\nlisten = \"0.0.0.0:80\"\n[profile.fine]\nstate = \"fine\"\n");
    ran(&mut place.command(["run", "tree", "--profile", "fine"])).expect(0);
    refused(
        &ran(&mut place.command(["run", "tree", "--profile", "open"])),
        78,
        &["outlast.toml:2 [profile.open]: "],
    );
    place.project("[profile.open]\nlistn = \"0.0.0.0:80\"\n[profile.fine]\nstate = \"fine\"\n");
    let words = ["outlast.toml:2 [profile.open]: listn is no setting; did you mean listen?"];
    refused(&ran(&mut place.command(["run", "tree", "--profile", "fine"])), 78, &words);
}

#[test]
fn a_run_does_what_its_profile_says_and_a_list_replaces_that_of_the_file() {
    let place = Place::new();
    for name in ["a", "b"] {
        place.sandbox.write(format!("{name}/{name}.ast.json"), AST);
        place.sandbox.write(format!("{name}/left/{name}.ast.json"), AST);
    }
    place.project(
        "state = \"kept\"\nprogress = \"never\"\nexclude = [\"a.*\"]\n[root.a]\npath = \"tree/a\"\n\
         [profile.dev]\nstate = \"dev\"\nexclude = [\"left/\"]\nlimit.kinds = 0\n[profile.dev.root.b]\npath = \"tree/b\"\n",
    );
    ran(&mut place.command(["run", "--profile", "dev"])).expect(0);
    assert!(!place.folder.join("kept").exists());
    let records = ran(place.command(["records"]).env("OUTLAST_PROFILE", "dev")).expect(0).text();
    assert_eq!(records.lines().count(), 1, "{records}");
    for part in [r#""root":"b""#, r#""path":"b.ast.json""#, r#""kinds":{}"#] {
        assert!(records.contains(part), "no {part}: {records}");
    }
    refused(&ran(&mut place.command(["records"])), 10, &["kept"]);
}
