//! Where settings come from, and what is wrong with them.

use std::collections::BTreeMap;
use std::env;
use std::fs;

use rustix::process::geteuid;

use super::Mistake;
use super::table::{CONFIG, SETTINGS, Setting};

/// The environment and the file, as they were found.
#[derive(Clone, Debug, Default)]
pub struct Source {
    variables: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
    mistakes: Vec<Mistake>,
    /// Whether the process is root, whose data lies elsewhere.
    pub root: bool,
}

impl Source {
    /// Those of this process.
    pub fn of_process() -> Self {
        let read = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        };
        let mut source = Self::of_variables(env::vars_os().filter_map(read));
        source.root = geteuid().is_root();
        source
    }

    /// Those variables, and the file that they name; an empty variable counts as none.
    pub fn of_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let variables = variables.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let mut source = Self { variables, ..Self::default() };
        for name in source.variables.keys() {
            if name.starts_with("PERENNIAL_") && !SETTINGS.iter().any(|setting| setting.name == name) {
                let problem = String::from("there is no such setting");
                source.mistakes.push(Mistake { name: name.clone(), value: None, problem });
            }
        }
        if let Some(path) = source.variable(CONFIG.name).map(str::to_owned) {
            match fs::read_to_string(&path) {
                Ok(text) => source.read_file(&path, &text),
                Err(error) => source.wrong_file(&path, &format!("{} ({error})", CONFIG.expected)),
            }
        }
        source
    }

    /// A variable of the environment.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    fn read_file(&mut self, path: &str, text: &str) {
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                // Only where: the message quotes the line, which may hold the URL.
                let line = error.span().map_or(0, |span| text.get(..span.start).unwrap_or_default().lines().count());
                return self.wrong_file(path, &format!("{} (line {line} is not TOML)", CONFIG.expected));
            }
        };
        for (key, value) in table {
            let setting = SETTINGS.iter().find(|setting| setting.key() == key && setting.name != CONFIG.name);
            let Some(setting) = setting else {
                let keys: Vec<String> = SETTINGS.iter().filter(|s| s.name != CONFIG.name).map(Setting::key).collect();
                let problem = format!("there is no such setting, only {}", keys.join(", "));
                self.mistakes.push(Mistake { name: format!("{key} in {path}"), value: None, problem });
                continue;
            };
            match value {
                toml::Value::String(text) => _ = self.file.insert(key, text),
                toml::Value::Integer(number) => _ = self.file.insert(key, number.to_string()),
                _ => {
                    let problem = format!("expected {}", setting.expected);
                    self.mistakes.push(Mistake { name: format!("{key} in {path}"), value: None, problem });
                }
            }
        }
    }

    fn wrong_file(&mut self, path: &str, expected: &str) {
        let mistake = Mistake {
            name: CONFIG.name.to_owned(),
            value: Some(path.to_owned()),
            problem: format!("expected {expected}"),
        };
        self.mistakes.push(mistake);
    }
}

/// Reads settings one by one, and collects what is wrong.
pub(super) struct Reader<'a> {
    source: &'a Source,
    mistakes: Vec<Mistake>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        Self { source, mistakes: source.mistakes.clone() }
    }

    /// A setting that may be absent; `None` also when it is wrong.
    pub(super) fn optional<T>(&mut self, setting: &Setting, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let (name, text) = self.find(setting)?;
        let parsed = parse(text.trim());
        if parsed.is_none() {
            let value = (!setting.secret).then(|| text.to_owned());
            self.mistakes.push(Mistake { name, value, problem: format!("expected {}", setting.expected) });
        }
        parsed
    }

    /// A setting whose default stands in the table.
    pub(super) fn fixed<T>(&mut self, setting: &Setting, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        match self.find(setting) {
            Some(_) => self.optional(setting, parse),
            None => parse(setting.default),
        }
    }

    /// Says that a setting without a default here has to be set.
    pub(super) fn missing(&mut self, setting: &Setting) {
        if self.find(setting).is_none() {
            let problem = format!("has to be set: {}", setting.expected);
            self.mistakes.push(Mistake { name: setting.name.to_owned(), value: None, problem });
        }
    }

    pub(super) fn finish(self) -> Vec<Mistake> {
        self.mistakes
    }

    fn find(&self, setting: &Setting) -> Option<(String, &'a str)> {
        if let Some(text) = self.source.variable(setting.name) {
            return Some((setting.name.to_owned(), text));
        }
        let key = setting.key();
        let text = self.source.file.get(&key)?;
        let path = self.source.variable(CONFIG.name).unwrap_or_default();
        Some((format!("{key} in {path}"), text))
    }
}
