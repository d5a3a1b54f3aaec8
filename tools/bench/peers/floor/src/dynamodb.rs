//! One connection to DynamoDB, opened before the first event.

use std::{
    io,
    net::TcpStream,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

use crate::{http, sigv4::Signer};

pub struct Client {
    stream: StreamOwned<ClientConnection, TcpStream>,
    host: String,
    signer: Signer,
    incoming: Vec<u8>,
}

impl Client {
    pub fn connect(variable: &impl Fn(&str) -> io::Result<String>) -> io::Result<Self> {
        let region = variable("AWS_REGION")?;
        let url = variable("AWS_ENDPOINT_URL_DYNAMODB").unwrap_or_else(|_| format!("https://dynamodb.{region}.amazonaws.com"));
        let host = url.trim_start_matches("https://").trim_end_matches('/').to_owned();
        let (name, address) = match host.split_once(':') {
            Some((name, _)) => (name.to_owned(), host.clone()),
            None => (host.clone(), format!("{host}:443")),
        };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(variable("AWS_CA_BUNDLE")?).map_err(io::Error::other)? {
            roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connection =
            ClientConnection::new(Arc::new(config), ServerName::try_from(name).map_err(io::Error::other)?).map_err(io::Error::other)?;
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        let mut stream = StreamOwned::new(connection, socket);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        let signer = Signer {
            region,
            id: variable("AWS_ACCESS_KEY_ID")?,
            secret: variable("AWS_SECRET_ACCESS_KEY")?,
            token: variable("AWS_SESSION_TOKEN").ok(),
        };
        Ok(Self { stream, host, signer, incoming: Vec::new() })
    }

    /// The body of the answer.
    pub fn call(&mut self, operation: &str, body: &str) -> io::Result<&[u8]> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(io::Error::other)?.as_secs();
        let target = format!("DynamoDB_20120810.{operation}");
        let head = self.signer.head(&self.host, &target, body.as_bytes(), now);
        http::send(&mut self.stream, head.as_bytes(), body.as_bytes())?;
        let answer = http::receive(&mut self.stream, &mut self.incoming)?;
        if !answer.head.starts_with("HTTP/1.1 200") {
            return Err(io::Error::other(String::from_utf8_lossy(answer.body).into_owned()));
        }
        Ok(answer.body)
    }
}
