//! Validated queries and bodies of requests.

use std::os::unix::ffi::OsStrExt;

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::respond::failed;
use crate::engine::{Command, RetryFilter, SAMPLES};
use crate::model::ErrorClass;

/// Samples of a class, at most: each may need a lookup in the records.
const SAMPLES_MAX: usize = 100;
/// Ended jobs, by default.
const JOBS: usize = 20;

/// The query of `/api/failures`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FailuresQuery {
    class: Option<ErrorClass>,
    samples: Option<usize>,
}

impl FailuresQuery {
    /// Returns the class, if one is given, and the number of samples.
    pub(super) fn read(&self) -> (Option<ErrorClass>, usize) {
        (self.class, self.samples.unwrap_or(SAMPLES).min(SAMPLES_MAX))
    }

    /// Returns whether the query has the default values, whose report is cached.
    pub(super) fn is_usual(&self) -> bool {
        self.read() == (None, SAMPLES)
    }
}

/// The query of `/api/jobs`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JobsQuery {
    ended: Option<usize>,
}

impl JobsQuery {
    /// Returns how many of the ended jobs are listed.
    pub(super) fn ended(&self) -> usize {
        self.ended.unwrap_or(JOBS)
    }
}

/// The body of `/api/retry`: all failed files, or those that match each of these fields.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetryBody {
    /// Files that failed with this class.
    class: Option<ErrorClass>,
    /// Files whose name (or, with a `/`, path below the root) matches.
    glob: Option<String>,
    /// A file or folder, absolute.
    path: Option<String>,
}

pub(super) fn retry_filter(body: &Bytes) -> Result<RetryFilter, Box<Response>> {
    let RetryBody { class, glob, path } = json(body)?;
    Ok(RetryFilter { class, glob, path: path.map(Into::into) })
}

/// Parses a command as [`Command`] is serialized, where paths may be plain strings.
pub(super) fn order(body: &Bytes) -> Result<Command, Box<Response>> {
    let mut value: Value = json(body)?;
    for member in ["path", "root"] {
        if let Some(path) = value.get_mut(member)
            && let Some(text) = path.as_str()
        {
            *path = serde_json::json!({ "Unix": std::ffi::OsStr::new(text).as_bytes() });
        }
    }
    match serde_json::from_value(value).map_err(|error| wrong(&error))? {
        // A complete configuration only comes from code in the same process. Clients ask for a reload instead.
        Command::Configure { .. } => {
            Err(Box::new(failed(StatusCode::FORBIDDEN, "change the configuration file, and order `reload`")))
        }
        order => Ok(order),
    }
}

fn json<T: DeserializeOwned>(body: &Bytes) -> Result<T, Box<Response>> {
    serde_json::from_slice(body).map_err(|error| wrong(&error))
}

fn wrong(error: &serde_json::Error) -> Box<Response> {
    Box::new(failed(StatusCode::BAD_REQUEST, &format!("the body is not understood: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Command, StatusCode> {
        order(&Bytes::copy_from_slice(text.as_bytes())).map_err(|refused| refused.status())
    }

    const NO_NAME: &str = r#"{"order":"add","root":"/a","name":"a/b"}"#;

    #[test]
    fn orders_are_written_as_people_write_them() {
        assert_eq!(read(r#"{"order":"pause"}"#), Ok(Command::Pause));
        assert_eq!(read(r#"{"order":"workers","count":3}"#), Ok(Command::Workers { count: 3 }));
        assert_eq!(read(r#"{"order":"cancel","job_id":3}"#), Ok(Command::Cancel { job_id: 3 }));
        let add = Command::Add { root: "/a b/ü".into(), name: "b".parse().ok(), priority: -1 };
        assert_eq!(read(r#"{"order":"add","root":"/a b/ü","name":"b","priority":-1}"#), Ok(add));
        let rescan = Command::Rescan { path: None, scheduled: false };
        assert_eq!(read(r#"{"order":"rescan","path":null,"scheduled":false}"#), Ok(rescan));
        for wrong in ["", "{}", "[]", r#"{"order":"dance"}"#, r#"{"order":"workers","count":-1}"#, NO_NAME] {
            assert_eq!(read(wrong), Err(StatusCode::BAD_REQUEST), "{wrong}");
        }
    }

    #[test]
    fn a_whole_configuration_is_not_taken_from_outside() {
        let config = serde_json::to_string(&crate::model::BatchConfig::default()).unwrap();
        let answer = read(&format!(r#"{{"order":"configure","config":{config}}}"#));
        assert_eq!(answer, Err(StatusCode::FORBIDDEN));
    }

    #[test]
    fn a_filter_that_is_misspelt_does_not_mean_everything() {
        let read =
            |text: &'static str| retry_filter(&Bytes::from_static(text.as_bytes())).map_err(|r| r.status());
        assert_eq!(read("{}"), Ok(RetryFilter::default()));
        let parse = RetryFilter { class: Some(ErrorClass::Parse), ..RetryFilter::default() };
        assert_eq!(read(r#"{"class":"parse"}"#), Ok(parse));
        assert_eq!(read(r#"{"clas":"parse"}"#), Err(StatusCode::BAD_REQUEST));
        assert_eq!(read(r#"{"class":"prase"}"#), Err(StatusCode::BAD_REQUEST));
    }
}
