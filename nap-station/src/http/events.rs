//! Events as they happen: server-sent events for any number of readers.

use std::convert::Infallible;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use tokio_stream::{Stream, StreamExt as _};

use crate::http::published::Sent;
use crate::http::shared::Shared;
use crate::monitor::Monitor;

/// Readers of the event stream at once.
pub(crate) const MAX_READERS: i64 = 64;

/// Answers with a stream of events that ends with the server.
pub(crate) async fn events(State(shared): State<Shared>) -> Response {
    let Some(reader) = Reader::admit(&shared.monitor) else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many readers").into_response();
    };
    Sse::new(stream(shared.events.subscribe(), reader))
        .keep_alive(KeepAlive::default())
        .into_response()
}

/// A reader of the events, counted while it is there.
struct Reader(Monitor);

impl Reader {
    fn admit(monitor: &Monitor) -> Option<Self> {
        let readers = &monitor.metrics().event_readers;
        if readers.get() >= MAX_READERS {
            return None;
        }
        readers.inc();
        Some(Self(monitor.clone()))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.metrics().event_readers.dec();
    }
}

/// Server-sent events; a reader that was too slow is told how many it has missed.
fn stream(
    events: broadcast::Receiver<Sent>,
    reader: Reader,
) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    BroadcastStream::new(events).take_while(|sent| !matches!(sent, Ok(Sent::End))).filter_map(
        move |sent| match sent {
            Ok(Sent::Event(event)) => {
                Some(Ok(sse::Event::default().event(event.kind).data(event.data)))
            }
            Ok(Sent::End) => None,
            Err(BroadcastStreamRecvError::Lagged(count)) => {
                reader.0.metrics().dropped_events.inc_by(count);
                let data = json!({ "events": count }).to_string();
                Some(Ok(sse::Event::default().event("missed").data(data)))
            }
        },
    )
}
