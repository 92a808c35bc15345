//! TLS 1.2 and 1.3: whom to trust, and the station's own certificate.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use jiff::Timestamp;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::error::Error;
use crate::relay::certificate_time::CertificateTime;
use crate::secret::check_secret_file;

/// The files of a relay's TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFiles {
    ca: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

/// When files were last changed, to see that they were changed.
pub type Stamps = Vec<Option<(SystemTime, u64)>>;

impl TlsFiles {
    /// Files whose relative paths start from a folder.
    #[must_use]
    pub fn new(
        folder: &Path,
        ca: Option<&Path>,
        certificate: Option<&Path>,
        key: Option<&Path>,
    ) -> Self {
        let resolve = |path: Option<&Path>| path.map(|path| folder.join(path));
        Self { ca: resolve(ca), certificate: resolve(certificate), key: resolve(key) }
    }

    /// What the files say of themselves: other stamps, other files.
    #[must_use]
    pub fn stamps(&self) -> Stamps {
        let files = [&self.ca, &self.certificate, &self.key].into_iter().flatten();
        files
            .map(|file| {
                let metadata = fs::metadata(file).ok()?;
                Some((metadata.modified().ok()?, metadata.len()))
            })
            .collect()
    }

    /// Reads the files.
    ///
    /// # Errors
    /// If one cannot be read, has nothing in it, others can read the key, or key and certificate are not a pair.
    pub fn load(&self, time: &CertificateTime) -> Result<Arc<ClientConfig>, Error> {
        let provider = Arc::new(ring::default_provider());
        let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
        let builder = ClientConfig::builder_with_details(provider, Arc::new(time.clone()))
            .with_protocol_versions(&versions);
        let builder = builder.map_err(|error| Error::Tls { problem: error.to_string() })?;
        let builder = builder.with_root_certificates(self.roots()?);
        let config = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => {
                let own =
                    builder.with_client_auth_cert(certificates(certificate)?, private_key(key)?);
                own.map_err(|error| bad(certificate, format!("with {}: {error}", key.display())))?
            }
            (None, None) => builder.with_no_client_auth(),
            _ => return Err(Error::Tls { problem: "certificate and key belong together".into() }),
        };
        Ok(Arc::new(config))
    }

    /// When the certificates end: of each file the one that ends first.
    #[must_use]
    pub fn ends(&self) -> Vec<(PathBuf, Timestamp)> {
        let files = [&self.ca, &self.certificate].into_iter().flatten();
        files
            .filter_map(|file| {
                let ends = certificates(file).ok()?;
                Some((file.clone(), ends.iter().filter_map(|certificate| end(certificate)).min()?))
            })
            .collect()
    }

    fn roots(&self) -> Result<RootCertStore, Error> {
        let mut roots = RootCertStore::empty();
        let Some(ca) = &self.ca else {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            return match roots.is_empty() {
                true => Err(Error::Tls {
                    problem: "the system has no certificate authorities; install ca-certificates, or say ca = \"FILE\"".into(),
                }),
                false => Ok(roots),
            };
        };
        for certificate in certificates(ca)? {
            roots.add(certificate).map_err(|error| bad(ca, error.to_string()))?;
        }
        Ok(roots)
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let text = fs::read(file).map_err(Error::io(file, "read"))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let certificates = certificates.map_err(|error| bad(file, error.to_string()))?;
    match certificates.is_empty() {
        true => Err(bad(file, "no certificate (-----BEGIN CERTIFICATE-----) in it".into())),
        false => Ok(certificates),
    }
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    check_secret_file(file)?;
    let text = fs::read(file).map_err(Error::io(file, "read"))?;
    PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| bad(file, "no private key in it, or one with a passphrase".into()))
}

fn end(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
}

fn bad(file: &Path, problem: String) -> Error {
    Error::BadFile { path: file.into(), problem }
}
