//! Flags that set several settings at once: `--retry CLASS=...` and `--limit NAME=N`.

use super::catalogue::setting;
use super::setting::Setting;
use super::suggest::{did_you_mean, nearest};
use super::values::Raw;
use crate::model::ErrorClass;
use crate::process::{LimitError, Limits};

/// Settings, with their values.
pub type Pairs = Vec<(&'static Setting, Raw<'static>)>;

/// Parses the settings in `CLASS=ATTEMPTS[,BACKOFF[,MAX]]`.
///
/// # Errors
/// What is wrong, and how to fix it.
pub fn retry_pair(text: &str) -> Result<Pairs, String> {
    let Some((class, policy)) = text.split_once('=') else {
        return Err("expected CLASS=ATTEMPTS[,BACKOFF[,MAX]], such as io-transient=5,250ms,1m".to_owned());
    };
    let classes = || ErrorClass::ALL.iter().map(|class| class.as_str());
    if !classes().any(|known| known == class) {
        let near = nearest(class, classes());
        let names = classes().collect::<Vec<_>>().join(", ");
        let hint = near.map_or_else(|| format!("the classes are {names}"), |near| did_you_mean(Some(near)));
        return Err(format!("there is no class {class:?}; {hint}"));
    }
    let parts: Vec<&str> = policy.split(',').collect();
    let names = ["attempts", "backoff", "backoff-max"];
    if parts.len() > names.len() {
        return Err("expected at most ATTEMPTS,BACKOFF,MAX behind the class".to_owned());
    }
    let keyed = names.iter().zip(parts);
    keyed.map(|(name, part)| pair(&format!("retry.{class}.{name}"), name, part)).collect()
}

/// Parses the setting in `NAME=N`.
///
/// # Errors
/// What is wrong, and how to fix it.
pub fn limit_pair(text: &str) -> Result<Pairs, String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err("expected NAME=N, such as depth=20000".to_owned());
    };
    if !Limits::NAMES.contains(&name) {
        return Err(LimitError::Unknown(name.to_owned()).to_string());
    }
    Ok(vec![pair(&format!("limit.{name}"), name, value)?])
}

fn pair(key: &str, name: &str, text: &str) -> Result<(&'static Setting, Raw<'static>), String> {
    let setting = setting(key).ok_or_else(|| format!("there is no setting {key}"))?;
    let raw = Raw::from(text.to_owned());
    setting.check(&raw).map_err(|wrong| format!("{name} is {text:?}: {wrong}"))?;
    Ok((setting, raw))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_has_up_to_three_parts() {
        let read = |text| retry_pair(text).map(|pairs| pairs.len());
        assert_eq!((read("timeout=2"), read("timeout=2,1s"), read("timeout=2,1s,1m")), (Ok(1), Ok(2), Ok(3)));
        assert!(read("timeout").unwrap_err().contains("CLASS=ATTEMPTS"));
        assert_eq!(read("time-out=2").unwrap_err(), "there is no class \"time-out\"; did you mean timeout?");
        assert!(read("mount=2").unwrap_err().contains("io-transient, io-permanent"));
        assert_eq!(
            read("parse=2").unwrap_err(),
            "attempts is \"2\": must be 1: the same content fails again"
        );
        assert!(read("timeout=2,5").unwrap_err().contains("backoff is \"5\": must be 0s to 1h"));
    }
}
