//! What a storefront says of an order besides its figures. It is stored with the posting, apart from the receipt: for
//! reports, for who asks why, and for previews, whose rules look at it again. It can be erased.

use serde::{Deserialize, Serialize};

use crate::loyalty::checkout::cart::{Cart, CartLine, Place};
use crate::loyalty::program::facts::Values;

/// What was said of an order. Fields are stored in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Through what it was placed, `web`.
    #[serde(default)]
    pub channel: Option<String>,
    /// In which store.
    #[serde(default)]
    pub store: Option<String>,
    /// The order's attributes.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub attributes: Values,
    /// The lines of which anything was said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<SaidLine>,
}

/// What was said of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaidLine {
    /// The line.
    pub id: String,
    /// The article.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// The article's category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The article's brand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// The line's attributes.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub attributes: Values,
}

impl Said {
    /// What was said of an order, if anything was.
    pub fn of(place: Option<&Place>, cart: &Cart) -> Option<Self> {
        let lines: Vec<SaidLine> = cart.lines.iter().filter_map(SaidLine::of).collect();
        let Place { channel, store } = place.cloned().unwrap_or_default();
        let anything = place.is_some() || !lines.is_empty() || !cart.attributes.is_empty();
        anything.then(|| Self { channel, store, attributes: cart.attributes.clone(), lines })
    }

    /// As it is stored.
    pub fn text(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// Reads what is stored; nothing where it was erased.
    pub fn read(stored: Option<&str>) -> Self {
        stored.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// Where the order was placed.
    pub fn place(&self) -> Option<Place> {
        Place::of(self.channel.clone(), self.store.clone())
    }

    /// What was said of a line.
    pub fn line(&self, id: &str) -> SaidLine {
        self.lines.iter().find(|line| line.id == id).cloned().unwrap_or_default()
    }
}

impl SaidLine {
    fn of(line: &CartLine) -> Option<Self> {
        let CartLine { id, sku, category, brand, attributes, .. } = line;
        let anything = sku.is_some() || category.is_some() || brand.is_some() || !attributes.is_empty();
        anything.then(|| Self {
            id: id.clone(),
            sku: sku.clone(),
            category: category.clone(),
            brand: brand.clone(),
            attributes: attributes.clone(),
        })
    }
}
