//! Who is obeyed, when the link counts as lost, and what a restart voids.

mod mailbox_support;

use mailbox_support::pair::{Pair, assign, config, item_event, plc_config};
use sorthub_core::plc::{
    Area, Delivery, EngineConfig, EngineEnd, InductionWish, Link, LinkMs, Mark, Pace, PlcEnd,
    PushRefused, Seq, Status, StatusBits, map,
};

fn status(plc: &PlcEnd) -> Status {
    let mut registers = [0; map::STATUS_REGS];
    plc.read(map::STATUS_BASE, &mut registers)
        .expect("the status");
    Status::decode(&registers)
}

#[test]
fn a_blip_is_no_loss_and_voids_nothing() {
    let mut pair = Pair::up(config());
    pair.engine.push(assign(1, 1)).expect("room");
    let lost_on_the_way = pair
        .engine
        .next_exchange(pair.now)
        .expect("a command goes out");
    assert!(lost_on_the_way.write.is_some());
    pair.break_link();
    pair.run(600);
    pair.plc.push_event(item_event(42)).expect("room");
    pair.mend_link();
    pair.run(100);
    assert_eq!(pair.links(), []);
    assert_eq!(pair.items(), [42]);
    assert_eq!(pair.consumed.len(), 1);
}

#[test]
fn silence_is_told_once_after_the_loss_time_with_its_beginning() {
    let mut pair = Pair::up(config());
    let silent_from = pair.now;
    pair.break_link();
    pair.run(850);
    assert_eq!(pair.links(), []);
    pair.run(1_500);
    let [Link::Lost { since }] = pair.links()[..] else {
        panic!("{:?}", pair.links())
    };
    assert!(
        silent_from.since(since) < 150,
        "{since:?} before {silent_from:?}"
    );
    pair.mend_link();
    pair.run(400);
    assert_eq!(pair.links()[1..], [Link::LossLatched, Link::Up]);
}

#[test]
fn a_plc_programme_that_stands_still_is_a_loss_though_its_server_answers() {
    let mut pair = Pair::up(config());
    pair.scans = false;
    pair.run(1_200);
    assert!(
        matches!(pair.links()[..], [Link::Lost { .. }]),
        "{:?}",
        pair.links()
    );
    pair.scans = true;
    pair.run(400);
    assert_eq!(pair.links().last(), Some(&Link::Up));
}

#[test]
fn inductions_stop_after_a_loss_and_run_when_the_engine_has_seen_it() {
    let mut pair = Pair::up(config());
    let run = InductionWish {
        pace: Pace::Run,
        rate_max_per_h: 1_200,
    };
    assert!(pair.engine.set_induction(1, run));
    pair.run(100);
    assert_eq!(pair.plc.induction_wish(1), run);
    assert_eq!(
        pair.plc.induction_wish(2).pace,
        Pace::Stop,
        "nothing was said of it"
    );
    pair.break_link();
    pair.run(1_200);
    assert_eq!(pair.plc.induction_wish(1).pace, Pace::Stop);
    assert!(status(&pair.plc).bits.has(StatusBits::LINK_LOST));
    pair.mend_link();
    pair.run(300);
    assert_eq!(pair.plc.induction_wish(1), run);
    assert!(!status(&pair.plc).bits.has(StatusBits::LINK_LOST));
}

#[test]
fn a_new_boot_id_voids_commands_and_begins_the_rings_anew() {
    let mut pair = Pair::up(config());
    pair.plc.push_event(item_event(1)).expect("room");
    pair.run(50);
    pair.scans = false;
    for cell in 1..=20 {
        pair.engine.push(assign(cell, 1)).expect("room");
    }
    pair.run(50);
    pair.plc.reboot(2);
    pair.scans = true;
    pair.plc.push_event(item_event(2)).expect("room");
    pair.run(600);
    assert_eq!(
        pair.links()[..2],
        [Link::Reset { boot: 2 }, Link::Granted { boot: 2 }]
    );
    assert_eq!(pair.items(), [1, 2]);
    assert_eq!(pair.consumed, []);
    assert_eq!(pair.engine.commands_open(), 0);
    let old = Mark {
        boot: 1,
        seq: Seq::FIRST,
    };
    assert!(!pair.engine.acknowledge(old), "an event of another life");
    pair.engine.push(assign(1, 2)).expect("room");
    pair.run(50);
    assert_eq!(pair.consumed.len(), 1);
}

#[test]
fn registers_that_were_cleared_mean_nothing() {
    let mut pair = Pair::up(config());
    pair.tamper = Some(Box::new(|_, registers| registers.fill(0)));
    pair.run(300);
    pair.tamper = None;
    pair.run(300);
    assert_eq!(pair.links(), []);
}

#[test]
fn nothing_is_claimed_of_a_plc_set_up_for_another_hub() {
    let mut theirs = plc_config(1);
    theirs.info.config_hash = 0xDEAD_0001;
    let mut ours = config();
    ours.config_hash = 0xDEAD_0002;
    let mut pair = Pair::new(ours, PlcEnd::new(&theirs).expect("good"));
    pair.run(2_500);
    assert_eq!(
        pair.links(),
        [Link::ConfigMismatch {
            theirs: theirs.info
        }]
    );
    assert_eq!(pair.plc.granted(), None);
    assert!(
        status(&pair.plc).bits.has(StatusBits::CONFIG_MISMATCH),
        "the PLC can show it"
    );
    assert_eq!(pair.engine.push(assign(1, 1)), Err(PushRefused::NotGranted));
}

#[test]
fn nothing_is_claimed_of_a_plc_with_another_register_map() {
    let mut pair = Pair::fresh();
    pair.tamper = Some(Box::new(|_, registers| registers[0] = 2));
    pair.run(2_000);
    assert_eq!(pair.links(), [Link::VersionMismatch { theirs: 2 }]);
    assert_eq!(pair.plc.granted(), None);
}

/// Two engines on one PLC, turn by turn.
struct Two {
    first: Pair,
    second: EngineEnd,
    told: Vec<Delivery>,
}

impl Two {
    fn new(second: EngineConfig) -> Self {
        let mut engine = EngineEnd::new(second).expect("good");
        engine.connected(LinkMs(0));
        Self {
            first: Pair::up(config()),
            second: engine,
            told: Vec::new(),
        }
    }

    fn run(&mut self, ms: u64) {
        for _ in 0..ms {
            self.first.run(1);
            let Some(exchange) = self.second.next_exchange(self.first.now) else {
                continue;
            };
            let mut registers = vec![0; exchange.read.map_or(0, |read| usize::from(read.count))];
            if let Some(read) = exchange.read {
                self.first
                    .plc
                    .read(read.address, &mut registers)
                    .expect("good");
            }
            if let Some(write) = &exchange.write {
                self.first
                    .plc
                    .write(write.address, write.registers())
                    .expect("good");
            }
            self.second.reply(self.first.now, &registers).expect("good");
            self.told
                .extend(std::iter::from_fn(|| self.second.next_event()));
        }
    }
}

fn second(area: Area, epoch: u16) -> EngineConfig {
    EngineConfig {
        area,
        epoch,
        ..config()
    }
}

#[test]
fn a_second_engine_waits_until_the_first_is_silent_and_hears_what_is_unacknowledged() {
    let mut two = Two::new(second(Area::B, 6));
    two.first.acknowledges = false;
    two.first.plc.push_event(item_event(77)).expect("room");
    two.run(2_500);
    assert_eq!(
        two.told,
        [Delivery::Link(Link::Refused { granted_epoch: 5 })]
    );
    assert_eq!(two.second.push(assign(1, 1)), Err(PushRefused::NotGranted));
    assert_eq!(two.first.plc.granted(), Some((Area::A, 5)));

    two.first.break_link();
    two.run(2_000);
    assert_eq!(two.first.plc.granted(), Some((Area::B, 6)));
    assert!(
        two.told
            .contains(&Delivery::Link(Link::Granted { boot: 1 }))
    );
    let told = |delivery: &Delivery| matches!(delivery, Delivery::Event(_, e) if e.item == 77);
    assert_eq!(two.told.iter().filter(|delivery| told(delivery)).count(), 1);

    two.first.told.clear();
    two.first.mend_link();
    two.first
        .engine
        .push(assign(9, 9))
        .expect("it has not heard yet");
    two.run(500);
    assert_eq!(two.first.links(), [Link::Refused { granted_epoch: 6 }]);
    assert_eq!(two.first.consumed, [], "a deposed engine moves nothing");
}

#[test]
fn an_equal_or_older_epoch_is_never_granted_nor_believed() {
    for epoch in [5, 4, 0x8000 + 5] {
        let mut two = Two::new(second(Area::B, epoch));
        two.run(2_500);
        assert_eq!(
            two.told,
            [Delivery::Link(Link::Refused { granted_epoch: 5 })],
            "{epoch}"
        );
        two.first.break_link();
        two.run(3_000);
        assert_eq!(two.first.plc.granted(), Some((Area::A, 5)), "{epoch}");
    }
}

#[test]
fn a_release_hands_over_without_waiting() {
    let mut two = Two::new(second(Area::B, 6));
    two.run(300);
    two.first.engine.release();
    assert!(two.first.engine.is_releasing());
    two.run(60);
    assert!(!two.first.engine.is_releasing());
    assert_eq!(two.first.plc.granted(), Some((Area::B, 6)));
    assert_eq!(two.first.links(), [], "it asked for that");
}

#[test]
fn a_claim_left_behind_by_a_dead_engine_is_not_granted() {
    let mut two = Two::new(second(Area::B, 6));
    two.run(300);
    two.second.disconnected(two.first.now);
    two.run(2_000);
    two.first.break_link();
    two.run(2_000);
    assert_eq!(
        two.first.plc.granted(),
        Some((Area::A, 5)),
        "nobody is there to take over"
    );
}

#[test]
fn another_engine_starts_with_no_wishes() {
    let mut two = Two::new(second(Area::B, 6));
    let stale = InductionWish {
        pace: Pace::Run,
        rate_max_per_h: 0,
    };
    let base = Area::B.induction_wish_base();
    two.first
        .plc
        .write(base, &stale.encode())
        .expect("writable");
    two.first.engine.release();
    two.run(200);
    let mut registers = [9; 2];
    two.first.plc.read(base, &mut registers).expect("good");
    assert_eq!(registers, [0, 0]);
}
