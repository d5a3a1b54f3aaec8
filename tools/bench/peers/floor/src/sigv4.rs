//! Signature Version 4, for one service and one kind of request.

use std::fmt::Write;

use ring::{digest, hmac};

pub struct Signer {
    pub region: String,
    pub id: String,
    pub secret: String,
    pub token: Option<String>,
}

impl Signer {
    /// The head of a signed request; `now` in seconds since 1970.
    pub fn head(&self, host: &str, target: &str, body: &[u8], now: u64) -> String {
        let time = stamp(now);
        let date = &time[..8];
        let (token_line, token_name) = match &self.token {
            Some(token) => (format!("x-amz-security-token:{token}\n"), ";x-amz-security-token"),
            None => (String::new(), ""),
        };
        let signed = format!("content-type;host;x-amz-date{token_name};x-amz-target");
        let canonical = format!(
            "POST\n/\n\ncontent-type:application/x-amz-json-1.0\nhost:{host}\nx-amz-date:{time}\n{token_line}x-amz-target:{target}\n\n{signed}\n{}",
            hex(digest::digest(&digest::SHA256, body).as_ref())
        );
        let scope = format!("{date}/{}/dynamodb/aws4_request", self.region);
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref()));
        let signature = hex(mac(&signing_key(&self.secret, date, &self.region, "dynamodb"), to_sign.as_bytes()).as_ref());
        let token_header = self.token.as_ref().map(|token| format!("x-amz-security-token: {token}\r\n")).unwrap_or_default();
        format!(
            "POST / HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/x-amz-json-1.0\r\nx-amz-date: {time}\r\n{token_header}x-amz-target: {target}\r\n\
             authorization: AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}\r\ncontent-length: {}\r\n\r\n",
            self.id,
            body.len()
        )
    }
}

fn signing_key(secret: &str, date: &str, region: &str, service: &str) -> hmac::Tag {
    let key = mac_of(format!("AWS4{secret}").as_bytes(), date.as_bytes());
    let key = mac(&key, region.as_bytes());
    let key = mac(&key, service.as_bytes());
    mac(&key, b"aws4_request")
}

fn mac(key: &hmac::Tag, text: &[u8]) -> hmac::Tag {
    mac_of(key.as_ref(), text)
}

fn mac_of(key: &[u8], text: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text)
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// `20260102T030405Z`
fn stamp(now: u64) -> String {
    // Days to a date: https://howardhinnant.github.io/date_algorithms.html, civil_from_days.
    let (days, seconds) = (now / 86_400 + 719_468, now % 86_400);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let mut text = String::with_capacity(16);
    let _ = write!(text, "{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_that_of_the_documentation() {
        // "Deriving a signing key" in AWS's documentation of Signature Version 4.
        let key = signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20120215", "us-east-1", "iam");
        assert_eq!(hex(key.as_ref()), "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d");
    }

    #[test]
    fn the_time_is_written_as_signing_wants_it() {
        assert_eq!(stamp(1_369_353_600), "20130524T000000Z");
        assert_eq!(stamp(1_709_210_096), "20240229T123456Z");
    }
}
