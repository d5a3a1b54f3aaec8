//! The address of the server: `CACHE_URL`.

use std::{fmt, str::FromStr};

use http::Uri;
use percent_encoding::percent_decode_str;
use redis::{
    ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisResult,
    io::tcp::TcpSettings,
};

/// An address like `rediss://user:password@host:6379/0`; `rediss` is TLS, and only the host is
/// required.
///
/// It is never shown, because it may have a password.
#[derive(Clone, PartialEq, Eq)]
pub struct CacheUrl {
    is_tls: bool,
    host: String,
    port: u16,
    /// User and password; Redis has a default user, so a password can stand alone.
    login: Option<(Option<String>, String)>,
    database: u16,
}

/// The error of a text that is no such address. It does not show the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a URL like rediss://host:6379 or redis://user:password@host:6379/0, with a percent-encoded password"
)]
pub struct InvalidCacheUrl;

/// The port of `redis://host`.
const PORT: u16 = 6379;

impl FromStr for CacheUrl {
    type Err = InvalidCacheUrl;

    fn from_str(text: &str) -> Result<Self, InvalidCacheUrl> {
        Self::parse(text).ok_or(InvalidCacheUrl)
    }
}

impl CacheUrl {
    // The crate's own parser accepts sockets, other schemes, `#insecure`, and a user without a
    // password, which it then ignores.
    fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let is_tls = match uri.scheme_str()? {
            "redis" => false,
            "rediss" => true,
            _ => return None,
        };
        if uri.query().is_some() || text.contains('#') {
            return None;
        }
        let authority = uri.authority()?;
        let (login, place) = match authority.as_str().rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, authority.as_str()),
        };
        let host = authority.host();
        let port = match place.strip_prefix(host)? {
            "" => PORT,
            port => port.strip_prefix(':')?.parse().ok().filter(|port| *port > 0)?,
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let login = match login {
            None => None,
            Some(login) => {
                let (user, password) = login.split_once(':')?;
                let decoded =
                    |text| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
                let (user, password) = (decoded(user)?, decoded(password)?);
                if password.is_empty() {
                    return None;
                }
                Some(((!user.is_empty()).then_some(user), password))
            }
        };
        let database = match uri.path() {
            "" | "/" => 0,
            path => path.strip_prefix('/')?.parse().ok()?,
        };
        (!host.is_empty()).then_some(Self { is_tls, host, port, login, database })
    }

    /// Returns true if the connection is encrypted.
    pub(super) fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Returns the address in the form of the client.
    pub(super) fn connection_info(&self) -> RedisResult<ConnectionInfo> {
        let Self { is_tls, host, port, login, database } = self.clone();
        let address = if is_tls {
            ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        let mut settings =
            RedisConnectionInfo::default().set_db(database.into()).set_skip_set_lib_name();
        if let Some((user, password)) = login {
            settings = settings.set_password(password);
            if let Some(user) = user {
                settings = settings.set_username(user);
            }
        }
        // Without it, the last packet of a large value can wait for an acknowledgement.
        let tcp = TcpSettings::default().set_nodelay(true);
        Ok(address.into_connection_info()?.set_redis_settings(settings).set_tcp_settings(tcp))
    }
}

impl fmt::Debug for CacheUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheUrl").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_and_a_host_and_maybe_the_rest() {
        let read = |text: &str| {
            let url: CacheUrl = text.parse().unwrap_or_else(|_| panic!("{text}"));
            let info = url.connection_info().unwrap();
            let redis = info.redis_settings();
            let login = (redis.username().map(str::to_owned), redis.password().map(str::to_owned));
            (info.addr().to_string(), url.is_tls(), login, redis.db())
        };
        let text = |text: &str| Some(text.to_owned());
        for (url, address, is_tls, login, database) in [
            ("redis://cache.example", "cache.example:6379", false, (None, None), 0),
            ("redis://cache.example:7000/", "cache.example:7000", false, (None, None), 0),
            ("rediss://cache.example:6380/3", "cache.example:6380", true, (None, None), 3),
            ("redis://:pass@h", "h:6379", false, (None, text("pass")), 0),
            ("redis://user:pass@h:1/15", "h:1", false, (text("user"), text("pass")), 15),
            ("redis://u:p%40%3A%2F%25@h", "h:6379", false, (text("u"), text("p@:/%")), 0),
            ("redis://u:a:b@h", "h:6379", false, (text("u"), text("a:b")), 0),
            ("redis://127.0.0.1:6379", "127.0.0.1:6379", false, (None, None), 0),
            ("rediss://[::1]:6379/1", "::1:6379", true, (None, None), 1),
        ] {
            assert_eq!(read(url), (address.to_owned(), is_tls, login, database), "{url}");
        }
    }

    #[test]
    fn everything_else_is_refused_and_never_shown() {
        for url in [
            "",
            "cache.example:6379",
            "cache.example",
            "http://cache.example",
            "valkey://cache.example",
            "unix:///tmp/redis.sock",
            "redis+unix:///tmp/redis.sock",
            "redis://",
            "redis:///0",
            "redis://:6379",
            "redis://h:0",
            "redis://h:65536",
            "redis://h:x",
            "redis://h:",
            "redis://user@h",
            "redis://user:@h",
            "redis://user:p%FFq@h",
            "redis://user:se cret@h",
            "redis://h/x",
            "redis://h/-1",
            "redis://h/0/1",
            "redis://h?db=1",
            "rediss://h#insecure",
            "rediss://h/#insecure",
        ] {
            assert_eq!(url.parse::<CacheUrl>(), Err(InvalidCacheUrl), "{url}");
        }
        let url: CacheUrl = "redis://user:secret@host.example".parse().unwrap();
        assert_eq!(format!("{url:?}"), "CacheUrl { .. }");
    }
}
