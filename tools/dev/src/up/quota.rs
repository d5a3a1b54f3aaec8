//! The quota that `cargo dev up --quota` gives each caller.

use rate_limits::{InvalidPolicy, Policy};
use std::str::FromStr;

/// A quota as it is typed, `20/60s`, in the form of the environment variable, `20;w=60`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota(String);

impl Quota {
    /// Returns it in the form of the environment variable.
    pub(super) fn written(&self) -> &str {
        &self.0
    }
}

impl FromStr for Quota {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(units, window)| {
            let window = window.strip_suffix('s')?;
            Some(format!("{units};w={window}"))
        });
        let written = parts.ok_or("write UNITS/SECONDSs, such as 20/60s")?;
        // The functions' own reader, so that they start.
        match Policy::parse("caller", &written) {
            Ok(Some(_)) => Ok(Self(written)),
            Ok(None) => Err("a quota of 0 is none: leave the option out".to_owned()),
            Err(InvalidPolicy::Form) => Err("write UNITS/SECONDSs, such as 20/60s".to_owned()),
            Err(error) => Err(format!("it {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_units_and_seconds() {
        let quota = |text: &str| text.parse().map(|Quota(written)| written);
        assert_eq!(quota("20/60s"), Ok("20;w=60".to_owned()));
        for (text, error) in [
            ("20", "write UNITS/SECONDSs, such as 20/60s"),
            ("20/60", "write UNITS/SECONDSs, such as 20/60s"),
            ("20/1m", "write UNITS/SECONDSs, such as 20/60s"),
            ("x/60s", "write UNITS/SECONDSs, such as 20/60s"),
            ("0/60s", "a quota of 0 is none: leave the option out"),
            ("20/0s", "it has a window that is not 1 to 86400 seconds"),
        ] {
            assert_eq!(quota(text), Err(error.to_owned()), "{text}");
        }
    }
}
