//! The reasons why the server is left alone, and the time limits of which some of them speak.

use std::time::Duration;

/// The time that connecting may take: name, TCP, TLS, login.
pub(super) const CONNECT_TIME: Duration = Duration::from_millis(50);
/// The time that an answer may take.
pub(super) const ANSWER_TIME: Duration = Duration::from_millis(20);

/// The reason why the server is left alone, in the words of the log.
///
/// Nothing that the server sends is logged: an error can repeat the command, with the password.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(super) enum Failure {
    #[error("no connection within {} ms", CONNECT_TIME.as_millis())]
    ConnectTimeout,
    #[error("no answer within {} ms", ANSWER_TIME.as_millis())]
    AnswerTimeout,
    #[error("no connection: refused, or its certificate or login is not accepted")]
    Connect,
    #[error("the connection was lost, or what came is not Redis's protocol")]
    Broken,
    #[error("it refuses the command: {0}")]
    Refused(&'static str),
    #[error("an answer of another kind than the command's")]
    Unexpected,
}

impl Failure {
    /// Returns the failure of a command that the server refuses.
    pub(super) fn refused(code: &str) -> Self {
        let known = [
            "CLUSTERDOWN",
            "ERR",
            "LOADING",
            "MASTERDOWN",
            "MISCONF",
            "MOVED",
            "NOAUTH",
            "NOPERM",
            "OOM",
            "READONLY",
            "TRYAGAIN",
            "WRONGTYPE",
        ];
        Self::Refused(known.into_iter().find(|known| *known == code).unwrap_or("another error"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_server_says_is_logged() {
        assert_eq!(Failure::refused("OOM").to_string(), "it refuses the command: OOM");
        assert_eq!(Failure::refused("s3cret").to_string(), "it refuses the command: another error");
    }
}
