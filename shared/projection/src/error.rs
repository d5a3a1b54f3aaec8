//! The errors of this crate.

/// The most errors that one text is answered with. Where there were more, one further entry says
/// so.
pub const MAX_ERRORS: usize = 32;

/// One error in the text of a selection.
///
/// A field that is hidden from callers gives the same error as one that does not exist: it is not
/// in the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct FieldError {
    /// The offending path, dotted, at most 64 characters of it; empty where a name is missing.
    pub path: String,
    /// The reason, for people: it names the valid fields of that level, or the character (from 1)
    /// where the text went wrong.
    pub detail: String,
    /// The valid name nearest to the one that was written, if one is near.
    pub nearest: Option<&'static str>,
}

/// All errors in the text of a selection, in the order in which they stand there: never none, and
/// at most [`MAX_ERRORS`] and one more that says that there were more. It derefs to a slice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", details(.0))]
pub struct FieldErrors(pub(crate) Vec<FieldError>);

impl std::ops::Deref for FieldErrors {
    type Target = [FieldError];

    fn deref(&self) -> &[FieldError] {
        &self.0
    }
}

fn details(errors: &[FieldError]) -> String {
    errors.iter().map(|error| error.detail.as_str()).collect::<Vec<_>>().join("; ")
}

/// The bytes are not what DynamoDB sends. The message repeats nothing of them, since they may be
/// private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The text is not JSON in UTF-8.
    #[error("invalid JSON at line {line}, column {column}")]
    Syntax {
        /// The line where reading stopped, from 1.
        line: usize,
        /// The column where reading stopped, in bytes from 1.
        column: usize,
    },
    /// The JSON has another shape than expected.
    #[error("unexpected JSON value at line {line}, column {column}")]
    Shape {
        /// The line where reading stopped, from 1.
        line: usize,
        /// The column where reading stopped, in bytes from 1.
        column: usize,
    },
    /// The JSON has the right shape, but something in it is missing or cannot be.
    #[error("{0}")]
    Content(&'static str),
}

impl From<serde_json::Error> for Malformed {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        if error.is_data() { Self::Shape { line, column } } else { Self::Syntax { line, column } }
    }
}

impl From<std::str::Utf8Error> for Malformed {
    fn from(_: std::str::Utf8Error) -> Self {
        Self::Content("the text is not UTF-8")
    }
}
