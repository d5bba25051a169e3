//! Suggestions for unknown names.

/// Names in the library or of older flags, and the key that is meant.
const OTHER_NAMES: [(&str, &str); 8] = [
    ("worker-count", "workers"),
    ("max-concurrent-batches", "batches-ahead"),
    ("memory-limit-mb", "memory-limit"),
    ("timeout-seconds", "timeout"),
    ("drain-seconds", "drain-timeout"),
    ("wait-seconds", "wait"),
    ("records", "out"),
    ("log", "log-level"),
];

/// Keys that are accepted and have no effect, since others rotate the log file.
const IGNORED: [&str; 2] = ["log-file-size", "log-files"];

/// Returns why this key has no effect, if it is one of those.
pub fn ignored(key: &str) -> Option<String> {
    let is_ignored = IGNORED.contains(&key);
    is_ignored
        .then(|| format!("{key} has no effect: logrotate keeps log files small, as in data/logrotate.conf"))
}

/// Returns the nearest of these names, if it is near enough.
pub(super) fn nearest<'a>(unknown: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = unknown.to_lowercase().replace('_', "-");
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == wanted).map(|(_, key)| *key);
    nearest_of(other.unwrap_or(&wanted), names)
}

/// The same for names that are no settings.
pub(crate) fn nearest_of<'a>(unknown: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |name: &str| name.to_lowercase().replace('_', "-");
    let target = plain(unknown);
    let distance = |name: &str| strsim::damerau_levenshtein(&target, &plain(name));
    let near = names.map(|name| (distance(name), name)).min_by_key(|(distance, _)| *distance)?;
    (near.0 <= 1 + target.len() / 5 && near.0 < target.len()).then_some(near.1)
}

/// Formats the end of a message about an unknown name.
pub(super) fn did_you_mean(name: Option<&str>) -> String {
    match name {
        Some(name) => format!("did you mean {name}?"),
        None => "`outlast config show` lists all".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_nothing_far_away() {
        let names = || ["workers", "wait", "retry.parse.attempts", "batches-ahead"].into_iter();
        assert_eq!(nearest("wokers", names()), Some("workers"));
        assert_eq!(nearest("WORKERS", names()), Some("workers"));
        assert_eq!(nearest("retry.prase.attempts", names()), Some("retry.parse.attempts"));
        assert_eq!(nearest("max_concurrent_batches", names()), Some("batches-ahead"));
        assert_eq!(nearest("colour", names()), None);
        assert_eq!(nearest("d", ["a"].into_iter()), None, "nothing of it is the same");
    }
}
