//! How long files and functions are, and what things are called.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Block, Ident, ImplItemFn, ItemEnum, ItemFn, ItemMod, ItemStruct, ItemTrait, ItemType, Signature, TraitItemFn,
};

use crate::Violation;
use crate::source::Source;

/// The most lines of a file.
const FILE_LINES_MAX: usize = 400;

/// The most lines of a function, from its name to its last brace.
const FUNCTION_LINES_MAX: usize = 70;

/// Words that say nothing.
const EMPTY: [&str; 9] = ["common", "helper", "helpers", "manager", "managers", "service", "services", "util", "utils"];

/// Files and functions that are too long.
pub fn lengths(sources: &[Source]) -> Vec<Violation> {
    let mut broken = Vec::new();
    for source in sources.iter().filter(|source| source.path != "src/schema.rs") {
        if source.lines > FILE_LINES_MAX {
            let rule = format!("{} lines, of {FILE_LINES_MAX}", source.lines);
            broken.push(Violation {
                place: source.path.clone(),
                rule,
                cure: "give a noun of its own a file of its own",
            });
        }
        let mut functions = Functions::default();
        functions.visit_file(&source.tree);
        for (name, line, lines) in functions.0.into_iter().filter(|(_, _, lines)| *lines > FUNCTION_LINES_MAX) {
            let rule = format!("`{name}` has {lines} lines, of {FUNCTION_LINES_MAX}");
            broken.push(Violation { place: source.at(line), rule, cure: "leaves compute: move them into functions" });
        }
    }
    broken
}

#[derive(Default)]
struct Functions(Vec<(String, usize, usize)>);

impl Functions {
    fn note(&mut self, signature: &Signature, block: &Block) {
        let (first, last) = (signature.span().start().line, block.span().end().line);
        self.0.push((signature.ident.to_string(), first, last + 1 - first));
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.note(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.note(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(block) = &item.default {
            self.note(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

/// Files, directories and items whose names say nothing.
pub fn names(sources: &[Source]) -> Vec<Violation> {
    let mut broken = Vec::new();
    let cure = "name it by what it is or does";
    for source in sources {
        let parts = source.path.trim_end_matches(".rs").split('/');
        for part in parts.filter(|part| is_empty(part)) {
            broken.push(Violation { place: source.path.clone(), rule: format!("`{part}` says nothing"), cure });
        }
        let mut names = Names::default();
        names.visit_file(&source.tree);
        for (name, line) in names.0.into_iter().filter(|(name, _)| is_empty(name)) {
            broken.push(Violation { place: source.at(line), rule: format!("`{name}` says nothing"), cure });
        }
    }
    broken
}

/// Whether one of a name's words is an empty one: `KeyManager`, `text_utils`.
fn is_empty(name: &str) -> bool {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() {
            words.push('_');
        }
        words.extend(letter.to_lowercase());
    }
    words.split(['_', '-']).any(|word| EMPTY.contains(&word))
}

#[derive(Default)]
struct Names(Vec<(String, usize)>);

impl Names {
    fn note(&mut self, name: &Ident) {
        self.0.push((name.to_string(), name.span().start().line));
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.note(&item.ident);
        visit::visit_item_mod(self, item);
    }

    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.note(&item.ident);
    }

    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        self.note(&item.ident);
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        self.note(&item.ident);
        visit::visit_item_trait(self, item);
    }

    fn visit_item_type(&mut self, item: &'ast ItemType) {
        self.note(&item.ident);
    }

    fn visit_signature(&mut self, item: &'ast Signature) {
        self.note(&item.ident);
    }
}
