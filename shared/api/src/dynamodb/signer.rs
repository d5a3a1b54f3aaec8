//! [Signature Version 4](https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html) for the one kind of request that there
//! is here: a POST to `/`, with the same headers every time.
//!
//! The SDK's signer takes any request, sorts its headers, and derives its key anew each time, which was a third of the instructions of a read of
//! one item. Here the headers are known and the key is derived once a day. A test holds it to the SDK's.

use std::{
    fmt::Write,
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use aws_smithy_runtime_api::{box_error::BoxError, client::orchestrator::HttpRequest};
use aws_smithy_types::body::SdkBody;
use ring::{digest, hmac};
use time::OffsetDateTime;

/// Signs requests to one host in one region with one pair of keys.
pub(super) struct Signer {
    host: String,
    region: String,
    id: String,
    /// The secret, as key derivation wants it.
    secret: Vec<u8>,
    token: Option<String>,
    /// The last day that was signed for, and its key.
    day: Mutex<Option<(String, hmac::Key)>>,
}

const SERVICE: &str = "dynamodb";
const CONTENT_TYPE: &str = "application/x-amz-json-1.0";
const USER_AGENT: &str = concat!("lean-routes/", env!("CARGO_PKG_VERSION"));

impl Signer {
    pub(super) fn new(host: &str, region: &str, id: &str, secret: &str, token: Option<String>) -> Self {
        let secret = format!("AWS4{secret}").into_bytes();
        Self { host: host.to_owned(), region: region.to_owned(), id: id.to_owned(), secret, token, day: Mutex::default() }
    }

    /// A signed request for an operation.
    pub(super) fn request(&self, operation: &str, body: Vec<u8>) -> Result<HttpRequest, BoxError> {
        let target = format!("DynamoDB_20120810.{operation}");
        let (date, authorization) = self.sign(&target, &body, SystemTime::now().into());
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method("POST")?;
        let headers = request.headers_mut();
        headers.try_insert("host", self.host.clone())?;
        headers.try_insert("content-type", CONTENT_TYPE)?;
        headers.try_insert("x-amz-date", date)?;
        headers.try_insert("x-amz-target", target)?;
        if let Some(token) = &self.token {
            headers.try_insert("x-amz-security-token", token.clone())?;
        }
        headers.try_insert("authorization", authorization)?;
        headers.try_insert("user-agent", USER_AGENT)?;
        Ok(request)
    }

    /// The headers `x-amz-date` and `authorization`.
    fn sign(&self, target: &str, body: &[u8], now: OffsetDateTime) -> (String, String) {
        let stamp = stamp(now);
        let date = &stamp[..8];
        let (token_line, token_name) = match &self.token {
            Some(token) => (format!("x-amz-security-token:{token}\n"), "x-amz-security-token;"),
            None => (String::new(), ""),
        };
        let Self { host, region, id, .. } = self;
        let signed = format!("content-type;host;x-amz-date;{token_name}x-amz-target");
        let canonical = format!(
            "POST\n/\n\ncontent-type:{CONTENT_TYPE}\nhost:{host}\nx-amz-date:{stamp}\n{token_line}x-amz-target:{target}\n\n{signed}\n{}",
            hex(digest::digest(&digest::SHA256, body).as_ref())
        );
        let scope = format!("{date}/{region}/{SERVICE}/aws4_request");
        let canonical = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let to_sign = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{canonical}");
        let signature = hex(hmac::sign(&self.key(date), to_sign.as_bytes()).as_ref());
        let authorization = format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={signed}, Signature={signature}");
        (stamp, authorization)
    }

    /// The key of a day.
    fn key(&self, date: &str) -> hmac::Key {
        let mut day = self.day.lock().unwrap_or_else(PoisonError::into_inner);
        match &*day {
            Some((known, key)) if known == date => key.clone(),
            _ => {
                let first = hmac::Key::new(hmac::HMAC_SHA256, &self.secret);
                let key = [date, &self.region, SERVICE, "aws4_request"]
                    .into_iter()
                    .fold(first, |key, part| hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref()));
                *day = Some((date.to_owned(), key.clone()));
                key
            }
        }
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("host", &self.host).field("region", &self.region).finish_non_exhaustive()
    }
}

/// `20260102T030405Z`
fn stamp(now: OffsetDateTime) -> String {
    let (date, time) = (now.date(), now.time());
    let mut text = String::with_capacity(16);
    // A String takes every write.
    let _ = write!(text, "{:04}{:02}{:02}", date.year(), u8::from(date.month()), date.day());
    let _ = write!(text, "T{:02}{:02}{:02}Z", time.hour(), time.minute(), time.second());
    text
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

#[cfg(test)]
mod tests {
    use aws_credential_types::Credentials;
    use aws_sigv4::{
        http_request::{SignableBody, SignableRequest, SigningSettings, sign},
        sign::v4,
    };

    use super::*;

    /// What the SDK's signer makes of the same request.
    fn sdk(signer: &Signer, secret: &str, target: &str, body: &[u8], now: OffsetDateTime) -> (String, String) {
        let identity = Credentials::new(&signer.id, secret, signer.token.clone(), None, "test").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&signer.region)
            .name(SERVICE)
            .time(now.into())
            .settings(SigningSettings::default())
            .build()
            .unwrap();
        let headers = [("host", signer.host.as_str()), ("content-type", CONTENT_TYPE), ("x-amz-target", target)];
        let request = SignableRequest::new("POST", "https://ignored/", headers.into_iter(), SignableBody::Bytes(body)).unwrap();
        let (instructions, _) = sign(request, &params.into()).unwrap().into_parts();
        let of = |wanted: &str| instructions.headers().find(|(name, _)| *name == wanted).unwrap().1.to_owned();
        (of("x-amz-date"), of("authorization"))
    }

    #[test]
    fn the_signature_is_the_sdk_s() {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        for (region, token) in
            [("us-east-1", None), ("eu-central-1", Some("IQoJb3JpZ2luX2VjE/+==".to_owned())), ("cn-north-1", Some("t".repeat(900)))]
        {
            let host = format!("dynamodb.{region}.amazonaws.com");
            let signer = Signer::new(&host, region, "AKIDEXAMPLE", secret, token);
            // Twice on one day, over midnight, in a leap year, and back again.
            for seconds in [1_767_225_599, 1_767_225_600, 1_767_225_601, 1_709_210_096, 951_782_400, 1_767_225_600] {
                let now = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
                for (target, body) in
                    [("DynamoDB_20120810.GetItem", "{}".to_owned()), ("DynamoDB_20120810.Query", "ü".repeat(5_000)), ("x", String::new())]
                {
                    assert_eq!(signer.sign(target, body.as_bytes(), now), sdk(&signer, secret, target, body.as_bytes(), now));
                }
            }
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let signer = Signer::new("host", "region", "id", "the-secret", Some("the-token".to_owned()));
        assert_eq!(format!("{signer:?}"), r#"Signer { host: "host", region: "region", .. }"#);
    }
}
