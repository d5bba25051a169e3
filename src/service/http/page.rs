//! The dashboard: one page with its style and its script in it.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

const HTML: &str = include_str!("dashboard/page.html");
const STYLE: &str = include_str!("dashboard/style.css");
const SCRIPT: &[&str] = &[
    include_str!("dashboard/words.js"),
    include_str!("dashboard/chart.js"),
    include_str!("dashboard/parts.js"),
    include_str!("dashboard/tables.js"),
    include_str!("dashboard/live.js"),
];
/// Where the page says which of its parts are its own.
const NONCE: &str = "NONCE";

pub(super) struct Page {
    /// The page in pieces, with a nonce between each two.
    pieces: Vec<String>,
    secret: [u8; 32],
    served: AtomicU64,
}

impl Page {
    /// # Errors
    /// The system has no random bytes.
    pub(super) fn new() -> io::Result<Self> {
        let mut secret = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut secret)?;
        let pieces = HTML
            .split(NONCE)
            .map(|piece| piece.replace("/*STYLE*/", STYLE).replace("/*SCRIPT*/", &SCRIPT.concat()));
        Ok(Self { pieces: pieces.collect(), secret, served: AtomicU64::new(0) })
    }

    /// The page. Only its own style and script are let in, and only what it asks its own server for.
    pub(super) fn answer(&self) -> Response {
        let nonce = self.nonce();
        let policy = format!(
            "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; \
             img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        let head = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, policy.as_str())];
        (head, self.pieces.join(&nonce)).into_response()
    }

    /// Another one each time, which nobody can guess.
    fn nonce(&self) -> String {
        let number = self.served.fetch_add(1, Ordering::Relaxed);
        blake3::keyed_hash(&self.secret, &number.to_le_bytes()).to_hex()[..32].to_owned()
    }
}
