//! Text of others on this terminal: of requests and answers, of rows and files.
//!
//! A terminal obeys escape sequences: they set its title, move what is written, answer as if it were
//! typed. Any page that a browser shows can send a request to `cargo dev up`, so whatever was not
//! written by this program goes through one of these functions.

/// Returns one line in which every control character, and every character that changes the direction
/// of the text, is written as Rust writes it: `\u{1b}`.
pub(crate) fn line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_obeyed(letter) {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Does the same for a text of several lines, which stay lines.
pub(crate) fn lines(text: &str) -> String {
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Does the same for a line of a program that this one runs, whose colors stay.
pub(crate) fn colored(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut shown = line(parts.next().unwrap_or_default());
    for part in parts {
        let end = part.find(|letter: char| !letter.is_ascii_digit() && letter != ';');
        let is_color = end.is_some_and(|end| part[end..].starts_with('m'));
        shown += if is_color { "\u{1b}[" } else { "\\u{1b}[" };
        shown += &line(part);
    }
    shown
}

fn is_obeyed(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_written_out() {
        assert_eq!(line("a\u{1b}]52;c;x\u{7}b"), "a\\u{1b}]52;c;x\\u{7}b");
        assert_eq!(line("\u{9b}31m\u{7f}\r\n\t\0"), "\\u{9b}31m\\u{7f}\\r\\n\\t\\u{0}");
        assert_eq!(
            line("\u{202e}abc\u{2066}\u{200f}\u{61c}"),
            "\\u{202e}abc\\u{2066}\\u{200f}\\u{61c}"
        );
        assert_eq!(line("déjà \\u{1b} 漢字 😀 \"x\""), "déjà \\u{1b} 漢字 😀 \"x\"");
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(lines("a\n\u{1b}b\r\n"), "a\n\\u{1b}b\\r\n");
    }

    #[test]
    fn colors_of_programs_stay_and_nothing_else() {
        let warning = "\u{1b}[1;33mwarning\u{1b}[0m: x\u{1b}[m";
        assert_eq!(colored(warning), warning);
        assert_eq!(
            colored("\u{1b}[2J\u{1b}]0;x\u{7}\u{1b}["),
            "\\u{1b}[2J\\u{1b}]0;x\\u{7}\\u{1b}["
        );
    }
}
