use std::time::Duration;

use super::kinds::{count, is_filter, path, seconds, size, switch, word};
use super::*;
use crate::model::StrategyKind;
use crate::source::Filters;

/// Reads a text, and shows the value.
fn text<T: 'static>(kind: &Kind<T>, text: &str) -> Result<Value, String> {
    raw(kind, &Raw::Text(text.to_owned()))
}

fn raw<T: 'static>(kind: &Kind<T>, raw: &Raw) -> Result<Value, String> {
    let wrong = |wrong: InvalidValue| wrong.messages(&kind.limits, "").join("; ");
    (kind.read)(raw, &Origin::Default).map(|value| (kind.show)(&value)).map_err(wrong)
}

#[test]
fn what_is_refused_is_told_with_the_limits() {
    let count = count::<usize>(1, 9, "threads");
    assert_eq!(text(&count, "0").unwrap_err(), "must be 1 to 9 threads");
    assert_eq!(text(&count, "two").unwrap_err(), "is no number; must be 1 to 9 threads");
    let time = seconds(1, Duration::from_secs(60));
    let limits = "must be 1s to 1m, in whole seconds; a number alone is seconds";
    for wrong in ["500ms", "61", "1.5", "soon", "2h"] {
        assert_eq!(text(&time, wrong).unwrap_err(), limits, "{wrong}");
    }
    assert_eq!(text(&time, "60").unwrap().to_string(), "1m");
    let size = size(16 << 20, 1 << 20);
    let limits = "must be 16MiB or more, with its unit, such as 512MB or 2GiB, rounded down to whole MiB";
    for wrong in ["16MB", "128", "-5GB"] {
        assert_eq!(text(&size, wrong).unwrap_err(), limits, "{wrong}");
    }
    assert_eq!(text(&size, "128MB").unwrap().to_string(), "122MiB");
    assert_eq!(
        text(&word([StrategyKind::Count, StrategyKind::Size]), "Count").unwrap_err(),
        "must be one of count, size"
    );
    assert!(raw(&path("FILE"), &Raw::Number("5".into())).is_err());
    assert!(raw(&switch(), &Raw::List(Vec::new())).is_err());
}

#[test]
fn globs_in_one_text_are_parted_by_commas_outside_of_brackets() {
    let globs = |list: &str| text(&kinds::globs(|globs| Filters::new(&[], globs)), list).unwrap();
    let list = |items: &[&str]| Value::List(items.iter().map(ToString::to_string).collect());
    assert_eq!(globs("*.{a,b}, [x,y]*,build/"), list(&["*.{a,b}", "[x,y]*", "build/"]));
    assert_eq!(globs(" , "), list(&[]));
}

#[test]
fn a_filter_is_made_of_levels() {
    for sound in ["warn", "INFO", "warn,outlast=debug", "outlast[file{path=a}]=trace", "off"] {
        assert!(is_filter(sound), "{sound}");
    }
    for wrong in ["", "verbose", "debug,=", "outlast=loud", "outlast", "debug,", "=debug"] {
        assert!(!is_filter(wrong), "{wrong}");
    }
}

#[test]
fn a_port_alone_is_one_of_this_machine() {
    let read = |address: &str| text(&kinds::address(), address).map(|value| value.to_string());
    let here = ["7650", ":7650", "localhost:7650", "127.0.0.1:7650"].map(|local| read(local).unwrap());
    assert_eq!(here, ["127.0.0.1:7650"; 4]);
    assert_eq!(read("[::]:80").unwrap(), "[::]:80");
    let wrong = ["", "65536", "example.org:80", "127.0.0.1", "::1:80x", "http://127.0.0.1:80"];
    assert_eq!(wrong.into_iter().find(|wrong| read(wrong).is_ok()), None);
}

#[test]
fn a_switch_has_the_usual_words() {
    assert_eq!(["Yes", "0"].map(|word| text(&switch(), word)), [true, false].map(|on| Ok(Value::Switch(on))));
    assert!(text(&switch(), "maybe").is_err());
}

#[test]
fn rules_are_read_back_as_they_are_shown() {
    let kind = priority::priorities();
    let shown = |raw: &Raw| match (kind.read)(raw, &Origin::Default) {
        Ok(rules) => ((kind.show)(&rules).to_string(), rules),
        Err(wrong) => panic!("{raw}: {:?}", wrong.messages(&kind.limits, "")),
    };
    let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    for globs in [
        &["a,b", "c=d"][..],
        &["{a,b}=[,=]*", "[]=,]x,", "[!]=]"],
        &["a\\,b\\=c", "a\\{b,c", "=", ","],
        &[" x y ", "match:a", "language:b", "size:3M"],
    ] {
        let rule = PriorityRule { globs: owned(globs), languages: owned(&["PY"]), ..PriorityRule::default() };
        let (text, given) = shown(&Raw::List(vec![Raw::Rule(Box::new(rule))]));
        let (again, read) = shown(&Raw::Text(text.clone()));
        assert_eq!(again, text, "{globs:?}");
        assert_eq!((read.len(), read[0].globs.len()), (given.len(), given[0].globs.len()), "{text}");
    }
    let (text, _) = shown(&Raw::Text(" src/** = high , language : py , newer-than : 7d = low".to_owned()));
    assert_eq!(text, "match:src/**=high,language:py,newer-than:168h=low");
}
