//! Cursor paging: never counted, never skipped through.

use serde::Serialize;

/// The most items a page has.
pub const PAGE_ITEMS_MAX: u16 = 200;
/// What a page has when nothing is said.
pub const PAGE_ITEMS_DEFAULT: u16 = 50;

/// One page of a list.
#[derive(Clone, Debug, Serialize)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// What to send as `cursor` for the next page; `null` on the last.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of rows of which one more than `limit` was asked for: that one only says that there is more.
    pub fn of(mut rows: Vec<T>, limit: u16, cursor: impl FnOnce(&T) -> String) -> Self {
        let more = rows.len() > usize::from(limit);
        rows.truncate(usize::from(limit));
        let next_cursor = if more { rows.last().map(cursor) } else { None };
        Self { items: rows, next_cursor }
    }

    /// The same page of other items.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next_cursor: self.next_cursor }
    }
}
