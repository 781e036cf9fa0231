//! Gives each part of a condition its type, and names every part that has none.

use std::fmt;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::loyalty::program::condition::expr::{Expr, ExprKind};
use crate::loyalty::program::condition::fields::{KINDS, LineText, Object, TextField};
use crate::loyalty::program::condition::tree::{Arithmetic, Choice, Comparison, Date, Flag, Number, Owner, Text};
use crate::loyalty::program::condition::{ConditionMistake, Reads, Scope};

/// A part with its type.
#[derive(Debug)]
pub enum Typed {
    /// True or false.
    Flag(Flag),
    /// A number.
    Number(Number),
    /// A text.
    Text(Text),
    /// A day.
    Date(Date),
    /// The lists that the member is in.
    Segments,
    /// The lines of the order.
    Lines,
    /// The arms of the member.
    Arms,
    /// Somebody's attributes.
    Attributes(Owner),
    /// A variable.
    Object(Object),
}

impl Typed {
    /// What it is, for whoever wrote something else.
    pub fn says(&self) -> &'static str {
        match self {
            Self::Flag(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::Date(_) => "a date",
            Self::Segments => "a list of texts",
            Self::Lines => "the lines of the order",
            Self::Arms => "the arms of all experiments",
            Self::Attributes(_) => "all attributes",
            Self::Object(_) => "a variable with fields",
        }
    }
}

/// Texts that are codes of something: only those that exist are worth comparing with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Codes {
    Tiers,
    Segments,
    Kinds,
}

impl Codes {
    fn of(text: &Text) -> Option<Self> {
        match text {
            Text::Field(TextField::Tier) => Some(Self::Tiers),
            Text::Field(TextField::Segment) => Some(Self::Segments),
            Text::Line(_, LineText::Kind) => Some(Self::Kinds),
            Text::Is(_)
            | Text::Field(TextField::Channel | TextField::Store | TextField::Event)
            | Text::Line(_, LineText::Sku | LineText::Category | LineText::Brand)
            | Text::Arm(_)
            | Text::Attribute(_)
            | Text::Joined(_)
            | Text::Choice(_) => None,
        }
    }
}

/// A condition that is being checked.
pub struct Check<'e> {
    /// What it may name.
    pub scope: &'e Scope<'e>,
    /// The variable of the macro around.
    pub each: Option<&'e str>,
    /// What it needs.
    pub reads: Reads,
    mistakes: Vec<ConditionMistake>,
}

impl<'e> Check<'e> {
    /// The checked tree of what was written, and what it needs.
    ///
    /// # Errors
    /// Every mistake that does not follow from another one.
    pub fn of(written: &'e Expr, scope: &'e Scope<'e>) -> Result<(Flag, Reads), Vec<ConditionMistake>> {
        let mut check = Self { scope, each: None, reads: Reads::default(), mistakes: Vec::new() };
        match check.flag(written) {
            Some(flag) if check.mistakes.is_empty() => Ok((flag, check.reads)),
            _ => Err(check.mistakes),
        }
    }

    /// Notes a mistake.
    pub fn wrong<T>(&mut self, part: &Expr, message: impl fmt::Display) -> Option<T> {
        self.mistakes.push(ConditionMistake::at(part.at, part.len, message));
        None
    }

    /// A part of any type; `None` when a mistake in it was noted.
    pub fn typed(&mut self, part: &'e Expr) -> Option<Typed> {
        Some(match &part.kind {
            ExprKind::Number(number) => Typed::Number(Number::Is(*number)),
            ExprKind::Text(text) => Typed::Text(Text::Is(text.as_str().into())),
            ExprKind::Flag(flag) => Typed::Flag(Flag::Is(*flag)),
            ExprKind::List(_) => return self.wrong(part, "a list stands on the right of `in`, and nowhere else"),
            ExprKind::Name(name) => return self.variable(part, name),
            ExprKind::Field(of, name) => return self.field(part, of, name),
            ExprKind::Call(name, arguments) => return self.call(part, name, arguments),
            ExprKind::Method(of, name, arguments) => return self.method(part, of, name, arguments),
            ExprKind::Not(inner) => Typed::Flag(Flag::Not(Box::new(self.flag(inner)?))),
            ExprKind::Minus(inner) => {
                let inner = self.number(inner)?;
                let literal = if let Number::Is(number) = &inner { Decimal::ZERO.checked_sub(*number) } else { None };
                Typed::Number(literal.map_or_else(|| Number::Minus(Box::new(inner)), Number::Is))
            }
            ExprKind::All(parts) => Typed::Flag(Flag::All(self.flags(parts)?)),
            ExprKind::Any(parts) => Typed::Flag(Flag::Any(self.flags(parts)?)),
            ExprKind::Compare(how, pair) => Typed::Flag(self.compare(part, *how, pair)?),
            ExprKind::In(pair) => Typed::Flag(self.membership(pair)?),
            ExprKind::Arithmetic(how, pair) => return self.arithmetic(part, *how, pair),
            ExprKind::Choice(parts) => return self.choice(part, parts),
        })
    }

    /// A part that is true or false.
    pub fn flag(&mut self, part: &'e Expr) -> Option<Flag> {
        match self.typed(part)? {
            Typed::Flag(flag) => Some(flag),
            other => self.wrong(part, format_args!("is {}, where true or false is wanted", other.says())),
        }
    }

    fn number(&mut self, part: &'e Expr) -> Option<Number> {
        match self.typed(part)? {
            Typed::Number(number) => Some(number),
            other => self.wrong(part, format_args!("is {}, where a number is wanted", other.says())),
        }
    }

    /// A part that is a text.
    pub fn text(&mut self, part: &'e Expr) -> Option<Text> {
        match self.typed(part)? {
            Typed::Text(text) => Some(text),
            other => self.wrong(part, format_args!("is {}, where a text is wanted", other.says())),
        }
    }

    fn flags(&mut self, parts: &'e [Expr]) -> Option<Box<[Flag]>> {
        // All of them first: each has mistakes of its own.
        let flags: Vec<Option<Flag>> = parts.iter().map(|part| self.flag(part)).collect();
        flags.into_iter().collect()
    }

    fn compare(&mut self, part: &Expr, how: Comparison, pair: &'e [Expr; 2]) -> Option<Flag> {
        let [left, right] = pair;
        let (a, b) = (self.typed(left), self.typed(right));
        match (a?, b?) {
            (Typed::Flag(a), Typed::Flag(b)) => Some(Flag::Flags(how, Box::new([a, b]))),
            (Typed::Number(a), Typed::Number(b)) => Some(Flag::Numbers(how, Box::new([a, b]))),
            (Typed::Date(a), Typed::Date(b)) => Some(Flag::Dates(how, Box::new([a, b]))),
            (Typed::Text(a), Typed::Text(b)) => {
                let ordered = !matches!(how, Comparison::Equal | Comparison::Unequal);
                if ordered && (Codes::of(&a).is_some() || Codes::of(&b).is_some()) {
                    return self.wrong(part, "codes have no order: compare them with `==`, `!=` or `in`");
                }
                self.exists(right, &a, &b);
                self.exists(left, &b, &a);
                Some(Flag::Texts(how, Box::new([a, b])))
            }
            (Typed::Date(_), Typed::Text(_)) | (Typed::Text(_), Typed::Date(_)) => {
                self.wrong(part, "a date and a text do not compare: a date is written as date(\"2026-12-01\")")
            }
            (a, b) => self.wrong(part, format_args!("{} and {} do not compare", a.says(), b.says())),
        }
    }

    /// Notes a code that does not exist where one is compared with.
    fn exists(&mut self, part: &Expr, text: &Text, code: &Text) {
        if let (Some(codes), Text::Is(code)) = (Codes::of(text), code)
            // Without a tier the text is empty.
            && !(code.is_empty() && codes != Codes::Kinds)
        {
            self.known(part, codes, code);
        }
    }

    fn known(&mut self, part: &Expr, codes: Codes, code: &str) {
        let kinds = KINDS.map(str::to_owned);
        let (what, there) = match codes {
            Codes::Tiers => ("tier", self.scope.tiers),
            Codes::Segments => ("list of members", self.scope.segments),
            Codes::Kinds => ("kind of line", kinds.as_slice()),
        };
        if !there.iter().any(|known| known == code) {
            let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
            self.wrong::<()>(part, format_args!("there is no {what} `{code}`; there is {there}"));
        }
    }

    fn membership(&mut self, pair: &'e [Expr; 2]) -> Option<Flag> {
        let [left, right] = pair;
        let ExprKind::List(items) = &right.kind else {
            let list = self.typed(right);
            if let Some(other) = list.as_ref().filter(|list| !matches!(list, Typed::Segments)) {
                return self.wrong(right, format_args!("is {}, where a list is wanted", other.says()));
            }
            let code = self.text(left)?;
            list?;
            if let Text::Is(code) = &code {
                self.known(left, Codes::Segments, code);
            }
            return Some(Flag::Segment(code));
        };
        match self.typed(left)? {
            Typed::Number(number) => {
                let items = self.items(items, "a number", |item| match item {
                    Typed::Number(Number::Is(number)) => Some(number),
                    _ => None,
                });
                Some(Flag::NumberIn(number, items?))
            }
            Typed::Date(date) => {
                let items: Option<Box<[NaiveDate]>> = self.items(items, "a date", |item| match item {
                    Typed::Date(Date::Is(day)) => Some(day),
                    _ => None,
                });
                Some(Flag::DateIn(date, items?))
            }
            Typed::Text(text) => {
                for item in items {
                    if let ExprKind::Text(code) = &item.kind {
                        self.exists(item, &text, &Text::Is(code.as_str().into()));
                    }
                }
                let items = self.items(items, "a text", |item| match item {
                    Typed::Text(Text::Is(text)) => Some(text),
                    _ => None,
                });
                Some(Flag::TextIn(text, items?))
            }
            other => self.wrong(left, format_args!("is {}: a list has numbers, texts or dates", other.says())),
        }
    }

    /// The items of a list, each once and sorted.
    fn items<T: Ord>(&mut self, items: &'e [Expr], wanted: &str, constant: fn(Typed) -> Option<T>) -> Option<Box<[T]>> {
        let mut item = |part: &'e Expr| {
            let read = constant(self.typed(part)?);
            read.or_else(|| self.wrong(part, format_args!("an item is {wanted} here, written out")))
        };
        let all: Vec<Option<T>> = items.iter().map(&mut item).collect();
        let mut all: Vec<T> = all.into_iter().collect::<Option<_>>()?;
        all.sort_unstable();
        all.dedup();
        Some(all.into())
    }

    fn arithmetic(&mut self, part: &Expr, how: Arithmetic, pair: &'e [Expr; 2]) -> Option<Typed> {
        let [left, right] = pair;
        let (a, b) = (self.typed(left), self.typed(right));
        match (a?, b?) {
            (Typed::Number(a), Typed::Number(b)) => Some(Typed::Number(Number::Arithmetic(how, Box::new([a, b])))),
            (Typed::Text(a), Typed::Text(b)) if how == Arithmetic::Plus => {
                Some(Typed::Text(Text::Joined(Box::new([a, b]))))
            }
            (a, b) => {
                let message = format_args!("works on numbers, and + on texts; not on {} and {}", a.says(), b.says());
                self.wrong(part, message)
            }
        }
    }

    fn choice(&mut self, part: &Expr, parts: &'e [Expr; 3]) -> Option<Typed> {
        let [when, then, otherwise] = parts;
        let (when, then, otherwise) = (self.flag(when), self.typed(then), self.typed(otherwise));
        let when = when?;
        Some(match (then?, otherwise?) {
            (Typed::Flag(then), Typed::Flag(otherwise)) => {
                Typed::Flag(Flag::Choice(Box::new(Choice { when, then, otherwise })))
            }
            (Typed::Number(then), Typed::Number(otherwise)) => {
                Typed::Number(Number::Choice(Box::new(Choice { when, then, otherwise })))
            }
            (Typed::Text(then), Typed::Text(otherwise)) => {
                Typed::Text(Text::Choice(Box::new(Choice { when, then, otherwise })))
            }
            (Typed::Date(then), Typed::Date(otherwise)) => {
                Typed::Date(Date::Choice(Box::new(Choice { when, then, otherwise })))
            }
            (then, otherwise) => {
                let message = format_args!("is either {} or {}: both are to be one", then.says(), otherwise.says());
                return self.wrong(part, message);
            }
        })
    }
}
