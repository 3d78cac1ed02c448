//! Generations of the directory: made and dropped by whoever owns them, read by decision threads
//! that never wait, allocate or free for it.
//!
//! Each reader has a slot for one directory. The owner puts the newest one in, and takes out what
//! the reader has not fetched; the reader looks into the slot at the end of its turns, which is a
//! few loads while there is nothing. The owner keeps a reference to every generation until nobody
//! else has one, so that a reader's reference is never the last and hundreds of megabytes are
//! freed on the owner's thread.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam::queue::ArrayQueue;
use sorthub_core::directory::{AdviseError, BuildError, Directory, Mark, Waybill};
use sorthub_core::facts::Advice;

use super::Options;
use super::load::{Loaded, Refused, Report, load_file};

type Slot = ArrayQueue<Arc<Directory>>;

/// The owner's end, for any thread but those that decide.
#[derive(Debug)]
pub struct Generations {
    /// Held while the next generation is made, which may take seconds.
    state: Mutex<State>,
    /// The newest generation once more, for those who only look and never wait for a newer one.
    latest: Mutex<Arc<Directory>>,
    /// Held while a file is read: two at once would need memory for both.
    loading: Mutex<()>,
}

#[derive(Debug)]
struct State {
    current: Arc<Directory>,
    slots: Vec<Arc<Slot>>,
    /// Generations that a reader may still have.
    old: Vec<Arc<Directory>>,
    /// Where single advices were when the file was begun that is being read.
    begun: Option<Mark>,
}

/// A decision thread's end.
#[derive(Debug)]
pub struct Reader {
    current: Arc<Directory>,
    slot: Arc<Slot>,
}

impl Generations {
    /// The first generation.
    #[must_use]
    pub fn new(directory: Directory) -> Self {
        let current = Arc::new(directory);
        Self {
            latest: Mutex::new(Arc::clone(&current)),
            state: Mutex::new(State {
                current,
                slots: Vec::new(),
                old: Vec::new(),
                begun: None,
            }),
            loading: Mutex::new(()),
        }
    }

    /// An end for one more decision thread. It ends when that is dropped.
    #[must_use]
    pub fn reader(&self) -> Reader {
        let mut state = self.state();
        let slot = Arc::new(Slot::new(1));
        state.slots.push(Arc::clone(&slot));
        let current = Arc::clone(&state.current);
        Reader { current, slot }
    }

    /// The newest generation. It does not wait while another one is made.
    #[must_use]
    pub fn current(&self) -> Arc<Directory> {
        Arc::clone(&lock(&self.latest))
    }

    /// Changes the directory (its prefixes, say) and publishes the next generation.
    pub fn change(&self, change: impl FnOnce(&mut Directory)) {
        let mut state = self.state();
        let mut directory = Directory::clone(&state.current);
        change(&mut directory);
        self.publish(&mut state, directory);
    }

    /// Reads a file and publishes it in place of the table before, as [`Generations::load`] does.
    ///
    /// # Errors
    /// The file is refused: nothing has changed.
    pub fn load_file(&self, path: &Path, options: &Options) -> Result<Report, Refused> {
        self.load(|| load_file(path, options))
    }

    /// Publishes a table that is read meanwhile in place of the one before. What was said of
    /// single waybills before the reading was begun is dropped, because the table is newer; what
    /// is said meanwhile stands. Sorting goes on, and another load waits.
    ///
    /// # Errors
    /// What is read is refused: nothing has changed.
    pub fn load(&self, read: impl FnOnce() -> Result<Loaded, Refused>) -> Result<Report, Refused> {
        let _one_at_a_time = lock(&self.loading);
        let begun = self.begin();
        let loaded = read();
        let mut state = self.state();
        state.begun = None;
        let loaded = loaded?;
        let mut directory = Directory::clone(&state.current);
        directory.set_waybills(Arc::new(loaded.waybills));
        directory.forget_recent(begun);
        self.publish(&mut state, directory);
        Ok(loaded.report)
    }

    /// Advice for one waybill; the newest one for a waybill stands. When there are many since the
    /// last file, they are first folded into the table, which takes as long as copying it.
    ///
    /// # Errors
    /// [`AdviseError::Full`] only while a file is read: try again after that.
    pub fn advise(&self, waybill: &str, advice: Advice) -> Result<(), AdviseError> {
        self.set(|directory| directory.advise(waybill, advice))
    }

    /// Withdraws what is advised for one waybill; `false`: nothing is, and no file that could
    /// advise it is being read.
    ///
    /// # Errors
    /// As for [`Generations::advise`].
    pub fn withdraw(&self, waybill: &str) -> Result<bool, AdviseError> {
        Waybill::of(waybill)?;
        let state = self.state();
        if state.begun.is_none() && state.current.advised(waybill).is_none() {
            return Ok(false);
        }
        self.set_in(state, |directory| directory.withdraw(waybill))?;
        Ok(true)
    }

    /// Frees generations that no reader has any more; how many are left. Publishing does it too,
    /// but at that time the readers still have the one before: call this now and then.
    pub fn sweep(&self) -> usize {
        self.state().sweep()
    }

    fn begin(&self) -> Mark {
        let mut state = self.state();
        let mark = state.current.mark();
        state.begun = Some(mark);
        mark
    }

    fn set(
        &self,
        set: impl Fn(&mut Directory) -> Result<(), AdviseError>,
    ) -> Result<(), AdviseError> {
        self.set_in(self.state(), set)
    }

    fn set_in(
        &self,
        mut state: MutexGuard<'_, State>,
        set: impl Fn(&mut Directory) -> Result<(), AdviseError>,
    ) -> Result<(), AdviseError> {
        let mut directory = Directory::clone(&state.current);
        match set(&mut directory) {
            Err(AdviseError::Full) => {
                // What came after a file was begun must outlive it, and so stays apart.
                let until = state.begun.unwrap_or_else(|| directory.mark());
                fold(&mut directory, until).map_err(|_| AdviseError::Full)?;
                set(&mut directory)?;
            }
            other => other?,
        }
        self.publish(&mut state, directory);
        Ok(())
    }

    fn publish(&self, state: &mut State, directory: Directory) {
        let next = Arc::new(directory);
        *lock(&self.latest) = Arc::clone(&next);
        state.publish(&next);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// What is behind a lock is changed as a whole or not at all, so that a panic of another thread
/// leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn fold(directory: &mut Directory, until: Mark) -> Result<(), BuildError> {
    let folded = directory.folded(until)?;
    directory.set_waybills(Arc::new(folded));
    directory.forget_recent(until);
    Ok(())
}

impl State {
    fn publish(&mut self, next: &Arc<Directory>) {
        let before = std::mem::replace(&mut self.current, Arc::clone(next));
        self.old.push(before);
        // A slot that nobody else has is of a reader that is gone.
        self.slots.retain(|slot| Arc::strong_count(slot) > 1);
        for slot in &self.slots {
            // What the reader has not fetched is dropped here.
            drop(slot.force_push(Arc::clone(next)));
        }
        self.sweep();
    }

    fn sweep(&mut self) -> usize {
        // Nobody can take a reference to what is in no slot any more, so one is the last.
        self.old.retain(|old| Arc::strong_count(old) > 1);
        self.old.len()
    }
}

impl Reader {
    /// A reader of a directory that nobody replaces.
    #[must_use]
    pub fn fixed(directory: Arc<Directory>) -> Self {
        Self {
            current: directory,
            slot: Arc::new(Slot::new(1)),
        }
    }

    /// Takes the newest generation if there is a newer one; whether there is. It neither waits nor
    /// allocates, and frees nothing as long as the owner lives.
    pub fn refresh(&mut self) -> bool {
        match self.slot.pop() {
            Some(next) => {
                self.current = next;
                true
            }
            None => false,
        }
    }

    /// The generation of the last [`Reader::refresh`].
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.current
    }
}
