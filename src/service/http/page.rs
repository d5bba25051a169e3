//! The dashboard: one page with its style and script inlined.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::model::Shard;

const HTML: &str = include_str!("dashboard/page.html");
const STYLE: &str = include_str!("dashboard/style.css");
const SCRIPT: &[&str] = &[
    include_str!("dashboard/words.js"),
    include_str!("dashboard/chart.js"),
    include_str!("dashboard/parts.js"),
    include_str!("dashboard/tables.js"),
    include_str!("dashboard/live.js"),
];
/// Placeholder of the nonce in the page's own tags.
const NONCE: &str = "NONCE";

pub(super) struct Page {
    /// The page, split at each nonce.
    pieces: Vec<String>,
    secret: [u8; 32],
    served: AtomicU64,
}

impl Page {
    /// # Errors
    /// The system has no random bytes.
    pub(super) fn new(shard: Option<Shard>) -> io::Result<Self> {
        let mut secret = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut secret)?;
        let shard = shard.map(|shard| format!("shard {shard}")).unwrap_or_default();
        let pieces = HTML.split(NONCE).map(|piece| {
            let piece = piece.replace("<!--SHARD-->", &shard);
            piece.replace("/*STYLE*/", STYLE).replace("/*SCRIPT*/", &SCRIPT.concat())
        });
        Ok(Self { pieces: pieces.collect(), secret, served: AtomicU64::new(0) })
    }

    /// Returns the page. Its policy admits only its own style and script, and requests to its own server.
    pub(super) fn answer(&self) -> Response {
        let nonce = self.nonce();
        let policy = format!(
            "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; \
             img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        let head = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, policy.as_str())];
        (head, self.pieces.join(&nonce)).into_response()
    }

    /// Returns a fresh, unguessable nonce.
    fn nonce(&self) -> String {
        let number = self.served.fetch_add(1, Ordering::Relaxed);
        blake3::keyed_hash(&self.secret, &number.to_le_bytes()).to_hex()[..32].to_owned()
    }
}
