//! What people read of a part, by language.

use indexmap::IndexMap;

use crate::loyalty::program::document::texts::Text;

/// What people read of a part, by language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts(pub IndexMap<String, Text>);

impl Texts {
    /// The text in a language, or in the closest that there is: of the same tongue, in the programme's own, or in the first.
    pub fn of(&self, tag: &str, own: &str) -> Option<&Text> {
        let first = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        let same = |wanted: &str| self.0.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(wanted));
        let tongue = |wanted: &str| self.0.iter().find(|(tag, _)| first(tag) == first(wanted));
        let found = same(tag).or_else(|| tongue(tag)).or_else(|| same(own)).or_else(|| tongue(own));
        found.or_else(|| self.0.first()).map(|(_, text)| text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_language_is_told() {
        let text = |title: &str| Text { title: Some(title.to_owned()), ..Text::default() };
        let texts = ["en", "nl", "pt-BR"].map(|tag| (tag.to_owned(), text(tag)));
        let texts = Texts(texts.into_iter().collect());
        let told = |tag: &str, own: &str| texts.of(tag, own).and_then(|text| text.title.clone()).unwrap_or_default();
        for (tag, own, want) in [
            ("nl", "en", "nl"),
            ("NL-be", "en", "nl"),
            ("pt-PT", "en", "pt-BR"),
            ("fr", "nl", "nl"),
            ("fr", "nl-NL", "nl"),
            ("fr", "de", "en"),
        ] {
            assert_eq!(told(tag, own), want, "{tag} of {own}");
        }
        assert_eq!(Texts::default().of("en", "en"), None);
    }
}
