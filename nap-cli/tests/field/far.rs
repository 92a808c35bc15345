//! The other ends of a station's relays: a broker with an application that listens, and a web server.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nap_far_ends::broker::{Broker, PERSISTENT};
use nap_far_ends::proxy::{Proxy, Way};
use nap_far_ends::server::{Authority, Seen, Server, StatusCode};
use nap_far_ends::subscriber::Subscriber;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::common::site::Site;

/// What a web server is sent of a message.
const BODY: &str = r#"body = '{"id":"{id}","payload":"{data}","time":{time},"late":{late}}'"#;

/// A web server that comes and goes, on one port and with all that it was ever sent.
pub struct Web {
    authority: Arc<Authority>,
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Value>>>,
    running: Option<(tokio::sync::oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Web {
    pub fn start() -> Self {
        let authority = Arc::new(Authority::new());
        let address = "127.0.0.1:0".parse().unwrap();
        let mut web = Self { authority, address, seen: Arc::default(), running: None };
        web.up();
        web
    }

    pub fn up(&mut self) {
        let (authority, seen, at) =
            (Arc::clone(&self.authority), Arc::clone(&self.seen), self.address);
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (ready, is_ready) = channel();
        let serve = async move {
            let note = move |request: &Seen| {
                // Somebody who looks whether anybody is there.
                if request.method == "HEAD" {
                    return (StatusCode::OK, None);
                }
                let bodies =
                    request.body.split(';').map(|body| serde_json::from_str(body).unwrap());
                seen.lock().unwrap().extend(bodies);
                (StatusCode::OK, None)
            };
            let server = Server::at(&at.to_string(), &authority, None, note).await;
            ready.send(server.address).unwrap();
            _ = stopped.await;
        };
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(serve);
        });
        self.address = is_ready.recv().unwrap();
        self.running = Some((stop, thread));
    }

    /// It ends, and so do its connections.
    pub fn down(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            thread.join().unwrap();
        }
    }

    pub fn seen(&self) -> Vec<Value> {
        self.seen.lock().unwrap().clone()
    }

    pub fn seen_count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The relay to it, for a station's configuration.
    pub fn relay(&self, site: &Site) -> String {
        self.relay_over(site, self.port())
    }

    /// The relay to it over a way that begins at another port.
    pub fn relay_over(&self, site: &Site, port: u16) -> String {
        self.authority.write(&site.path("ca.pem"));
        format!(
            "[relay.web]\ntype = \"https\"\nurl = \"https://127.0.0.1:{port}/\"\nca = \"ca.pem\"\n{BODY}\n"
        )
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.down();
    }
}

/// A broker, and an application for which it keeps what comes while the application or itself is away.
pub struct Topics {
    pub broker: Broker,
    application: Subscriber,
}

impl Topics {
    pub fn start() -> Self {
        let broker = Broker::with(PERSISTENT, |_| {});
        let session = ["-t", "#", "-c", "-i", "application"];
        assert!(broker.publish("there", "1", &["-r"]));
        let application = Subscriber::of(broker.port, &session);
        while application.heard().is_empty() {
            thread::sleep(Duration::from_millis(5));
        }
        Self { broker, application }
    }

    /// What all stations have published on a topic.
    pub fn all(&self, word: &str) -> Vec<Value> {
        let heard = self.application.heard();
        let of_word = heard.iter().filter(|heard| heard.topic.rsplit('/').next() == Some(word));
        of_word.map(|heard| serde_json::from_str(&heard.payload).unwrap()).collect()
    }

    /// How many all stations have published on a topic.
    pub fn count(&self, word: &str) -> usize {
        self.application.heard().iter().filter(|heard| heard.topic.ends_with(word)).count()
    }

    /// The relay to it, for a station's configuration.
    pub fn relay(&self) -> String {
        self.relay_over(self.broker.port)
    }

    /// The relay to it over a way that begins at another port.
    pub fn relay_over(&self, port: u16) -> String {
        format!("[relay.topics]\ntype = \"mqtt\"\nurl = \"mqtt://127.0.0.1:{port}\"\n")
    }
}

/// Both, each going away for a moment again and again.
pub struct Unsteady {
    web: Arc<Mutex<Web>>,
    topics: Arc<Mutex<Topics>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<usize>>,
}

impl Unsteady {
    pub fn new(web: Web, topics: Topics, seed: u64) -> Self {
        let (web, topics) = (Arc::new(Mutex::new(web)), Arc::new(Mutex::new(topics)));
        let is_over = Arc::new(AtomicBool::new(false));
        let (one, other, over) = (Arc::clone(&web), Arc::clone(&topics), Arc::clone(&is_over));
        let thread = thread::spawn(move || {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut times = 0;
            while !over.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(random.random_range(100..900)));
                let away = Duration::from_millis(random.random_range(20..300));
                if random.random() {
                    one.lock().unwrap().down();
                    thread::sleep(away);
                    one.lock().unwrap().up();
                } else {
                    // What an application was told that it is delivered is not forgotten.
                    other.lock().unwrap().broker.stop();
                    thread::sleep(away);
                    other.lock().unwrap().broker.start_again();
                }
                times += 1;
            }
            times
        });
        Self { web, topics, is_over, thread: Some(thread) }
    }

    /// What each has been sent so far: IDs and payloads.
    pub fn seen(&self) -> [Vec<Value>; 2] {
        [self.web.lock().unwrap().seen(), self.topics.lock().unwrap().all("message")]
    }

    /// Both stay from now on; returns how often one was away.
    pub fn settle(&mut self) -> usize {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.take().map(|thread| thread.join().unwrap()).unwrap_or_default()
    }
}

impl Drop for Unsteady {
    fn drop(&mut self) {
        _ = self.settle();
    }
}

/// What a relay's other end has, by ID; every copy says the same.
pub fn by_id(seen: &[Value]) -> BTreeMap<String, String> {
    let mut by_id = BTreeMap::new();
    for one in seen {
        let (id, payload) = (one["id"].as_str().unwrap(), one["payload"].as_str().unwrap());
        let before = by_id.insert(id.to_owned(), payload.to_owned());
        assert!(before.is_none_or(|before| before == payload), "two messages under {id}");
    }
    by_id
}

/// The lines of a file that a relay has written.
pub fn file(site: &Site) -> Vec<Value> {
    let text = fs::read_to_string(site.path("archive.jsonl")).unwrap_or_default();
    // The last line may be being written, or torn by a kill.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A way to a port that may be bad, on a thread of its own.
pub fn way_to(port: u16, way: Way) -> Proxy {
    let (to, from) = channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            to.send(Proxy::to(port, way).await).unwrap();
            std::future::pending::<()>().await;
        });
    });
    from.recv().unwrap()
}
