//! Names in their several spellings.

use anyhow::{Result, ensure};

/// Words that name no Rust module.
const KEYWORDS: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield", "lib",
];

/// Checks the name of a resource or route: words of small letters and digits, joined by hyphens.
pub(super) fn check(name: &str) -> Result<()> {
    let is_word = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
    ensure!(
        begins && name.split('-').all(is_word),
        "{name}: a name is words of small letters and digits, joined by hyphens"
    );
    ensure!(name.len() <= 40, "{name}: a name has at most 40 characters");
    ensure!(!KEYWORDS.contains(&name), "{name} is a word of Rust's own");
    Ok(())
}

/// Checks the name of an attribute: letters and digits, as camelCase.
pub(super) fn check_attribute(name: &str) -> Result<()> {
    let is_name = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    ensure!(
        is_name && name.len() <= 64,
        "{name}: the name of an attribute is letters and digits, as camelCase, at most 64"
    );
    Ok(())
}

/// `blog-posts` as `BLOG_POSTS`.
pub(super) fn screaming(name: &str) -> String {
    name.replace('-', "_").to_uppercase()
}

/// `blog-posts` as `blog_posts`.
pub(super) fn snake(name: &str) -> String {
    name.replace('-', "_")
}

/// `blog-posts` as `BlogPosts`.
pub(super) fn pascal(name: &str) -> String {
    name.split('-').map(capitalized).collect()
}

/// `blog-posts` as `blogPosts`.
pub(super) fn camel(name: &str) -> String {
    let mut words = name.split('-');
    words.next().unwrap_or_default().to_owned() + &words.map(capitalized).collect::<String>()
}

/// `blog-posts` as `blog posts`, and `publishedAt` as `published at`.
pub(super) fn words(name: &str) -> String {
    name.chars().fold(String::new(), |words, c| match c {
        '-' => words + " ",
        c if c.is_uppercase() => words + " " + &c.to_lowercase().to_string(),
        c => words + &c.to_string(),
    })
}

/// The text with a capital at its beginning.
pub(super) fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + chars.as_str())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_several_spellings() {
        let name = "blog-posts";
        assert_eq!(
            [screaming(name), snake(name), pascal(name), camel(name)],
            ["BLOG_POSTS", "blog_posts", "BlogPosts", "blogPosts"]
        );
        assert_eq!([words(name), words("publishedAt")], ["blog posts", "published at"]);
    }

    #[test]
    fn what_cannot_be_a_name_is_refused() {
        assert!(
            check("blog-posts").is_ok()
                && check("v2-things").is_ok()
                && check_attribute("publishedAt").is_ok()
        );
        for name in [
            "",
            "Posts",
            "blog_posts",
            "-posts",
            "posts-",
            "a--b",
            "2things",
            "type",
            "ärger",
            &"x".repeat(41),
        ] {
            assert!(check(name).is_err(), "{name}");
        }
        for name in ["", "Id", "post-id", "post_id", "post.id", "1st"] {
            assert!(check_attribute(name).is_err(), "{name}");
        }
    }
}
