//! `code=count` lines.

pub(crate) fn parse(line: &str) -> Option<(&str, u64)> {
    let (code, count) = line.trim().split_once('=')?;
    Some((code, count.parse().ok()?))
}

pub(crate) fn lines<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> String {
    counts.map(|(code, count)| format!("{code}={count}\n")).collect()
}
