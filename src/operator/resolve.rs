//! From names to numbers: what a request means in one hub, under one plan.

use sorthub_core::directory::{CodeFacts, Directory};
use sorthub_core::facts::{
    Address, AddressFault, Advice, DestKey, Facts, Measures, Reading, ServiceKey, Tags, Verdict,
};
use sorthub_core::hub::Hub;
use sorthub_core::identify::Formats;
use sorthub_core::ids::{CellId, ChuteId, CodeId, InductionId, ParcelId, SeatId, TrackId, WaveId};
use sorthub_core::limits::{CODE_CHARS_MAX, DECLARED_SIDE_MAX, DECLARED_WEIGHT_MAX};
use sorthub_core::operator::{
    ChuteWish, Command, HostSays, InductionWish, Mode, ParcelWish, TrackWish, WaybillWish,
};
use sorthub_core::plan::Plan;
use sorthub_core::sorter::Ask;
use sorthub_core::units::{Grams, Mm};

use super::advice_request::SetAdvice;
use super::labels;
use super::problem::Problem;
use super::request::{Request, UnreadTo, WaveTo, near};
use super::words::{
    BagTo, BankTo, CarrierTo, ChuteTo, InductionTo, ModeTo, ParcelTo, TrackTo, VerdictTo,
};
use crate::config::fault::ADDRESS_MEND;

/// What names are looked up in.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// Devices.
    pub hub: &'a Hub,
    /// Destinations and waves.
    pub plan: &'a Plan,
    /// What codes look like; `None`: they are taken as they come.
    pub formats: Option<&'a Formats>,
    /// What the hub's own labels of containers look like; `None`: it says nothing of them.
    pub container_labels: Option<&'a Formats>,
    /// What codes mean.
    pub directory: &'a Directory,
}

/// What `why` is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A parcel, or a device.
    One(Ask),
    /// All parcels of a waybill.
    Waybill(CodeId),
}

/// Longest code that is taken as it comes, or that a person writes with blanks in it: more than a
/// scanner ever reads, and no memory to speak of.
const TAKEN_CHARS_MAX: usize = 100;

impl Names<'_> {
    /// The commands that a request stands for: one, or one for each member of a bank; `None` for a
    /// request that is no command to the sorter.
    ///
    /// # Errors
    /// A name that nothing has, with the nearest one; a value that is missing.
    pub fn commands(&self, request: &Request) -> Result<Option<Vec<Command>>, Problem> {
        let one = match request {
            Request::Wave(to) => match to {
                WaveTo::Open { wave } => self.wave(wave, true)?,
                WaveTo::Close { wave } => self.wave(wave, false)?,
                WaveTo::List {} | WaveTo::Extend { .. } => return Ok(None),
            },
            Request::Chute { chute, to } => Command::Chute {
                chute: self.chute(chute)?,
                to: chute_wish(*to),
            },
            Request::Bag { chute, to, label } => Command::Chute {
                chute: self.chute(chute)?,
                to: self.bag_wish(*to, label.as_deref())?,
            },
            Request::Bank { bank, to } => return self.bank(bank, *to).map(Some),
            Request::Induction {
                induction,
                to,
                per_h,
            } => Command::Induction {
                induction: self.induction(induction)?,
                to: induction_wish(*to, *per_h)?,
            },
            Request::Track { track, to, mode } => Command::Track {
                track: self.track(track)?,
                to: track_wish(*to, *mode)?,
            },
            Request::Carrier { carrier, to, track } => Command::Carrier {
                cell: self.cell(*carrier, track.as_deref())?,
                enabled: *to == CarrierTo::Enable,
            },
            Request::Intercept { .. }
            | Request::Hold { .. }
            | Request::Release { .. }
            | Request::Verdict { .. } => self.waybill(request)?,
            Request::Unread(to) => match self.unread(to)? {
                Some(command) => command,
                None => return Ok(None),
            },
            Request::Parcel { parcel, to, chute } => Command::Parcel {
                parcel: parcel_id(parcel)?,
                to: self.parcel_wish(*to, chute.as_deref())?,
            },
            Request::HostSays { parcel, dest, hold } => Command::Parcel {
                parcel: parcel_id(parcel)?,
                to: ParcelWish::Host(match (dest, hold) {
                    (Some(dest), _) => HostSays::To(self.dest(dest)?),
                    (None, true) => HostSays::Hold,
                    (None, false) => HostSays::Unknown,
                }),
            },
            Request::Status {}
            | Request::Plan(_)
            | Request::Chutes { .. }
            | Request::Waybills { .. }
            | Request::Alarms(_)
            | Request::Advice(_)
            | Request::Why { .. }
            | Request::Host { .. } => return Ok(None),
        };
        Ok(Some(vec![one]))
    }

    fn wave(&self, name: &str, open: bool) -> Result<Command, Problem> {
        let wave = self.wave_id(name)?;
        Ok(Command::Wave { wave, open })
    }

    /// The wave with a name.
    ///
    /// # Errors
    /// There is none; with the nearest.
    pub fn wave_id(&self, name: &str) -> Result<WaveId, Problem> {
        let all = self.plan.spec().waves.iter().map(|wave| wave.name.as_str());
        Ok(WaveId(find("wave", name, all)? as u8))
    }

    /// The chute with a name.
    ///
    /// # Errors
    /// There is none; with the nearest.
    pub fn chute(&self, name: &str) -> Result<ChuteId, Problem> {
        let all = self.hub.chutes().iter().map(|chute| chute.name.as_str());
        Ok(ChuteId(find("chute", name, all)? as u16))
    }

    /// The induction with a name.
    ///
    /// # Errors
    /// There is none; with the nearest.
    pub fn induction(&self, name: &str) -> Result<InductionId, Problem> {
        let all = self.hub.inductions().iter().map(|one| one.name.as_str());
        Ok(InductionId(find("induction", name, all)? as u16))
    }

    /// The track with a name.
    ///
    /// # Errors
    /// There is none; with the nearest.
    pub fn track(&self, name: &str) -> Result<TrackId, Problem> {
        let all = self.hub.tracks().iter().map(|track| track.name.as_str());
        Ok(TrackId(find("track", name, all)? as u16))
    }

    /// A carrier by its number on its track.
    ///
    /// # Errors
    /// There is none, or it is not said on which of several tracks.
    pub fn cell(&self, own: u16, track: Option<&str>) -> Result<CellId, Problem> {
        let id = match track {
            Some(name) => self.track(name)?,
            None if self.hub.tracks().len() == 1 => TrackId(0),
            None => {
                let problem = "the hub has several tracks, each with its own carriers";
                return Err(Problem::unusable(problem, "name the carrier's track too"));
            }
        };
        self.hub.cell(id, own).ok_or_else(|| {
            let track = &self.hub.tracks()[id.index()];
            let problem = format!("`{}` has no carrier {own}", track.name);
            let mend = format!("its carriers are 0 to {}", track.kind.cells() - 1);
            Problem::unusable(problem, mend)
        })
    }

    /// The key of a destination of the plan.
    fn dest(&self, name: &str) -> Result<DestKey, Problem> {
        let key = DestKey::of(name);
        if self.plan.dest(key).is_some() {
            return Ok(key);
        }
        let all = self.plan.spec().destinations.iter();
        find("destination", name, all.map(|dest| dest.name.as_str())).map(|_| key)
    }

    fn bag_wish(&self, to: BagTo, label: Option<&str>) -> Result<ChuteWish, Problem> {
        match (to, label.map(str::trim).filter(|label| !label.is_empty())) {
            (BagTo::Bind, Some(label)) => Ok(ChuteWish::BindBag {
                label: labels::identity(label, self.formats, self.container_labels)?,
            }),
            (BagTo::Bind, None) => {
                let example = "bag A03 bind 376130321109103420";
                Err(lacks("bind", "the label", example))
            }
            (_, Some(_)) => Err(too_much("a label", "bind")),
            (BagTo::Change, None) => Ok(ChuteWish::ChangeBag),
            (BagTo::Ready, None) => Ok(ChuteWish::BagReady),
            (BagTo::Keep, None) => Ok(ChuteWish::KeepBag),
        }
    }

    /// A bank is a group of the hub file or, as there, a name with a star at its end: all chutes
    /// that begin so.
    fn bank(&self, name: &str, to: BankTo) -> Result<Vec<Command>, Problem> {
        let to = match to {
            BankTo::Disable => ChuteWish::Disable,
            BankTo::Enable => ChuteWish::Enable,
            BankTo::Lock => ChuteWish::Lock,
            BankTo::Unlock => ChuteWish::Unlock,
        };
        let group = self.hub.group_named(name.trim_start_matches('@'));
        let members: Vec<ChuteId> = match (group, name.strip_suffix('*')) {
            (Some(group), _) => group.chutes.clone(),
            (None, Some(beginning)) => {
                let all = self.hub.chutes().iter().enumerate();
                let fits = all.filter(|(_, chute)| chute.name.starts_with(beginning));
                fits.map(|(at, _)| ChuteId(at as u16)).collect()
            }
            (None, None) => {
                let groups = self.hub.groups().iter();
                return Err(
                    match find("bank", name, groups.map(|group| group.name.as_str())) {
                        Err(problem) => problem,
                        Ok(at) => unreachable!("group {at} was not found by the same name"),
                    },
                );
            }
        };
        if members.is_empty() {
            let problem = format!(
                "no chute's name begins with `{}`",
                name.trim_end_matches('*')
            );
            return Err(Problem::unusable(problem, "look at `chutes`"));
        }
        let wish = |chute| Command::Chute { chute, to };
        Ok(members.into_iter().map(wish).collect())
    }

    fn waybill(&self, request: &Request) -> Result<Command, Problem> {
        let (text, to) = match request {
            Request::Intercept {
                waybill,
                dest,
                cancel,
            } => match (dest, cancel) {
                (Some(dest), false) => {
                    let to = self.dest(dest)?;
                    (waybill, WaybillWish::Intercept { to })
                }
                (None, true) => (waybill, WaybillWish::CancelIntercept),
                (Some(_), true) => {
                    let problem = "an intercept that ends has no destination";
                    return Err(Problem::malformed(problem, "leave one of them out"));
                }
                (None, false) => {
                    let example = format!("intercept {waybill} --to DEST");
                    return Err(lacks("intercept", "a destination", &example));
                }
            },
            Request::Release { waybill } => (waybill, WaybillWish::Release),
            Request::Verdict { waybill, verdict } => {
                let verdict = match verdict {
                    VerdictTo::Clear => Verdict::Clear,
                    VerdictTo::Suspect => Verdict::Suspect,
                };
                (waybill, WaybillWish::Verdict(verdict))
            }
            Request::Hold { waybill } => (waybill, WaybillWish::Hold),
            other => unreachable!("not about a waybill: {other}"),
        };
        let code = self.facts(text)?.code;
        Ok(Command::Waybill { code, to })
    }

    /// The text of what a request names that the sorter keeps the number of, if it does.
    pub(super) fn named(&self, request: &Request) -> Option<(CodeId, String)> {
        match request {
            Request::Hold { waybill }
            | Request::Intercept {
                waybill,
                cancel: false,
                ..
            }
            | Request::Verdict {
                waybill,
                verdict: VerdictTo::Suspect,
            } => {
                let read = self.read(waybill).ok()?;
                Some((read.facts.code, read.text()?.to_owned()))
            }
            Request::Bag {
                to: BagTo::Bind,
                label: Some(label),
                ..
            } => {
                let text = labels::text_of(label, self.formats, self.container_labels).ok()?;
                Some((CodeId::of(&text), text))
            }
            _ => None,
        }
    }

    /// What `why` is asked about.
    ///
    /// # Errors
    /// A name that nothing has, or no kind of thing that can be asked about.
    pub fn subject(
        &self,
        of: &str,
        name: Option<&str>,
        track: Option<&str>,
    ) -> Result<Subject, Problem> {
        const KINDS: [&str; 5] = ["waybill", "parcel", "carrier", "chute", "induction"];
        let Some(name) = name else {
            if KINDS.contains(&of) {
                let example = format!("why {of} {}", self.example_of(of));
                return Err(lacks(of, "a name or number", &example));
            }
            return match parcel_id(of) {
                Ok(parcel) => Ok(Subject::One(Ask::Parcel(parcel))),
                Err(_) => Ok(Subject::Waybill(self.facts(of)?.code)),
            };
        };
        match of {
            "waybill" => Ok(Subject::Waybill(self.facts(name)?.code)),
            "parcel" => Ok(Subject::One(Ask::Parcel(parcel_id(name)?))),
            "chute" => Ok(Subject::One(Ask::Chute(self.chute(name)?))),
            "induction" => Ok(Subject::One(Ask::Induction(self.induction(name)?))),
            "carrier" => {
                let own = name.parse().map_err(|_| {
                    let problem = format!("`{name}` is no carrier's number");
                    Problem::unusable(problem, "give its number on its track, from 0")
                })?;
                Ok(Subject::One(Ask::Cell(self.cell(own, track)?)))
            }
            other => {
                let problem = format!("`{other}` is nothing that waits");
                let mend = format!("ask about {}{}", KINDS.join(", "), near(other, KINDS));
                Err(Problem::malformed(problem, mend))
            }
        }
    }

    /// The first of the things that `why` can be asked about, by how it is named.
    fn example_of(&self, kind: &str) -> &str {
        let first = match kind {
            "chute" => self.hub.chutes().first().map(|chute| &chute.name),
            "induction" => self.hub.inductions().first().map(|one| &one.name),
            "carrier" => return "12",
            "parcel" => return "3-127",
            _ => return "WAYBILL",
        };
        first.map_or("NAME", String::as_str)
    }

    /// What is known of a code that a person has typed or scanned.
    ///
    /// # Errors
    /// It is no code.
    pub fn facts(&self, text: &str) -> Result<Facts, Problem> {
        self.read(text).map(|read| read.facts)
    }

    fn read<'t>(&self, text: &'t str) -> Result<CodeFacts<'t>, Problem> {
        let text = text.trim();
        let most = self.formats.map_or(TAKEN_CHARS_MAX, |_| CODE_CHARS_MAX);
        let problem = if text.is_empty() {
            "no code is given".to_owned()
        } else if text.chars().nth(TAKEN_CHARS_MAX).is_some() {
            format!("a code has at most {most} characters")
        } else if labels::has_control(text) {
            "a code has no line breaks or other control characters in it".to_owned()
        } else {
            let read = self.directory.read(self.formats, [text]);
            if read.facts.read == Reading::Good {
                return Ok(read);
            }
            let why = match self.formats.map(|formats| formats.identify(text).verdict()) {
                Some(verdict) if verdict.is_good() => "it says only where to".to_owned(),
                Some(verdict) => verdict.to_string(),
                None => "it cannot be read".to_owned(),
            };
            let problem = format!("`{text}` is no valid code: {why}");
            return Err(Problem::unusable(problem, "read it again from the label"));
        };
        let mend = "give it as it stands on the label";
        Err(Problem::unusable(problem, mend))
    }

    /// The identity of a waybill, as pre-advice is kept by it.
    ///
    /// # Errors
    /// It is no code.
    pub fn identity(&self, waybill: &str) -> Result<String, Problem> {
        let read = self.read(waybill)?;
        Ok(read.text().unwrap_or_default().to_owned())
    }

    /// Pre-advice that somebody gives for one waybill.
    ///
    /// # Errors
    /// A name that nothing has, a number out of range, or no place at all.
    pub fn advice(&self, set: &SetAdvice) -> Result<Advice, Problem> {
        let dest = set
            .dest
            .as_deref()
            .map(|dest| self.dest(dest))
            .transpose()?;
        let address = |what, text: &Option<String>| match text.as_deref().map(Address::checked) {
            None | Some(Err(AddressFault::Empty)) => Ok(Address::NONE),
            Some(Ok(address)) => Ok(address),
            Some(Err(why)) => {
                let problem = format!("`{}` is no {what}: {why}", text.as_deref().unwrap_or(""));
                Err(Problem::unusable(problem, ADDRESS_MEND))
            }
        };
        let mut tags = Tags::NONE;
        for name in &set.tags {
            tags = tags.and(self.tag(name)?);
        }
        let side = |of, mm| Ok::<_, Problem>(Mm(in_range(of, mm, DECLARED_SIDE_MAX.0)?));
        let advice = Advice {
            known: true,
            dest: dest.unwrap_or_default(),
            segment: address("segment code", &set.segment)?,
            postcode: address("postcode", &set.postcode)?,
            service: ServiceKey::of(set.service.as_deref().unwrap_or_default()),
            tags,
            declared: Measures {
                weight: Grams(in_range("weight_g", set.weight_g, DECLARED_WEIGHT_MAX.0)?),
                length: side("length_mm", set.length_mm)?,
                width: side("width_mm", set.width_mm)?,
                height: side("height_mm", set.height_mm)?,
            },
        };
        let is_placed =
            advice.dest.is_some() || advice.segment.is_some() || advice.postcode.is_some();
        if !is_placed {
            let what = "a destination, a segment code or a postcode";
            return Err(lacks("advice set", what, "advice set WAYBILL --to A03"));
        }
        Ok(advice)
    }

    fn tag(&self, name: &str) -> Result<Tags, Problem> {
        let spec = self.hub.spec();
        match spec.tag(name) {
            Some(tag) => Ok(tag),
            None => {
                let all = Vec::from_iter(spec.tag_names());
                find("tag", name, all.into_iter()).map(|_| Tags::NONE)
            }
        }
    }

    fn unread(&self, to: &UnreadTo) -> Result<Option<Command>, Problem> {
        let (parcel, to) = match to {
            UnreadTo::List {} => return Ok(None),
            UnreadTo::Take { parcel, seat } => (
                parcel,
                ParcelWish::Take {
                    seat: seat_id(*seat)?,
                },
            ),
            UnreadTo::GiveBack { parcel, seat } => {
                let seat = seat_id(*seat)?;
                (parcel, ParcelWish::GiveBack { seat })
            }
            UnreadTo::Key { parcel, code, seat } => {
                let (seat, facts) = (seat_id(*seat)?, self.facts(code)?);
                (parcel, ParcelWish::Key { seat, facts })
            }
        };
        let parcel = parcel_id(parcel)?;
        Ok(Some(Command::Parcel { parcel, to }))
    }

    fn parcel_wish(&self, to: ParcelTo, chute: Option<&str>) -> Result<ParcelWish, Problem> {
        match (to, chute) {
            (ParcelTo::Force, Some(chute)) => {
                let chute = self.chute(chute)?;
                Ok(ParcelWish::Force { chute })
            }
            (ParcelTo::Force, None) => Err(lacks("force", "a chute", "parcel 3-127 force A03")),
            (_, Some(_)) => Err(too_much("a chute", "force")),
            (ParcelTo::Damaged, None) => Ok(ParcelWish::Damaged),
            (ParcelTo::Removed, None) => Ok(ParcelWish::Removed),
        }
    }
}

/// What is declared, 0 if nothing is.
fn in_range(what: &str, value: Option<u32>, most: u32) -> Result<u32, Problem> {
    match value.unwrap_or(0) {
        value if value <= most => Ok(value),
        value => {
            let problem = format!("`{what}` is {value}, but no parcel is more than {most}");
            Err(Problem::unusable(problem, "correct it, or leave it out"))
        }
    }
}

/// The position of a name.
fn find<'n>(
    what: &str,
    name: &str,
    all: impl Iterator<Item = &'n str> + Clone,
) -> Result<usize, Problem> {
    if let Some(at) = all.clone().position(|other| other == name) {
        return Ok(at);
    }
    let few: Vec<&str> = all.clone().take(12).collect();
    let more = if all.clone().nth(few.len()).is_some() {
        ", ..."
    } else {
        ""
    };
    let mend = if few.is_empty() {
        format!("there is no {what} at all")
    } else {
        format!("name one of {}{more}{}", few.join(", "), near(name, all))
    };
    Err(Problem::unusable(
        format!("there is no {what} `{name}`"),
        mend,
    ))
}

/// A parcel's number as people see it.
///
/// # Errors
/// It is none.
pub fn parcel_id(text: &str) -> Result<ParcelId, Problem> {
    let parts = text.split_once('-');
    let number = parts.and_then(|(run, count)| {
        let (run, count) = (run.parse::<u32>().ok()?, count.parse::<u64>().ok()?);
        let id = ParcelId::new(run, count);
        // A part that does not fit was cut: that is no parcel's number.
        (id.run_epoch() == run && id.counter() == count && count > 0).then_some(id)
    });
    number.ok_or_else(|| {
        let problem = format!("`{text}` is no parcel's number");
        Problem::unusable(problem, "write it as lists show it, for example 3-127")
    })
}

fn seat_id(seat: u16) -> Result<SeatId, Problem> {
    let problem = || Problem::unusable("seats are numbered from 1", "give the seat's number");
    seat.checked_sub(1).map(SeatId).ok_or_else(problem)
}

fn chute_wish(to: ChuteTo) -> ChuteWish {
    match to {
        ChuteTo::Lock => ChuteWish::Lock,
        ChuteTo::Unlock => ChuteWish::Unlock,
        ChuteTo::Disable => ChuteWish::Disable,
        ChuteTo::Enable => ChuteWish::Enable,
        ChuteTo::Cleared => ChuteWish::Cleared,
    }
}

fn induction_wish(to: InductionTo, per_h: Option<u16>) -> Result<InductionWish, Problem> {
    match (to, per_h) {
        (InductionTo::Limit, Some(per_h)) => Ok(InductionWish::Limit(per_h)),
        (InductionTo::Limit, None) => Err(lacks(
            "limit",
            "parcels an hour",
            "induction in-1 limit 1200",
        )),
        (_, Some(_)) => Err(too_much("a number", "limit")),
        (InductionTo::Run, None) => Ok(InductionWish::Run),
        (InductionTo::Stop, None) => Ok(InductionWish::Stop),
    }
}

fn track_wish(to: TrackTo, mode: Option<ModeTo>) -> Result<TrackWish, Problem> {
    let mode = mode.map(|mode| match mode {
        ModeTo::Automatic => Mode::Automatic,
        ModeTo::Manual => Mode::Manual,
        ModeTo::Maintenance => Mode::Maintenance,
        ModeTo::Emptying => Mode::Emptying,
    });
    match (to, mode) {
        (TrackTo::Mode, Some(mode)) => Ok(TrackWish::Mode(mode)),
        (TrackTo::Mode, None) => Err(lacks("mode", "which one", "track loop mode manual")),
        (_, Some(_)) => Err(too_much("a mode", "mode")),
        (TrackTo::Start, None) => Ok(TrackWish::Start),
        (TrackTo::Drain, None) => Ok(TrackWish::Drain),
        (TrackTo::Purge, None) => Ok(TrackWish::Purge),
        (TrackTo::Close, None) => Ok(TrackWish::Close),
        (TrackTo::Open, None) => Ok(TrackWish::Open),
    }
}

fn lacks(word: &str, what: &str, example: &str) -> Problem {
    let problem = format!("`{word}` needs {what}");
    Problem::malformed(problem, format!("for example `{example}`"))
}

fn too_much(what: &str, word: &str) -> Problem {
    let problem = format!("{what} makes sense only with `{word}`");
    Problem::malformed(problem, "leave it out")
}
