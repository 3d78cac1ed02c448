//! The engine's HTTP side: the control-room page and the data under it.
//!
//! It lives on a thread and a runtime of its own and never waits for the decision thread, nor that
//! one for it: views come through a [slot](crate::telemetry::view_slot). Whatever a client does,
//! at most a fixed number are served, each with a fixed amount of memory.
//!
//! | path | what |
//! | --- | --- |
//! | `/` | the page |
//! | `/api/hub` | what does not move: [`HubView`] |
//! | `/api/view` | the engine now: [`View`](crate::telemetry::View) |
//! | `/api/events` | the same ten times a second, as server-sent events named `view` |
//! | `/healthz` | that this thread answers |
//!
//! Anything else gets a problem document (RFC 9457).

mod feed;
mod listener;
mod page;
mod problem;
mod routes;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::body::Bytes;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use crate::telemetry::{HubView, ViewSource};
use listener::BoundedListener;
use routes::Shared;

/// How long open requests get to finish once the API is told to stop.
const STOP_MAX: Duration = Duration::from_secs(2);

/// What the API serves at most.
#[derive(Clone, Copy, Debug)]
pub struct ApiLimits {
    /// Streams of events at once; one more is refused with 503.
    pub watchers_max: usize,
    /// Connections at once; one more waits until another closes.
    pub connections_max: usize,
    /// How long a connection may neither send nor take a byte.
    pub idle_max: Duration,
}

impl Default for ApiLimits {
    /// A control room, an office, and a few phones: a browser opens up to six connections.
    fn default() -> Self {
        Self {
            watchers_max: 32,
            connections_max: 128,
            idle_max: Duration::from_secs(30),
        }
    }
}

/// Why the API could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The address is taken, or not one of this machine.
    #[error("cannot listen on {address}: {source}; choose another address or port")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system gave no thread, poller or timer.
    #[error("the system gives no means for another thread: {0}; raise its limits and start again")]
    Start(#[from] io::Error),
}

/// The hub as the API shows it; any thread may hold one.
#[derive(Clone, Debug)]
pub struct HubShow(Arc<watch::Sender<Bytes>>);

impl HubShow {
    /// Shows this from now on.
    pub fn set(&self, hub: &HubView) {
        self.0.send_replace(hub_json(hub));
    }
}

/// Every field of a hub's description has a JSON form.
fn hub_json(hub: &HubView) -> Bytes {
    serde_json::to_vec(hub).unwrap_or_default().into()
}

/// A running API. It stops when it is dropped.
#[derive(Debug)]
pub struct Api {
    address: SocketAddr,
    hub: HubShow,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Api {
    /// Listens on `address` (port 0: any free one) and serves `hub` and the views of `source`.
    ///
    /// # Errors
    /// When the address cannot be had, or the system gives no thread; nothing runs then.
    pub fn start(
        address: SocketAddr,
        limits: ApiLimits,
        hub: &HubView,
        source: ViewSource,
    ) -> Result<Self, ApiError> {
        let listen = |source| ApiError::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(listen)?;
        listener.set_nonblocking(true)?;
        let bound = listener.local_addr()?;
        let hub = HubShow(Arc::new(watch::Sender::new(hub_json(hub))));
        let shown = hub.0.subscribe();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = watch::channel(false);
        let serve = move || {
            let served = runtime.block_on(serve(listener, limits, shown, source, stopped));
            if let Err(error) = served {
                tracing::error!(%error, "the API has ended");
            }
            end(runtime);
        };
        let thread = thread::Builder::new().name("api".to_owned()).spawn(serve)?;
        Ok(Self {
            address: bound,
            hub,
            stop,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the hub's description is set when another plan becomes active.
    #[must_use]
    pub fn hub_show(&self) -> HubShow {
        self.hub.clone()
    }

    /// Ends streams, lets open requests finish, and returns when the thread is gone.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the API's thread had panicked");
        }
    }
}

async fn serve(
    listener: TcpListener,
    limits: ApiLimits,
    hub: watch::Receiver<Bytes>,
    source: ViewSource,
    stopped: watch::Receiver<bool>,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let listener = BoundedListener::new(listener, limits.connections_max, limits.idle_max);
    let (feed, run) = feed::feed(source, limits.watchers_max, stopped.clone());
    tokio::spawn(run);
    let router = routes::router(Shared {
        hub,
        feed,
        watchers_max: limits.watchers_max,
    });
    let told = |mut stopped: watch::Receiver<bool>| async move {
        // An error means that the handle is gone, which stops the API as well.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let server = axum::serve(listener, router).with_graceful_shutdown(told(stopped.clone()));
    let too_long = async {
        told(stopped).await;
        tokio::time::sleep(STOP_MAX).await;
    };
    tokio::select! {
        served = server => served,
        () = too_long => Ok(()),
    }
}

/// Connections that have not ended by themselves end with the runtime.
fn end(runtime: Runtime) {
    runtime.shutdown_timeout(STOP_MAX);
}
