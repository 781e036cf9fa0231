//! What people read: checked, and left as it is.

use indexmap::IndexMap;

use crate::loyalty::program::compile::Reading;
use crate::loyalty::program::document::texts::Text;
use crate::loyalty::program::model::texts::Texts;

/// The most characters of a text.
pub const TEXT_CHARS_MAX: usize = 5_000;
/// The most characters of a title.
pub const TITLE_CHARS_MAX: usize = 200;

impl Reading {
    /// Checks the texts of a part.
    pub(super) fn texts(&mut self, part: &[&str], texts: &IndexMap<String, Text>) -> Texts {
        for (language, text) in texts {
            let place = [part, &["text", language]].concat();
            self.language(&place, language);
            let fields = [
                ("title", &text.title, TITLE_CHARS_MAX),
                ("terms", &text.terms, TEXT_CHARS_MAX),
                ("says", &text.says, TEXT_CHARS_MAX),
            ];
            if fields.iter().all(|(_, text, _)| text.is_none()) {
                self.wrong(&place, "has `title`, `terms` or `says`");
            }
            for (field, text, most) in fields {
                let Some(text) = text else { continue };
                let long = text.chars().count() > most;
                if text.trim().is_empty() || long || text.chars().any(|c| c.is_control() && c != '\n') {
                    let place = [place.as_slice(), &[field]].concat();
                    self.wrong(&place, format_args!("is 1 to {most} printable characters"));
                }
            }
        }
        Texts(texts.clone())
    }

    /// Checks the tag of a language: `en`, or with a region `pt-BR`.
    pub(super) fn language(&mut self, place: &[&str], tag: &str) {
        let (language, region) = tag.split_once('-').map_or((tag, None), |(language, region)| (language, Some(region)));
        let plain = (2..=3).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_lowercase());
        let there = region.is_none_or(|region| region.len() == 2 && region.bytes().all(|b| b.is_ascii_uppercase()));
        if !plain || !there {
            self.wrong(place, "is no language such as `en` or `pt-BR`");
        }
    }
}
