//! Whatever the link, the PLC and the engines do: each event is told once and in order, each
//! command is consumed at most once and not lost, an engine that is not granted moves nothing, and
//! everything comes to rest.
//!
//! The laws themselves are checked in `mailbox_support` at every step.

mod mailbox_support;

use mailbox_support::{Fault, World};
use proptest::prelude::*;

/// Longest time from the last fault to rest: a lease and a refusal to run out, the loss time, and a
/// full FIFO to drain.
const REST_MS: u64 = 15_000;

fn play(seed: u64, fc23: bool, script: &[(u16, Fault)]) -> World {
    let mut world = World::new(seed, fc23);
    world.run(500);
    for (wait_ms, fault) in script {
        world.run(u64::from(*wait_ms));
        world.strike(*fault);
    }
    world.run(300);
    world.settle(REST_MS);
    world
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        3 => Just(Fault::LoseRequest),
        3 => Just(Fault::LoseReply),
        3 => any::<u8>().prop_map(|ms| Fault::LateRequest { ms }),
        3 => any::<u8>().prop_map(|ms| Fault::WriteAgain { ms }),
        3 => (0..121_u8).prop_map(|registers| Fault::TornWrite { registers }),
        3 => (1..8_u8).prop_map(|scans| Fault::StaleRead { scans }),
        3 => ((1..8_u8), any::<u8>()).prop_map(|(scans, from)| Fault::TornRead { scans, from }),
        1 => (1..2_500_u16).prop_map(|ms| Fault::PlcPause { ms }),
        1 => Just(Fault::PlcReboot),
        1 => Just(Fault::EngineRestart),
        1 => Just(Fault::SecondEngine),
        1 => (1..2_500_u16).prop_map(|ms| Fault::EnginePause { ms }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_faults_leave_the_laws_whole(
        seed in any::<u64>(),
        fc23 in any::<bool>(),
        script in prop::collection::vec((0..200_u16, fault()), 0..24),
    ) {
        let _world = play(seed, fc23, &script);
    }
}

#[test]
fn a_quiet_link_comes_up_and_carries_everything() {
    for fc23 in [false, true] {
        let mut world = play(7, fc23, &[]);
        assert!(world.node(0).events.len() > 10);
        assert!(world.node(0).inventories_complete > 0);
    }
}

/// What the random scripts have found, as they were shrunk.
#[test]
fn scripts_that_once_broke_a_law() {
    use Fault::{
        EnginePause, EngineRestart, LoseRequest, PlcPause, PlcReboot, SecondEngine, TornRead,
        WriteAgain,
    };
    // A restarted engine met a window torn between two grants, and took its middle for its
    // beginning.
    let torn_grant = [
        (147, LoseRequest),
        (195, EngineRestart),
        (153, LoseRequest),
        (125, TornRead { scans: 1, from: 29 }),
    ];
    play(1_418_985_561_322_539_160, false, &torn_grant);
    // A slot torn between two events passed a check that was a plain sum.
    play(
        2_914_321_077_794_595_036,
        true,
        &[(
            177,
            TornRead {
                scans: 5,
                from: 113,
            },
        )],
    );
    // An inventory area was read after two restarts, as if it were that of the life before.
    let two_lives = [
        (177, EnginePause { ms: 1_481 }),
        (5, PlcReboot),
        (96, PlcReboot),
        (83, SecondEngine),
        (128, SecondEngine),
        (110, LoseRequest),
        (4, LoseRequest),
        (83, SecondEngine),
        (137, LoseRequest),
        (106, WriteAgain { ms: 0 }),
        (167, LoseRequest),
        (122, WriteAgain { ms: 0 }),
        (125, LoseRequest),
    ];
    play(4_150_300_632_790_664_555, false, &two_lives);
    // A restarting PLC shows no inventory; that was taken for one that never would.
    let slow_restart = [
        (3, PlcReboot),
        (33, LoseRequest),
        (102, PlcReboot),
        (82, EnginePause { ms: 281 }),
        (0, PlcPause { ms: 491 }),
        (0, PlcReboot),
    ];
    play(293_173_492_579_341_480, false, &slow_restart);
}
