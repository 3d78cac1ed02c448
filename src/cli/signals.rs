//! Ctrl-C and its like, counted: once asks for a good end, twice for a quick one.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Counts interrupts (Ctrl-C, and SIGTERM where there is such a thing) from now on, on a thread of
/// its own.
///
/// # Errors
/// If the system gives no thread, event loop or signal.
pub fn count(interrupts: &Arc<AtomicU32>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let interrupts = Arc::clone(interrupts);
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            runtime.block_on(async {
                while wait().await.is_ok() {
                    interrupts.fetch_add(1, Ordering::Relaxed);
                }
            });
        })?;
    Ok(())
}

#[cfg(unix)]
async fn wait() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn wait() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
