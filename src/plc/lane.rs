//! The task of one PLC link: connect, exchange, hand on what was told, and again.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use sorthub_core::plc::Exchange;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::exchange::{Connection, ExchangeError};
use crate::config::links::PlcLink;
use crate::engine::Decider;

/// First and longest wait between two tries to connect.
const BACKOFF_MIN: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(2);

/// Runs a lane until it is dropped.
pub async fn run(decider: Rc<RefCell<Decider>>, lane: usize, link: PlcLink, news: Rc<Notify>) {
    let mut backoff = BACKOFF_MIN;
    loop {
        match Connection::open(&link.address, link.unit).await {
            Ok(mut connection) => {
                backoff = BACKOFF_MIN;
                tracing::info!(lane, address = %link.address, "PLC connected");
                decider.borrow_mut().lane_connected(lane);
                let error = exchange_until_broken(&decider, lane, &mut connection, &news).await;
                tracing::warn!(lane, address = %link.address, %error, "PLC connection dropped");
                decider.borrow_mut().lane_disconnected(lane);
            }
            Err(error) => tracing::debug!(lane, %error, "PLC not reached"),
        }
        wait_and_watch(&decider, lane, backoff).await;
        backoff = (backoff * 2).min(BACKOFF_MAX);
    }
}

/// Waits before the next try; the link's loss is noticed meanwhile.
async fn wait_and_watch(decider: &RefCell<Decider>, lane: usize, wait: Duration) {
    let until = Instant::now() + wait;
    loop {
        let next = (Instant::now() + BACKOFF_MIN).min(until);
        tokio::time::sleep_until(next).await;
        decider.borrow_mut().lane_disconnected(lane);
        if next == until {
            return;
        }
    }
}

async fn exchange_until_broken(
    decider: &RefCell<Decider>,
    lane: usize,
    connection: &mut Connection,
    news: &Notify,
) -> ExchangeError {
    loop {
        let next = decider.borrow_mut().lane_next(lane);
        match next {
            Next::Exchange(exchange) => match connection.carry_out(&exchange).await {
                Ok(registers) => {
                    if !decider.borrow_mut().lane_reply(lane, &exchange, &registers) {
                        return ExchangeError::Silent;
                    }
                }
                Err(ExchangeError::Fc23Refused) => decider.borrow_mut().lane_without_fc23(lane),
                Err(error) => return error,
            },
            Next::Wait(until) => {
                tokio::select! {
                    biased;
                    () = news.notified() => {}
                    () = tokio::time::sleep_until(until) => {}
                }
            }
        }
    }
}

/// What a lane does next.
#[expect(
    clippy::large_enum_variant,
    reason = "it lives for one turn, on the stack"
)]
pub enum Next {
    /// Carry this out.
    Exchange(Exchange),
    /// Nothing before this time, unless there is news.
    Wait(Instant),
}
