//! From a byte of a text to where it was written, between quotes and with escapes.

/// Where in a written text, its quotes included, a byte of what it says stands; `None` where nothing is quoted.
pub(super) fn within_text(written: &str, byte: usize) -> Option<usize> {
    let quote = written.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let triple = [quote; 3].iter().collect::<String>();
    let mut at = 1;
    if let Some(rest) = written.strip_prefix(triple.as_str()) {
        // TOML leaves out a line's end right behind the quotes.
        let newline = if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
        at = newline.checked_add(3)?;
    }
    if quote == '\'' {
        return at.checked_add(byte);
    }
    let mut said = 0_usize;
    loop {
        let (wrote, says) = first(written.get(at..)?)?;
        if said >= byte && says > 0 {
            return Some(at);
        }
        at = at.checked_add(wrote)?;
        said = said.checked_add(says)?;
    }
}

/// How many bytes the first character takes as it is written, and as it is said.
fn first(rest: &str) -> Option<(usize, usize)> {
    let mut signs = rest.chars();
    let sign = signs.next()?;
    if sign != '\\' {
        return Some((sign.len_utf8(), sign.len_utf8()));
    }
    let digits = match signs.next()? {
        'u' => 4_usize,
        'U' => 8,
        'x' => 2,
        blank if blank.is_whitespace() => {
            // A line's end behind a backslash says nothing, nor do the blanks that follow.
            let tail = rest.get(1..)?;
            return tail.len().checked_sub(tail.trim_start().len())?.checked_add(1).map(|wrote| (wrote, 0));
        }
        escaped => return escaped.len_utf8().checked_add(1).map(|wrote| (wrote, 1)),
    };
    let wrote = digits.checked_add(2)?;
    let code = u32::from_str_radix(rest.get(2..wrote)?, 16).ok()?;
    let says = match code {
        // Two halves of one character: the first one counts for both.
        0xD800..=0xDBFF => 4,
        0xDC00..=0xDFFF => 0,
        _ => char::from_u32(code)?.len_utf8(),
    };
    Some((wrote, says))
}
