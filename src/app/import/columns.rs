//! The columns of each kind of file: which there are, and where they stand in this one.

use csv::StringRecord;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// One member a row.
    Members,
    /// One order a row.
    Orders,
    /// One opening lot a row.
    Balances,
    /// One given tier a row.
    Tiers,
}

/// What a rejects file puts before a row's own columns; a file may begin with them, so that it is imported again once it
/// is mended.
pub const REJECT_COLUMNS: [&str; 3] = ["line", "reason", "detail"];

/// The prefix of a column that holds one attribute of a member.
const ATTRIBUTE: &str = "attributes.";

const MEMBERS: &[&str] =
    &["member", "email", "phone", "card", "name", "birthday", "locale", "enrolled_on", "attributes"];
const ORDERS: &[&str] = &[
    "order_ref",
    "member",
    "member_by",
    "ordered_on",
    "ordered_at",
    "total",
    "quantity",
    "currency",
    "channel",
    "store",
    "sku",
    "category",
    "brand",
    "tax",
    "shipping",
    "shipping_tax",
    "discount",
    "gift_card",
    "points_spent",
    "uncovered",
];
const TIERS: &[&str] = &["ref", "member", "member_by", "tier", "until", "reason"];
const BALANCES: &[&str] =
    &["ref", "member", "member_by", "wallet", "points", "opened_on", "available_on", "expires_on"];

impl FileKind {
    /// All columns that a file of the kind may have.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Members => MEMBERS,
            Self::Orders => ORDERS,
            Self::Balances => BALANCES,
            Self::Tiers => TIERS,
        }
    }

    /// Those that it has to have; of several in one list, one.
    fn required(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Members => &[&["member"]],
            Self::Orders => &[&["order_ref"], &["member"], &["ordered_on", "ordered_at"], &["total"]],
            Self::Balances => &[&["ref"], &["member"], &["wallet"], &["points"]],
            Self::Tiers => &[&["ref"], &["member"], &["tier"]],
        }
    }
}

/// Where the columns stand in a file.
#[derive(Clone, Debug)]
pub struct Columns {
    /// What the file holds.
    pub kind: FileKind,
    /// The header, without the columns of a rejects file.
    pub header: StringRecord,
    places: Vec<(&'static str, usize)>,
    attributes: Vec<(String, usize)>,
    skipped: usize,
}

impl Columns {
    /// Reads a header.
    ///
    /// # Errors
    /// Every unknown, repeated and missing column, by name.
    pub fn read(kind: FileKind, header: &StringRecord) -> Result<Self, String> {
        let names: Vec<&str> = header.iter().map(|name| name.trim_start_matches('\u{feff}').trim()).collect();
        let skipped = if names.starts_with(&REJECT_COLUMNS) { REJECT_COLUMNS.len() } else { 0 };
        let mut columns =
            Self { kind, header: StringRecord::new(), places: Vec::new(), attributes: Vec::new(), skipped };
        let mut wrong = Vec::new();
        for (place, name) in names.iter().copied().enumerate().skip(skipped) {
            let place = place - skipped;
            columns.header.push_field(name);
            let attribute = name.strip_prefix(ATTRIBUTE).filter(|a| kind == FileKind::Members && !a.is_empty());
            let known = kind.columns().iter().find(|column| **column == name);
            let seen = columns.places.iter().any(|(seen, _)| *seen == name)
                || columns.attributes.iter().any(|(seen, _)| Some(seen.as_str()) == attribute);
            match (known, attribute) {
                _ if seen => wrong.push(format!("{name:?} stands there twice")),
                (Some(column), _) => columns.places.push((column, place)),
                (None, Some(attribute)) => columns.attributes.push((attribute.to_owned(), place)),
                (None, None) => wrong.push(format!("{name:?} is unknown")),
            }
        }
        let missing = kind.required().iter().filter(|any| !any.iter().any(|name| columns.has(name)));
        wrong.extend(missing.map(|any| format!("{} is missing", any.join(" or "))));
        if wrong.is_empty() {
            return Ok(columns);
        }
        Err(format!("{}; the columns are {}", wrong.join(", "), kind.columns().join(", ")))
    }

    /// The row without the columns of a rejects file.
    pub fn own(&self, row: StringRecord) -> StringRecord {
        if self.skipped == 0 { row } else { row.iter().skip(self.skipped).collect() }
    }

    /// What stands in a column of a row; `None` when it is empty, or the file has no such column.
    pub fn text<'r>(&self, row: &'r StringRecord, name: &str) -> Option<&'r str> {
        let (_, place) = self.places.iter().find(|(known, _)| *known == name)?;
        row.get(*place).map(str::trim).filter(|text| !text.is_empty())
    }

    /// The attributes of a row that are not empty.
    pub fn attributes<'a>(&'a self, row: &'a StringRecord) -> impl Iterator<Item = (&'a str, &'a str)> {
        let stated = self.attributes.iter().filter_map(|(name, place)| Some((name.as_str(), row.get(*place)?.trim())));
        stated.filter(|(_, text)| !text.is_empty())
    }

    fn has(&self, name: &str) -> bool {
        self.places.iter().any(|(known, _)| *known == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: FileKind, header: &[&str]) -> Result<Columns, String> {
        Columns::read(kind, &header.iter().collect())
    }

    #[test]
    fn every_wrong_column_is_named() {
        let wrong = read(FileKind::Orders, &["order_ref", "membr", "total", "total"]).unwrap_err();
        for text in
            ["\"membr\" is unknown", "\"total\" stands there twice", "member is missing", "ordered_on or ordered_at"]
        {
            assert!(wrong.contains(text), "{text} in {wrong}");
        }
        assert!(read(FileKind::Orders, &["attributes.size", "order_ref", "member", "total", "ordered_on"]).is_err());
    }

    #[test]
    fn a_rejects_file_is_read_without_what_was_said_of_its_rows() {
        let columns =
            read(FileKind::Members, &["line", "reason", "detail", "\u{feff}member", "attributes.size"]).unwrap();
        let row: StringRecord = ["7", "bad_date", "no date", " c-1 ", "XL"].iter().collect();
        let row = columns.own(row);
        assert_eq!(columns.text(&row, "member"), Some("c-1"));
        assert_eq!(columns.attributes(&row).collect::<Vec<_>>(), [("size", "XL")]);
        assert_eq!(columns.text(&row, "email"), None);
    }
}
