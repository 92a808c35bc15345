//! Who uses whose names, with all re-exports followed to where a thing is defined.

use crate::module::{CrateId, ModuleId, Reference, ReferenceKind, Sources};
use crate::resolver::{Found, Target};

/// A module uses something that another one defines.
pub(crate) struct Arrow<'a> {
    pub(crate) from: ModuleId,
    /// The module that defines it; or a module itself, where only that is named.
    pub(crate) to: ModuleId,
    pub(crate) is_of_module: bool,
    /// What is used, as it is called there; `*` for all of it.
    pub(crate) name: String,
    pub(crate) reference: &'a Reference,
    /// The crate that the path begins with.
    pub(crate) named_crate: CrateId,
    /// The modules that re-export it on the way.
    pub(crate) through: Vec<ModuleId>,
}

/// All arrows in the workspace.
pub(crate) fn arrows(sources: &Sources) -> Vec<Arrow<'_>> {
    let modules = sources.modules.iter().enumerate();
    modules
        .flat_map(|(from, module)| module.references.iter().map(move |one| (from, one)))
        .flat_map(|(from, reference)| of_reference(sources, from, reference))
        .collect()
}

fn of_reference<'a>(
    sources: &'a Sources,
    from: ModuleId,
    reference: &'a Reference,
) -> Vec<Arrow<'a>> {
    let named_crate = sources.named_crate(from, &reference.path);
    let mut found = match reference.path.as_slice() {
        [name] if reference.kind == ReferenceKind::Inline => sources.resolve_by_glob(from, name),
        path => sources.resolve(from, path),
    };
    // A macro, say: the crate is used at any rate.
    if found.is_empty() && named_crate != sources.modules[from].crate_id {
        let target = Target::Module(sources.crates[named_crate].root);
        found.push(Found::directly(target, &sources.crates[named_crate].name));
    }
    let arrow = |Found { target, name, through }| {
        let name = if reference.kind.is_glob() { "*".to_owned() } else { name };
        let (to, is_of_module) = match target {
            Target::Module(id) => (id, true),
            Target::ItemOf(id) => (id, false),
        };
        Arrow { from, to, is_of_module, name, reference, named_crate, through }
    };
    found.into_iter().map(arrow).collect()
}
