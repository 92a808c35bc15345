//! Source files to modules.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, anyhow};
use proc_macro2::Span;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, Meta, UseTree, Visibility};

use crate::module::{Binding, Crate, CrateId, Module, ModuleId, Reference, ReferenceKind, Sources};
use crate::tokens::{Mention, paths, quoted_paths};
use crate::workspace::{Package, Target};

/// Reads all that the packages ship.
pub(crate) fn read(packages: &[Package]) -> Result<Sources> {
    let mut sources = Sources::default();
    for package in packages {
        for target in package.targets.iter().filter(|target| target.is_shipped()) {
            read_crate(&mut sources, package, target)?;
        }
    }
    Ok(sources)
}

fn read_crate(sources: &mut Sources, package: &Package, target: &Target) -> Result<()> {
    let root = sources.modules.len();
    let crate_id = sources.crates.len();
    sources.crates.push(Crate {
        package: package.name.clone(),
        name: target.crate_name(),
        is_library: target.is_library(),
        root,
    });
    let file = target.src_path.clone();
    let folder = file.parent().context("a source file has a folder")?.to_owned();
    sources.modules.push(module(crate_id, None, "crate".to_owned(), file));
    let mut reader = Reader { sources, current: root, folder, blocks: 0, error: None };
    reader.read_file()?;
    Ok(())
}

fn module(crate_id: CrateId, parent: Option<ModuleId>, path: String, file: PathBuf) -> Module {
    Module {
        crate_id,
        path,
        parent,
        file,
        names: BTreeMap::new(),
        globs: Vec::new(),
        references: Vec::new(),
    }
}

/// Reads one crate, module by module.
struct Reader<'a> {
    sources: &'a mut Sources,
    current: ModuleId,
    /// Where the files of the current module's parts are.
    folder: PathBuf,
    /// How many blocks of code the visitor is in: names there are not the module's.
    blocks: usize,
    /// What went wrong first.
    error: Option<Error>,
}

impl Reader<'_> {
    /// Reads the current module's file and the modules in it.
    fn read_file(&mut self) -> Result<()> {
        let path = self.module().file.clone();
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let file = syn::parse_file(&text)
            .map_err(|error| anyhow!("{}:{}: {error}", path.display(), line(error.span())))?;
        self.visit_file(&file);
        self.error.take().map_or(Ok(()), Err)
    }

    fn module(&mut self) -> &mut Module {
        &mut self.sources.modules[self.current]
    }

    fn bind(&mut self, name: String, binding: Binding) {
        self.module().names.entry(name).or_default().push(binding);
    }

    fn refer(&mut self, mention: Mention, kind: ReferenceKind) {
        let Mention { path, line } = mention;
        self.module().references.push(Reference { path, line, kind });
    }

    /// Reads a part of the current module: the items given, or a file of its own.
    fn read_part(&mut self, name: &str, items: Option<&[Item]>) -> Result<()> {
        let folder = self.folder.join(name);
        let file = if items.is_some() {
            self.module().file.clone()
        } else {
            module_file(&self.folder, name).with_context(|| {
                format!("{}: there is no file for mod {name}", self.module().file.display())
            })?
        };
        let id = self.sources.modules.len();
        let parent = &self.sources.modules[self.current];
        let part =
            module(parent.crate_id, Some(self.current), format!("{}::{name}", parent.path), file);
        self.sources.modules.push(part);
        self.bind(name.to_owned(), Binding::Module(id));

        let outer = (self.current, std::mem::replace(&mut self.folder, folder));
        self.current = id;
        let done = match items {
            Some(items) => {
                items.iter().for_each(|item| self.visit_item(item));
                self.error.take().map_or(Ok(()), Err)
            }
            None => self.read_file(),
        };
        (self.current, self.folder) = outer;
        done
    }

    /// Takes in what a `use` names, one path at a time.
    fn import(&mut self, prefix: &[String], tree: &UseTree, is_public: bool) {
        let with = |name: &syn::Ident| {
            let mut path = prefix.to_vec();
            if name != "self" {
                path.push(name.to_string());
            }
            path
        };
        match tree {
            UseTree::Path(part) => self.import(&with(&part.ident), &part.tree, is_public),
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.import(prefix, tree, is_public));
            }
            UseTree::Name(name) => {
                let mention = Mention { path: with(&name.ident), line: line(name.ident.span()) };
                if let Some(name) = mention.path.last().cloned() {
                    self.import_as(name, mention, is_public);
                }
            }
            UseTree::Rename(name) => {
                let mention = Mention { path: with(&name.ident), line: line(name.ident.span()) };
                self.import_as(name.rename.to_string(), mention, is_public);
            }
            UseTree::Glob(glob) => {
                let kind =
                    if is_public { ReferenceKind::ReExportedGlob } else { ReferenceKind::Glob };
                let path = prefix.to_vec();
                self.module().globs.push(path.clone());
                self.refer(Mention { path, line: line(glob.star_token.spans[0]) }, kind);
            }
        }
    }

    fn import_as(&mut self, name: String, mention: Mention, is_public: bool) {
        self.bind(name, Binding::Import(mention.path.clone()));
        let kind = if is_public { ReferenceKind::ReExport } else { ReferenceKind::Import };
        self.refer(mention, kind);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name) = head(item);
        if is_test(attributes) {
            return;
        }
        if let Some(name) = name
            && self.blocks == 0
        {
            self.bind(name.to_string(), Binding::Item);
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let items = item.content.as_ref().map(|(_, items)| items.as_slice());
        if let Err(error) = self.read_part(&item.ident.to_string(), items) {
            self.error.get_or_insert(error);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_public = matches!(item.vis, Visibility::Public(_));
        self.import(&[], &item.tree, is_public);
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        let is_of_tests = matches!(item, syn::ImplItem::Fn(function) if is_test(&function.attrs));
        if !is_of_tests {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        self.blocks += 1;
        visit::visit_block(self, block);
        self.blocks -= 1;
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let Some(first) = path.segments.first() {
            let line = line(first.ident.span());
            let path = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.refer(Mention { path, line }, ReferenceKind::Inline);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        for mention in paths(call.tokens.clone()) {
            self.refer(mention, ReferenceKind::Inline);
        }
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            for mention in quoted_paths(list.tokens.clone()) {
                self.refer(mention, ReferenceKind::Inline);
            }
        }
    }

    /// Where a name may be seen is no use of that place.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}
}

/// Attributes of an item, and the name that it defines.
fn head(item: &Item) -> (&[Attribute], Option<&syn::Ident>) {
    match item {
        Item::Const(item) => (&item.attrs, Some(&item.ident)),
        Item::Enum(item) => (&item.attrs, Some(&item.ident)),
        Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
        Item::Impl(item) => (&item.attrs, None),
        Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
        Item::Mod(item) => (&item.attrs, None),
        Item::Static(item) => (&item.attrs, Some(&item.ident)),
        Item::Struct(item) => (&item.attrs, Some(&item.ident)),
        Item::Trait(item) => (&item.attrs, Some(&item.ident)),
        Item::Type(item) => (&item.attrs, Some(&item.ident)),
        Item::Union(item) => (&item.attrs, Some(&item.ident)),
        Item::Use(item) => (&item.attrs, None),
        _ => (&[], None),
    }
}

/// Whether something exists in tests only.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<Meta>().is_ok_and(|condition| needs_test(&condition))
    })
}

fn needs_test(condition: &Meta) -> bool {
    let Meta::List(list) = condition else { return condition.path().is_ident("test") };
    let parser = syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated;
    let Ok(parts) = list.parse_args_with(parser) else { return false };
    (list.path.is_ident("all") && parts.iter().any(needs_test))
        || (list.path.is_ident("any") && parts.iter().all(needs_test))
}

/// The file of a module in a folder.
fn module_file(folder: &Path, name: &str) -> Option<PathBuf> {
    let files = [folder.join(name).join("mod.rs"), folder.join(format!("{name}.rs"))];
    files.into_iter().find(|file| file.is_file())
}

fn line(span: Span) -> usize {
    span.start().line
}
