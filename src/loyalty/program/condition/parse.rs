//! Words and signs as a tree. Source of the grammar: CEL's, less what `docs/conditions.md` says.

use std::fmt;

use crate::loyalty::program::condition::expr::{Expr, ExprKind};
use crate::loyalty::program::condition::lex::{Lexeme, Token};
use crate::loyalty::program::condition::tree::{Arithmetic, Comparison};
use crate::loyalty::program::condition::{CONDITION_DEPTH_MAX, ConditionMistake};

/// Words that CEL keeps for itself.
const RESERVED: [&str; 19] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "var",
    "void",
    "while",
];

/// The tree of a text of so many bytes.
///
/// # Errors
/// The first mistake: after it, what else is wrong cannot be told.
pub fn parse(lexemes: &[Lexeme], end: usize) -> Result<Expr, ConditionMistake> {
    let mut parser = Parser { rest: lexemes, last: 0, end, nested: 0 };
    let whole = parser.expr()?;
    if parser.rest.is_empty() { Ok(whole) } else { Err(parser.unexpected("the end, or an operator")) }
}

enum Relation {
    Compare(Comparison),
    In,
}

/// What a sign makes of the part behind it.
type Unary = fn(Box<Expr>) -> ExprKind;

type Parsed<T = Expr> = Result<T, ConditionMistake>;

struct Parser<'l> {
    rest: &'l [Lexeme],
    /// Where the last lexeme that was taken ends.
    last: usize,
    end: usize,
    nested: u32,
}

impl<'l> Parser<'l> {
    fn peek(&self) -> Option<&'l Token> {
        self.rest.first().map(|lexeme| &lexeme.token)
    }

    fn at(&self) -> usize {
        self.rest.first().map_or(self.end, |lexeme| lexeme.at)
    }

    fn advance(&mut self) {
        if let Some((taken, rest)) = self.rest.split_first() {
            self.last = taken.at.saturating_add(taken.len);
            self.rest = rest;
        }
    }

    /// Takes a sign, if it is the next.
    fn sign(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(sign)) if *sign == wanted);
        if found {
            self.advance();
        }
        found
    }

    /// Takes the next sign, if it is one of these.
    fn one_of<T: Copy>(&mut self, wanted: &[(&str, T)]) -> Option<T> {
        let Some(Token::Sign(next)) = self.peek() else { return None };
        let found = wanted.iter().find(|(sign, _)| sign == next).map(|(_, meaning)| *meaning)?;
        self.advance();
        Some(found)
    }

    fn expect(&mut self, sign: &str) -> Parsed<()> {
        if self.sign(sign) { Ok(()) } else { Err(self.unexpected(format_args!("`{sign}`"))) }
    }

    fn unexpected(&self, wanted: impl fmt::Display) -> ConditionMistake {
        let Some(found) = self.rest.first() else {
            return ConditionMistake::at(self.end, 0, format_args!("ends too early: {wanted} is missing"));
        };
        let wrong = |message: &dyn fmt::Display| ConditionMistake::at(found.at, found.len, message);
        match &found.token {
            Token::Number(n) => wrong(&format_args!("{wanted} should stand here, not {n}")),
            Token::Text(_) => wrong(&format_args!("{wanted} should stand here, not a text")),
            Token::Word(word) => match word.as_str() {
                "and" | "AND" => wrong(&"and is written `&&`"),
                "or" | "OR" => wrong(&"or is written `||`"),
                "not" | "NOT" => wrong(&"not is written `!`"),
                "null" => wrong(&"`null` is not part of the language: a text that is not there is empty"),
                _ => wrong(&format_args!("{wanted} should stand here, not `{word}`")),
            },
            Token::Sign(sign) => wrong(&format_args!("{wanted} should stand here, not `{sign}`")),
        }
    }

    /// A part that began there and ends with what was taken last.
    fn node(&self, at: usize, kind: ExprKind) -> Parsed {
        let len = self.last.saturating_sub(at);
        let expr = Expr::new(kind, at, len);
        if expr.depth() > CONDITION_DEPTH_MAX { Err(too_deep(at, len)) } else { Ok(expr) }
    }

    fn expr(&mut self) -> Parsed {
        let at = self.at();
        if self.nested > CONDITION_DEPTH_MAX {
            return Err(too_deep(at, 0));
        }
        self.nested = self.nested.saturating_add(1);
        let mut expr = self.or()?;
        if self.sign("?") {
            let then = self.or()?;
            self.expect(":")?;
            let otherwise = self.expr()?;
            expr = self.node(at, ExprKind::Choice(Box::new([expr, then, otherwise])))?;
        }
        self.nested = self.nested.saturating_sub(1);
        Ok(expr)
    }

    fn or(&mut self) -> Parsed {
        let at = self.at();
        let first = self.and()?;
        let mut parts = vec![first];
        while self.sign("||") {
            parts.push(self.and()?);
        }
        self.joined(at, parts, ExprKind::Any)
    }

    fn and(&mut self) -> Parsed {
        let at = self.at();
        let first = self.relation()?;
        let mut parts = vec![first];
        while self.sign("&&") {
            parts.push(self.relation()?);
        }
        self.joined(at, parts, ExprKind::All)
    }

    fn joined(&self, at: usize, mut parts: Vec<Expr>, kind: fn(Vec<Expr>) -> ExprKind) -> Parsed {
        match parts.pop() {
            Some(only) if parts.is_empty() => Ok(only),
            last => {
                parts.extend(last);
                self.node(at, kind(parts))
            }
        }
    }

    fn relation(&mut self) -> Parsed {
        let at = self.at();
        let left = self.sum()?;
        let Some(relation) = self.relation_sign() else { return Ok(left) };
        let right = self.sum()?;
        let pair = Box::new([left, right]);
        let kind = match relation {
            Relation::Compare(comparison) => ExprKind::Compare(comparison, pair),
            Relation::In => ExprKind::In(pair),
        };
        let (next, relation) = (self.at(), self.node(at, kind)?);
        if self.relation_sign().is_some() {
            let message = "comparisons do not chain: join two of them with `&&`";
            return Err(ConditionMistake::at(next, self.last.saturating_sub(next), message));
        }
        Ok(relation)
    }

    /// Takes what comes next, if it compares.
    fn relation_sign(&mut self) -> Option<Relation> {
        if matches!(self.peek(), Some(Token::Word(word)) if word == "in") {
            self.advance();
            return Some(Relation::In);
        }
        self.one_of(&Comparison::SIGNS).map(Relation::Compare)
    }

    fn sum(&mut self) -> Parsed {
        let at = self.at();
        let mut left = self.product()?;
        while let Some(sign) = self.one_of(&[("+", Arithmetic::Plus), ("-", Arithmetic::Minus)]) {
            let right = self.product()?;
            left = self.node(at, ExprKind::Arithmetic(sign, Box::new([left, right])))?;
        }
        Ok(left)
    }

    fn product(&mut self) -> Parsed {
        let at = self.at();
        let signs = [("*", Arithmetic::Times), ("/", Arithmetic::Over), ("%", Arithmetic::Rest)];
        let mut left = self.unary()?;
        while let Some(sign) = self.one_of(&signs) {
            let right = self.unary()?;
            left = self.node(at, ExprKind::Arithmetic(sign, Box::new([left, right])))?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        const SIGNS: [(&str, Unary); 2] = [("!", ExprKind::Not), ("-", ExprKind::Minus)];
        let mut signs = Vec::new();
        loop {
            let at = self.at();
            let Some(kind) = self.one_of(&SIGNS) else { break };
            signs.push((at, kind));
        }
        let mut inner = self.member()?;
        for (at, kind) in signs.into_iter().rev() {
            inner = self.node(at, kind(Box::new(inner)))?;
        }
        Ok(inner)
    }

    fn member(&mut self) -> Parsed {
        let at = self.at();
        let mut inner = self.primary()?;
        loop {
            if self.sign(".") {
                let name = self.name("a name")?;
                let kind = if self.sign("(") {
                    ExprKind::Method(Box::new(inner), name, self.list(")")?)
                } else {
                    ExprKind::Field(Box::new(inner), name)
                };
                inner = self.node(at, kind)?;
            } else if self.sign("[") {
                let Some(Token::Text(name)) = self.peek() else {
                    return Err(self.unexpected("the name of an attribute in quotes"));
                };
                self.advance();
                self.expect("]")?;
                inner = self.node(at, ExprKind::Field(Box::new(inner), name.clone()))?;
            } else {
                return Ok(inner);
            }
        }
    }

    /// The name after a point: there CEL has its own words, too, but for these.
    fn name(&mut self, wanted: &str) -> Parsed<String> {
        match self.peek() {
            Some(Token::Word(word)) if !matches!(word.as_str(), "true" | "false" | "null" | "in") => {
                self.advance();
                Ok(word.clone())
            }
            _ => Err(self.unexpected(wanted)),
        }
    }

    fn primary(&mut self) -> Parsed {
        const WANTED: &str = "a value";
        let at = self.at();
        let kind = match self.peek() {
            Some(Token::Number(number)) => ExprKind::Number(*number),
            Some(Token::Text(text)) => ExprKind::Text(text.clone()),
            Some(Token::Word(word)) => match word.as_str() {
                "true" => ExprKind::Flag(true),
                "false" => ExprKind::Flag(false),
                "not" | "NOT" => return Err(self.unexpected(WANTED)),
                reserved if RESERVED.contains(&reserved) => return Err(self.unexpected(WANTED)),
                name => return self.named(at, name),
            },
            Some(Token::Sign("(")) => {
                self.advance();
                let inner = self.expr()?;
                self.expect(")")?;
                return Ok(inner);
            }
            Some(Token::Sign("[")) => {
                self.advance();
                let items = self.list("]")?;
                return self.node(at, ExprKind::List(items));
            }
            Some(Token::Sign(".")) | None | Some(Token::Sign(_)) => return Err(self.unexpected(WANTED)),
        };
        self.advance();
        self.node(at, kind)
    }

    fn named(&mut self, at: usize, name: &str) -> Parsed {
        self.advance();
        let kind = if self.sign("(") {
            ExprKind::Call(name.to_owned(), self.list(")")?)
        } else {
            ExprKind::Name(name.to_owned())
        };
        self.node(at, kind)
    }

    /// What stands between commas, up to a bracket that is taken, too. A list may end with a comma.
    fn list(&mut self, close: &str) -> Parsed<Vec<Expr>> {
        let mut items = Vec::new();
        while !self.sign(close) {
            items.push(self.expr()?);
            if self.sign(",") {
                if close == "]" {
                    continue;
                }
                // Not in a call.
                if matches!(self.peek(), Some(Token::Sign(")"))) {
                    return Err(self.unexpected("a value"));
                }
            } else if !matches!(self.peek(), Some(Token::Sign(sign)) if *sign == close) {
                return Err(self.unexpected(format_args!("`,` or `{close}`")));
            }
        }
        Ok(items)
    }
}

fn too_deep(at: usize, len: usize) -> ConditionMistake {
    ConditionMistake::at(at, len, format_args!("is nested more than {CONDITION_DEPTH_MAX} deep"))
}
