//! The licence of every package that any build of the workspace can pull in, on any platform.

use serde_json::Value;

use crate::process;
use crate::report::Report;
use crate::spdx;
use crate::steps::Context;

/// Licences that fit `Apache-2.0 OR MIT`, for any package, with why.
const ACCEPTED: &[(&str, &str)] = &[
    ("MIT", "ours"),
    ("Apache-2.0", "ours"),
    (
        "Apache-2.0 WITH LLVM-exception",
        "asks for less than Apache-2.0",
    ),
    ("BSD-2-Clause", "keep the notice"),
    (
        "BSD-3-Clause",
        "keep the notice, do not advertise with the names",
    ),
    ("BSL-1.0", "keep the notice in source form"),
    ("ISC", "keep the notice"),
    (
        "Zlib",
        "do not misrepresent the origin; nothing is asked of binaries",
    ),
    (
        "Unicode-3.0",
        "data tables of the Unicode Consortium: keep the notice",
    ),
    ("Unlicense", "public domain"),
    ("CC0-1.0", "public domain"),
];

/// Packages with a licence that is accepted for them alone, with why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[(
    "webdriver",
    "MPL-2.0",
    "drives the browser in tests; no part of what is shipped",
)];

/// Checks the whole tree of `cargo metadata`.
pub(crate) fn check(context: &Context) -> Report {
    let text = process::read(
        context
            .cargo("metadata")
            .args(["--locked", "--format-version", "1"]),
    );
    let refused = text.and_then(|text| {
        let metadata: Value = serde_json::from_str(&text).map_err(|why| why.to_string())?;
        let shipped = shipped_tree(context)?;
        refused(&metadata, &|name| shipped.iter().any(|other| other == name))
    });
    match refused {
        Ok(failures) => Report {
            failures,
            ..Report::default()
        },
        Err(why) => Report::of(Err(why)),
    }
}

/// The packages that a release of the program is built from.
fn shipped_tree(context: &Context) -> Result<Vec<String>, String> {
    let mut tree = context.cargo("tree");
    tree.args(["--workspace", "--locked", "--target", "all"]);
    tree.args([
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    let text = process::read(&mut tree)?;
    let name = |line: &str| line.split(' ').next().map(str::to_owned);
    Ok(text.lines().filter_map(name).collect())
}

/// One line for each package that may not be used, with the mend.
fn refused(metadata: &Value, shipped: &impl Fn(&str) -> bool) -> Result<Vec<String>, String> {
    let packages = metadata["packages"]
        .as_array()
        .ok_or("cargo metadata lists no packages")?;
    if packages.is_empty() {
        return Err("cargo metadata lists no packages".to_owned());
    }
    let mut refused = Vec::new();
    for package in packages {
        let field = |name: &str| package[name].as_str().unwrap_or_default();
        let (name, licence) = (field("name"), field("license"));
        let excepted = |id: &str| {
            EXCEPTIONS
                .iter()
                .any(|(of, licence, _)| *of == name && *licence == id)
        };
        let accepted = |id: &str| ACCEPTED.iter().any(|(known, _)| *known == id);
        let why = match spdx::satisfied(licence, &|id| accepted(id) || excepted(id)) {
            Ok(true) if excepted(licence) && shipped(name) => {
                "it is accepted for tests only, and is now part of what is shipped".to_owned()
            }
            Ok(true) => continue,
            Ok(false) => "it is not on the list of accepted licences".to_owned(),
            Err(why) => format!("it is no licence expression: {why}"),
        };
        refused.push(format!(
            "{name} {}: licence `{licence}`: {why}; drop the package, or add the licence to \
             xtask/src/licences.rs with the reason why it fits",
            field("version")
        ));
    }
    Ok(refused)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused_of(name: &str, licence: &Value, shipped: bool) -> Vec<String> {
        let package = json!({ "name": name, "version": "1.0.0", "license": licence });
        refused(&json!({ "packages": [package] }), &|_| shipped).expect("well formed")
    }

    #[test]
    fn only_listed_licences_pass() {
        assert!(refused_of("good", &json!("MIT OR GPL-3.0-only"), true).is_empty());
        for bad in [
            json!("GPL-3.0-only"),
            json!("MIT AND OpenSSL"),
            json!(null),
            json!("MIT ?"),
        ] {
            let lines = refused_of("bad", &bad, true);
            assert!(
                lines.len() == 1 && lines[0].starts_with("bad 1.0.0"),
                "{bad}: {lines:?}"
            );
        }
    }

    #[test]
    fn an_exception_holds_for_its_package_and_for_tests_only() {
        assert!(refused_of("webdriver", &json!("MPL-2.0"), false).is_empty());
        assert_eq!(refused_of("webdriver", &json!("MPL-2.0"), true).len(), 1);
        assert_eq!(refused_of("another", &json!("MPL-2.0"), false).len(), 1);
    }

    #[test]
    fn an_empty_list_is_an_error() {
        assert!(refused(&json!({ "packages": [] }), &|_| false).is_err());
        assert!(refused(&json!({}), &|_| false).is_err());
    }
}
