//! Limits on the text of a document, before it is parsed.
//!
//! async-graphql's parser recurses over brackets, so they are counted here first. It reads without
//! a lexer: `fragmentA` can be two words to it, `00` two numbers, and `"""` the empty string and a
//! quotation mark if no block string ends behind it. What is counted here is never less than what
//! it finds: a word that begins as a keyword counts twice, and a string that does not end is
//! refused.

use async_graphql::Pos;

/// The maximum number of tokens of a document.
pub(crate) const MAX_TOKENS: usize = 1_000;
/// The maximum depth of brackets of every kind in the text.
const MAX_BRACKETS: usize = 16;
/// The maximum length of a name or a number in bytes: async-graphql repeats names in its errors.
const MAX_NAME: usize = 128;
/// The words that the parser takes off the begin of a longer one.
const KEYWORDS: [&[u8]; 7] =
    [b"fragment", b"query", b"mutation", b"subscription", b"true", b"false", b"null"];

/// The reason why a text is not parsed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    TooLarge(String),
    /// A string begins here and does not end.
    OpenString(Pos),
}

/// Counts the tokens of a text and the depth of its brackets.
pub(crate) fn check_text(text: &str) -> Result<(), Wrong> {
    let bytes = text.as_bytes();
    let (mut at, mut tokens, mut depth) = (0, 0, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        let rest = &bytes[at..];
        let length = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => 1,
            b'#' => length(rest, |byte| !matches!(byte, b'\n' | b'\r')),
            0xef if rest.starts_with(b"\xef\xbb\xbf") => 3,
            _ => {
                tokens += 1;
                match byte {
                    b'{' | b'[' | b'(' => depth += 1,
                    b'}' | b']' | b')' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                let length = token(rest).ok_or_else(|| Wrong::OpenString(position(&text[..at])))?;
                // The parser can take a word for one name, whatever keyword it begins with.
                if byte != b'"' && length.max(self::length(rest, is_of_word)) > MAX_NAME {
                    let message = format!("a name or a number has more than {MAX_NAME} bytes");
                    return Err(Wrong::TooLarge(message));
                }
                length
            }
        };
        if tokens > MAX_TOKENS {
            let message = format!("the document has more than {MAX_TOKENS} tokens");
            return Err(Wrong::TooLarge(message));
        }
        if depth > MAX_BRACKETS {
            let message = format!("brackets are nested deeper than {MAX_BRACKETS}");
            return Err(Wrong::TooLarge(message));
        }
        at += length;
    }
    Ok(())
}

/// Returns the length of the token at the begin of a text; `None` for a string that does not end.
fn token(text: &[u8]) -> Option<usize> {
    match text {
        [b'"', b'"', b'"', rest @ ..] => Some(6 + block_string(rest)?),
        [b'"', rest @ ..] => Some(2 + string(rest)?),
        [b'.', b'.', b'.', ..] => Some(3),
        [b'-' | b'0'..=b'9', ..] => Some(number(text)),
        [b'a'..=b'z' | b'A'..=b'Z' | b'_', ..] => {
            let keyword = KEYWORDS.iter().find(|keyword| text.starts_with(keyword));
            Some(keyword.map_or_else(|| length(text, is_of_word), |keyword| keyword.len()))
        }
        _ => Some(1),
    }
}

/// Returns the length of a block string up to the quotation marks that end it.
fn block_string(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    while !text.get(at..)?.starts_with(b"\"\"\"") {
        at += if text[at..].starts_with(b"\\\"\"\"") { 4 } else { 1 };
    }
    Some(at)
}

/// Returns the length of a string, which is on one line, up to the quotation mark that ends it.
fn string(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match text.get(at)? {
            b'"' => return Some(at),
            b'\n' | b'\r' => return None,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Returns the length of a number: `-0.5e+3`. No digit follows a zero at its begin.
fn number(text: &[u8]) -> usize {
    let digits = |from: usize| length(text.get(from..).unwrap_or_default(), u8::is_ascii_digit);
    let sign = usize::from(text[0] == b'-');
    let mut end = sign + if text.get(sign) == Some(&b'0') { 1 } else { digits(sign) };
    if text.get(end) == Some(&b'.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        match digits(end + 1 + sign) {
            0 => {}
            digits => end += 1 + sign + digits,
        }
    }
    end
}

fn is_of_word(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_'
}

/// Returns the number of bytes at the begin of a text that are of one kind.
fn length(text: &[u8], is_of: impl Fn(&u8) -> bool) -> usize {
    text.iter().take_while(|byte| is_of(byte)).count()
}

/// Returns the place behind a text, as the parser counts lines and columns.
fn position(text: &str) -> Pos {
    let line = text.rsplit(['\n', '\r']).next().unwrap_or_default();
    Pos { line: 1 + text.matches('\n').count(), column: 1 + line.chars().count() }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    /// Returns the tokens of a text without spaces and comments.
    fn tokens(mut text: &str) -> Vec<&str> {
        let mut tokens = Vec::new();
        while !text.is_empty() {
            let (token, rest) = text.split_at(token(text.as_bytes()).unwrap());
            tokens.push(token);
            text = rest;
        }
        tokens
    }

    #[test]
    fn what_the_parser_reads_as_several_tokens_are_several() {
        for (text, expected) in [
            ("{a...F...G}", vec!["{", "a", "...", "F", "...", "G", "}"]),
            ("{a...on}", vec!["{", "a", "...", "on", "}"]),
            ("queryA{a}", vec!["query", "A", "{", "a", "}"]),
            ("[00-1-1]", vec!["[", "0", "0", "-1", "-1", "]"]),
            ("[-0.50e+3.5]", vec!["[", "-0.50e+3", ".", "5", "]"]),
            ("[1.5e]", vec!["[", "1.5", "e", "]"]),
            ("[truefalsenull0a]", vec!["[", "true", "false", "null", "0", "a", "]"]),
            ("a--", vec!["a", "-", "-"]),
            ("$a@b!|&=:....", vec!["$", "a", "@", "b", "!", "|", "&", "=", ":", "...", "."]),
            ("\"\"\"a\\\"\"\"b\"\"\"\"\"c", vec!["\"\"\"a\\\"\"\"b\"\"\"", "\"\"", "c"]),
            ("\"\"\"\"\"\"\"\"", vec!["\"\"\"\"\"\"", "\"\""]),
            (r#""a\"b\\""c""#, vec![r#""a\"b\\""#, r#""c""#]),
        ] {
            assert_eq!(tokens(text), expected);
        }
    }

    #[test]
    fn a_string_that_does_not_end_is_refused_at_its_begin() {
        for text in [
            "\"",
            "\"\\\"",
            "\"\\",
            "\"a\nb\"",
            "\"a\rb\"",
            "\"\"\"",
            "\"\"\"a\\\"\"\"",
            "\"\"\"\"\"",
        ] {
            let document = format!("{{a #é\r\n\u{feff} b(c: {text}");
            let at = Pos { line: 2, column: 8 };
            assert_eq!(check_text(&document), Err(Wrong::OpenString(at)), "{text}");
            assert!(parse_query(format!("{document})}}")).is_err());
        }
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        let brackets = "[".repeat(100);
        let text =
            format!("{{ a(b: \"{brackets}\", c: \"\"\"\n{brackets}\n\"\"\") # {brackets}\n }}");
        assert_eq!(check_text(&text), Ok(()));
        assert!(parse_query(&text).is_ok());
        for end in ["\n", "\r", "\r\n"] {
            let text = format!("# \"{end} {brackets}");
            assert!(matches!(check_text(&text), Err(Wrong::TooLarge(_))));
        }
    }
}
