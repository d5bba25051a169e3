//! A real browser without a window, told what to do over its debugging pipe.
//!
//! `OUTLAST_TEST_BROWSER` names the program; `OUTLAST_TEST_SCREENSHOTS` a folder where pictures are left.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Longest time for an answer, and until something is seen.
const WAIT: Duration = Duration::from_secs(60);
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// One page in a browser, which ends when it is dropped.
pub(crate) struct Browser {
    child: Child,
    send: File,
    answers: Receiver<Value>,
    calls: u64,
    session: Option<String>,
    /// What went wrong in the page.
    pub(crate) errors: Vec<String>,
    _dir: TempDir,
}

/// The program, where there is one.
fn program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("OUTLAST_TEST_BROWSER") {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    let places: Vec<_> = std::env::split_paths(&path).collect();
    NAMES.iter().find_map(|name| places.iter().map(|place| place.join(name)).find(|path| path.is_file()))
}

impl Browser {
    /// A browser with an empty page; none where none is installed.
    pub(crate) fn start() -> Option<Self> {
        let program = program()?;
        let dir = tempfile::tempdir().unwrap();
        let pipes = ["say", "hear"].map(|name| dir.path().join(name));
        assert!(Command::new("mkfifo").args(&pipes).status().unwrap().success());
        // Open at both ends: opening waits for nobody.
        let [send, receive] =
            pipes.each_ref().map(|pipe| File::options().read(true).write(true).open(pipe).unwrap());
        let child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<\"$SAY\" 4>\"$HEAR\""])
            .arg(program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"])
            .args(["--remote-debugging-pipe", "--disable-dev-shm-usage"])
            .arg(format!("--user-data-dir={}", dir.path().join("profile").display()))
            .envs([("SAY", &pipes[0]), ("HEAR", &pipes[1])])
            .env("HOME", dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (told, answers) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(receive).split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else { return };
                if told.send(message).is_err() {
                    return;
                }
            }
        });
        let (calls, session, errors) = (0, None, Vec::new());
        let mut browser = Self { child, send, answers, calls, session, errors, _dir: dir };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page.enable", "Runtime.enable", "Log.enable", "Accessibility.enable"] {
            browser.call(domain, json!({}));
        }
        Some(browser)
    }

    #[track_caller]
    pub(crate) fn call(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let mut message = json!({"id": self.calls, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.send.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let told = self.answers.recv_timeout(WAIT).unwrap_or_else(|_| panic!("no answer to {method}"));
            self.note(&told);
            if told["id"] == self.calls {
                assert!(told["error"].is_null(), "{method}: {}", told["error"]);
                return told["result"].clone();
            }
        }
    }

    fn note(&mut self, told: &Value) {
        let entry = &told["params"]["entry"];
        match told["method"].as_str() {
            Some("Runtime.exceptionThrown") => self.errors.push(told["params"].to_string()),
            Some("Log.entryAdded") if entry["level"] == "error" => self.errors.push(entry.to_string()),
            _ => {}
        }
    }

    pub(crate) fn open(&mut self, url: &str) {
        self.call("Page.navigate", json!({"url": url}));
    }

    /// The value of an expression in the page.
    #[track_caller]
    pub(crate) fn evaluate(&mut self, script: &str) -> Value {
        let asked = json!({"expression": script, "returnByValue": true, "awaitPromise": true});
        let told = self.call("Runtime.evaluate", asked);
        assert!(told["exceptionDetails"].is_null(), "{script}: {told}");
        told["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, script: &str) {
        let begun = Instant::now();
        while self.evaluate(script) != true {
            let page = || "document.body ? document.body.innerText : ''";
            assert!(begun.elapsed() < WAIT, "in vain: {script}\n{}", self.evaluate(page()));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The text of the element with this id, as it is seen.
    #[track_caller]
    pub(crate) fn text(&mut self, id: &str) -> String {
        self.evaluate(&format!("document.getElementById({id:?}).innerText")).as_str().unwrap().to_owned()
    }

    /// Presses a key, and lets it go.
    pub(crate) fn press(&mut self, key: &str, code: u32, text: &str) {
        let base = json!({"key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
        for kind in ["keyDown", "keyUp"] {
            let mut event = base.clone();
            event["type"] = json!(kind);
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Makes the page so wide, in light or dark.
    pub(crate) fn look(&mut self, width: u32, scheme: &str) {
        let mobile = width < 600;
        let size = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": mobile});
        self.call("Emulation.setDeviceMetricsOverride", size);
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", json!({"features": features}));
        // A frame later the page has been laid out anew.
        self.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 500)))");
    }

    /// Leaves a picture of the whole page, where a folder for it is named.
    pub(crate) fn picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("OUTLAST_TEST_SCREENSHOTS") else { return };
        let told = self.call("Page.captureScreenshot", json!({"captureBeyondViewport": true}));
        let png = base64::engine::general_purpose::STANDARD.decode(told["data"].as_str().unwrap()).unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(PathBuf::from(folder).join(format!("{name}.png")), png).unwrap();
    }

    /// Role and name of all that a screen reader finds.
    pub(crate) fn read_aloud(&mut self) -> Vec<(String, String)> {
        let tree = self.call("Accessibility.getFullAXTree", json!({}));
        let nodes = tree["nodes"].as_array().unwrap().iter().filter(|node| node["ignored"] == false);
        let text = |value: &Value| value["value"].as_str().unwrap_or_default().to_owned();
        nodes.map(|node| (text(&node["role"]), text(&node["name"]))).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
