//! Priority rules: as tables of a file, and as texts elsewhere.

use std::time::Duration;

use super::kinds::{age, size, split_globs, word};
use super::{InvalidValue, Kind, Raw, Value, ValueForm, ValueInput};
use crate::model::rules::globs::bare_chars;
use crate::model::{BatchPriority, PriorityRule, PriorityRules};
use crate::service::settings::problem::Origin;
use crate::service::settings::suggest::nearest_of;

/// The conditions of a rule.
const CONDITIONS: [&str; 5] = ["match", "language", "larger-than", "smaller-than", "newer-than"];
const MATCH: &str = CONDITIONS[0];
const CLASS: &str = "class";
/// A century.
const AGE_MAX: Duration = Duration::from_secs(36_525 * 86_400);

/// Priority rules, in their order.
pub(crate) fn priorities() -> Kind<Vec<PriorityRule>> {
    let read = |raw: &Raw, origin: &Origin| {
        let mut rules = Vec::new();
        let mut wrong = Vec::new();
        let items = if let Raw::List(items) = raw { items.as_slice() } else { std::slice::from_ref(raw) };
        for item in items {
            match item {
                Raw::Rule(rule) => rules.push((**rule).clone()),
                text => read_texts(text.text()?, origin, &mut rules, &mut wrong),
            }
        }
        wrong.extend(PriorityRules::new(&rules).err().filter(|_| wrong.is_empty()));
        if wrong.is_empty() { Ok(rules) } else { Err(InvalidValue::Parts(wrong)) }
    };
    Kind::new(
        ValueForm::new("rules", "RULE=CLASS", ValueInput::Items),
        "CONDITION,...=CLASS, again for each; in a file a table `[[priority]]`",
        read,
        |rules| Value::List(rules.iter().map(ToString::to_string).collect()),
    )
}

/// Reads rules of the form `CONDITION,...=CLASS`, with commas between them.
fn read_texts(text: &str, origin: &Origin, rules: &mut Vec<PriorityRule>, wrong: &mut Vec<String>) {
    let new = || PriorityRule { origin: origin.to_string(), ..PriorityRule::default() };
    let mut rule = new();
    let mut begun = Vec::new();
    for part in split_globs(text) {
        let equals = bare_chars(&part).rfind(|(_, c)| *c == '=').map(|(at, _)| at);
        let (condition, class) = equals.map_or((&*part, None), |at| (&part[..at], Some(&part[at + 1..])));
        let condition = condition.trim();
        if !condition.is_empty() {
            wrong.extend(set_condition(&mut rule, condition).err());
        }
        begun.push(condition.to_owned());
        let Some(class) = class.map(str::trim) else { continue };
        wrong.extend(set_class(&mut rule, condition, class).err());
        let rule = std::mem::replace(&mut rule, new());
        if wrong.is_empty() {
            wrong.extend(check(&rule).err());
        }
        rules.push(rule);
        begun.clear();
    }
    if !begun.is_empty() {
        let begun = begun.join(",");
        wrong.push(format!("priority {begun:?} has no class: write \"{begun}=high\", or =normal or =low"));
    }
}

/// Sets the class behind the last condition of a rule.
fn set_class(rule: &mut PriorityRule, condition: &str, class: &str) -> Result<(), String> {
    set_member(rule, CLASS, &Raw::Text(class.to_owned())).map_err(|wrong| {
        let is_glob = !condition.is_empty() && !CONDITIONS.contains(&condition);
        let is_part_of_glob = is_glob && !wrong.ends_with('?') && !class.is_empty();
        if is_part_of_glob {
            format!("{wrong}; where the = belongs to a glob, write \"{condition}[=]{class}\"")
        } else {
            wrong
        }
    })
}

/// Sets a condition of the form `NAME:VALUE`; anything else is a glob.
fn set_condition(rule: &mut PriorityRule, text: &str) -> Result<(), String> {
    // It has no further list in it: its commas would have ended it.
    let one = |value: &str| Raw::List(vec![Raw::Text(value.trim().to_owned())]);
    let Some((name, value)) = text.split_once(':') else {
        let (name, value) = text.split_once('=').unwrap_or((text, "VALUE"));
        let name = name.trim();
        let value = value.trim();
        return match CONDITIONS.contains(&name) {
            true => Err(format!(
                "priority condition {name:?} has its value behind a colon: write {name}:{value}; for a glob write \
                 match:{text}"
            )),
            false => set_member(rule, MATCH, &one(text)),
        };
    };
    let name = name.trim();
    if CONDITIONS.contains(&name) {
        return set_member(rule, name, &one(value));
    }
    if let Some(near) = nearest_of(name, CONDITIONS.into_iter()) {
        return Err(format!("priority has no condition {name:?}; did you mean {near}:{value}?"));
    }
    if name.chars().all(|c| c.is_ascii_alphabetic() || c == '-') {
        let names = CONDITIONS.join(", ");
        return Err(format!(
            "priority has no condition {name:?}: a rule has {names}; for a glob write match:{text}"
        ));
    }
    set_member(rule, MATCH, &one(text))
}

/// Sets a member of a rule.
///
/// # Errors
/// What is wrong with it, and how to fix it.
pub(in crate::service::settings) fn set_member(
    rule: &mut PriorityRule,
    name: &str,
    raw: &Raw,
) -> Result<(), String> {
    // A text has the value in a list of one.
    let single = if let Raw::List(items) = raw
        && let [only] = items.as_slice()
    {
        only
    } else {
        raw
    };
    match name {
        MATCH => {
            let globs = texts(name, raw)?;
            check(&PriorityRule { globs: globs.clone(), ..PriorityRule::default() })?;
            rule.globs.extend(globs);
        }
        "language" => {
            let languages = texts(name, raw)?.iter().map(|text| text.trim().to_owned()).collect::<Vec<_>>();
            check(&PriorityRule { languages: languages.clone(), ..PriorityRule::default() })?;
            rule.languages.extend(languages);
        }
        "larger-than" => set_once(&mut rule.larger_than, &size(0, 1), name, single)?,
        "smaller-than" => set_once(&mut rule.smaller_than, &size(1, 1), name, single)?,
        "newer-than" => set_once(&mut rule.newer_than_seconds, &age(AGE_MAX), name, single)?,
        CLASS => {
            rule.class = value(&word(BatchPriority::ALL), name, single).map_err(|wrong| {
                let names = || BatchPriority::ALL.into_iter().map(BatchPriority::as_str);
                let near = single.text().ok().and_then(|given| nearest_of(given, names()));
                near.map_or_else(|| wrong.clone(), |near| format!("{wrong}; did you mean {near}?"))
            })?;
        }
        _ => {
            let names = CONDITIONS.into_iter().chain([CLASS]);
            let hint = match nearest_of(name, names.clone()) {
                Some(near) => format!("did you mean priority.{near}?"),
                None => format!("a rule has {}", names.collect::<Vec<_>>().join(", ")),
            };
            return Err(format!("priority.{name} is no setting; {hint}"));
        }
    }
    Ok(())
}

/// Checks a rule alone.
pub(in crate::service::settings) fn check(rule: &PriorityRule) -> Result<(), String> {
    PriorityRules::new(std::slice::from_ref(rule)).map(drop)
}

/// Reads a text, or a list of them.
fn texts(name: &str, raw: &Raw) -> Result<Vec<String>, String> {
    let limits = "a text or a list of texts, and not empty";
    let is_given = |all: &Vec<String>| !all.is_empty();
    let wrong = |wrong: InvalidValue| wrong.messages(limits, &before(name, raw)).join("; ");
    raw.items(split_globs)
        .and_then(|all| Some(all).filter(is_given).ok_or(InvalidValue::Limits))
        .map_err(wrong)
}

/// Sets a condition of which a rule has one.
fn set_once<T: 'static>(
    condition: &mut Option<T>,
    kind: &Kind<T>,
    name: &str,
    raw: &Raw,
) -> Result<(), String> {
    let value = value(kind, name, raw)?;
    match condition.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("priority.{name} is given twice in one rule: keep one of them")),
    }
}

fn value<T: 'static>(kind: &Kind<T>, name: &str, raw: &Raw) -> Result<T, String> {
    let wrong = |wrong: InvalidValue| wrong.messages(&kind.limits, &before(name, raw)).join("; ");
    (kind.read)(raw, &Origin::Default).map_err(wrong)
}

fn before(name: &str, raw: &Raw) -> String {
    format!("priority.{name} is {raw}: ")
}
