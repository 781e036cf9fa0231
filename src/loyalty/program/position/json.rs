//! Where things stand in JSON: a scanner for texts that a parser has read, or would refuse.

use std::collections::HashMap;

use crate::loyalty::program::position::{Inside, Node};

/// No deeper than the parser goes.
const DEPTH_MAX: u32 = 128;

/// What is in a text; `None` when it is no JSON, as far as brackets and names tell.
pub(super) fn nodes(text: &str) -> Option<Node> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.blanks();
    scanner.node(scanner.at, DEPTH_MAX)
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scanner<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.step();
        }
    }

    /// Passes a sign, and the blanks behind it.
    fn takes(&mut self, sign: u8) -> bool {
        let there = self.peek() == Some(sign);
        if there {
            self.step();
            self.blanks();
        }
        there
    }

    /// The value that begins here, and passes the blanks behind it.
    fn node(&mut self, begins: usize, depth: u32) -> Option<Node> {
        let depth = depth.checked_sub(1)?;
        let start = self.at;
        let (inside, end) = match self.peek()? {
            b'{' => self.fields(depth)?,
            b'[' => self.items(depth)?,
            b'"' => {
                self.string()?;
                (Inside::Plain, self.at)
            }
            _ => {
                let ends = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'}' | b']' | b':');
                while self.peek().is_some_and(|byte| !ends(byte)) {
                    self.step();
                }
                (Inside::Plain, self.at)
            }
        };
        self.blanks();
        (end > start).then_some(Node { begins, value: start..end, inside })
    }

    fn fields(&mut self, depth: u32) -> Option<(Inside, usize)> {
        let mut fields = HashMap::new();
        self.takes(b'{');
        while self.peek()? != b'}' {
            let begins = self.at;
            let name = self.string()?;
            self.blanks();
            if !self.takes(b':') {
                return None;
            }
            // Of a name that is there twice the last value counts, as in the parser.
            fields.insert(serde_json::from_str(name).ok()?, self.node(begins, depth)?);
            if !self.takes(b',') && self.peek()? != b'}' {
                return None;
            }
        }
        self.step();
        Some((Inside::Table(fields), self.at))
    }

    fn items(&mut self, depth: u32) -> Option<(Inside, usize)> {
        let mut items = Vec::new();
        self.takes(b'[');
        while self.peek()? != b']' {
            items.push(self.node(self.at, depth)?);
            if !self.takes(b',') && self.peek()? != b']' {
                return None;
            }
        }
        self.step();
        Some((Inside::List(items), self.at))
    }

    /// A text with its quotes.
    fn string(&mut self) -> Option<&'t str> {
        let start = self.at;
        if self.peek()? != b'"' {
            return None;
        }
        self.step();
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    self.step();
                    self.step();
                }
                _ => self.step(),
            }
        }
        self.step();
        self.text.get(start..self.at)
    }
}
