//! A subscriber of a real broker.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;

/// What was heard.
#[derive(Debug, Clone)]
pub struct Heard {
    pub topic: String,
    pub is_retained: bool,
    pub payload: String,
}

/// A subscriber, and all that it has heard.
#[derive(Debug)]
pub struct Subscriber {
    child: Child,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Subscriber {
    #[must_use]
    pub fn of(port: u16, more: &[&str]) -> Self {
        let port = port.to_string();
        let mut child = Command::new("mosquitto_sub");
        child.args(["-p", &port, "-q", "1", "-F", "%t\t%r\t%p"]).args(more);
        let mut child = child.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let heard = Arc::<Mutex<Vec<Heard>>>::default();
        let (lines, to) =
            (BufReader::new(child.stdout.take().unwrap()).lines(), Arc::clone(&heard));
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let [topic, retained, payload] =
                    <[&str; 3]>::try_from(line.splitn(3, '\t').collect::<Vec<_>>()).unwrap();
                let is_retained = retained == "1";
                let one = Heard { topic: topic.into(), is_retained, payload: payload.into() };
                to.lock().unwrap().push(one);
            }
        });
        Self { child, heard }
    }

    pub fn heard(&self) -> MutexGuard<'_, Vec<Heard>> {
        self.heard.lock().unwrap()
    }

    /// All that was heard on a station's topic, in the order in which it came.
    #[must_use]
    pub fn all(&self, station: &str, word: &str) -> Vec<Value> {
        let topic = format!("nap/v1/{station}/{word}");
        let heard = self.heard();
        let these = heard.iter().filter(|heard| heard.topic == topic);
        these.map(|heard| serde_json::from_str(&heard.payload).unwrap()).collect()
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
