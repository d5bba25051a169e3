//! Which files a client means by a glob, a path or the name of a root.

use std::ffi::OsStr;
use std::path::Path;

use crate::engine::error::{EngineError, Refusal};
use crate::engine::store::StoreView;
use crate::ledger;
use crate::model::{FileKey, FolderKey, RootId};
use crate::source::Filters;

/// Selects entries whose keys begin with `prefix` and whose paths match.
pub(crate) struct Selection {
    prefix: Vec<u8>,
    is_file: bool,
    globs: Option<Filters>,
}

impl Selection {
    /// Returns the first key that may be selected.
    pub(crate) fn start(&self) -> &[u8] {
        &self.prefix
    }

    /// Returns whether a key is none behind the last one that may be selected.
    pub(crate) fn reaches(&self, key: &[u8]) -> bool {
        if self.is_file { key == self.prefix } else { key.starts_with(&self.prefix) }
    }

    /// Returns whether a file that it reaches is selected.
    pub(crate) fn accepts(&self, key: &FileKey) -> bool {
        self.globs.as_ref().is_none_or(|globs| globs.accepts(&key.relative_path()))
    }

    /// Returns the part of the selection that lies in a root; `None` if there is none.
    pub(crate) fn within(self, root: RootId) -> Option<Self> {
        let below = FolderKey::root(root).as_bytes().to_vec();
        if self.prefix.is_empty() {
            return Some(Self { prefix: below, ..self });
        }
        self.prefix.starts_with(&below).then_some(self)
    }

    /// Selects all below a folder.
    pub(crate) fn below(folder: &FolderKey) -> Self {
        Self { prefix: folder.as_bytes().to_vec(), is_file: false, globs: None }
    }
}

impl StoreView {
    /// Calls `each` for each file of a selection.
    pub(crate) fn each_selected(
        &self,
        selection: &Selection,
        mut each: impl FnMut(FileKey, &ledger::Entry) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let mut scan = self.reader.scan();
        scan.seek(selection.start())?;
        while let Some((key, entry)) = scan.peek()?
            && selection.reaches(key)
        {
            if let Some(key) = FileKey::from_bytes(key)
                && selection.accepts(&key)
            {
                each(key, entry)?;
            }
            scan.advance();
        }
        Ok(())
    }

    /// Resolves a glob that may be an absolute path as well: a file or a folder that the state knows there, else what
    /// matches the glob.
    pub(crate) fn selection(
        &self,
        glob: Option<&str>,
        path: Option<&OsStr>,
    ) -> Result<Selection, EngineError> {
        let path = path.map(Path::new);
        if let Some((root, relative)) = path.and_then(|path| self.root_of(path)) {
            if let Some(known) = self.known_at(root.id, &relative)? {
                return Ok(known);
            }
            // A glob that begins with the path of a root is one below it.
            if let (Some(glob), Ok(below)) = (glob, str::from_utf8(&relative))
                && glob.starts_with('/')
                && !below.is_empty()
            {
                let prefix = FolderKey::root(root.id).as_bytes().to_vec();
                let globs = Some(globs_of(&format!("/{below}"))?);
                return Ok(Selection { prefix, is_file: false, globs });
            }
        }
        if let (Some(path), None) = (path, glob) {
            return Err(Refusal::UnknownFile { path: path.to_owned() }.into());
        }
        let globs = glob.map(globs_of).transpose()?;
        Ok(Selection { prefix: Vec::new(), is_file: false, globs })
    }

    /// Returns the file or the folder at a path, where the ledger holds it or something below it.
    fn known_at(&self, root: RootId, relative: &[u8]) -> Result<Option<Selection>, EngineError> {
        if let Some(key) = FileKey::from_relative_path(root, relative)
            && self.reader.get(&key)?.is_some()
        {
            return Ok(Some(Selection { prefix: key.as_bytes().to_vec(), is_file: true, globs: None }));
        }
        let names = relative.split(|&byte| byte == b'/').filter(|name| !name.is_empty());
        let folder = names.fold(FolderKey::root(root), |folder, name| folder.child(name));
        let mut scan = self.reader.scan();
        scan.seek(folder.as_bytes())?;
        let is_known = scan.peek()?.is_some_and(|(key, _)| key.starts_with(folder.as_bytes()));
        Ok(is_known.then(|| Selection::below(&folder)))
    }
}

fn globs_of(glob: &str) -> Result<Filters, EngineError> {
    Ok(Filters::new(&[glob.to_owned()], &[]).map_err(Refusal::Glob)?)
}
