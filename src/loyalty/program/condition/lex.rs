//! A condition's text in words and signs.

use rust_decimal::Decimal;

use crate::loyalty::program::condition::ConditionMistake;

/// A word, a sign or a literal, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lexeme {
    /// What it is.
    pub token: Token,
    /// Where it begins, in bytes.
    pub at: usize,
    /// Its bytes.
    pub len: usize,
}

/// What stands in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A number, 0 or more.
    Number(Decimal),
    /// A text, its escapes resolved.
    Text(String),
    /// A name or a reserved word.
    Word(String),
    /// An operator or a bracket.
    Sign(&'static str),
}

/// The longer ones first.
const SIGNS: [&str; 22] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")", "[", "]",
];

/// Splits a text into words and signs.
///
/// # Errors
/// Everything in it that is neither.
pub fn lex(text: &str) -> Result<Vec<Lexeme>, Vec<ConditionMistake>> {
    let mut lexer = Lexer { whole: text, rest: text, lexemes: Vec::new(), mistakes: Vec::new() };
    while lexer.step() {}
    if lexer.mistakes.is_empty() { Ok(lexer.lexemes) } else { Err(lexer.mistakes) }
}

struct Lexer<'t> {
    whole: &'t str,
    rest: &'t str,
    lexemes: Vec<Lexeme>,
    mistakes: Vec<ConditionMistake>,
}

impl<'t> Lexer<'t> {
    /// Reads one lexeme; false at the end.
    fn step(&mut self) -> bool {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
        let Some(first) = self.rest.chars().next() else { return false };
        let at = self.at();
        let read = match first {
            '0'..='9' => self.number(),
            '.' if self.rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit()) => self.number(),
            '\'' | '"' => self.text(first),
            'a'..='z' | 'A'..='Z' | '_' => self.word(),
            _ if self.rest.starts_with("//") => {
                self.take(|c| c != '\n');
                return true;
            }
            other => self.sign(other),
        };
        let len = self.at().saturating_sub(at);
        match read {
            Ok(token) => self.lexemes.push(Lexeme { token, at, len }),
            Err(message) => self.mistakes.push(ConditionMistake::at(at, len, message)),
        }
        true
    }

    fn at(&self) -> usize {
        self.whole.len().saturating_sub(self.rest.len())
    }

    /// What comes next of such characters.
    fn take(&mut self, of: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !of(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    fn number(&mut self) -> Result<Token, String> {
        let start = self.rest;
        self.take(|c| c.is_ascii_digit());
        if let Some(places) = self.rest.strip_prefix('.')
            && places.starts_with(|c: char| c.is_ascii_digit())
        {
            self.rest = places;
            self.take(|c| c.is_ascii_digit());
        }
        let written = start.strip_suffix(self.rest).unwrap_or(start);
        let tail = self.take(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
        if written.starts_with('.') || tail.starts_with('.') {
            return Err("a number has digits on both sides of its point".to_owned());
        }
        match tail.chars().next() {
            None => Decimal::from_str_exact(written)
                .map(Token::Number)
                .map_err(|_| "a number has at most 28 digits".to_owned()),
            Some('u' | 'U') => Err(format!("there is one kind of number: write {written} without `{tail}`")),
            Some('e' | 'E') => Err("a number is written out, without an exponent".to_owned()),
            Some('x' | 'X') if written == "0" => Err("a number is written in decimal digits".to_owned()),
            Some(_) => Err(format!("`{written}{tail}` is neither a number nor a name")),
        }
    }

    fn word(&mut self) -> Result<Token, String> {
        let word = self.take(|c| c.is_ascii_alphanumeric() || c == '_');
        let prefix = matches!(word.to_ascii_lowercase().as_str(), "b" | "r" | "br" | "rb");
        if let Some(quote) = self.rest.chars().next().filter(|c| prefix && matches!(c, '\'' | '"')) {
            // Whatever is wrong inside is no second mistake.
            let _ = self.text(quote);
            return Err("bytes and raw texts are not part of the language: write a text without a letter before".into());
        }
        Ok(Token::Word(word.to_owned()))
    }

    fn text(&mut self, quote: char) -> Result<Token, String> {
        let triple: String = [quote; 3].iter().collect();
        if let Some(inside) = self.rest.strip_prefix(triple.as_str()) {
            self.rest = inside.split_once(triple.as_str()).map_or("", |(_, rest)| rest);
            return Err("a text stands in one pair of quotes, not in three".to_owned());
        }
        self.next();
        let (mut text, mut wrong) = (String::new(), None);
        loop {
            match self.next() {
                Some(c) if c == quote => break,
                Some('\\') => match self.escape() {
                    Ok(c) => text.push(c),
                    Err(message) => wrong = wrong.or(Some(message)),
                },
                Some('\n' | '\r') | None => {
                    let message = format!("a text ends on its line with {quote}; a new line in it is written \\n");
                    wrong = wrong.or(Some(message));
                    break;
                }
                Some(c) => text.push(c),
            }
        }
        wrong.map_or(Ok(Token::Text(text)), Err)
    }

    fn escape(&mut self) -> Result<char, String> {
        const KNOWN: &str = "there are \\\\, \\\", \\', \\n, \\r, \\t and \\uXXXX";
        match self.next() {
            Some(same @ ('\\' | '"' | '\'')) => Ok(same),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('u') => {
                let digits = self.rest.get(..4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
                let digits = digits.ok_or("after \\u stand four hexadecimal digits")?;
                self.rest = self.rest.get(4..).unwrap_or("");
                let code = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
                code.ok_or_else(|| format!("\\u{digits} is no character"))
            }
            Some(other) => Err(format!("`\\{other}` is no escape; {KNOWN}")),
            None => Err(KNOWN.to_owned()),
        }
    }

    fn sign(&mut self, first: char) -> Result<Token, String> {
        for sign in SIGNS {
            if let Some(rest) = self.rest.strip_prefix(sign) {
                self.rest = rest;
                return Ok(Token::Sign(sign));
            }
        }
        self.next();
        Err(match first {
            '=' => "`=` is no operator: `==` compares".to_owned(),
            '&' | '|' => format!("`{first}` is no operator: `&&` is and, `||` is or"),
            '{' | '}' => "maps and messages are not part of the language".to_owned(),
            '“' | '”' | '„' | '‘' | '’' | '«' | '»' | '`' => {
                format!("a text stands in straight quotes, ' or \", not in {first}")
            }
            other => format!("{other:?} is not part of the language"),
        })
    }
}
