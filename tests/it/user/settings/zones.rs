//! The time zone that a cron expression is meant in.

use std::fs;

use crate::support::{Ran, Sandbox, ran};

fn check(sandbox: &Sandbox, zone: &str) -> Ran {
    ran(sandbox.command(["config", "check"]).current_dir(sandbox.dir.path()).env("TZ", zone))
}

#[test]
fn a_zone_that_nobody_knows_is_refused_where_it_matters_and_never_taken_for_another() {
    let sandbox = Sandbox::new();
    let file = sandbox.dir.path().join("outlast.toml");
    fs::write(&file, "every = \"1h\"\n").unwrap();
    check(&sandbox, "No/Where").expect(0);
    fs::write(&file, "cron = \"0 3 * * *\"\n").unwrap();
    for known in ["", "UTC", "Asia/Kolkata", ":Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"] {
        check(&sandbox, known).expect(0);
    }
    for unknown in ["No/Where", ":No/Where", "/no/zone", "Europe/Berlin2", "\u{1b}[31m"] {
        let told = check(&sandbox, unknown).expect(78);
        let text = told.text();
        assert!(text.contains("TZ") && text.contains(&format!("{unknown:?}")), "{unknown}: {told}");
    }
    let watch =
        ran(sandbox.command(["watch", "--cron", "0 3 * * *"]).arg(&sandbox.root).env("TZ", "No/Where"));
    assert!(watch.expect(78).stderr.contains("No/Where"));
}
