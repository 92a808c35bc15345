//! What others may ask over HTTP: `/metrics`, `/events`, `/health`; `/` says so.

mod events;
pub(crate) mod published;
mod shared;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::sync::{broadcast, watch};

use crate::error::Error;
use crate::monitor::Monitor;
use published::Sent;
use shared::Shared;

pub use published::Published;

/// Events that wait for a slow reader; it misses the older ones.
const QUEUE: usize = 256;
/// So long an answer that has begun may take to end when the server stops.
const GRACE: Duration = Duration::from_secs(1);

/// For a browser, and for people who ask without one.
const CONTENTS: &str = "\
<!doctype html><meta charset=utf-8><title>nap</title>
<h1>nap, an open receiver of the Sigfox 0G uplink</h1>
<ul>
<li><a href=/health>/health</a>: 200 while samples come, else 503, with the reason
<li><a href=/metrics>/metrics</a>: counters, for Prometheus
<li><a href=/events>/events</a>: messages, updates and faults as they come, server-sent events of JSON
</ul>
";

/// A server in a thread of its own. It stops when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    events: broadcast::Sender<Sent>,
    stopping: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts to listen; port 0 takes one that is free.
    ///
    /// # Errors
    /// [`Error::Listen`] if the address is not free.
    pub fn start(address: SocketAddr, monitor: Monitor) -> Result<Self, Error> {
        let failed = |source| Error::Listen { address, source };
        let runtime = runtime().map_err(failed)?;
        let (listener, bound) = bind(address, &runtime).map_err(failed)?;
        let (events, _) = broadcast::channel(QUEUE);
        let (stopping, is_stopping) = watch::channel(false);
        let shared = Shared { monitor, events: events.clone() };
        let serving = serve(listener, router(shared), is_stopping);
        let thread = thread::spawn(move || runtime.block_on(serving));
        Ok(Self { address: bound, events, stopping, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Hands an event to all readers. Nobody has to be there, and nobody is waited for.
    pub fn publish(&self, event: Published) {
        drop(self.events.send(Sent::Event(event)));
    }

    /// Ends the event streams, gives answers that have begun a second to end, and waits for that.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        drop(self.events.send(Sent::End));
        self.stopping.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic in the thread has been reported.
            drop(thread.join());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn bind(
    address: SocketAddr,
    runtime: &Runtime,
) -> io::Result<(tokio::net::TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let bound = listener.local_addr()?;
    let _inside = runtime.enter();
    Ok((tokio::net::TcpListener::from_std(listener)?, bound))
}

/// Serves until it is to stop, and then until nobody is served any more, but not longer than [`GRACE`].
async fn serve(listener: tokio::net::TcpListener, router: Router, stopping: watch::Receiver<bool>) {
    let served = axum::serve(listener, router).with_graceful_shutdown(stop(stopping.clone()));
    let served = tokio::spawn(served.into_future());
    stop(stopping).await;
    drop(tokio::time::timeout(GRACE, served).await);
}

/// Waits until the server is to stop.
async fn stop(mut stopping: watch::Receiver<bool>) {
    // That nobody can say so any more means the same.
    drop(stopping.wait_for(|&is_stopping| is_stopping).await);
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/", get(contents))
        .route("/metrics", get(metrics))
        .route("/events", get(events::events))
        .route("/health", get(health))
        .with_state(shared)
}

/// Says where things are.
async fn contents() -> Html<&'static str> {
    Html(CONTENTS)
}

async fn metrics(State(shared): State<Shared>) -> Response {
    match shared.monitor.metrics().text() {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// 200 while samples come, else 503, with the reason.
async fn health(State(shared): State<Shared>) -> Response {
    let report = shared.monitor.health().report(Instant::now());
    let status = if report.is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let text = json!(report).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpStream;

    fn server() -> (Server, Monitor) {
        let monitor = Monitor::new().unwrap();
        let address = "127.0.0.1:0".parse().unwrap();
        (Server::start(address, monitor.clone()).unwrap(), monitor)
    }

    fn ask(server: &Server, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(server.address()).unwrap();
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
        let (server, monitor) = server();
        let slow = ask(&server, "/events");
        let quick = ask(&server, "/events");
        wait_for(|| monitor.metrics().event_readers.get() == 2);
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
        assert!(monitor.metrics().dropped_events.get() > 0);
        drop(slow);
        wait_for(|| {
            server.publish(Published { kind: "message", data: "{}".into() });
            monitor.metrics().event_readers.get() == 0
        });
    }

    #[test]
    fn who_asks_for_nothing_is_told_where_things_are() {
        let (server, _) = server();
        let mut stream = TcpStream::connect(server.address()).unwrap();
        write!(stream, "GET / HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
        for path in ["/health", "/metrics", "/events"] {
            assert!(answer.contains(&format!("<a href={path}>")), "{answer}");
        }
    }

    #[test]
    fn there_is_room_for_so_many_readers() {
        let (server, monitor) = server();
        let readers: Vec<_> = (0..events::MAX_READERS).map(|_| ask(&server, "/events")).collect();
        wait_for(|| monitor.metrics().event_readers.get() == events::MAX_READERS);
        let mut line = String::new();
        BufReader::new(ask(&server, "/events")).read_line(&mut line).unwrap();
        assert!(line.contains("503"), "{line}");
        drop(readers);
    }

    #[test]
    fn stopping_ends_the_streams_and_frees_the_address() {
        let (server, monitor) = server();
        let address = server.address();
        let mut reader = ask(&server, "/events");
        // One that never asks for anything does not hold it up for ever either.
        let idle = TcpStream::connect(address).unwrap();
        wait_for(|| monitor.metrics().event_readers.get() == 1);
        let start = Instant::now();
        server.stop();
        assert!(start.elapsed() < GRACE + Duration::from_secs(4), "{:?}", start.elapsed());
        let mut rest = String::new();
        reader.read_to_string(&mut rest).unwrap();
        assert!(rest.ends_with("0\r\n\r\n"), "the stream has an end: {rest:?}");
        assert_eq!(monitor.metrics().event_readers.get(), 0);
        assert!(TcpStream::connect(address).is_err());
        drop(idle);
    }
}
