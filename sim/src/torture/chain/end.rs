//! What must hold when everything has left.

use sorthub_core::hub::{Capacity, Sensing};
use sorthub_core::ids::ChuteId;
use sorthub_core::units::Micros;

use super::Chain;
use crate::torture::judge::Hides;

/// What was told before this has been heard by all.
const RESTING: Micros = Micros::from_secs(1);
const RESTING_ROUNDS_MAX: u32 = 200;

impl Chain {
    pub(super) fn check_empty(&self) -> Result<(), String> {
        if self.is_empty() {
            return Ok(());
        }
        let (books, tally) = (self.books(), self.plant.tally());
        Err(format!(
            "{} parcels are still in the plant and {} in the book, {} in transfer, and \
             nothing changes any more",
            tally.on_tracks() + tally.on_transfers(),
            books.on_sorter,
            books.in_transfer(),
        ))
    }

    /// Goes on until nobody takes anything out of a chute any more: what is taken out just now is
    /// told a moment later.
    pub(super) fn run_until_chutes_rest(&mut self) -> Result<(), String> {
        for _ in 0..RESTING_ROUNDS_MAX {
            let before = self.held();
            self.run_for(RESTING)?;
            if self.held() == before {
                break;
            }
        }
        Ok(())
    }

    fn held(&mut self) -> Vec<u32> {
        let chutes = 0..self.drawn.hub.chutes().len();
        chutes
            .map(|chute| self.plant.chute(ChuteId(chute as u16), self.now).holds)
            .collect()
    }

    /// Everything has left, all has been told, and book and levels say so.
    pub(super) fn check_end(&mut self) -> Result<(), String> {
        self.check_links()?;
        self.check_chutes()?;
        self.check_books()
    }

    /// Whatever was wrong with a link is over: the PLC hears the engine, which lets parcels in.
    fn check_links(&mut self) -> Result<(), String> {
        for (plc, lane) in self.plcs.iter_mut().zip(&self.lanes) {
            let track = plc.track().0;
            let granted = plc.registers().granted();
            if granted != Some(lane.claim()) {
                return Err(format!(
                    "the PLC of track {track} obeys {granted:?} at the end"
                ));
            }
            if !plc.registers().is_link_ok() || !lane.is_ready() {
                return Err(format!(
                    "the link of track {track} is not in order at the end"
                ));
            }
        }
        Ok(())
    }

    fn check_chutes(&mut self) -> Result<(), String> {
        for (index, spec) in self.drawn.hub.chutes().iter().enumerate() {
            let chute = ChuteId(index as u16);
            let truth = self.plant.chute(chute, self.now);
            for (at, sorter) in self.sorters.iter().enumerate() {
                let view = sorter.chute(chute);
                if view.coming != 0 {
                    let (name, coming) = (&spec.name, view.coming);
                    return Err(format!(
                        "{coming} are coming to {name}, but nobody is there"
                    ));
                }
                let mut tracks = spec.outlets.iter().map(|outlet| outlet.track);
                let is_own = tracks.any(|track| self.drawn.hub.sorter_of(track).index() == at);
                let counts =
                    spec.sensing == Sensing::Counted && spec.capacity != Capacity::Unlimited;
                let is_known = self.truth.hides() < Hides::Exits;
                if is_own && counts && is_known && view.holds != truth.holds {
                    return Err(format!(
                        "{} holds {}, the sorter counts {}",
                        spec.name, truth.holds, view.holds
                    ));
                }
                if is_own && view.state != truth.state {
                    return Err(format!(
                        "{} is {:?}, the sorter takes it for {:?}",
                        spec.name, truth.state, view.state
                    ));
                }
            }
        }
        Ok(())
    }

    fn check_books(&self) -> Result<(), String> {
        let hides = self.truth.hides();
        if hides == Hides::Exits {
            return Ok(());
        }
        let (books, tally) = (self.books(), *self.plant.tally());
        let exits = [
            (
                "discharged",
                tally.discharged,
                books.sorted + books.rejected,
            ),
            ("removed", tally.removed, books.removed),
            ("handed over", tally.handed_over, books.handed_over),
        ];
        // A parcel that is found again without a code is a new one, and the old one is lost.
        let known = [
            ("inducted", tally.inducted, books.inducted),
            ("lost", 0, books.lost),
            ("missorted", 0, books.missorted),
        ];
        let known = known.iter().filter(|_| hides == Hides::Nothing);
        match exits
            .iter()
            .chain(known)
            .find(|(_, truth, book)| truth != book)
        {
            Some((what, truth, book)) => Err(format!("{what}: really {truth}, in the book {book}")),
            None => Ok(()),
        }
    }
}
