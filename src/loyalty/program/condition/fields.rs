//! What conditions may name: the fields of the variables, and the functions.

use crate::loyalty::program::condition::tree::Which;

/// What a variable stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// `order`
    Order,
    /// `line`, or the variable of a macro.
    Line(Which),
    /// `member`
    Member,
    /// `event`
    Event,
    /// `now`
    Now,
}

impl Object {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 5] = [Self::Order, Self::Line(Which::Asked), Self::Member, Self::Event, Self::Now];

    /// The variable.
    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Line(_) => "line",
            Self::Member => "member",
            Self::Event => "event",
            Self::Now => "now",
        }
    }

    /// Its fields.
    pub fn fields(self) -> &'static [Field] {
        match self {
            Self::Order => &ORDER,
            Self::Line(_) => &LINE,
            Self::Member => &MEMBER,
            Self::Event => &EVENT,
            Self::Now => &NOW,
        }
    }
}

/// A field of a variable.
#[derive(Debug)]
pub struct Field {
    /// `total`
    pub name: &'static str,
    /// What it is.
    pub is: Is,
    /// The documentation's words.
    pub says: &'static str,
}

/// What a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Is {
    /// A number.
    Number(NumberField),
    /// A number of a line.
    LineNumber(LineNumber),
    /// A text.
    Text(TextField),
    /// A text of a line.
    LineText(LineText),
    /// A day.
    Today,
    /// The lines of the order.
    Lines,
    /// The lists that the member is in.
    Segments,
    /// The arms of experiments, by their codes.
    Arms,
    /// Attributes, by their names.
    Attributes,
}

impl Is {
    /// The documentation's word for the type.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Number(_) | Self::LineNumber(_) => "number",
            Self::Text(_) | Self::LineText(_) | Self::Arms => "text",
            Self::Today => "date",
            Self::Lines => "lines",
            Self::Segments => "texts",
            Self::Attributes => "as declared",
        }
    }
}

/// A number that is asked for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberField {
    /// `order.total`
    OrderTotal,
    /// `order.products`
    OrderProducts,
    /// `order.shipping`
    OrderShipping,
    /// `order.quantity`
    OrderQuantity,
    /// `member.order_count`
    OrderCount,
    /// `member.days_since_last_order`
    DaysSinceLastOrder,
    /// `member.days_enrolled`
    DaysEnrolled,
    /// `now.year`
    Year,
    /// `now.month`
    Month,
    /// `now.day`
    Day,
    /// `now.weekday`
    Weekday,
    /// `now.hour`
    Hour,
    /// `now.minute`
    Minute,
}

/// A number of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineNumber {
    /// `line.quantity`
    Quantity,
    /// `line.amount`
    Amount,
}

/// A text that is asked for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextField {
    /// `order.channel`
    Channel,
    /// `order.store`
    Store,
    /// `member.tier`
    Tier,
    /// `member.segment`
    Segment,
    /// `event.name`
    Event,
}

/// A text of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineText {
    /// `line.sku`
    Sku,
    /// `line.category`
    Category,
    /// `line.brand`
    Brand,
    /// `line.kind`
    Kind,
}

/// The kinds of lines as conditions write them, products first.
pub const KINDS: [&str; 2] = ["product", "shipping"];

const fn field(name: &'static str, is: Is, says: &'static str) -> Field {
    Field { name, is, says }
}

const ORDER: [Field; 8] = [
    field("total", Is::Number(NumberField::OrderTotal), "products and shipping, with tax, before points and gift card"),
    field("products", Is::Number(NumberField::OrderProducts), "the products' part of it"),
    field("shipping", Is::Number(NumberField::OrderShipping), "the shipping's part of it"),
    field("quantity", Is::Number(NumberField::OrderQuantity), "pieces of its products"),
    field("channel", Is::Text(TextField::Channel), "where it was placed; empty where nobody said"),
    field("store", Is::Text(TextField::Store), "in which shop; empty where nobody said"),
    field("lines", Is::Lines, "its lines, for `exists` and `all`"),
    field("attributes", Is::Attributes, "declared in `[attributes.order]`"),
];

const LINE: [Field; 7] = [
    field("sku", Is::LineText(LineText::Sku), "article number; empty where nobody said"),
    field("category", Is::LineText(LineText::Category), "category; empty where nobody said"),
    field("brand", Is::LineText(LineText::Brand), "brand; empty where nobody said"),
    field("kind", Is::LineText(LineText::Kind), "`\"product\"` or `\"shipping\"`"),
    field("quantity", Is::LineNumber(LineNumber::Quantity), "pieces"),
    field("amount", Is::LineNumber(LineNumber::Amount), "its money as stated, before discounts"),
    field("attributes", Is::Attributes, "declared in `[attributes.line]`"),
];

const MEMBER: [Field; 8] = [
    field("tier", Is::Text(TextField::Tier), "code of the tier held before this order or event; empty without one"),
    field("segment", Is::Text(TextField::Segment), "code of the first list, in document order; empty without one"),
    field("segments", Is::Segments, "codes of all lists, for `in`"),
    field("order_count", Is::Number(NumberField::OrderCount), "orders that were not returned in full, before this one"),
    field(
        "days_since_last_order",
        Is::Number(NumberField::DaysSinceLastOrder),
        "local days since the last order, also where that came back; not known while `member.order_count` is 0",
    ),
    field("days_enrolled", Is::Number(NumberField::DaysEnrolled), "local days since the enrolment"),
    field("arms", Is::Arms, "the arm of each experiment, by its code; empty when the member is in none"),
    field("attributes", Is::Attributes, "declared in `[attributes.member]`"),
];

const EVENT: [Field; 2] = [
    field("name", Is::Text(TextField::Event), "what happened"),
    field("attributes", Is::Attributes, "declared for the event in `[attributes.event]`"),
];

const NOW: [Field; 7] = [
    field("date", Is::Today, "the day"),
    field("year", Is::Number(NumberField::Year), "its year"),
    field("month", Is::Number(NumberField::Month), "its month, 1 to 12"),
    field("day", Is::Number(NumberField::Day), "its day of the month, 1 to 31"),
    field("weekday", Is::Number(NumberField::Weekday), "1 for Monday to 7 for Sunday"),
    field("hour", Is::Number(NumberField::Hour), "0 to 23"),
    field("minute", Is::Number(NumberField::Minute), "0 to 59"),
];
