//! A setting: a row of the catalogue.

use std::fmt;

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
    field: Box<dyn Field>,
}

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

/// A field without its type.
trait Field: Send + Sync {
    fn set(&self, fields: &mut Fields, raw: &Raw<'_>, origin: &Origin) -> Result<(), InvalidValue>;
    fn show(&self, fields: &mut Fields) -> Value;
    fn copy(&self, from: &mut Fields, to: &mut Fields);
}

/// A field, by a function that leads to it, and the kind of its values.
struct Typed<T, F> {
    kind: Kind<T>,
    field: F,
}

impl<T, F> Field for Typed<T, F>
where
    T: Clone + 'static,
    F: Fn(&mut Fields) -> &mut T + Send + Sync,
{
    fn set(&self, fields: &mut Fields, raw: &Raw<'_>, origin: &Origin) -> Result<(), InvalidValue> {
        *(self.field)(fields) = self.kind.read(raw, origin)?;
        Ok(())
    }

    fn show(&self, fields: &mut Fields) -> Value {
        self.kind.show((self.field)(fields))
    }

    fn copy(&self, from: &mut Fields, to: &mut Fields) {
        (self.field)(to).clone_from((self.field)(from));
    }
}

impl Setting {
    pub(super) fn new<T: Clone + 'static>(
        key: impl Into<String>,
        (flag_of, takes): (FlagOf, AppliesWhen),
        kind: Kind<T>,
        field: impl Fn(&mut Fields) -> &mut T + Send + Sync + 'static,
        about: &'static str,
    ) -> Self {
        let default = kind.show(field(&mut Fields::default().derived()));
        let form = kind.form.clone();
        let limits = kind.limits.clone();
        let field = Box::new(Typed { kind, field });
        Self { key: key.into(), flag_of, takes, form, limits, default, about, field }
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
    pub fn check(&self, raw: &Raw<'_>) -> Result<(), String> {
        let set = self.field.set(&mut Fields::default(), raw, &Origin::Default);
        set.map_err(|wrong| wrong.messages(&self.limits, "").join("; "))
    }

    /// Sets the value in its field.
    ///
    /// # Errors
    /// All that is wrong with it; nothing was set.
    pub(super) fn set(&self, fields: &mut Fields, raw: &Raw<'_>, origin: &Origin) -> Result<(), Vec<String>> {
        let set = self.field.set(fields, raw, origin);
        set.map_err(|wrong| wrong.messages(&self.limits, &format!("{} is {raw}: ", self.key)))
    }

    pub(super) fn show(&self, fields: &mut Fields) -> Value {
        self.field.show(fields)
    }

    pub(super) fn copy(&self, from: &mut Fields, to: &mut Fields) {
        self.field.copy(from, to);
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Setting").field(&self.key).finish()
    }
}
