//! The codec: everything comes back as it went in, and no registers make it panic.

use proptest::prelude::*;
use sorthub_core::plc::{
    Answer, Assign, CellBits, ChuteBits, ChuteCause, ChuteLevel, ChuteWish, Command, DisableCause,
    EngineBits, EngineConfig, EngineEnd, Event, EventKind, Header, InductionBits, InductionLevel,
    InductionWish, Info, InventoryCell, InventoryHeader, LinkMs, NotDischargedCause, OnFail, Pace,
    PlcConfig, PlcEnd, Quality, ResetCause, Seq, Slot, SlotError, Status, StatusBits, StatusInputs,
    StopCause, Withdrawal, check_of, check_under,
};
use sorthub_core::plc::{Area, map, ring};

#[expect(clippy::too_many_lines, reason = "one strategy for each kind of event")]
fn event_kind() -> impl Strategy<Value = EventKind> {
    let fields = (
        0..20_u8,
        any::<u16>(),
        any::<u16>(),
        any::<u8>(),
        any::<bool>(),
    );
    fields.prop_map(|(code, a, b, c, flag)| match code {
        0 => EventKind::Inducted {
            length_mm: a,
            gap_mm: b,
            returned: flag,
        },
        1 => EventKind::AtScanner { trigger: a },
        2 => EventKind::Measured {
            mass_g: a,
            length_mm: b,
        },
        3 => EventKind::Discharged {
            chute: a,
            revision: b,
            quality: Quality(c),
        },
        4 => EventKind::NotDischarged {
            chute: a,
            cause: NotDischargedCause::from_code(c),
        },
        5 => EventKind::LapPassed,
        6 => EventKind::EndOfLine { returning: flag },
        7 => EventKind::Missing,
        8 => EventKind::Unexpected,
        9 => EventKind::CarrierNotEmpty,
        10 => EventKind::CommandAnswered {
            seq: a,
            revision: b,
            answer: Answer::from_code(c),
        },
        11 => {
            let cause = ChuteCause::from_code(c);
            EventKind::ChuteState {
                bits: ChuteBits(a),
                taken: b,
                cause,
            }
        }
        12 => EventKind::BagButton,
        13 => {
            let cause = StopCause::from_code(c);
            EventKind::InductionState {
                bits: InductionBits(a),
                rate_per_h: b,
                cause,
            }
        }
        14 => EventKind::Motion {
            speed_mm_s: a,
            bits: StatusBits(b),
        },
        15 => EventKind::TrackingReset {
            cause: ResetCause::from_code(c),
        },
        16 => EventKind::Alarm { code: a, on: flag },
        17 => EventKind::RemovedByHand,
        18 => EventKind::CarrierDisabled {
            cause: DisableCause::from_code(c),
        },
        _ => EventKind::InventoryLatched {
            occupied: a,
            generation: b,
        },
    })
}

prop_compose! {
    fn event()(
        kind in event_kind(),
        seq in 1..=ring::SEQ_MAX,
        (epoch, item, cell, device) in any::<(u16, u32, u16, u16)>(),
        (spanned, lap, encoder_mm, plc_ms) in any::<(u8, u8, u32, u32)>(),
    ) -> Event {
        let seq = Seq::from_wire(seq).expect("in range");
        Event { epoch, seq, item, cell, device, spanned, lap, encoder_mm, plc_ms, kind }
    }
}

fn command() -> impl Strategy<Value = Command> {
    let fields = (
        0..5_u8,
        any::<[u16; 8]>(),
        any::<[u32; 2]>(),
        0..3_u8,
        any::<bool>(),
    );
    fields.prop_map(|(code, w, l, on_fail, enable)| {
        let [revision, cell, reason, laps_max, plan_version, a, b, c] = w;
        let [item, valid_until_mm] = l;
        let on_fail = [OnFail::Lap, OnFail::Reject, OnFail::Straight][usize::from(on_fail)];
        match code {
            0 => Command::Assign(Assign {
                revision,
                item,
                cell,
                chutes: [a, b, c],
                on_fail,
                valid_until_mm,
                laps_max,
                reason,
                plan_version,
            }),
            1 => Command::Cancel(Withdrawal {
                revision,
                item,
                cell,
                reason,
            }),
            2 => Command::ForceReject(Withdrawal {
                revision,
                item,
                cell,
                reason,
            }),
            3 => Command::CarrierEnable { cell, enable },
            _ => Command::Resync,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn events_come_back(event in event()) {
        prop_assert_eq!(Event::decode(&event.encode()), Ok(event));
    }

    #[test]
    fn commands_come_back(
        command in command(),
        seq in 1..=ring::SEQ_MAX,
        (epoch, boot) in any::<(u16, u16)>(),
    ) {
        let seq = Seq::from_wire(seq).expect("in range");
        let slot = command.encode(seq, epoch, boot);
        prop_assert_eq!(Command::decode(&slot, boot), Ok((seq, epoch, command)));
        prop_assert_eq!(Command::decode(&slot, boot ^ 4), Err(SlotError::Check));
    }

    #[test]
    fn one_wrong_register_is_noticed(event in event(), at in 0..16_usize, by in 1..=u16::MAX) {
        let mut slot = event.encode();
        slot[at] = slot[at].wrapping_add(by);
        prop_assert_eq!(Event::decode(&slot), Err(SlotError::Check));
    }

    #[test]
    fn whole_slots_of_any_content_decode_or_say_why(
        mut slot in any::<Slot>(),
        code in 0..32_u8,
        boot in any::<u16>(),
    ) {
        slot[2] = slot[2] & 0xFF00 | u16::from(code);
        slot[15] = check_of(&slot[..15]);
        match Event::decode(&slot) {
            Ok(event) => prop_assert_eq!(Event::decode(&event.encode()), Ok(event)),
            Err(error) => {
                let unknown = code == 0 || code > 20;
                let no_seq = Seq::from_wire(slot[0]).is_none();
                prop_assert_eq!(error == SlotError::Sequence, no_seq);
                prop_assert_eq!(error == SlotError::Meaning, unknown && !no_seq);
            }
        }
        slot[15] = check_under(boot, &slot[..15]);
        if let Ok((seq, epoch, command)) = Command::decode(&slot, boot) {
            let again = command.encode(seq, epoch, boot);
            prop_assert_eq!(Command::decode(&again, boot), Ok((seq, epoch, command)));
        }
    }

    #[test]
    fn blocks_come_back(w in any::<[u16; 12]>(), (l, high) in any::<(u32, u32)>()) {
        let status = Status {
            version: w[0],
            boot: w[1],
            granted_epoch: w[2],
            heartbeat: w[3],
            echo: w[4],
            bits: StatusBits(w[5]),
            speed_mm_s: w[6],
            encoder_mm: l,
            event_head: w[7],
            command_ack: w[8],
            changes: w[9],
            events_lost: w[10],
        };
        prop_assert_eq!(Status::decode(&status.encode()), status);
        let header = Header {
            claim: w[0],
            heartbeat: w[1],
            echo: w[2],
            boot: w[3],
            event_ack: w[4],
            command_head: w[5],
            bits: EngineBits(w[6]),
        };
        prop_assert_eq!(Header::decode(&header.encode()), Some(header));
        let info = Info {
            config_hash: l,
            chutes: w[0],
            inductions: w[1],
            cells: w[2],
            pitch_mm: w[3],
            track_mm: high,
            scan_ms: w[4],
            fifo_depth: w[5],
            laps_max: w[6],
            hold_ms: w[7],
            firmware: w[8],
        };
        prop_assert_eq!(Info::decode(&info.encode()), Some(info));
        let inventory = InventoryHeader {
            generation: w[0],
            occupied: w[1],
            encoder_mm: l,
            cells: w[2],
            boot: w[3],
        };
        prop_assert_eq!(InventoryHeader::decode(&inventory.encode()), Some(inventory));
    }

    #[test]
    fn levels_come_back(w in any::<[u16; 4]>(), item in any::<u32>(), b in any::<[u8; 3]>()) {
        let chute = ChuteLevel {
            bits: ChuteBits(w[0]),
            cause: ChuteCause::from_code(b[0]),
            drops: w[1],
            taken: w[2],
            bag_generation: w[3],
        };
        prop_assert_eq!(ChuteLevel::decode(&chute.encode()), chute);
        let induction = InductionLevel {
            bits: InductionBits(w[0]),
            rate_per_h: w[1],
            count: w[2],
            cause: StopCause::from_code(b[0]),
        };
        prop_assert_eq!(InductionLevel::decode(&induction.encode()), induction);
        let pace = [Pace::Unsaid, Pace::Run, Pace::Slow, Pace::Stop][usize::from(b[1] % 4)];
        let wish = InductionWish { pace, rate_max_per_h: w[0] };
        prop_assert_eq!(InductionWish::decode(&wish.encode()), wish);
        let wish = ChuteWish { lock: b[0] % 2 == 0, lamp: b[1] % 8, reason: b[2] };
        prop_assert_eq!(ChuteWish::decode(wish.encode()), wish);
        let cell = InventoryCell { cell: 9, item, chute: w[0], bits: CellBits(b[0]), lap: b[1] };
        prop_assert_eq!(InventoryCell::decode(9, &cell.encode()), cell);
    }

    #[test]
    fn an_engine_end_survives_any_registers(
        replies in prop::collection::vec((any::<u64>(), 0..4_u8), 1..60),
    ) {
        let mut end = EngineEnd::new(EngineConfig::new(Area::A, 1, 30, 2, 40)).expect("good");
        let mut plc = PlcEnd::new(&PlcConfig::new(1, 30, 2, 40)).expect("good");
        end.connected(LinkMs(0));
        let mut now = LinkMs(0);
        for (noise, how) in replies {
            now = now.plus(11);
            plc.begin_scan(now);
            plc.end_scan(now, &StatusInputs::default());
            let Some(exchange) = end.next_exchange(now) else { continue };
            let mut registers = vec![0; exchange.read.map_or(0, |read| usize::from(read.count))];
            if let Some(read) = exchange.read {
                plc.read(read.address, &mut registers).expect("a good read");
            }
            if let Some(write) = &exchange.write {
                plc.write(write.address, write.registers()).expect("a good write");
            }
            // Mostly sound replies with some noise, so that it gets far before it meets nonsense.
            let len = registers.len().max(1);
            for bit in 0..u32::from(how) * 3 {
                let at = (noise >> (bit * 5)) as usize % len;
                if let Some(register) = registers.get_mut(at) {
                    *register ^= (noise >> bit) as u16;
                }
            }
            end.reply(now, &registers).expect("as many as asked for");
            while end.next_event().is_some() {}
        }
    }

    #[test]
    fn a_plc_end_survives_any_registers(
        writes in prop::collection::vec((any::<u16>(), any::<[u16; 16]>(), any::<bool>()), 1..40),
    ) {
        let mut plc = PlcEnd::new(&PlcConfig::new(1, 30, 2, 40)).expect("good");
        let mut now = LinkMs(0);
        for (address, mut registers, header) in writes {
            now = now.plus(10);
            if header {
                registers[0] = map::MAP_VERSION;
                registers[4] = 1;
                registers[8] = check_of(&registers[..8]);
                plc.write(Area::A.base(), &registers[..9]).expect("writable");
            } else {
                let _refused = plc.write(400 + address % 400, &registers);
            }
            plc.begin_scan(now);
            while plc.next_command().is_some() {}
            plc.end_scan(now, &StatusInputs::default());
        }
    }
}

#[test]
fn empty_slots_and_blocks_say_nothing() {
    assert_eq!(Event::decode(&[0; 16]), Err(SlotError::Empty));
    assert_eq!(Command::decode(&[0; 16], 1), Err(SlotError::Empty));
    assert_eq!(Header::decode(&[0; 9]), None);
    assert_eq!(Info::decode(&[0; 16]), None);
    assert_eq!(InventoryHeader::decode(&[0; 8]), None);
}

#[test]
fn a_slot_torn_between_two_events_is_noticed() {
    // In a sum, seven on in the sequence and seven down in the device cancel out.
    let old = Event {
        seq: Seq::FIRST,
        device: 9,
        ..Event::of(EventKind::BagButton)
    };
    let seq = Seq::from_wire(8).expect("in range");
    let new = Event {
        seq,
        device: 2,
        item: 4,
        ..Event::of(EventKind::BagButton)
    };
    for from in 1..16 {
        let mut slot = new.encode();
        slot[from..].copy_from_slice(&old.encode()[from..]);
        assert_eq!(
            Event::decode(&slot),
            Err(SlotError::Check),
            "torn at {from}"
        );
    }
}

#[test]
fn ring_distances_go_forward_only() {
    let seq = |wire| Seq::from_wire(wire);
    assert_eq!(ring::distance(None, seq(3)), 3);
    assert_eq!(ring::distance(seq(65_519), seq(2)), 3);
    assert_eq!(ring::distance(seq(2), seq(1)), 65_519);
    assert_eq!(ring::distance(seq(2), None), u16::MAX);
    assert_eq!((seq(0), seq(65_521)), (None, None));
    assert_eq!(ring::after(seq(65_520)), Seq::FIRST);
    assert_eq!(Seq::FIRST.previous().get(), 65_520);
    assert!(ring::is_newer(1, 0xFFFF) && !ring::is_newer(0xFFFF, 1) && !ring::is_newer(4, 4));
}
