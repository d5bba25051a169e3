//! The dashboard in a real browser.

use outlast::engine::{LatencyFigures, RootState, WatchFigures, WatchedRoot};
use serde_json::{Value, json};

use super::{client_of, idle, paused};
use crate::support::{Background, Browser, Client, Sandbox, skip};
use crate::user::BROKEN;

/// What has too little contrast: each text against the colour behind it.
const FAINT: &str = r#"(() => {
  const light = (color) => {
    const [r, g, b] = color.map((part) => part / 255).map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const parts = (text) => text.match(/[\d.]+/g).map(Number);
  const over = ([r, g, b, a = 1], below) => [r, g, b].map((part, at) => part * a + below[at] * (1 - a));
  const behind = (node) => {
    if (!node) return [255, 255, 255];
    const color = parts(getComputedStyle(node).backgroundColor);
    return color[3] === 0 ? behind(node.parentElement) : over(color, color[3] === undefined ? [0, 0, 0] : behind(node.parentElement));
  };
  const faint = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!own || !node.checkVisibility() || ["SCRIPT", "STYLE"].includes(node.tagName)) continue;
    const style = getComputedStyle(node);
    const isDrawn = node instanceof SVGElement;
    const color = parts(isDrawn ? style.fill : style.color);
    const [a, b] = [light(color), light(behind(node))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) faint.push(`${node.tagName} ${node.className} ${node.textContent.trim().slice(0, 40)}: ${contrast.toFixed(2)}`);
  }
  return faint;
})()"#;

/// What reaches beyond the right edge, or is too small for a finger.
const AWRY: &str = r#"(() => {
  const awry = [];
  if (document.documentElement.scrollWidth > innerWidth) awry.push(`page is ${document.documentElement.scrollWidth} wide`);
  for (const node of document.querySelectorAll("body *")) {
    const box = node.getBoundingClientRect();
    if (!node.checkVisibility() || box.width === 0) continue;
    if (box.right > innerWidth + 1) awry.push(`${node.tagName}#${node.id} ends at ${box.right}`);
    if (node.tagName === "BUTTON" && Math.min(box.width, box.height) < 24) awry.push(`${node.textContent} is small`);
  }
  return awry;
})()"#;

/// What a process tells that watches two roots, of which one has gone.
fn watching() -> WatchFigures {
    let root = |name: &str, state, why: Option<&str>| WatchedRoot {
        id: 0,
        name: name.to_owned(),
        path: format!("/srv/a-folder-with-a-long-name/{name}").into(),
        state,
        why: why.map(str::to_owned),
    };
    let mut watch = WatchFigures {
        latency: LatencyFigures { count: 512, p50_seconds: 0.042, p99_seconds: 0.2, max_seconds: 1.25 },
        roots: vec![
            root("here", RootState::Polled, None),
            root("gone", RootState::Away, Some("is no folder")),
        ],
        queued_jobs: 2,
        ..WatchFigures::default()
    };
    watch.status.armed_folders = 1200;
    watch.status.unwatched = [("no room for more watches".to_owned(), 3)].into();
    watch
}

/// A paused run in a browser that shows it; none where there is no browser.
fn shown() -> Option<(Browser, Sandbox, Background, Client)> {
    let Some(mut browser) = Browser::start() else {
        skip("the dashboard can't be looked at: no Chromium is installed");
        return None;
    };
    let (sandbox, run, client) = paused();
    browser.open(&format!("http://{}/", client.0));
    browser.wait_for("document.getElementById('state-word')?.textContent === 'paused'");
    browser.wait_for("document.querySelectorAll('#failures li').length > 0");
    browser.wait_for("document.querySelectorAll('#jobs tr').length > 0");
    Some((browser, sandbox, run, client))
}

#[test]
fn the_dashboard_shows_what_the_status_says_and_names_of_files_stay_text() {
    let Some((mut browser, sandbox, _run, client)) = shown() else { return };
    let status = sandbox.status();
    let running = &status["running"];
    let told = browser.text("bar-text");
    let done = running["discovered"].as_u64().unwrap() - running["pending"].as_u64().unwrap();
    assert!(told.starts_with(&format!("{done} of {} files", running["discovered"])), "{told}");
    assert!(told.contains("Paused"), "{told}");
    let counts = browser.text("counts");
    assert!(counts.contains(&format!("Ok\n{}", running["ok"])) && counts.contains("Failed\n2"), "{counts}");
    assert!(browser.text("failures-text").starts_with("2 files failed"));

    browser.evaluate("document.querySelector('#failures details').open = true");
    let failures = browser.text("failures");
    assert!(failures.contains("<img src=x onerror=alert(1)>\"'\\u{202e}\\u{a}\\u{1b}[31m"), "{failures}");
    assert_eq!(browser.evaluate("document.querySelectorAll('img').length"), 0);
    let again = browser.evaluate("document.querySelector('#failures button').click()");
    assert!(again.is_null());
    browser.wait_for("document.getElementById('said').textContent.includes('2 files will be tried again')");
    browser.wait_for("document.getElementById('failures-text').textContent === 'Nothing failed.'");
    assert_eq!(client.get("/api/failures").expect(200).json()["failed"], 0);
    assert_eq!(browser.errors, [""; 0], "nothing was blocked, nothing was thrown");
}

#[test]
fn more_of_the_failed_files_are_shown_on_request_and_kept_up_to_date() {
    let Some(mut browser) = Browser::start() else {
        return skip("the dashboard can't be looked at: no Chromium is installed");
    };
    let sandbox = Sandbox::new();
    let fail = |number| drop(sandbox.write(format!("{number}.ast.json"), BROKEN));
    (10..19).for_each(fail);
    sandbox.settle();
    let mut command = sandbox.command(["watch", "--progress", "never", "--listen", "127.0.0.1:0"]);
    let mut watch = Background::start(command.arg(&sandbox.root));
    let client = client_of(&mut watch);
    browser.open(&format!("http://{}/", client.0));
    let shows = |number: usize, has_more: bool| {
        let samples = "document.querySelectorAll('#failures .samples li').length";
        format!("{samples} === {number} && document.querySelector('[data-more]')?.hidden === {}", !has_more)
    };
    browser.wait_for("document.getElementById('failures-text')?.textContent.startsWith('9 files failed')");
    browser.wait_for(&shows(3, true));
    browser.evaluate("document.querySelector('#failures details').open = true");
    browser.evaluate("document.querySelector('[data-more]').click()");
    browser.wait_for(&shows(9, false));
    fail(19);
    browser.wait_for(&shows(10, false));
    assert_eq!(browser.errors, [""; 0], "nothing was blocked, nothing was thrown");
}

#[test]
fn by_keyboard_alone_a_run_goes_on_and_pauses() {
    let Some((mut browser, _sandbox, _run, client)) = shown() else { return };
    let focused = |browser: &mut Browser| browser.evaluate("document.activeElement.id");
    browser.press("Tab", 9, "");
    assert_eq!(focused(&mut browser), "resume", "the first that can be reached");
    let outline = browser.evaluate("getComputedStyle(document.activeElement).outlineStyle");
    assert_eq!(outline, "solid", "the focus is seen");
    browser.press("Enter", 13, "\r");
    browser.wait_for("document.getElementById('state-word').textContent !== 'paused'");
    assert_eq!(focused(&mut browser), "pause", "the focus stays where it was");
    browser.press("Enter", 13, "\r");
    browser.wait_for("document.getElementById('state-word').textContent === 'paused'");
    assert_eq!(client.get("/api/status").expect(200).json()["running"]["state"], "paused");
    assert!(browser.text("said").contains("paused: no file is begun"));
}

#[test]
fn a_lost_connection_is_said_and_found_again() {
    let Some((mut browser, sandbox, run, client)) = shown() else { return };
    run.signal(rustix::process::Signal::TERM);
    run.end().expect(143);
    browser.wait_for("document.getElementById('link').textContent.includes('connection is lost')");
    assert_eq!(browser.text("state-word"), "connection lost");
    assert_eq!(browser.evaluate("document.getElementById('resume').disabled"), true);
    browser.look(360, "light");
    browser.picture("lost-phone");
    let address = client.0.to_string();
    let mut command = sandbox.command(["watch", "--progress", "never", "--listen", &address]);
    let _watch = Background::start(command.arg(&sandbox.root));
    browser.wait_for("document.getElementById('link').textContent.startsWith('Live')");
    browser.wait_for("document.getElementById('state-word').textContent === 'watching'");
    assert_eq!(browser.evaluate("document.getElementById('watch').hidden"), false);
    assert!(browser.text("roots").contains("✓ watched"));
    browser.look(1280, "light");
    browser.picture("watching-live");
}

#[test]
fn it_is_readable_in_light_and_dark_on_phones_and_wide_screens() {
    let Some((mut browser, sandbox, _run, client)) = shown() else { return };
    browser.evaluate("document.querySelector('#failures details').open = true");
    let assert_readable = |browser: &mut Browser, name: &str| {
        for width in [320, 360, 820, 1280] {
            for scheme in ["light", "dark"] {
                browser.look(width, scheme);
                browser.picture(&format!("{name}-{width}-{scheme}"));
                let wrong = (browser.evaluate(AWRY), browser.evaluate(FAINT));
                assert_eq!(wrong, (json!([]), json!([])), "{name}, {width} wide, {scheme}");
            }
        }
    };
    assert_readable(&mut browser, "paused");
    // The breaker opens as soon as somebody looks for the files.
    std::fs::rename(&sandbox.root, sandbox.root.with_extension("moved")).unwrap();
    client.post("/api/orders", &json!({"order": "resume"})).expect(200);
    browser.wait_for("document.getElementById('state-word').textContent === 'waiting'");
    browser.wait_for("document.getElementById('breakers').textContent.includes('✕ open')");
    assert!(browser.text("attention").contains("Something is missing: files: "));
    assert_readable(&mut browser, "waiting");
    let watch = serde_json::to_value(watching()).unwrap();
    browser.evaluate("live.stream.close()");
    browser.evaluate(&format!("live.snapshot.statistics.watch = {watch}; show(live.snapshot)"));
    let told = browser.text("watch");
    for words in ["Folders watched: 1,200, 3 listed again", "42 ms", "0.2 s", "✕ away", "is no folder"] {
        assert!(told.contains(words), "no {words:?}: {told}");
    }
    assert_readable(&mut browser, "watching");
}

#[test]
fn a_screen_reader_finds_landmarks_headings_and_the_heads_of_tables() {
    let Some((mut browser, _sandbox, _run, _client)) = shown() else { return };
    let told = browser.read_aloud();
    let names = |role: &str| -> Vec<&str> {
        told.iter().filter(|(of, _)| of == role).map(|(_, name)| name.as_str()).collect()
    };
    assert_eq!((names("banner").len(), names("main").len(), names("contentinfo").len()), (1, 1, 1));
    for region in ["Throughput", "Workers", "Queue", "Failures", "Breakers", "Memory and disk", "Jobs"] {
        assert!(names("region").contains(&region), "{region}: {:?}", names("region"));
        assert!(names("heading").contains(&region), "{region}: {:?}", names("heading"));
    }
    for table in ["Workers", "Queue", "Breakers", "Jobs"] {
        assert!(names("table").contains(&table), "{table}: {:?}", names("table"));
    }
    for head in ["Worker", "In hand", "Resource", "State"] {
        assert!(names("columnheader").contains(&head), "{head}: {:?}", names("columnheader"));
    }
    assert!(names("rowheader").contains(&"files"), "{:?}", names("rowheader"));
    assert!(names("button").contains(&"Try again what failed as parse"), "{:?}", names("button"));
    assert!(names("button").iter().all(|name| !name.is_empty()));
    assert!(names("progressbar").iter().all(|name| !name.is_empty()) && names("progressbar").len() == 2);
    let levels = browser.evaluate("[...document.querySelectorAll('h1,h2,h3')].filter((h) => h.checkVisibility()).map((h) => Number(h.tagName[1]))");
    let levels: Vec<u64> = levels.as_array().unwrap().iter().filter_map(Value::as_u64).collect();
    assert_eq!(levels[0], 1);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    // Only what somebody has to know is read out by itself; figures that change each second are not.
    let live =
        browser.evaluate("[...document.querySelectorAll('[role=status],[aria-live]')].map((e) => e.id)");
    assert_eq!(live, json!(["link", "said"]));
}

#[test]
fn with_a_token_the_page_works_by_its_cookie() {
    let Some(mut browser) = Browser::start() else { return skip("no Chromium is installed") };
    let (_served, client) = idle(Some("a-token-of-this-test"));
    browser.open(&format!("http://{}/?token=a-token-of-this-test", client.0));
    browser.wait_for("document.getElementById('state-word')?.textContent === 'not begun'");
    assert_eq!(browser.evaluate("location.href"), format!("http://{}/", client.0));
    assert_eq!(browser.evaluate("document.cookie"), "", "no script sees it");
}
