//! The sources, read: syntax trees, tokens in a row, and imports.

use std::path::{Path, PathBuf};
use std::{fs, slice};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::facts::{Facts, facts};

/// One file.
pub struct Source {
    /// Where it is, from the project's directory: `src/loyalty/ledger/account.rs`.
    pub path: String,
    /// Its lines.
    pub lines: usize,
    /// All its tokens but comments, with their lines.
    pub tokens: Vec<Token>,
    /// All its imports, tests included.
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

/// One function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of its name.
    pub line: usize,
    /// From there to its last brace.
    pub lines: usize,
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
    let in_module = |source: &Source| {
        let module = source.module();
        source.test_files.iter().map(|name| [module.as_slice(), slice::from_ref(name)].concat()).collect::<Vec<_>>()
    };
    let tests: Vec<Vec<String>> = sources.iter().flat_map(in_module).collect();
    for source in &mut sources {
        source.test = tests.iter().any(|module| source.module().starts_with(module));
    }
    sources
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
    let mut tokens = Vec::new();
    flatten(text.parse().unwrap(), &mut tokens);
    let Facts { imports, functions, names, postings, macros, test_files, test_lines, .. } =
        facts(&syn::parse_file(text).unwrap(), module_of(path));
    for (first, last) in test_lines {
        tokens.iter_mut().filter(|t| (first..=last).contains(&t.line)).for_each(|t| t.test = true);
    }
    let (path, lines, test) = (path.to_owned(), text.lines().count(), false);
    Source { path, lines, tokens, imports, functions, names, postings, macros, test_files, test }
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
