//! Who is let in.

use serde_json::json;

use super::idle;
use crate::support::{Client, Reply};

const TOKEN: &str = "a-token-of-this-test";
/// What is told of the run.
const TOLD: [&str; 8] =
    ["/readyz", "/metrics", "/api/status", "/api/failures", "/api/jobs", "/api/history", "/api/events", "/"];
const JSON: (&str, &str) = ("Content-Type", "application/json");

fn resume(client: Client, headers: &[(&str, &str)]) -> u16 {
    client.request("POST", "/api/orders", headers, &json!({"order": "resume"}).to_string()).status
}

#[test]
fn only_names_of_this_machine_are_answered_to() {
    let (_served, client) = idle(None);
    let port = client.0.port();
    for name in ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"] {
        client.request("GET", "/healthz", &[("Host", &format!("{name}:{port}"))], "").expect(200);
    }
    let other = port ^ 1;
    let elsewhere = ["evil.example", "127.0.0.2", "localhost.evil.example", "localhost.", ""];
    let elsewhere = elsewhere.map(|name| format!("{name}:{port}")).into_iter();
    for host in elsewhere.chain(["localhost".to_owned(), format!("localhost:{other}")]) {
        for path in TOLD.into_iter().chain(["/healthz", "/nothing"]) {
            client.request("GET", path, &[("Host", &host)], "").expect(403).json();
        }
        assert_eq!(resume(client, &[("Host", &host), JSON]), 403);
    }
    let own = client.0.to_string();
    for two in ["evil.example", &own] {
        client.request("GET", "/healthz", &[("Host", &own), ("Host", two)], "").expect(400);
    }
    client.raw(b"GET /healthz HTTP/1.0\r\n\r\n").expect(400);
    let absolute =
        format!("GET http://evil.example/healthz HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n");
    client.raw(absolute.as_bytes()).expect(400);
}

#[test]
fn orders_come_from_programs_and_the_page_itself() {
    let (_served, client) = idle(None);
    let own = format!("http://{}", client.0);
    assert_eq!(resume(client, &[JSON]), 200);
    assert_eq!(resume(client, &[JSON, ("Origin", &own), ("Sec-Fetch-Site", "same-origin")]), 200);
    assert_eq!(resume(client, &[("Content-Type", "Application/JSON; charset=utf-8")]), 200);
    let other_port = format!("http://127.0.0.1:{}", client.0.port() ^ 1);
    let other_name = format!("http://localhost:{}", client.0.port());
    for origin in
        ["http://evil.example", "null", "", "file://", &other_port, &other_name, &client.0.to_string()]
    {
        assert_eq!(resume(client, &[JSON, ("Origin", origin)]), 403, "{origin}");
    }
    for site in ["cross-site", "same-site"] {
        assert_eq!(resume(client, &[JSON, ("Sec-Fetch-Site", site)]), 403);
    }
    for content in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
    {
        assert_eq!(resume(client, &[("Content-Type", content)]), 415, "{content}");
    }
    assert_eq!(resume(client, &[]), 415);
    // What takes no orders says that first.
    client.request("POST", "/api/status", &[], "x").expect(405);
    client.request("PUT", "/api/orders", &[], "x").expect(405);
    client.request("POST", "/nothing", &[], "x").expect(404);
}

#[test]
fn nothing_changes_by_a_get_and_nothing_is_told_by_a_post() {
    let (_served, client) = idle(None);
    for path in ["/api/orders", "/api/retry"] {
        for method in ["GET", "HEAD"] {
            client.request(method, &format!("{path}?order=stop"), &[], "").expect(405);
        }
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
            client.request(method, path, &[JSON], "{}").expect(405);
        }
    }
    for path in TOLD {
        client.request("POST", path, &[JSON], "{}").expect(405);
    }
    client.get("/api/nothing").expect(404).json();
    client.get("/../etc/passwd").expect(404);
}

fn assert_hardened(reply: &Reply) {
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{reply:?}");
    assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("x-frame-options"), Some("DENY"));
    let policy = reply.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; ") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(reply.header("access-control-allow-origin"), None);
}

#[test]
fn every_answer_keeps_browsers_from_harm() {
    let (_served, client) = idle(None);
    for path in ["/", "/healthz", "/metrics", "/api/status", "/api/history", "/nothing", "/api/orders"] {
        assert_hardened(&client.get(path));
    }
    assert_hardened(&client.request("GET", "/", &[("Host", "evil.example")], ""));
    assert_hardened(&client.request("POST", "/api/orders", &[], ""));
    let (_served, client) = idle(Some(TOKEN));
    assert_hardened(&client.get("/"));
    assert_hardened(&client.get(&format!("/?token={TOKEN}")));
}

#[test]
fn the_page_names_its_own_parts_anew_each_time_and_nothing_from_elsewhere() {
    let (_served, client) = idle(None);
    let page = client.get("/").expect(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let nonce_of = |page: &Reply| {
        let policy = page.header("content-security-policy").unwrap().to_owned();
        let nonce = policy.split("script-src 'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        assert_eq!(nonce.len(), 32);
        assert_eq!(policy.matches(&nonce).count(), 2, "{policy}");
        nonce
    };
    let nonce = nonce_of(&page);
    assert_eq!(page.text.matches(&format!("nonce=\"{nonce}\"")).count(), 2);
    assert_ne!(nonce_of(&client.get("/")), nonce);
    // The one address in it is the name of a language.
    let addresses: Vec<_> =
        page.text.match_indices("://").map(|(at, _)| &page.text[at - 5..at + 20]).collect();
    assert!(addresses.iter().all(|address| address.contains("www.w3.org")), "{addresses:?}");
    for raw in
        ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", " onclick", " style=\""]
    {
        assert!(!page.text.contains(raw), "{raw}");
    }
}

#[test]
fn with_a_token_nothing_but_the_health_is_told_without_it() {
    let (_served, client) = idle(Some(TOKEN));
    client.get("/healthz").expect(200);
    client.request("GET", "/healthz", &[("Host", "10.1.2.3:1")], "").expect(200);
    let almost =
        [&TOKEN[1..], &TOKEN.to_uppercase(), &format!("{TOKEN}x"), ""].map(|token| format!("Bearer {token}"));
    let almost = almost.iter().map(|value| ("Authorization", value.as_str()));
    let wrong = almost.chain([("Authorization", TOKEN), ("Cookie", "outlast=a-token-of-this-test")]);
    for header in wrong.chain([("X-Nothing", "1")]) {
        for path in TOLD {
            let refused = client.request("GET", path, &[header], "").expect(401);
            assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
            assert!(!refused.text.contains(TOKEN));
        }
        assert_eq!(resume(client, &[JSON, header]), 401);
    }
    client.get("/api/status?token=a-token-of-this-test").expect(401);
}

#[test]
fn with_the_token_it_may_be_called_by_any_name() {
    let (_served, client) = idle(Some(TOKEN));
    let bearer = ("Authorization", &*format!("bearer {TOKEN}"));
    for host in [client.0.to_string().as_str(), "outlast.example"] {
        client.request("GET", "/metrics", &[bearer, ("Host", host)], "").expect(200);
        assert_eq!(resume(client, &[JSON, bearer, ("Host", host)]), 200);
    }
    assert_eq!(resume(client, &[JSON, bearer, ("Origin", "https://evil.example")]), 403);
    assert_eq!(resume(client, &[bearer]), 415);
}

#[test]
fn a_browser_shows_the_token_once_and_gets_a_cookie_that_no_script_sees() {
    let (_served, client) = idle(Some(TOKEN));
    client.get("/?token=wrong").expect(401);
    let welcome = client.get(&format!("/?token={}", TOKEN.replace('-', "%2D"))).expect(303);
    assert_eq!(welcome.header("location"), Some("/"));
    let cookie = welcome.header("set-cookie").unwrap();
    for part in ["; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains(TOKEN), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    let both = format!("theme=dark; {pair}");
    client.request("GET", "/", &[("Cookie", &both)], "").expect(200);
    client.request("GET", "/api/history", &[("Cookie", pair)], "").expect(200);
    assert_eq!(resume(client, &[JSON, ("Cookie", pair)]), 200);
    assert_eq!(resume(client, &[JSON, ("Cookie", pair), ("Origin", "http://evil.example")]), 403);
    client.request("GET", "/", &[("Cookie", &format!("{}0", &pair[..pair.len() - 1]))], "").expect(401);
}
