//! A condition as it was written.

use rust_decimal::Decimal;

use crate::loyalty::program::condition::tree::{Arithmetic, Comparison};

/// A part of a condition as it was written, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it begins, in bytes.
    pub at: usize,
    /// Its bytes.
    pub len: usize,
    depth: u32,
}

/// What a part of a condition is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExprKind {
    /// `12.50`
    Number(Decimal),
    /// `"shoes"`
    Text(String),
    /// `true`
    Flag(bool),
    /// `["a", "b"]`
    List(Vec<Expr>),
    /// `order`
    Name(String),
    /// `order.total`, `member.attributes["shoe size"]`
    Field(Box<Expr>, String),
    /// `date("2026-12-01")`
    Call(String, Vec<Expr>),
    /// `line.sku.startsWith("A")`
    Method(Box<Expr>, String, Vec<Expr>),
    /// `!a`
    Not(Box<Expr>),
    /// `-a`
    Minus(Box<Expr>),
    /// `a && b && c`
    All(Vec<Expr>),
    /// `a || b || c`
    Any(Vec<Expr>),
    /// `a < b`
    Compare(Comparison, Box<[Expr; 2]>),
    /// `a in b`
    In(Box<[Expr; 2]>),
    /// `a + b`
    Arithmetic(Arithmetic, Box<[Expr; 2]>),
    /// `a ? b : c`
    Choice(Box<[Expr; 3]>),
}

impl Expr {
    /// A part with a place.
    pub fn new(kind: ExprKind, at: usize, len: usize) -> Self {
        let below = match &kind {
            ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Flag(_) | ExprKind::Name(_) => None,
            ExprKind::Field(part, _) | ExprKind::Not(part) | ExprKind::Minus(part) => Some(part.depth),
            ExprKind::List(parts) | ExprKind::Call(_, parts) | ExprKind::All(parts) | ExprKind::Any(parts) => {
                Some(deepest(parts))
            }
            ExprKind::Method(part, _, parts) => Some(part.depth.max(deepest(parts))),
            ExprKind::Compare(_, pair) | ExprKind::In(pair) | ExprKind::Arithmetic(_, pair) => {
                Some(deepest(pair.as_slice()))
            }
            ExprKind::Choice(parts) => Some(deepest(parts.as_slice())),
        };
        Self { kind, at, len, depth: below.map_or(0, |depth| depth.saturating_add(1)) }
    }

    /// How deep it is nested, 0 for a name.
    pub fn depth(&self) -> u32 {
        self.depth
    }
}

fn deepest(parts: &[Expr]) -> u32 {
    parts.iter().map(Expr::depth).max().unwrap_or(0)
}
