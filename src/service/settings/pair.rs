//! Flags that set several settings at once: `--retry CLASS=...` and `--limit NAME=N`.

use super::catalogue::catalogue;
use super::load::FlagValue;
use super::setting::Setting;
use super::suggest::nearest;
use super::values::Raw;

/// Parses the settings in `NAME=VALUE[,VALUE...]`, where NAME is of this table: a class of failures, or a limit.
///
/// # Errors
/// What is wrong, and how to fix it.
pub fn pairs(table: &str, text: &str) -> Result<Vec<FlagValue>, String> {
    let (wanted, values) = text.split_once('=').ok_or("there is no `=` in it")?;
    let name_of = |setting: &'static Setting| {
        let (_, name) = setting.key.split_once('.').filter(|(begin, _)| *begin == table)?;
        name.split('.').next()
    };
    let settings: Vec<_> = catalogue().iter().filter(|setting| name_of(setting) == Some(wanted)).collect();
    if settings.is_empty() {
        let mut names: Vec<&str> = catalogue().iter().filter_map(name_of).collect();
        names.dedup();
        let near = nearest(wanted, names.iter().copied());
        let hint = near.map_or_else(
            || format!("name one of {}", names.join(", ")),
            |near| format!("did you mean {near}?"),
        );
        return Err(format!("there is no {table} {wanted:?}; {hint}"));
    }
    let values: Vec<&str> = values.split(',').collect();
    if values.len() > settings.len() {
        return Err(format!("there are at most {} values behind the `=`", settings.len()));
    }
    let value = |(setting, text): (&'static Setting, &str)| {
        let raw = Raw::Text(text.to_owned());
        let name = setting.key.rsplit('.').next().unwrap_or_default();
        setting.check(&raw).map_err(|wrong| format!("{name} is {raw}: {wrong}"))?;
        Ok(FlagValue { setting, raw })
    };
    settings.into_iter().zip(values).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_has_up_to_three_parts() {
        let retry_pair = |text| pairs("retry", text);
        let read = |text| retry_pair(text).map(|pairs| pairs.len());
        assert_eq!((read("timeout=2"), read("timeout=2,1s"), read("timeout=2,1s,1m")), (Ok(1), Ok(2), Ok(3)));
        assert!(read("timeout").unwrap_err().contains("no `=`"));
        assert_eq!(read("time-out=2").unwrap_err(), "there is no retry \"time-out\"; did you mean timeout?");
        assert!(read("mount=2").unwrap_err().contains("io-transient, io-permanent"));
        assert_eq!(
            read("parse=2").unwrap_err(),
            "attempts is \"2\": must be 1: the same content fails again"
        );
        assert!(read("timeout=2,5").unwrap_err().contains("backoff is \"5\": must be 0s to 1h"));
    }
}
