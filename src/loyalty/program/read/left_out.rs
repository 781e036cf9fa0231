//! Items of lists that were not understood and are left out: those behind them move up, and stand elsewhere in the text.

use std::collections::{BTreeMap, BTreeSet};

/// What was left out, in places of the text.
#[derive(Debug, Default)]
pub(super) struct LeftOut(BTreeMap<String, BTreeSet<usize>>);

impl LeftOut {
    /// Notes an item of a list, by its pointer in the text.
    pub(super) fn note(&mut self, pointer: &str) {
        if let Some((list, Ok(item))) = pointer.rsplit_once('/').map(|(list, item)| (list, item.parse())) {
            self.0.entry(list.to_owned()).or_default().insert(item);
        }
    }

    /// Where in the text stands what a pointer into the rest leads to.
    pub(super) fn in_the_text(&self, pointer: &str) -> String {
        let mut found = String::new();
        for step in pointer.split('/').skip(1) {
            let gone = self.0.get(&found).zip(step.parse().ok());
            let item = gone.map(|(gone, item): (_, usize)| gone.iter().fold(item, behind).to_string());
            found.push('/');
            found.push_str(item.as_deref().unwrap_or(step));
        }
        found
    }
}

/// The place of an item when another one is put back.
fn behind(item: usize, gone: &usize) -> usize {
    if *gone <= item { item.saturating_add(1) } else { item }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_behind_what_is_left_out_are_found_in_the_text() {
        let mut left_out = LeftOut::default();
        for gone in ["/a/1", "/a/4", "/a/2", "/a/3/b/0", "/not/a list"] {
            left_out.note(gone);
        }
        let cases = [
            ("/a/0", "/a/0"),
            ("/a/1", "/a/3"),
            ("/a/1/b/0/c", "/a/3/b/1/c"),
            ("/a/2", "/a/5"),
            ("/a/0/b/0", "/a/0/b/0"),
            ("/b/1", "/b/1"),
            ("/a/b", "/a/b"),
            ("", ""),
        ];
        for (pointer, text) in cases {
            assert_eq!(left_out.in_the_text(pointer), text, "{pointer}");
        }
    }
}
