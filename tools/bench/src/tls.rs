//! The certificate authority of one run. Only the candidates of that run trust it.

use anyhow::{Context as _, Result};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;

/// The certificate of a server of `localhost`, and the authority that its clients must trust.
#[derive(Debug)]
pub(crate) struct Authority {
    /// The authority's certificate.
    pub(crate) pem: String,
    /// TLS 1.3 alone.
    pub(crate) server: Arc<ServerConfig>,
    /// The server's certificate and its key in PEM, for a server in a process of its own.
    pub(crate) server_pem: (String, String),
}

impl Authority {
    /// Makes keys and certificates.
    pub(crate) fn new() -> Result<Self> {
        let failed = "cannot make a certificate";
        let mut root = CertificateParams::default();
        root.distinguished_name.push(DnType::CommonName, "Lean Routes benchmark");
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root_key = KeyPair::generate().context(failed)?;
        let certificate = root.self_signed(&root_key).context(failed)?;
        let issuer = Issuer::new(root, root_key);
        let key = KeyPair::generate().context(failed)?;
        let leaf = CertificateParams::new(["localhost".to_owned()])
            .context(failed)?
            .signed_by(&key, &issuer)
            .context(failed)?;
        let server_pem = (leaf.pem(), key.serialize_pem());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let server =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_protocol_versions(&[&rustls::version::TLS13])
                .and_then(|builder| {
                    builder.with_no_client_auth().with_single_cert(vec![leaf.der().clone()], key)
                })
                .context(failed)?;
        Ok(Self { pem: certificate.pem(), server: Arc::new(server), server_pem })
    }
}
