//! Nested roots. A state may know thousands: each is looked up by the folders above it.

use std::collections::HashMap;
use std::path::Path;

use crate::ledger::RootInfo;

/// Roots by their paths and by their targets.
pub(super) struct Nesting<'a> {
    infos: Vec<&'a RootInfo>,
    /// Indexes into `infos`, ascending.
    by_path: HashMap<&'a Path, Vec<usize>>,
    by_target: HashMap<&'a Path, Vec<usize>>,
}

impl<'a> Nesting<'a> {
    /// Indexes those roots whose path is known.
    pub(super) fn of(infos: impl Iterator<Item = &'a RootInfo>) -> Self {
        let infos: Vec<_> = infos.filter(|info| !info.path.as_os_str().is_empty()).collect();
        let mut by_path = HashMap::<_, Vec<_>>::new();
        let mut by_target = HashMap::<_, Vec<_>>::new();
        for (at, info) in infos.iter().enumerate() {
            by_path.entry(info.path.as_path()).or_default().push(at);
            by_target.entry(info.target()).or_default().push(at);
        }
        Self { infos, by_path, by_target }
    }

    /// Returns the first root that contains this one, by path or by target. Of two that lead to the same folder, the
    /// later one counts as inside the other.
    pub(super) fn around(&self, inner: &RootInfo) -> Option<&'a RootInfo> {
        let given = inner.path.ancestors().filter_map(|above| self.by_path.get(above));
        let led = inner.target().ancestors().filter_map(|above| self.by_target.get(above));
        let is_outer = |at: &&usize| {
            let outer = self.infos[**at];
            outer.id != inner.id && (inner.target() != outer.target() || inner.id > outer.id)
        };
        let first = given.chain(led).filter_map(|places| places.iter().find(is_outer)).min();
        first.map(|at| self.infos[*at])
    }
}

/// Warns of roots that lie in another one of these.
pub(crate) fn warn_of_nested(infos: &[RootInfo]) {
    let nesting = Nesting::of(infos.iter());
    for inner in infos {
        if let Some(outer) = nesting.around(inner) {
            tracing::warn!(
                "{} lies in {}: its files are ingested under both roots",
                inner.path.display(),
                outer.path.display()
            );
        }
    }
}
