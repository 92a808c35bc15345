//! A way to a server that can be bad.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How bad the way is. Connections that exist feel a change, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Not at all.
    Good,
    /// Everything takes so many milliseconds more.
    Slow(u64),
    /// Connections are taken, and nothing ever comes through.
    BlackHole,
    /// What is sent arrives, and no answer comes back.
    HalfOpen,
    /// Connections end.
    Reset,
}

pub struct Proxy {
    pub address: SocketAddr,
    way: watch::Sender<Way>,
    accepted: watch::Sender<usize>,
    carried: Arc<AtomicU64>,
}

impl Proxy {
    /// A way to a port of this machine.
    pub async fn to(port: u16, way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (way, accepted) = (watch::Sender::new(way), watch::Sender::new(0));
        let (ways, count) = (way.clone(), accepted.clone());
        let carried = Arc::<AtomicU64>::default();
        let bytes = Arc::clone(&carried);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                count.send_modify(|count| *count += 1);
                tokio::spawn(carry(client, port, ways.subscribe(), Arc::clone(&bytes)));
            }
        });
        Self { address, way, accepted, carried }
    }

    pub fn become_(&self, way: Way) {
        self.way.send_replace(way);
    }

    /// So many bytes were carried, both ways.
    pub fn carried(&self) -> u64 {
        self.carried.load(Ordering::Relaxed)
    }

    /// So many connections there have been.
    pub fn accepted(&self) -> usize {
        *self.accepted.borrow()
    }
}

async fn carry(
    mut client: TcpStream,
    port: u16,
    way: watch::Receiver<Way>,
    carried: Arc<AtomicU64>,
) {
    let mut resets = way.clone();
    let reset = resets.wait_for(|way| *way == Way::Reset);
    let through = async {
        let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        tokio::select! {
            () = copy(&mut from_client, &mut to_server, &way, false, &carried) => {}
            () = copy(&mut from_server, &mut to_client, &way, true, &carried) => {}
        }
    };
    tokio::select! {
        _ = reset => {}
        () = through => {}
    }
}

async fn copy(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    way: &watch::Receiver<Way>,
    is_answer: bool,
    carried: &AtomicU64,
) {
    let mut buffer = vec![0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let now = *way.borrow();
        match now {
            Way::BlackHole => continue,
            Way::HalfOpen if is_answer => continue,
            Way::Slow(milliseconds) => {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await
            }
            _ => {}
        }
        carried.fetch_add(count as u64, Ordering::Relaxed);
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
