//! Access control: the token, the requested host, and the origin of a command.
//!
//! Without a token every user of this machine has access. A web page from elsewhere that is open on this machine has
//! not: neither under a host name of its own that it resolves to here (the `Host` header shows it), nor by a form or
//! a script (the `Origin` and the content type show it; the latter is checked when a body is read).

use std::net::SocketAddr;
use std::sync::{PoisonError, RwLock};

use axum::extract::{Query, Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, HOST, HeaderName, LOCATION,
    ORIGIN, REFERRER_POLICY, SET_COOKIE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Arc;
use super::respond::{ANSWER_WAIT, failed};

/// Key derivation context of the cookie's hash.
const COOKIE_CONTEXT: &str = "outlast 2026 cookie of the dashboard";
const NOTHING_FROM_ELSEWHERE: &str = "default-src 'none'; frame-ancestors 'none'";

pub(super) struct Gate {
    /// Accepted values of `Host`, in lower case.
    hosts: Vec<String>,
    /// The required token, if any. It can be replaced.
    token: Option<RwLock<Token>>,
    port: u16,
}

/// A token, compared by its hash: in constant time.
struct Token {
    hash: blake3::Hash,
    cookie: blake3::Hash,
    /// Cookies of a host are shared by all its ports.
    cookie_name: String,
}

/// The token in the dashboard's URL.
#[derive(Deserialize)]
struct LogIn {
    token: Option<String>,
}

impl Gate {
    pub(super) fn new(address: SocketAddr, token: Option<&str>) -> Self {
        let port = address.port();
        let mut hosts: Vec<_> =
            ["localhost", "127.0.0.1", "[::1]"].map(|name| format!("{name}:{port}")).into();
        hosts.push(address.to_string());
        if port == 80 {
            let bare = hosts.iter().filter_map(|host| host.strip_suffix(":80").map(str::to_owned));
            hosts.extend(bare.collect::<Vec<_>>());
        }
        let token = token.map(|token| RwLock::new(Token::new(token, port)));
        Self { hosts, token, port }
    }

    /// Replaces the token, where one is required. Returns whether it differs from the old one.
    pub(super) fn change_token(&self, token: &str) -> bool {
        let Some(present) = &self.token else { return false };
        let mut present = present.write().unwrap_or_else(PoisonError::into_inner);
        let is_other = !present.fits(token);
        *present = Token::new(token, self.port);
        is_other
    }

    /// Checks a request. The error is why it is refused, or the complete answer, such as a login.
    fn check(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Box<Response>> {
        let host = host_of(uri, headers)?;
        match &self.token {
            // A process monitor has no token, and uses any name or address.
            Some(_) if uri.path() == "/healthz" => {}
            Some(token) => {
                token.read().unwrap_or_else(PoisonError::into_inner).check(method, uri, headers)?;
            }
            None if !self.hosts.contains(&host) => {
                let what = format!("no such host here; ask for {}", self.hosts.join(", "));
                return Err(refused(StatusCode::FORBIDDEN, &what));
            }
            None => {}
        }
        if method == Method::GET || method == Method::HEAD { Ok(()) } else { check_order(&host, headers) }
    }
}

fn refused(status: StatusCode, what: &str) -> Box<Response> {
    Box::new(failed(status, what))
}

/// Returns the one host that a request names, in lower case.
fn host_of(uri: &Uri, headers: &HeaderMap) -> Result<String, Box<Response>> {
    let mut named = headers.get_all(HOST).iter();
    let first = named.next().and_then(|host| host.to_str().ok());
    let second = named.next();
    let host = match (uri.authority(), first, second) {
        (None, Some(host), None) => host,
        (Some(authority), Some(host), None) if authority.as_str().eq_ignore_ascii_case(host) => host,
        _ => return Err(refused(StatusCode::BAD_REQUEST, "a request names one host")),
    };
    Ok(host.to_ascii_lowercase())
}

/// Checks for what only a program of this site sends, or a client that is no web page.
fn check_order(host: &str, headers: &HeaderMap) -> Result<(), Box<Response>> {
    let text =
        |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("-").to_ascii_lowercase());
    let is_ours = |origin: String| {
        let origin = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        origin == Some(host)
    };
    let from_elsewhere = text(HeaderName::from_static("sec-fetch-site"))
        .is_some_and(|site| !matches!(site.as_str(), "same-origin" | "none"));
    if from_elsewhere || !text(ORIGIN).is_none_or(is_ours) {
        return Err(refused(StatusCode::FORBIDDEN, "orders from web pages of other sites are not taken"));
    }
    Ok(())
}

/// Checks that the body of a request is declared as JSON, which no HTML form can do.
pub(super) fn check_content(headers: &HeaderMap) -> Result<(), Box<Response>> {
    let content = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = content.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let what = "send JSON, with `Content-Type: application/json`";
    Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, what))
}

impl Token {
    fn new(token: &str, port: u16) -> Self {
        Self {
            hash: blake3::hash(token.as_bytes()),
            cookie: blake3::Hash::from_bytes(blake3::derive_key(COOKIE_CONTEXT, token.as_bytes())),
            cookie_name: format!("outlast-{port}"),
        }
    }

    fn check(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Box<Response>> {
        if self.is_borne(headers) || self.is_in_cookie(headers) {
            return Ok(());
        }
        if method == Method::GET && uri.path() == "/" {
            let given = Query::<LogIn>::try_from_uri(uri).ok().and_then(|Query(given)| given.token);
            if given.is_some_and(|given| self.fits(&given)) {
                return Err(Box::new(self.logged_in()));
            }
        }
        let what = "a token is needed: `Authorization: Bearer TOKEN`, or once /?token=TOKEN in a browser";
        let mut refused = refused(StatusCode::UNAUTHORIZED, what);
        refused.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        Err(refused)
    }

    fn fits(&self, given: &str) -> bool {
        self.hash == blake3::hash(given.as_bytes())
    }

    fn is_borne(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.split_once(' '));
        given.is_some_and(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && self.fits(token.trim()))
    }

    fn is_in_cookie(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|all| all.split(';')).filter_map(|one| one.trim().split_once('='));
        pairs.any(|(name, value)| {
            name == self.cookie_name && blake3::Hash::from_hex(value).is_ok_and(|given| given == self.cookie)
        })
    }

    /// Moves the token from the address bar to a cookie that no script sees and no other site sends.
    fn logged_in(&self) -> Response {
        let cookie =
            format!("{}={}; HttpOnly; SameSite=Strict; Path=/", self.cookie_name, self.cookie.to_hex());
        (StatusCode::SEE_OTHER, [(LOCATION, "/"), (SET_COOKIE, cookie.as_str())]).into_response()
    }
}

/// Admits a request or refuses it; adds to every answer the headers that protect browsers.
pub(super) async fn guard(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let let_in = gate.check(request.method(), request.uri(), request.headers());
    let mut answer = match let_in {
        Err(refused) => *refused,
        Ok(()) => match tokio::time::timeout(ANSWER_WAIT, next.run(request)).await {
            Ok(answer) => answer,
            Err(_) => failed(
                StatusCode::SERVICE_UNAVAILABLE,
                "that takes too long to wait for; it may be carried out all the same",
            ),
        },
    };
    let headers = answer.headers_mut();
    let mut set = |name, value| drop(headers.insert(name, HeaderValue::from_static(value)));
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(X_FRAME_OPTIONS, "DENY");
    set(REFERRER_POLICY, "no-referrer");
    set(CACHE_CONTROL, "no-store");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    // The page sets its own.
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(NOTHING_FROM_ELSEWHERE));
    answer
}
