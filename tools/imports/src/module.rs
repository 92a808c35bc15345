//! Crates as trees of modules: what each names, and what it refers to.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Index of a crate in [`Sources::crates`].
pub(crate) type CrateId = usize;
/// Index of a module in [`Sources::modules`].
pub(crate) type ModuleId = usize;
/// The segments of a path, such as `crate`, `uplink`, `Frame`.
pub(crate) type Segments = Vec<String>;

/// All that was read.
#[derive(Default)]
pub(crate) struct Sources {
    pub(crate) crates: Vec<Crate>,
    pub(crate) modules: Vec<Module>,
}

/// A library or a program.
pub(crate) struct Crate {
    /// The package that it belongs to.
    pub(crate) package: String,
    /// Its name in paths.
    pub(crate) name: String,
    /// Whether other crates can name it.
    pub(crate) is_library: bool,
    pub(crate) root: ModuleId,
}

/// A module, without those parts that only tests have.
pub(crate) struct Module {
    pub(crate) crate_id: CrateId,
    /// Its path from the crate on: `crate::uplink`.
    pub(crate) path: String,
    pub(crate) parent: Option<ModuleId>,
    pub(crate) file: PathBuf,
    pub(crate) names: BTreeMap<String, Vec<Binding>>,
    /// The paths of its glob imports.
    pub(crate) globs: Vec<Segments>,
    pub(crate) references: Vec<Reference>,
}

/// What a name in a module stands for; there may be several, of types, values and macros.
#[derive(Clone)]
pub(crate) enum Binding {
    Module(ModuleId),
    /// Something that is defined in the module.
    Item,
    Import(Segments),
}

/// A path that a module mentions.
pub(crate) struct Reference {
    pub(crate) path: Segments,
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) kind: ReferenceKind,
}

/// How a path is mentioned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReferenceKind {
    /// `use path;`, in a part of the crate too.
    Import,
    /// `pub use path;`: part of a public face, which is made of others' faces.
    ReExport,
    /// `use path::*;`
    Glob,
    /// `pub use path::*;`
    ReExportedGlob,
    /// In the code.
    Inline,
}

impl ReferenceKind {
    /// Whether it makes names public instead of using them.
    pub(crate) fn is_re_export(self) -> bool {
        matches!(self, Self::ReExport | Self::ReExportedGlob)
    }

    /// Whether it stands for all names of a module.
    pub(crate) fn is_glob(self) -> bool {
        matches!(self, Self::Glob | Self::ReExportedGlob)
    }
}

impl Sources {
    /// The package to which a module belongs.
    pub(crate) fn package(&self, module: ModuleId) -> &str {
        &self.crates[self.modules[module].crate_id].package
    }

    /// The library of this name.
    pub(crate) fn library(&self, name: &str) -> Option<CrateId> {
        self.crates.iter().position(|one| one.is_library && one.name == name)
    }

    /// The modules from the crate's root down to this one.
    pub(crate) fn ancestry(&self, module: ModuleId) -> Vec<ModuleId> {
        let mut line: Vec<_> =
            std::iter::successors(Some(module), |&id| self.modules[id].parent).collect();
        line.reverse();
        line
    }
}
