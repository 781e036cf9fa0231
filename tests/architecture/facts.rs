//! What a syntax tree tells, gathered in one walk.

use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Block, Ident, ImplItemFn, Item, ItemEnum, ItemFn, ItemImpl, ItemMacro, ItemMod, ItemStruct, ItemTrait,
    ItemType, ItemUse, Signature, Token, TraitItemFn, UseTree,
};

use crate::source::{Function, Import};

/// What is found in a file.
#[derive(Default)]
pub struct Facts {
    /// Its imports.
    pub imports: Vec<Import>,
    /// Its functions.
    pub functions: Vec<Function>,
    /// What it gives names to, with the line.
    pub names: Vec<(String, usize)>,
    /// How many postings it has.
    pub postings: usize,
    /// The macros that it exports.
    pub macros: Vec<String>,
    /// The modules in files of their own that it declares for tests.
    pub test_files: Vec<String>,
    /// The first and last lines of what is compiled for tests alone.
    pub test_lines: Vec<(usize, usize)>,
    at: Vec<String>,
}

/// Walks a file of a module.
pub fn facts(tree: &syn::File, module: Vec<String>) -> Facts {
    let mut facts = Facts { at: module, ..Facts::default() };
    facts.visit_file(tree);
    facts
}

/// Whether something is compiled for tests alone.
fn is_test(attributes: &[Attribute]) -> bool {
    let test = |a: &Attribute| a.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"));
    attributes.iter().any(|a| a.path().is_ident("cfg") && test(a))
}

impl Facts {
    fn name(&mut self, name: &Ident) {
        self.names.push((name.to_string(), name.span().start().line));
    }

    fn function(&mut self, signature: &Signature, block: &Block) {
        let (line, last) = (signature.span().start().line, block.span().end().line);
        self.functions.push(Function { name: signature.ident.to_string(), line, lines: last + 1 - line });
    }

    fn follow(&mut self, tree: &UseTree, before: &mut Punctuated<Ident, Token![::]>, line: usize) {
        let mut found = |names: Vec<String>, renamed| {
            let path = absolute(&self.at, names);
            self.imports.push(Import { path, renamed, line });
        };
        let names = |last: Option<&Ident>| before.iter().chain(last).map(ToString::to_string).collect();
        match tree {
            UseTree::Name(name) => found(names(Some(&name.ident)), false),
            UseTree::Rename(name) => found(names(Some(&name.ident)), true),
            UseTree::Glob(_) => found(names(None), false),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.follow(tree, before, line)),
            UseTree::Path(path) => {
                before.push(path.ident.clone());
                self.follow(&path.tree, before, line);
                before.pop();
            }
        }
    }
}

impl<'ast> Visit<'ast> for Facts {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if is_test(attributes) {
            self.test_lines.push((item.span().start().line, item.span().end().line));
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.name(&item.ident);
        if item.content.is_none() && is_test(&item.attrs) {
            self.test_files.push(item.ident.to_string());
        }
        self.at.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.at.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.follow(&item.tree, &mut Punctuated::new(), item.span().start().line);
    }

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        let exported = item.attrs.iter().any(|a| a.path().is_ident("macro_export"));
        self.macros.extend(item.ident.iter().filter(|_| exported).map(ToString::to_string));
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let of = item.trait_.as_ref().and_then(|(_, path, _)| path.segments.last());
        self.postings += usize::from(of.is_some_and(|last| last.ident == "Posting"));
        visit::visit_item_impl(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.name(&item.ident);
    }

    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        self.name(&item.ident);
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        self.name(&item.ident);
        visit::visit_item_trait(self, item);
    }

    fn visit_item_type(&mut self, item: &'ast ItemType) {
        self.name(&item.ident);
    }

    fn visit_signature(&mut self, item: &'ast Signature) {
        self.name(&item.ident);
    }
}

/// `super` and `self` in words.
fn absolute(at: &[String], names: Vec<String>) -> Vec<String> {
    let mut path = match names.first().map(String::as_str) {
        Some("super" | "self") => at.to_vec(),
        _ => Vec::new(),
    };
    for name in names {
        match name.as_str() {
            "super" => drop(path.pop()),
            "self" => {}
            _ => path.push(name),
        }
    }
    path
}
