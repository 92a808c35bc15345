//! A web server with a certificate of the test, which notes what it is sent.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
pub use axum::http::StatusCode;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use axum::serve::Listener;
use rcgen::{CertificateParams, Issuer, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto::ring};
use tokio_rustls::server::TlsStream;

/// A certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub certificate: rcgen::Certificate,
}

/// A certificate and its key.
pub struct Pair {
    pub certificate: rcgen::Certificate,
    pub key: KeyPair,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    #[must_use]
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    /// A certificate for a name, which ends after so many days.
    pub fn issue(&self, name: &str, days: i64) -> Pair {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        let end = jiff::Timestamp::now().as_second() + days * 86_400;
        params.not_after = std::time::SystemTime::UNIX_EPOCH
            .checked_add(std::time::Duration::from_secs(end as u64))
            .unwrap()
            .into();
        let key = KeyPair::generate().unwrap();
        Pair { certificate: params.signed_by(&key, &self.issuer).unwrap(), key }
    }

    /// Writes the certificate into a file.
    pub fn write(&self, path: &Path) -> PathBuf {
        std::fs::write(path, self.certificate.pem()).unwrap();
        path.into()
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: String,
}

type Judge = dyn Fn(&Seen) -> (StatusCode, Option<(&'static str, &'static str)>) + Send + Sync;

struct Shared {
    seen: Mutex<Vec<Seen>>,
    judge: Box<Judge>,
}

pub struct Server {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// A server that answers everything with `200 OK`.
    pub async fn start(authority: &Authority) -> Self {
        Self::judging(authority, |_| (StatusCode::OK, None)).await
    }

    pub async fn judging(
        authority: &Authority,
        judge: impl Fn(&Seen) -> (StatusCode, Option<(&'static str, &'static str)>)
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self::at("127.0.0.1:0", authority, None, judge).await
    }

    /// A server that asks for certificates of an authority, if one is given.
    pub async fn at(
        address: &str,
        authority: &Authority,
        clients: Option<&Authority>,
        judge: impl Fn(&Seen) -> (StatusCode, Option<(&'static str, &'static str)>)
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let tcp = TcpListener::bind(address).await.unwrap();
        let address = tcp.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config(authority, clients)));
        let shared = Arc::new(Shared { seen: Mutex::default(), judge: Box::new(judge) });
        let app = Router::new().fallback(note).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            axum::serve(TlsListener { tcp, acceptor }, app).await.unwrap();
        });
        Self { address, shared, task }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    pub fn bodies(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.body).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn config(authority: &Authority, clients: Option<&Authority>) -> ServerConfig {
    let Pair { certificate, key } = authority.issue("127.0.0.1", 90);
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add(clients.certificate.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    builder.with_single_cert(vec![certificate.der().clone()], key).unwrap()
}

async fn note(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let seen = Seen { method, uri, headers, body: String::from_utf8(body.to_vec()).unwrap() };
    let (status, header) = (shared.judge)(&seen);
    shared.seen.lock().unwrap().push(seen);
    let mut response = Response::builder().status(status);
    if let Some((name, value)) = header {
        response = response.header(name, value);
    }
    response.body("secret of the server".into()).unwrap()
}

struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.tcp.accept().await.unwrap();
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}
