//! What is in bags and cages, and that nothing comes into one whose contents stand.

use std::collections::BTreeMap;

use sorthub_core::hub::Hub;
use sorthub_core::ids::BagId;
use sorthub_core::signal::{BagStage, Order, Output, Signal};
use sorthub_core::sorter::Sorter;

/// The containers of one sorter.
#[derive(Default)]
pub(super) struct Bags {
    /// What has dropped into each since it was opened.
    pieces: BTreeMap<BagId, u32>,
}

impl Bags {
    /// What was said before is not known any more.
    pub fn forget(&mut self) {
        self.pieces.clear();
    }

    /// What was just said of containers, and of parcels that dropped into them.
    pub fn hear(
        &mut self,
        hub: &Hub,
        sorter: &Sorter,
        signal: &Signal,
        outputs: &[Output],
    ) -> Result<(), String> {
        let ends = |said: &Output| matches!(said, Output::Ended { bag: Some(_), .. });
        if let Signal::Discharged { chute, .. } = *signal
            && !outputs.iter().any(ends)
            && let Some(hangs) = sorter.chute(chute).bag
            && let Some(pieces) = self.pieces.get_mut(&hangs.bag)
        {
            // The sorter did not know of it, but it is in there.
            *pieces += 1;
        }
        let is_drop = |said: &&Output| matches!(said, Output::Ended { .. });
        let (drops, others): (Vec<&Output>, Vec<&Output>) = outputs.iter().partition(is_drop);
        let mut said = drops.into_iter().chain(others);
        said.try_for_each(|said| self.hear_one(hub, sorter, said))
    }

    fn hear_one(&mut self, hub: &Hub, sorter: &Sorter, output: &Output) -> Result<(), String> {
        match *output {
            Output::Ended {
                parcel,
                bag: Some(bag),
                chute,
                ..
            } => {
                if let Some(pieces) = self.pieces.get_mut(&bag) {
                    *pieces += 1;
                }
                let chute = chute.ok_or_else(|| format!("{parcel} is in a bag at no chute"))?;
                let hangs = sorter.chute(chute).bag.map(|view| view.bag);
                if hangs == Some(bag) {
                    Ok(())
                } else {
                    Err(format!(
                        "parcel {parcel} is in bag {bag:?}, but {hangs:?} hangs there"
                    ))
                }
            }
            Output::Bag {
                bag,
                to: BagStage::Opened,
                ..
            } => match self.pieces.insert(bag, 0) {
                None => Ok(()),
                Some(_) => Err(format!("bag {bag:?} is opened twice")),
            },
            Output::Bag {
                chute, bag, pieces, ..
            } => {
                let counted = self.pieces.get(&bag).copied().unwrap_or(pieces);
                let most = hub.chutes()[chute.index()].rules.lot_most.pieces;
                if pieces == counted {
                    Ok(())
                } else {
                    Err(format!(
                        "bag {bag:?} is said to hold {pieces} (at most {most}), but {counted} \
                         have dropped into it"
                    ))
                }
            }
            _ => Ok(()),
        }
    }

    /// An order, just given: the container that it is for may hold it besides those that are on
    /// their way already.
    pub fn order(&self, hub: &Hub, sorter: &Sorter, order: &Order) -> Result<(), String> {
        let Some(chute) = order.chutes[0] else {
            return Ok(());
        };
        let (spec, view) = (&hub.chutes()[chute.index()], sorter.chute(chute));
        let most = spec.rules.lot_most.pieces;
        let Some(bag) = view.bag.filter(|_| most > 0) else {
            return Ok(());
        };
        let will_hold = bag.pieces + view.coming;
        if will_hold <= most {
            return Ok(());
        }
        let name = &spec.name;
        Err(format!(
            "{will_hold} are in the bag at {name} or sent to it, which may hold {most}"
        ))
    }

    /// Nothing holds more than it may.
    pub fn keep_to_limits(&self, hub: &Hub, sorter: &Sorter) -> Result<(), String> {
        for (spec, at) in hub.chutes().iter().zip(0..) {
            let most = spec.rules.lot_most.pieces;
            let view = sorter.chute(sorthub_core::ids::ChuteId(at)).bag;
            if let Some(bag) = view
                && most > 0
                && bag.pieces > most
            {
                let (name, pieces) = (&spec.name, bag.pieces);
                return Err(format!("the bag at {name} holds {pieces} of {most}"));
            }
        }
        Ok(())
    }
}
