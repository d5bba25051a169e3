//! A setting: a row of the catalogue.

use std::fmt;
use std::sync::Arc;

use super::fields::Fields;
use super::problem::Origin;
use super::values::{InvalidValue, Kind, Raw, Value, ValueForm};

/// A setting.
pub struct Setting {
    /// Its name in a file, including its tables: `workers`, `limit.depth`.
    pub key: String,
    /// The commands that take it as a flag.
    pub flag_of: FlagOf,
    /// When a running process applies a change.
    pub takes: AppliesWhen,
    /// The form of its value.
    pub form: ValueForm,
    /// The valid values, in words.
    pub limits: String,
    /// Its default value.
    pub default: Value,
    /// Its help text, on one line.
    pub about: &'static str,
    read: Read,
    show: Show,
}

type Read = Box<dyn Fn(&Raw, &Origin) -> Result<Given, InvalidValue> + Send + Sync>;
type Show = Box<dyn Fn(&mut Fields) -> Value + Send + Sync>;

/// The commands that take a setting as a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagOf {
    /// All.
    All,
    /// Those that process files.
    Run,
    /// Those that watch.
    Watch,
    /// None: a flag of these sets several settings.
    Pair,
}

/// When a running process applies a change of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppliesWhen {
    /// As soon as the settings are reloaded.
    AtOnce,
    /// With the next job: a running job keeps the old value.
    NextJob,
    /// After a restart.
    Restart,
}

/// A value that was read: it goes to its field.
#[derive(Clone)]
pub(super) struct Given(Arc<dyn Fn(&mut Fields) + Send + Sync>);

impl Given {
    pub(super) fn set(&self, fields: &mut Fields) {
        (self.0)(fields);
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Given")
    }
}

impl Setting {
    /// Creates a setting without a default: the catalogue adds them all at once.
    pub(super) fn new<T: Clone + Send + Sync + 'static>(
        key: impl Into<String>,
        (flag_of, takes): (FlagOf, AppliesWhen),
        Kind { form, limits, read, show }: Kind<T>,
        field: impl Fn(&mut Fields) -> &mut T + Copy + Send + Sync + 'static,
        about: &'static str,
    ) -> Self {
        let read: Read = Box::new(move |raw, origin| {
            let value = read(raw, origin)?;
            Ok(Given(Arc::new(move |fields| field(fields).clone_from(&value))))
        });
        let show: Show = Box::new(move |fields| show(field(fields)));
        Self { key: key.into(), flag_of, takes, form, limits, default: Value::Unset, about, read, show }
    }

    /// Returns whether its value is code, so that only those may set it who may run code.
    pub fn runs_code(&self) -> bool {
        self.key == "exec"
    }

    /// Returns the environment variable.
    pub fn variable(&self) -> String {
        format!("OUTLAST_{}", self.key.to_uppercase().replace(['-', '.'], "_"))
    }

    /// Returns the command-line flag.
    pub fn flag(&self) -> String {
        let flag = self.key.split('.').next().unwrap_or_default();
        format!("--{flag}")
    }

    /// Checks a value alone.
    ///
    /// # Errors
    /// What it must be, for a message that already names the setting and the value.
    pub fn check(&self, raw: &Raw) -> Result<(), String> {
        let read = (self.read)(raw, &Origin::Default);
        read.map(drop).map_err(|wrong| wrong.messages(&self.limits, "").join("; "))
    }

    /// Reads a value.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(super) fn read(&self, raw: &Raw, origin: &Origin) -> Result<Given, Vec<String>> {
        let read = (self.read)(raw, origin);
        read.map_err(|wrong| wrong.messages(&self.limits, &format!("{} is {raw}: ", self.key)))
    }

    pub(super) fn show(&self, fields: &mut Fields) -> Value {
        (self.show)(fields)
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Setting").field(&self.key).finish()
    }
}
