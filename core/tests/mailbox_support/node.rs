//! The engine on the simulated link: takes deliveries, acknowledges them late, pushes commands,
//! checks the laws.

use std::collections::{BTreeMap, VecDeque};

use super::plant::{Dice, Plant};
use sorthub_core::plc::{
    Area, Assign, ChuteLevel, Command, Delivery, EngineBits, EngineConfig, EngineEnd, Event,
    EventKind, InventoryCell, InventoryEnd, Link, LinkMs, Mark, OnFail, PushRefused,
};

pub struct Node {
    pub end: EngineEnd,
    pub area: Area,
    pub epoch: u16,
    /// Pushes no more commands by itself.
    pub quiet: bool,
    /// One command in so many ms, on average; 0 for none.
    pub command_every: u64,
    /// Longest time until an event is on disk.
    pub disk_ms_max: u64,
    dice: Dice,
    pub up: bool,
    pub granted: bool,
    pub links: Vec<Link>,
    /// Last event taken, by boot.
    taken: BTreeMap<u16, u16>,
    boot: u16,
    resume: Option<Mark>,
    to_ack: VecDeque<(u64, Mark)>,
    /// The last event on disk.
    pub on_disk: Option<Mark>,
    /// Commands pushed in this life of the PLC: revision and cell, in order.
    pub pushed: Vec<(u16, u16)>,
    next_revision: u16,
    inventory: Option<(u16, Vec<InventoryCell>)>,
    pub inventories_complete: u32,
    pub inventories_superseded: u32,
    /// Chutes as told.
    pub chutes: BTreeMap<u16, ChuteLevel>,
    pub statuses_since_quiet: u32,
    pub events: Vec<Event>,
    /// Whether levels told may never go back (not with polls served late).
    pub levels_only_forward: bool,
    pub resync_on_grant: bool,
}

impl Node {
    pub fn new(config: EngineConfig, now_ms: u64) -> Self {
        let mut end = EngineEnd::new(config).expect("good");
        end.set_bits(EngineBits::READY);
        Self {
            end,
            area: config.area,
            epoch: config.epoch,
            quiet: false,
            command_every: 40,
            disk_ms_max: 30,
            dice: Dice::new(u64::from(config.epoch) + now_ms),
            up: false,
            granted: false,
            links: Vec::new(),
            taken: BTreeMap::new(),
            boot: config.resume.map_or(0, |mark| mark.boot),
            resume: config.resume,
            to_ack: VecDeque::new(),
            on_disk: config.resume,
            pushed: Vec::new(),
            next_revision: 1,
            inventory: None,
            inventories_complete: 0,
            inventories_superseded: 0,
            chutes: BTreeMap::new(),
            statuses_since_quiet: 0,
            events: Vec::new(),
            levels_only_forward: false,
            resync_on_grant: true,
        }
    }

    pub fn last_taken(&self) -> Option<(u16, u16)> {
        let resumed = self
            .resume
            .filter(|mark| mark.boot == self.boot)
            .map(|mark| mark.seq.get());
        let taken = self.taken.get(&self.boot).copied().or(resumed)?;
        Some((self.boot, taken))
    }

    pub fn state(&self) -> String {
        format!(
            "up {} granted {} taken {:?}",
            self.up,
            self.granted,
            self.last_taken()
        )
    }

    /// Takes what came, acknowledges what is on disk, decides something.
    pub fn work(&mut self, now: LinkMs, plant: &mut Plant) {
        while let Some(delivery) = self.end.next_event() {
            self.take(now, &*plant, delivery);
        }
        while self.to_ack.front().is_some_and(|(at, _)| *at <= now.0) {
            let (_, mark) = self.to_ack.pop_front().expect("front");
            let good = self.end.acknowledge(mark);
            assert!(
                good || mark.boot != self.boot,
                "an event told could not be acknowledged"
            );
            self.on_disk = Some(mark);
            let safe = plant.acked.entry(mark.boot).or_default();
            *safe = mark.seq.get().max(*safe);
        }
        let decides = self.command_every > 0 && !self.quiet;
        if decides && self.dice.below(self.command_every) == 0 {
            let burst = 1 + self.dice.below(12);
            for _ in 0..burst {
                let cell = 1 + self.dice.below(20) as u16;
                self.push_assign(cell);
            }
            if self.dice.below(10) == 0 {
                self.push(Command::Resync);
            }
        }
    }

    pub fn push_assign(&mut self, cell: u16) {
        let order = Assign {
            revision: self.next_revision,
            item: u32::from(cell),
            cell,
            chutes: [1, 2, 3],
            on_fail: OnFail::Lap,
            valid_until_mm: 0,
            laps_max: 3,
            reason: 0,
            plan_version: 1,
        };
        if self.push(Command::Assign(order)) {
            self.pushed.push((self.next_revision, cell));
            self.next_revision += 1;
        }
    }

    pub fn push(&mut self, command: Command) -> bool {
        match self.end.push(command) {
            Ok(()) => true,
            Err(PushRefused::Full) => false,
            Err(PushRefused::NotGranted) => {
                assert!(!self.granted, "refused although granted");
                false
            }
        }
    }

    fn take(&mut self, now: LinkMs, plant: &Plant, delivery: Delivery) {
        match delivery {
            Delivery::Link(link) => self.on_link(link),
            Delivery::Event(mark, event) => self.on_event(now, plant, mark, event),
            Delivery::Unreadable(mark, _) => panic!("unreadable {mark:?}"),
            Delivery::Inventory(cell) => {
                self.inventory
                    .as_mut()
                    .expect("after its event")
                    .1
                    .push(cell);
            }
            Delivery::InventoryEnd(end) => self.on_inventory_end(plant, end),
            Delivery::Chute(chute, level) => {
                let taken = level.taken;
                self.check_forward(chute, taken);
                self.chutes.insert(chute, level);
            }
            Delivery::Induction(..) => {}
            Delivery::Status { encoder_mm, .. } => self.on_status(plant, encoder_mm),
        }
    }

    fn check_forward(&self, chute: u16, taken: u16) {
        if let Some(known) = self.chutes.get(&chute)
            && self.levels_only_forward
        {
            assert!(
                taken >= known.taken,
                "chute {chute} went back: {known:?}, {taken}"
            );
        }
    }

    fn on_link(&mut self, link: Link) {
        self.links.push(link);
        match link {
            Link::Up => self.up = true,
            Link::Lost { .. } => {
                assert!(self.up, "lost twice");
                self.up = false;
            }
            Link::Reset { boot } => {
                self.up = false;
                self.granted = false;
                self.boot = boot;
                self.pushed.clear();
                self.inventory = None;
                self.chutes.clear();
            }
            Link::Granted { boot } => {
                self.granted = true;
                self.boot = boot;
                if self.resync_on_grant {
                    assert!(self.push(Command::Resync), "the first command finds room");
                }
            }
            Link::Refused { .. } => {
                self.granted = false;
                self.up = false;
            }
            Link::EventsLost { .. } => {
                let _ = self.push(Command::Resync);
            }
            Link::LossLatched => {}
            Link::ConfigMismatch { .. } | Link::VersionMismatch { .. } => panic!("{link:?}"),
        }
    }

    fn on_event(&mut self, now: LinkMs, plant: &Plant, mark: Mark, event: Event) {
        assert_eq!(mark.boot, self.boot, "an event of another life");
        assert!(self.inventory.is_none(), "an event inside an inventory");
        let seq = mark.seq.get();
        let acked = plant.acked.get(&mark.boot).copied().unwrap_or(0);
        let last = self.last_taken().map_or(0, |(_, last)| last);
        if self.taken.contains_key(&mark.boot) {
            assert_eq!(seq, last + 1, "once and in order");
        } else {
            let safe = acked.max(last);
            assert!(
                last < seq && seq <= safe + 1,
                "{seq} is first: {last} on disk, {safe} safe"
            );
        }
        self.taken.insert(mark.boot, seq);
        let truth = plant.truth.get(&(mark.boot, seq)).expect("was pushed");
        assert_eq!(
            Event {
                epoch: truth.epoch,
                seq: truth.seq,
                ..event
            },
            *truth,
            "told as it happened"
        );
        assert_eq!(event.epoch, self.epoch);
        let disk_ms = 1 + self.dice.below(self.disk_ms_max);
        let safe_at = self
            .to_ack
            .back()
            .map_or(0, |(at, _)| *at)
            .max(now.0 + disk_ms);
        self.to_ack.push_back((safe_at, mark));
        self.events.push(event);
        match event.kind {
            EventKind::InventoryLatched { generation, .. } => {
                self.inventory = Some((generation, Vec::new()));
            }
            EventKind::ChuteState { bits, taken, cause } => {
                self.check_forward(event.device, taken);
                let known = self
                    .chutes
                    .entry(event.device)
                    .or_insert(super::plant::closed());
                *known = ChuteLevel {
                    bits,
                    taken,
                    cause,
                    ..*known
                };
            }
            _ => {}
        }
    }

    fn on_inventory_end(&mut self, plant: &Plant, end: InventoryEnd) {
        let (generation, cells) = self.inventory.take().expect("after its event");
        match end {
            InventoryEnd::Complete => {
                let truth = &plant.inventories[&(self.boot, generation)];
                assert_eq!(cells, *truth, "inventory {generation} as it was latched");
                self.inventories_complete += 1;
            }
            InventoryEnd::Superseded => {
                assert!(cells.is_empty(), "told in part");
                let later = plant.inventories.contains_key(&(self.boot, generation + 1));
                assert!(later, "superseded by nothing");
                self.inventories_superseded += 1;
            }
            InventoryEnd::Unreadable | InventoryEnd::Miscounted { .. } => panic!("{end:?}"),
        }
    }

    /// The promise of a status: everything up to its encoder value has been told.
    fn on_status(&mut self, plant: &Plant, encoder_mm: u32) {
        self.statuses_since_quiet += u32::from(self.quiet);
        assert!(self.inventory.is_none(), "a status inside an inventory");
        let told = self.last_taken().map_or(0, |(_, seq)| seq);
        let acked = plant.acked.get(&self.boot).copied().unwrap_or(0);
        let untold = plant
            .encoders
            .get(&self.boot)
            .into_iter()
            .flatten()
            .find(|(seq, at)| *at <= encoder_mm && *seq > told.max(acked));
        assert_eq!(untold, None, "a status at {encoder_mm} with {told} told");
    }
}
