//! What tests need beside the Rust toolchain: found, or installed where that can be done without
//! asking, and told to the tests by environment variables (docs/testing.md lists them).

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process;
use crate::steps::Context;

/// What was found, and what was not.
#[derive(Debug, Default)]
pub(crate) struct Equipment {
    /// Set for every test.
    pub(crate) env: BTreeMap<&'static str, OsString>,
    /// One line for each missing component: what, why, and the mend.
    pub(crate) missing: Vec<String>,
}

impl Equipment {
    /// Looks for every component; a variable that the caller has set is taken as it is.
    pub(crate) fn gather(context: &Context) -> Self {
        let mut found = Self::default();
        found.add("SORTHUB_TRACE_DIR", "the recorded traces", || {
            trace_folder(context)
        });
        found.add("SORTHUB_PYTHON", "Python with pymodbus", || python(context));
        found.add("SORTHUB_CHROMIUM", "Chromium", || program(&CHROMIUM));
        found.add("SORTHUB_CHROMEDRIVER", "ChromeDriver", || {
            program(&CHROMEDRIVER)
        });
        found
    }

    fn add(
        &mut self,
        variable: &'static str,
        what: &str,
        look: impl FnOnce() -> Result<PathBuf, String>,
    ) {
        if env::var_os(variable).is_some_and(|value| !value.is_empty()) {
            return;
        }
        match look() {
            Ok(path) => {
                println!("   {variable}={}", path.display());
                self.env.insert(variable, path.into());
            }
            Err(why) => self
                .missing
                .push(format!("{what}: {why}; or set {variable}")),
        }
    }
}

/// The recorded traces are not part of this repository: they lie in `shared/data` beside it, or
/// beside the main checkout if this is a further working tree of it.
fn trace_folder(context: &Context) -> Result<PathBuf, String> {
    let mut git = Command::new("git");
    git.args(["rev-parse", "--path-format=absolute", "--git-common-dir"]);
    git.current_dir(&context.root).stderr(Stdio::null());
    let main_checkout = process::read(&mut git)
        .ok()
        .and_then(|folder| Path::new(folder.trim()).parent().map(Path::to_path_buf));
    let checkouts = [Some(context.root.clone()), main_checkout];
    let beside = checkouts
        .into_iter()
        .flatten()
        .map(|checkout| checkout.join("../shared/data"));
    let mut beside = beside.filter_map(|folder| folder.canonicalize().ok());
    let missing = "there is no folder ../shared/data: put the traces there";
    beside.next().ok_or_else(|| missing.to_owned())
}

/// A virtual environment in the target folder with the pinned packages of the interop tests.
fn python(context: &Context) -> Result<PathBuf, String> {
    let wanted = context.root.join("tests/interop/requirements.txt");
    let text = fs::read(&wanted).map_err(|why| format!("{}: {why}", wanted.display()))?;
    let venv = context.target()?.join("test-venv");
    let python = venv.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    // Written last, so that an installation that was cut short is made again.
    let installed = venv.join("installed-requirements.txt");
    if python.is_file() && fs::read(&installed).is_ok_and(|was| was == text) {
        return Ok(python);
    }
    let system = ["python3", "python"]
        .into_iter()
        .find_map(|name| on_path(name, &[]));
    let system = system.ok_or("no python3 on the PATH: install Python 3.10 or newer")?;
    let create = || {
        process::run(
            Command::new(&system)
                .args(["-m", "venv", "--clear"])
                .arg(&venv),
        )
    };
    // Debian ships the venv module as a package of its own.
    create().or_else(|_| apt_install(&["python3-venv"]).and_then(|()| create()))?;
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    pip.args(["--require-hashes", "--requirement"]).arg(&wanted);
    process::run(&mut pip)?;
    fs::write(&installed, &text).map_err(|why| format!("{}: {why}", installed.display()))?;
    Ok(python)
}

/// A program by the names under which systems know it.
struct Wanted {
    names: &'static [&'static str],
    /// Folders that distributions use and that are often not on the PATH.
    folders: &'static [&'static str],
    debian_packages: &'static [&'static str],
}

const CHROMIUM: Wanted = Wanted {
    names: &["chromium", "chromium-browser", "google-chrome"],
    folders: &["/usr/lib/chromium"],
    debian_packages: &["chromium", "chromium-driver"],
};

const CHROMEDRIVER: Wanted = Wanted {
    names: &["chromedriver"],
    folders: &["/usr/lib/chromium", "/usr/lib/chromium-browser"],
    debian_packages: &["chromium", "chromium-driver"],
};

fn program(wanted: &Wanted) -> Result<PathBuf, String> {
    let find = || {
        wanted
            .names
            .iter()
            .find_map(|name| on_path(name, wanted.folders))
    };
    if let Some(path) = find() {
        return Ok(path);
    }
    apt_install(wanted.debian_packages)?;
    find().ok_or_else(|| format!("{:?} installed, yet not found", wanted.debian_packages))
}

/// Installs Debian packages, if this user may do so without being asked for a password.
fn apt_install(packages: &[&str]) -> Result<(), String> {
    let mend = format!("install {} by hand", packages.join(" "));
    if env::var_os("SORTHUB_NO_INSTALL").is_some() {
        return Err(format!("SORTHUB_NO_INSTALL is set: {mend}"));
    }
    let apt = on_path("apt-get", &[]).ok_or_else(|| format!("no apt-get here: {mend}"))?;
    let succeeds = |test: &str| {
        let status = Command::new("sh")
            .args(["-c", test])
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    };
    let sudo: &[&str] = if succeeds("test \"$(id -u)\" = 0") {
        &[]
    } else if succeeds("sudo -n true") {
        &["sudo", "-n"]
    } else {
        return Err(format!("neither root nor sudo without a password: {mend}"));
    };
    let run = |args: &[&str]| {
        // `env` and `sudo` both take `NAME=value` before the command.
        let mut install = Command::new("env");
        install
            .args(sudo)
            .arg("DEBIAN_FRONTEND=noninteractive")
            .arg(&apt)
            .args(args);
        process::run(&mut install).map_err(|why| format!("{why}: {mend}"))
    };
    run(&["update", "-qq"])?;
    let install = ["install", "-qq", "--yes", "--no-install-recommends"];
    run(&[&install, packages].concat())
}

fn on_path(name: &str, further: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(further.iter().map(PathBuf::from));
    let mut candidates =
        folders.map(|folder| folder.join(format!("{name}{}", env::consts::EXE_SUFFIX)));
    candidates.find(|candidate| candidate.is_file())
}
