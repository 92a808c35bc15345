//! What a path stands for, whatever re-exports lie between.

use crate::module::{Binding, CrateId, ModuleId, Sources};

/// Re-exports of re-exports are followed so far; a circle of them ends there.
const MAX_DEPTH: usize = 16;

/// What a path leads to.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) target: Target,
    /// What it is called where it is defined.
    pub(crate) name: String,
    /// The modules whose imports were followed on the way, in order.
    pub(crate) through: Vec<ModuleId>,
}

/// A module, or something that one defines.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Module(ModuleId),
    ItemOf(ModuleId),
}

impl Found {
    /// Something that no re-export lies before.
    pub(crate) fn directly(target: Target, name: &str) -> Self {
        Self { target, name: name.to_owned(), through: Vec::new() }
    }

    /// The same, whatever lies before.
    fn into_own(self) -> Self {
        Self { through: Vec::new(), ..self }
    }

    /// The same, reached through other modules first.
    fn after(mut self, before: &[ModuleId]) -> Self {
        self.through.splice(0..0, before.iter().copied());
        self
    }
}

impl Sources {
    /// All that a path in a module may stand for: names of types, values and macros are apart, and
    /// which one is meant is not looked into. Nothing, if it leads out of the workspace.
    pub(crate) fn resolve(&self, from: ModuleId, path: &[String]) -> Vec<Found> {
        self.resolve_to(MAX_DEPTH, from, path)
    }

    /// The crate that the beginning of a path leads to.
    pub(crate) fn named_crate(&self, from: ModuleId, path: &[String]) -> CrateId {
        let (found, _) = self.begin(MAX_DEPTH, from, path);
        let first = found.first().map_or(from, |found| match found.target {
            Target::Module(id) | Target::ItemOf(id) => id,
        });
        self.modules[first].crate_id
    }

    /// What a single name stands for that a glob import brings in.
    pub(crate) fn resolve_by_glob(&self, from: ModuleId, name: &str) -> Vec<Found> {
        if self.modules[from].names.contains_key(name) {
            return Vec::new();
        }
        self.by_glob(MAX_DEPTH, from, name)
    }

    fn resolve_to(&self, depth: usize, from: ModuleId, path: &[String]) -> Vec<Found> {
        let Some(depth) = depth.checked_sub(1) else { return Vec::new() };
        let (mut found, rest) = self.begin(depth, from, path);
        for name in rest {
            found = self.step(depth, from, found, name);
        }
        found
    }

    /// What the first segments stand for, and the segments after them.
    fn begin<'a>(
        &self,
        depth: usize,
        from: ModuleId,
        path: &'a [String],
    ) -> (Vec<Found>, &'a [String]) {
        let Some((first, rest)) = path.split_first() else { return (Vec::new(), path) };
        let module = |id| vec![Found::directly(Target::Module(id), first)];
        match first.as_str() {
            "crate" => (module(self.crates[self.modules[from].crate_id].root), rest),
            "self" => (module(from), rest),
            "super" => self.climb(from, path),
            name => {
                // What the module has imported itself was looked at where it did.
                let own = self.member(depth, from, name).into_iter();
                let found: Vec<_> = own.map(Found::into_own).collect();
                match self.library(name) {
                    Some(other) if found.is_empty() => (module(self.crates[other].root), rest),
                    _ => (found, rest),
                }
            }
        }
    }

    /// Follows `super::super`.
    fn climb<'a>(&self, from: ModuleId, path: &'a [String]) -> (Vec<Found>, &'a [String]) {
        let count = path.iter().take_while(|name| *name == "super").count();
        let line = self.ancestry(from);
        let module = line.len().checked_sub(count + 1).map(|index| line[index]);
        let found = module.map(|id| Found::directly(Target::Module(id), "super"));
        (found.into_iter().collect(), &path[count..])
    }

    /// One segment further. What is in a type stays where the type is.
    fn step(&self, depth: usize, from: ModuleId, found: Vec<Found>, name: &str) -> Vec<Found> {
        let modules: Vec<_> =
            found.iter().filter(|one| matches!(one.target, Target::Module(_))).cloned().collect();
        if modules.is_empty() {
            return found;
        }
        let mut next = Vec::new();
        for Found { target, through, .. } in modules {
            let Target::Module(module) = target else { continue };
            for member in self.member(depth, module, name) {
                let own = if module == from { member.into_own() } else { member };
                next.push(own.after(&through));
            }
        }
        next
    }

    /// What a name in a module stands for.
    fn member(&self, depth: usize, module: ModuleId, name: &str) -> Vec<Found> {
        let bindings = self.modules[module].names.get(name).map_or(&[][..], Vec::as_slice);
        if bindings.is_empty() {
            return self.by_glob(depth, module, name);
        }
        bindings
            .iter()
            .flat_map(|binding| match binding {
                Binding::Module(id) => vec![Found::directly(Target::Module(*id), name)],
                Binding::Item => vec![Found::directly(Target::ItemOf(module), name)],
                Binding::Import(path) => self
                    .resolve_to(depth, module, path)
                    .into_iter()
                    .map(|found| found.after(&[module]))
                    .collect(),
            })
            .collect()
    }

    fn by_glob(&self, depth: usize, module: ModuleId, name: &str) -> Vec<Found> {
        let Some(depth) = depth.checked_sub(1) else { return Vec::new() };
        let mut found = Vec::new();
        for glob in &self.modules[module].globs {
            for Found { target, through, .. } in self.resolve_to(depth, module, glob) {
                if let Target::Module(other) = target {
                    let names = self.member(depth, other, name).into_iter();
                    found.extend(names.map(|one| one.after(&through).after(&[module])));
                }
            }
        }
        found
    }
}
