//! The virtual PLC as others see it: pymodbus, with no code of ours, finds the registers of
//! `docs/plc-interface.md`.

mod common;
mod program;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use program::{Dir, Running};
use serde_json::{Value, json};

/// Checks that the script makes at least; one that ends early has made fewer.
const CHECKS_MIN: u64 = 180;

/// Starts a virtual hub and lets the script look at its PLC.
fn look_at_registers(more: &[&str]) {
    let Some(python) = common::python() else {
        return;
    };
    let dir = Dir::new();
    let args = ["emulate", "--config", "config/demo.toml", "--json"];
    let args = [&args[..], &["--any-port"], more].concat();
    let mut plant = Running::start(&dir, "emulate", &args);
    let addresses: Value = plant.wait_for("the addresses", |program| {
        serde_json::from_str(&program.out()).ok()
    });
    let plc = &addresses["plcs"][0];
    let address = plc["address"].as_str().expect("an address");
    let address: SocketAddr = address.parse().expect("an address of a socket");
    // As config/demo.toml has them.
    let facts = json!({
        "unit": plc["unit"], "chutes": 15, "inductions": 2, "cells": 60,
        "pitch_mm": 600, "track_mm": 36_000, "speed_mm_s": 2_000,
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/plc_registers.py");
    let looked = Command::new(python)
        .arg(script)
        .arg(address.ip().to_string())
        .arg(address.port().to_string())
        .arg(facts.to_string())
        .args(more)
        .output()
        .expect("Python can be started");
    let said = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (said(&looked.stdout), said(&looked.stderr));
    assert!(looked.status.success(), "{out}{err}{}", plant.err());
    let checks = out.trim().strip_suffix(" checks");
    let checks = checks.and_then(|number| number.parse::<u64>().ok());
    assert!(checks.is_some_and(|checks| checks >= CHECKS_MIN), "{out}");
}

#[test]
fn pymodbus_finds_the_registers_of_the_document() {
    look_at_registers(&[]);
}

#[test]
fn pymodbus_finds_them_where_fc23_is_not_known() {
    look_at_registers(&["--without-fc23"]);
}
