//! What others may ask over HTTP: `/metrics`, `/events`, `/health`.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use tokio::sync::broadcast;
use tokio_stream::Stream;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

use super::health::Health;
use super::metrics::Metrics;

/// Events that wait for a slow reader; it misses the older ones.
const QUEUE: usize = 256;
/// Readers of the event stream at once.
const MOST_READERS: i64 = 64;

/// An event for those who listen in.
#[derive(Debug, Clone)]
pub struct Published {
    /// What it is: `message`, `update`, `fault`, `recovered`.
    pub kind: &'static str,
    /// A JSON object.
    pub data: String,
}

/// A server in a thread of its own.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    events: broadcast::Sender<Published>,
}

/// What the handlers share.
#[derive(Clone)]
struct Shared {
    metrics: Arc<Metrics>,
    health: Arc<Mutex<Health>>,
    events: broadcast::Sender<Published>,
}

impl Server {
    /// Starts to listen.
    ///
    /// # Errors
    /// If the address is not free.
    pub fn start(
        address: SocketAddr,
        metrics: Arc<Metrics>,
        health: Arc<Mutex<Health>>,
    ) -> Result<Self> {
        let listener = TcpListener::bind(address)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .with_context(|| format!("cannot listen at {address}"))?;
        let address = listener.local_addr().context("the address of the HTTP server")?;
        let (events, _) = broadcast::channel(QUEUE);
        let shared = Shared { metrics, health, events: events.clone() };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the HTTP server")?;
        thread::spawn(move || {
            let served = runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                axum::serve(listener, router(shared)).await
            });
            if let Err(error) = served {
                tracing::error!("the HTTP server has ended: {error}");
            }
        });
        Ok(Self { address, events })
    }

    /// Hands an event to all readers. Nobody has to be there.
    pub fn publish(&self, event: Published) {
        drop(self.events.send(event));
    }
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/events", get(events))
        .route("/health", get(health))
        .with_state(shared)
}

async fn metrics(State(shared): State<Shared>) -> Response {
    match shared.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// 200 while samples come, else 503, with the reason.
async fn health(State(shared): State<Shared>) -> Response {
    let report = shared.health.lock().unwrap_or_else(PoisonError::into_inner).report();
    let status = if report.is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let text = json!(report).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}

async fn events(State(shared): State<Shared>) -> Response {
    let Some(reader) = Reader::admit(&shared.metrics) else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many readers").into_response();
    };
    Sse::new(stream(shared.events.subscribe(), reader))
        .keep_alive(KeepAlive::default())
        .into_response()
}

/// A reader of the events, counted while it is there.
struct Reader(Arc<Metrics>);

impl Reader {
    fn admit(metrics: &Arc<Metrics>) -> Option<Self> {
        if metrics.event_readers.get() >= MOST_READERS {
            return None;
        }
        metrics.event_readers.inc();
        Some(Self(Arc::clone(metrics)))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.event_readers.dec();
    }
}

/// Server-sent events; a reader that was too slow is told how many it has missed.
fn stream(
    events: broadcast::Receiver<Published>,
    reader: Reader,
) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    BroadcastStream::new(events).map(move |event| {
        Ok(match event {
            Ok(event) => sse::Event::default().event(event.kind).data(event.data),
            Err(BroadcastStreamRecvError::Lagged(count)) => {
                reader.0.dropped_events.inc_by(count);
                sse::Event::default().event("missed").data(json!({ "events": count }).to_string())
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpStream;
    use std::time::{Duration, Instant};

    fn server() -> (Server, Arc<Metrics>) {
        let metrics = Arc::new(Metrics::new().unwrap());
        let health = Arc::new(Mutex::new(Health::default()));
        let address = "127.0.0.1:0".parse().unwrap();
        (Server::start(address, Arc::clone(&metrics), health).unwrap(), metrics)
    }

    fn ask(server: &Server, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(server.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        stream
    }

    fn wait_for(what: impl Fn() -> bool) {
        let start = Instant::now();
        while !what() {
            assert!(start.elapsed() < Duration::from_secs(10), "it does not come");
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_slow_reader_misses_what_does_not_fit_and_others_do_not() {
        let (server, metrics) = server();
        let slow = ask(&server, "/events");
        let quick = ask(&server, "/events");
        wait_for(|| metrics.event_readers.get() == 2);
        // The quick one reads all; the slow one reads nothing until the network's buffers are full.
        let reading = thread::spawn(move || {
            let lines = BufReader::new(quick).lines().map_while(Result::ok);
            lines.filter(|line| line.starts_with("data:")).take(2000).count()
        });
        for number in 0..2000 {
            let data = format!("{{\"number\":{number},\"text\":\"{}\"}}", "x".repeat(10_000));
            server.publish(Published { kind: "message", data });
            thread::sleep(Duration::from_micros(300));
        }
        assert_eq!(reading.join().unwrap(), 2000);
        let mut slow = BufReader::new(slow).lines().map_while(Result::ok);
        assert!(slow.any(|line| line == "event: missed"));
        assert!(metrics.dropped_events.get() > 0);
        drop(slow);
        wait_for(|| {
            server.publish(Published { kind: "message", data: "{}".into() });
            metrics.event_readers.get() == 0
        });
    }

    #[test]
    fn there_is_room_for_so_many_readers() {
        let (server, metrics) = server();
        let readers: Vec<_> = (0..MOST_READERS).map(|_| ask(&server, "/events")).collect();
        wait_for(|| metrics.event_readers.get() == MOST_READERS);
        let mut line = String::new();
        BufReader::new(ask(&server, "/events")).read_line(&mut line).unwrap();
        assert!(line.contains("503"), "{line}");
        drop(readers);
    }
}
