//! The sources, read: syntax trees, tokens in a row, and imports.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ItemMod, ItemUse, UseTree};

/// One file.
pub struct Source {
    /// Where it is, from the project's directory: `src/loyalty/ledger/account.rs`.
    pub path: String,
    /// Its lines.
    pub lines: usize,
    /// Its syntax tree.
    pub tree: syn::File,
    /// All its tokens but comments, with their lines.
    pub tokens: Vec<Token>,
    /// All its imports, tests included.
    pub imports: Vec<Import>,
    /// Whether it is compiled for tests alone.
    pub test: bool,
}

/// A word, a sign or a bracket.
#[derive(Clone, Debug)]
pub struct Token {
    /// As it is written.
    pub text: String,
    /// Its line.
    pub line: usize,
    /// Whether it is compiled for tests alone.
    pub test: bool,
}

/// One name of a `use` item.
#[derive(Clone, Debug)]
pub struct Import {
    /// `["crate", "kernel", "id", "MemberId"]`, relative paths made absolute.
    pub path: Vec<String>,
    /// What it is called here, when that is something else.
    pub renamed: bool,
    /// Its line.
    pub line: usize,
}

/// All Rust files below a directory of the project; none when there is no such directory.
pub fn read_tree(directory: &str) -> Vec<Source> {
    let mut sources: Vec<Source> = rust_files(directory).iter().map(|path| read(path)).collect();
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    let tests: Vec<Vec<String>> = sources.iter().flat_map(test_modules).collect();
    for source in &mut sources {
        source.test = tests.iter().any(|module| source.module().starts_with(module));
    }
    sources
}

/// The files that are declared with `#[cfg(test)] mod …;`.
fn test_modules(source: &Source) -> Vec<Vec<String>> {
    let declared = source.tree.items.iter().filter_map(|item| match item {
        syn::Item::Mod(item) if item.content.is_none() && is_test(&item.attrs) => Some(item.ident.to_string()),
        _ => None,
    });
    declared.map(|name| [source.module(), vec![name]].concat()).collect()
}

/// The directory of the project.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(directory: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root().join(directory)) else { return Vec::new() };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.unwrap();
        let path = format!("{directory}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            files.extend(rust_files(&path));
        } else if Path::new(&path).extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    files
}

fn read(path: &str) -> Source {
    parse(path, &fs::read_to_string(root().join(path)).unwrap())
}

/// A file with a text.
pub fn parse(path: &str, text: &str) -> Source {
    let tree = syn::parse_file(text).unwrap();
    let mut tokens = Vec::new();
    flatten(text.parse().unwrap(), &mut tokens);
    for tests in tree.items.iter().filter(|item| is_test(attributes(item))) {
        let (first, last) = (tests.span().start().line, tests.span().end().line);
        tokens.iter_mut().filter(|t| (first..=last).contains(&t.line)).for_each(|t| t.test = true);
    }
    let mut imports = Imports { at: module_of(path), found: Vec::new() };
    imports.visit_file(&tree);
    let (path, lines) = (path.to_owned(), text.lines().count());
    Source { path, lines, tokens, imports: imports.found, tree, test: false }
}

impl Source {
    /// `src/loyalty/ledger/account.rs:12`.
    pub fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }

    /// Its module: `["crate", "loyalty", "ledger", "account"]`.
    pub fn module(&self) -> Vec<String> {
        module_of(&self.path)
    }

    /// Its name without directories: `account.rs`.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap()
    }

    /// The text of a token; empty where there is none.
    pub fn word(&self, at: Option<usize>) -> &str {
        at.and_then(|at| self.tokens.get(at)).map_or("", |token| token.text.as_str())
    }

    /// Where these tokens, separated by blanks, stand in a row.
    pub fn rows_of(&self, row: &str) -> Vec<&Token> {
        let row: Vec<&str> = row.split(' ').collect();
        let here = |tokens: &&[Token]| tokens.iter().zip(&row).all(|(token, text)| token.text == *text);
        self.tokens.windows(row.len()).filter(here).filter_map(|tokens| tokens.first()).collect()
    }
}

fn module_of(path: &str) -> Vec<String> {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let mut module = vec!["crate".to_owned()];
    module.extend(inner.split('/').filter(|part| !matches!(*part, "mod" | "lib" | "main")).map(ToOwned::to_owned));
    module
}

fn attributes(item: &syn::Item) -> &[Attribute] {
    match item {
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        _ => &[],
    }
}

/// Whether something is compiled for tests alone.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|a| a.path().is_ident("cfg") && a.parse_args::<syn::Path>().is_ok_and(|p| p.is_ident("test")))
}

fn flatten(stream: TokenStream, into: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                into.push(token(open, line));
                flatten(group.stream(), into);
                into.push(token(close, group.span_close().start().line));
            }
            // So that no literal looks like a word.
            TokenTree::Literal(literal) => into.push(token(&format!("\"{literal}"), line)),
            other => into.push(token(&other.to_string(), line)),
        }
    }
}

fn token(text: &str, line: usize) -> Token {
    Token { text: text.to_owned(), line, test: false }
}

struct Imports {
    at: Vec<String>,
    found: Vec<Import>,
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.at.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.at.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.follow(&item.tree, &mut Punctuated::new(), item.span().start().line);
    }
}

impl Imports {
    fn follow(&mut self, tree: &UseTree, before: &mut Punctuated<syn::Ident, syn::Token![::]>, line: usize) {
        let mut found = |names: Vec<String>, renamed| {
            let path = absolute(&self.at, names);
            self.found.push(Import { path, renamed, line });
        };
        let names = |last: Option<&syn::Ident>| before.iter().chain(last).map(ToString::to_string).collect();
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
