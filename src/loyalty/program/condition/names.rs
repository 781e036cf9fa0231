//! What the names in a condition stand for, where it stands.

use crate::loyalty::program::condition::check::{Check, Typed};
use crate::loyalty::program::condition::expr::{Expr, ExprKind};
use crate::loyalty::program::condition::fields::{Field, Is, LineText, Object};
use crate::loyalty::program::condition::tree::{Attribute, Date, Flag, Number, Owner, Quantifier, Search, Text, Which};
use crate::loyalty::program::model::attributes::{AttributeType, date};

impl<'e> Check<'e> {
    /// Whether a variable is there.
    fn has(&self, object: Object) -> bool {
        match object {
            Object::Order => self.scope.order,
            Object::Line(Which::Asked) => self.scope.line,
            Object::Line(Which::Each) => self.each.is_some(),
            Object::Event => self.scope.event.is_some(),
            Object::Member | Object::Now => true,
        }
    }

    /// A name that stands alone.
    pub fn variable(&mut self, part: &Expr, name: &str) -> Option<Typed> {
        if self.each == Some(name) {
            return Some(Typed::Object(Object::Line(Which::Each)));
        }
        let there = |check: &Self| {
            let names: Vec<&str> = Object::ALL.into_iter().filter(|o| check.has(*o)).map(Object::name).collect();
            names.join(", ")
        };
        match Object::ALL.into_iter().find(|object| object.name() == name) {
            Some(object) if self.has(object) => Some(Typed::Object(object)),
            Some(_) => {
                let message = format!("there is no `{name}` where this condition stands; there is {}", there(self));
                self.wrong(part, message)
            }
            None => {
                let message = format!("`{name}` is unknown; there is {}", there(self));
                self.wrong(part, message)
            }
        }
    }

    /// A field of something.
    pub fn field(&mut self, part: &Expr, of: &'e Expr, name: &str) -> Option<Typed> {
        match self.typed(of)? {
            Typed::Object(object) => {
                let fields = object.fields();
                let Some(field) = fields.iter().find(|field| field.name == name) else {
                    let there: Vec<&str> = fields.iter().map(|field| field.name).collect();
                    let (object, there) = (object.name(), there.join(", "));
                    return self.wrong(part, format_args!("`{object}` has no `{name}`; it has {there}"));
                };
                Some(self.field_of(object, field))
            }
            Typed::Attributes(owner) => self.attribute(part, owner, name),
            Typed::Arms => {
                if !self.scope.experiments.iter().any(|experiment| experiment == name) {
                    return self.wrong(part, format_args!("there is no experiment `{name}`"));
                }
                Some(Typed::Text(Text::Arm(name.into())))
            }
            other => self.wrong(part, format_args!("{} has no fields", other.says())),
        }
    }

    fn field_of(&mut self, object: Object, field: &Field) -> Typed {
        let (owner, which) = match object {
            Object::Order => (Owner::Order, Which::Asked),
            Object::Line(which) => (Owner::Line(which), which),
            Object::Event => (Owner::Event, Which::Asked),
            Object::Member | Object::Now => (Owner::Member, Which::Asked),
        };
        match field.is {
            Is::Number(number) => Typed::Number(Number::Field(number)),
            Is::LineNumber(number) => Typed::Number(Number::Line(which, number)),
            Is::Text(text) => Typed::Text(Text::Field(text)),
            Is::LineText(text) => {
                self.reads.kind |= text == LineText::Kind && which == Which::Asked;
                Typed::Text(Text::Line(which, text))
            }
            Is::Today => Typed::Date(Date::Today),
            Is::Lines => Typed::Lines,
            Is::Segments => Typed::Segments,
            Is::Arms => Typed::Arms,
            Is::Attributes => Typed::Attributes(owner),
        }
    }

    fn attribute(&mut self, part: &Expr, owner: Owner, name: &str) -> Option<Typed> {
        let declared = self.scope.declared;
        let (of, declared) = match owner {
            Owner::Member => ("member", Some(&declared.member)),
            Owner::Order => ("order", Some(&declared.order)),
            Owner::Line(_) => ("line", Some(&declared.line)),
            Owner::Event => ("event", self.scope.event.and_then(|event| declared.event.get(event))),
        };
        let Some(kind) = declared.and_then(|declared| declared.get(name)).map(|declared| declared.kind) else {
            let table = match self.scope.event.filter(|_| owner == Owner::Event) {
                Some(event) => format!("attributes.event.{event}"),
                None => format!("attributes.{of}"),
            };
            return self.wrong(part, format_args!("the attribute `{name}` is not declared in [{table}]"));
        };
        self.reads.attributes |= owner == Owner::Member;
        let attribute = Attribute { owner, name: name.into(), path: format!("{of}.attributes.{name}").into() };
        Some(match kind {
            AttributeType::Text => Typed::Text(Text::Attribute(attribute)),
            AttributeType::Number => Typed::Number(Number::Attribute(attribute)),
            AttributeType::Flag => Typed::Flag(Flag::Attribute(attribute)),
            AttributeType::Date => Typed::Date(Date::Attribute(attribute)),
        })
    }

    /// A function of its own.
    pub fn call(&mut self, part: &Expr, name: &str, arguments: &[Expr]) -> Option<Typed> {
        if name != "date" {
            return self.wrong(part, format_args!("`{name}` is no function of the language; there is `date`"));
        }
        let day = match arguments {
            [Expr { kind: ExprKind::Text(text), .. }] => date(text),
            _ => None,
        };
        match day {
            Some(day) => Some(Typed::Date(Date::Is(day))),
            None => self.wrong(part, "a date is written as date(\"2026-12-01\"), and has to exist"),
        }
    }

    /// A function of a text, or a macro over lines.
    pub fn method(&mut self, part: &Expr, of: &'e Expr, name: &str, arguments: &'e [Expr]) -> Option<Typed> {
        let search = match name {
            "startsWith" => Search::Start,
            "endsWith" => Search::End,
            "contains" => Search::Anywhere,
            "exists" => return self.lines(part, of, Quantifier::One, arguments),
            "all" => return self.lines(part, of, Quantifier::All, arguments),
            _ => {
                let message = "is no function of the language; texts have startsWith, endsWith and contains, \
                               lines have exists and all";
                return self.wrong(part, format_args!("`{name}` {message}"));
            }
        };
        let text = self.text(of);
        let [argument] = arguments else {
            return self.wrong(part, format_args!("`{name}` takes one text"));
        };
        let argument = self.text(argument);
        Some(Typed::Flag(Flag::Search(search, Box::new([text?, argument?]))))
    }

    fn lines(&mut self, part: &Expr, of: &'e Expr, quantifier: Quantifier, arguments: &'e [Expr]) -> Option<Typed> {
        if self.scope.line || self.each.is_some() {
            return self.wrong(part, "a macro cannot stand where each line is looked at already");
        }
        let of_lines = match self.typed(of)? {
            Typed::Lines => Some(()),
            other => self.wrong(of, format_args!("is {}, where `order.lines` is wanted", other.says())),
        };
        let [Expr { kind: ExprKind::Name(each), .. }, body] = arguments else {
            return self.wrong(part, "a macro takes a name for the line, and what is asked of it");
        };
        if let Some(object) = Object::ALL.into_iter().find(|object| object.name() == each) {
            let message = format_args!("`{}` is a variable already: take another name for the line", object.name());
            return self.wrong(part, message);
        }
        self.each = Some(each);
        let body = self.flag(body);
        self.each = None;
        of_lines?;
        Some(Typed::Flag(Flag::Lines(quantifier, Box::new(body?))))
    }
}
