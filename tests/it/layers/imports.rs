//! Which module imports which, read from the source.
//!
//! Tests are left out. So are a child's imports from the modules that it is part of: a room's files may use what stands in
//! its `mod.rs`. A name that is exported again counts for the module that defines it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};

/// A module, from the crate's root: `["engine", "run", "live"]`.
pub(super) type Module = Vec<String>;

/// How often a name may be exported again on its way to who imports it.
const EXPORTS_MAX: usize = 5;

/// The imports of all modules below a folder.
pub(super) struct Imports(BTreeMap<Module, BTreeSet<Module>>);

impl Imports {
    pub(super) fn of(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        read_all(folder, &mut Vec::new(), &mut files);
        let modules: BTreeSet<Module> = files.keys().cloned().collect();
        let seen: Vec<(Module, Seen)> = files
            .iter()
            .map(|(module, file)| {
                let mut seen = Seen { modules: &modules, at: module.clone(), used: vec![], exported: vec![] };
                seen.visit_file(file);
                (module.clone(), seen)
            })
            .collect();
        let exports: BTreeMap<(Module, String), Module> = seen
            .iter()
            .flat_map(|(module, seen)| {
                seen.exported.iter().map(|(name, path)| ((module.clone(), name.clone()), path.clone()))
            })
            .collect();
        let mut edges: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
        for (module, seen) in seen {
            let targets = seen.used.into_iter().map(|path| definer(path, &modules, &exports));
            let others = targets.filter(|target| !module.starts_with(target));
            edges.insert(module.clone(), others.collect());
        }
        Self(edges)
    }

    /// Each import: who, and what.
    pub(super) fn each(&self) -> impl Iterator<Item = (&Module, &Module)> {
        self.0.iter().flat_map(|(from, targets)| targets.iter().map(move |to| (from, to)))
    }

    /// Modules that import each other, directly or not: each such group once.
    pub(super) fn cycles(&self) -> Vec<BTreeSet<String>> {
        let reach: BTreeMap<&Module, BTreeSet<&Module>> =
            self.0.keys().map(|from| (from, self.reached_from(from))).collect();
        let mut cycles = BTreeSet::new();
        for (from, reached) in &reach {
            let back = reached.iter().filter(|to| reach.get(*to).is_some_and(|back| back.contains(from)));
            let group: BTreeSet<String> = back.map(|module| module.join("::")).collect();
            if group.len() > 1 {
                cycles.insert(group);
            }
        }
        cycles.into_iter().collect()
    }

    fn reached_from(&self, from: &Module) -> BTreeSet<&Module> {
        let (mut reached, mut left) = (BTreeSet::new(), vec![from]);
        while let Some(module) = left.pop() {
            for to in self.0.get(module).into_iter().flatten() {
                if reached.insert(to) {
                    left.push(to);
                }
            }
        }
        reached
    }
}

/// Reads the files of a folder, each as its module.
fn read_all(folder: &Path, above: &mut Module, files: &mut BTreeMap<Module, syn::File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let is_test = matches!(name.as_str(), "tests" | "sim");
        if path.is_dir() && !is_test {
            above.push(name);
            read_all(&path, above, files);
            above.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test {
            let is_root = above.is_empty() && matches!(name.as_str(), "lib" | "main");
            let mut module = above.clone();
            if !is_root && name != "mod" {
                module.push(name);
            }
            let mut file = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap();
            // The two roots, of the library and of the command, are one module here.
            files.entry(module).and_modify(|root| root.items.append(&mut file.items)).or_insert(file);
        }
    }
}

/// The module that defines what a path leads to.
fn definer(
    mut path: Module,
    modules: &BTreeSet<Module>,
    exports: &BTreeMap<(Module, String), Module>,
) -> Module {
    for _ in 0..EXPORTS_MAX {
        let (module, rest) = split(&path, modules);
        let export = rest.first().and_then(|name| exports.get(&(module.clone(), name.clone())));
        match export {
            Some(to) => path = to.iter().chain(rest.iter().skip(1)).cloned().collect(),
            None => return module,
        }
    }
    panic!("{path:?} is exported in a circle");
}

/// The longest part of a path that is a module, and the rest.
fn split(path: &Module, modules: &BTreeSet<Module>) -> (Module, Module) {
    let len = (0..=path.len()).rev().find(|len| modules.contains(&path[..*len])).unwrap_or(0);
    (path[..len].to_vec(), path[len..].to_vec())
}

/// What one file names.
struct Seen<'m> {
    modules: &'m BTreeSet<Module>,
    at: Module,
    used: Vec<Module>,
    exported: Vec<(String, Module)>,
}

impl Seen<'_> {
    /// A path from the crate's root; none where it leads to another crate.
    fn resolve(&self, path: &[String]) -> Option<Module> {
        let first = path.first()?;
        let mut at = self.at.clone();
        let rest = match first.as_str() {
            "crate" => return Some(path[1..].to_vec()),
            "self" => &path[1..],
            "super" => {
                let up = path.iter().take_while(|part| *part == "super").count();
                at.truncate(at.len().checked_sub(up)?);
                &path[up..]
            }
            child => {
                at.push(child.to_owned());
                let is_child = self.modules.contains(&at);
                at.pop();
                if !is_child {
                    return None;
                }
                path
            }
        };
        at.extend(rest.iter().cloned());
        Some(at)
    }

    fn flatten(&mut self, tree: &syn::UseTree, before: &mut Vec<String>, is_exported: bool) {
        match tree {
            syn::UseTree::Path(part) => {
                before.push(part.ident.to_string());
                self.flatten(&part.tree, before, is_exported);
                before.pop();
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.flatten(tree, before, is_exported));
            }
            syn::UseTree::Glob(_) => self.name(before, None),
            syn::UseTree::Name(name) => self.leaf(before, &name.ident, &name.ident, is_exported),
            syn::UseTree::Rename(name) => self.leaf(before, &name.ident, &name.rename, is_exported),
        }
    }

    fn leaf(&mut self, before: &[String], name: &syn::Ident, shown: &syn::Ident, is_exported: bool) {
        let mut path = before.to_vec();
        if name != "self" {
            path.push(name.to_string());
        }
        self.name(&path, is_exported.then(|| shown.to_string()));
    }

    fn name(&mut self, path: &[String], exported: Option<String>) {
        match (self.resolve(path), exported) {
            (Some(path), Some(name)) => self.exported.push((name, path)),
            (Some(path), None) => self.used.push(path),
            (None, _) => {}
        }
    }
}

impl<'ast> Visit<'ast> for Seen<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_for_tests(&item.attrs) && item.leading_colon.is_none() {
            let is_exported = !matches!(item.vis, syn::Visibility::Inherited);
            self.flatten(&item.tree, &mut Vec::new(), is_exported);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_for_tests(&item.attrs) && item.content.is_some() {
            self.at.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.at.pop();
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        if parts.len() > 1 && path.leading_colon.is_none() {
            self.name(&parts, None);
        }
        visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }
}

/// Whether something is there in tests only.
fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    let is_test = |attribute: &syn::Attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    };
    attributes.iter().any(is_test)
}
