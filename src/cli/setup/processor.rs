//! The processor that the settings ask for.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use outlast::service::settings::{Problem, Settings, SettingsError, Sourced};
use outlast::{AstProcessor, BatchConfig, ExecCommand, ExecError, ExecOptions, ExecProcessor, Processor};

/// The processor of a command.
pub(crate) enum ChosenProcessor {
    Ast(AstProcessor),
    Exec(Arc<ExecProcessor>),
}

impl ChosenProcessor {
    /// Returns the processor for these settings, for a run on these roots with this configuration: a child is started
    /// and is ready.
    ///
    /// # Errors
    /// The command can't be used, or no files are named.
    pub(crate) fn of(settings: &Settings, config: &BatchConfig, roots: &[PathBuf]) -> Result<Self> {
        let chosen = Self::start(settings, roots)?;
        if let (Self::Exec(processor), Some(exec)) = (&chosen, &settings.fields().exec)
            && config.include.is_empty()
            && processor.default_include().is_empty()
        {
            let what = "names no files: add --include, such as --include '*.txt'; a child that stays can name \
                        them as `include` in `ready`";
            return Err(problem(exec, what).into());
        }
        Ok(chosen)
    }

    /// Returns the processor for these settings, whatever files they name.
    ///
    /// # Errors
    /// The command can't be used.
    pub(crate) fn start(settings: &Settings, roots: &[PathBuf]) -> Result<Self> {
        let Some(exec) = &settings.fields().exec else {
            return Ok(Self::Ast(AstProcessor::with_limits(settings.fields().limits)));
        };
        let options = exec_options(settings, &exec.value, roots);
        match ExecProcessor::start(options) {
            Ok(processor) => Ok(Self::Exec(Arc::new(processor))),
            Err(error @ ExecError::Away { .. }) => Err(error.into()),
            Err(error) => Err(problem(exec, &error.to_string()).into()),
        }
    }

    /// Ends the children, within this time.
    pub(crate) fn end(&self, limit: Duration) {
        if let Self::Exec(exec) = self {
            exec.end(Instant::now() + limit);
        }
    }

    pub(crate) fn processor(&self) -> Arc<dyn Processor> {
        match self {
            Self::Ast(ast) => Arc::new(ast.clone()),
            Self::Exec(exec) => Arc::clone(exec) as Arc<dyn Processor>,
        }
    }
}

/// Returns how these settings use a command.
pub(crate) fn exec_options(settings: &Settings, command: &ExecCommand, roots: &[PathBuf]) -> ExecOptions {
    let fields = settings.fields();
    let root = roots.first().map(|root| std::path::absolute(root).unwrap_or_else(|_| root.clone()));
    ExecOptions {
        version: fields.processor_version.clone(),
        root: root.unwrap_or_else(|| "/".into()),
        start_timeout: fields.exec_start_timeout,
        recycle: fields.exec_recycle,
        memory: fields.exec_memory,
        ..ExecOptions::new(command.clone())
    }
}

fn problem(exec: &Sourced<ExecCommand>, what: &str) -> SettingsError {
    SettingsError(vec![Problem {
        origin: exec.origin.clone(),
        what: format!("exec is `{}`: {what}", exec.value),
    }])
}
