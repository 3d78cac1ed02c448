//! The socket's place in the file system: one engine each, for its owner alone.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

/// The socket's usual name, in the directory of the journal.
pub const FILE_NAME: &str = "control.sock";

/// The system's addresses of sockets hold no longer path (108 bytes with the end), and the socket
/// is made under a path a little longer.
const PATH_BYTES_MAX: usize = 96;

/// Why a place cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// Another engine has it.
    #[error(
        "{}: another engine listens here; stop it, or choose another path with --control",
        path.display()
    )]
    InUse {
        /// Where.
        path: PathBuf,
    },
    /// There is a file that is no socket.
    #[error(
        "{}: there is a file that is no socket; move it, or choose another path with --control",
        path.display()
    )]
    NoSocket {
        /// Where.
        path: PathBuf,
    },
    /// The system cannot name a socket by so long a path.
    #[error(
        "{}: the path of a socket has at most {PATH_BYTES_MAX} bytes; choose a shorter one with \
         --control",
        path.display()
    )]
    TooLong {
        /// Which path.
        path: PathBuf,
    },
    /// The system refuses.
    #[error(
        "{}: {source}; choose a path in a directory that can be written to with --control",
        path.display()
    )]
    System {
        /// Where.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

/// Whether the system can name a socket by this path.
pub(super) fn fits(path: &Path) -> bool {
    path.as_os_str().as_bytes().len() <= PATH_BYTES_MAX
}

/// A place with its socket; the socket is removed when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    listener: Option<UnixListener>,
    /// Given back when the process ends, however it ends.
    _lock: File,
}

impl Place {
    /// Takes a place. A socket that a dead engine has left is replaced.
    pub fn take(path: &Path) -> Result<Self, PlaceError> {
        if !fits(path) {
            let path = path.to_owned();
            return Err(PlaceError::TooLong { path });
        }
        let system = |source| PlaceError::System {
            path: path.to_owned(),
            source,
        };
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            fs::create_dir_all(dir).map_err(system)?;
        }
        let lock = File::create(beside(path, ".lock")).map_err(system)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let path = path.to_owned();
                return Err(PlaceError::InUse { path });
            }
            Err(TryLockError::Error(source)) => return Err(system(source)),
        }
        // Whoever holds the lock is alone here, so a socket that is there was left behind.
        match fs::symlink_metadata(path) {
            Ok(found) if found.file_type().is_socket() => fs::remove_file(path).map_err(system)?,
            Ok(_) => {
                let path = path.to_owned();
                return Err(PlaceError::NoSocket { path });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(system(error)),
        }
        let listener = listen(path).map_err(system)?;
        Ok(Self {
            path: path.to_owned(),
            listener: Some(listener),
            _lock: lock,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The listener; it is given once.
    pub fn listener(&mut self) -> io::Result<UnixListener> {
        self.listener
            .take()
            .ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // If it stays, the next engine here removes it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Makes the socket where nobody else can reach it, and moves it to its place once only its owner
/// may use it: between being made and being closed off it would else be open to others.
fn listen(path: &Path) -> io::Result<UnixListener> {
    let private = beside(path, ".new");
    // Left by an engine that died between two lines below.
    let _ = fs::remove_dir_all(&private);
    DirBuilder::new().mode(0o700).create(&private)?;
    let made = private.join("s");
    let listener = UnixListener::bind(&made).and_then(|listener| {
        fs::set_permissions(&made, Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        fs::rename(&made, path)?;
        Ok(listener)
    });
    let _ = fs::remove_dir_all(&private);
    listener
}

/// The same path with something behind its name.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
