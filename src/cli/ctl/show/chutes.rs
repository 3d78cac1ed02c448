//! Chutes, as a table of all or with everything about one.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{plain, table};

/// The chutes of an answer; `one`: everything about those that were asked for by name.
pub(super) fn text(one: bool, answer: &Value) -> String {
    let rows = answer["chutes"].as_array().map(Vec::as_slice);
    let rows = rows.unwrap_or_default();
    if one && !rows.is_empty() {
        return rows.iter().map(detail).collect();
    }
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            let mut row = row.clone();
            row["bag"] = bag(&row["bag"]).map_or(Value::Null, Value::from);
            row
        })
        .collect();
    let columns = [
        "chute", "state", "for_s", "dropped", "holds", "coming", "bag",
    ];
    table(&json!(rows), &columns, "every chute is open")
}

fn detail(row: &Value) -> String {
    let mut out = String::new();
    // Writing into a text cannot fail.
    let (name, state) = (plain(&row["chute"]), plain(&row["state"]));
    let _ = writeln!(out, "{name}: {state} for {} s", row["for_s"]);
    let (dropped, holds, coming) = (&row["dropped"], &row["holds"], &row["coming"]);
    let _ = writeln!(out, "  {dropped} dropped, {holds} in it, {coming} coming");
    let refused = row["refused"].as_object().into_iter().flatten();
    let refused: Vec<String> = refused.map(|(why, n)| format!("{why} {n}")).collect();
    let _ = match refused.as_slice() {
        [] => writeln!(out, "  refused none, {} failed", row["failed"]),
        some => writeln!(
            out,
            "  refused: {}; {} failed",
            some.join(", "),
            row["failed"]
        ),
    };
    let (full, locked) = (&row["full_s"], &row["locked_s"]);
    let _ = writeln!(out, "  full for {full} s and locked for {locked} s so far");
    if let Some(bag) = bag(&row["bag"]) {
        let _ = writeln!(out, "  {bag}");
    }
    out
}

/// A bag or cage in words.
fn bag(bag: &Value) -> Option<String> {
    let kind = bag["kind"].as_str()?;
    let label = match (&bag["label"], kind) {
        (Value::String(label), _) => format!(" {label}"),
        // A cage is known by its place.
        (_, "cage") => String::new(),
        _ => " without label".to_owned(),
    };
    let at_least = if bag["counted"] == true {
        ""
    } else {
        "at least "
    };
    let (pieces, weight_g) = (&bag["pieces"], &bag["weight_g"]);
    let mut words = format!("{kind}{label}: {at_least}{pieces} pieces, {weight_g} g");
    if let Some(cm3) = bag["volume_cm3"].as_u64().filter(|cm3| *cm3 > 0) {
        let _ = write!(words, ", {cm3} cm³");
    }
    if let Some(stage) = bag["stage"].as_str().filter(|stage| *stage != "open") {
        let _ = write!(words, ", {stage}");
    }
    if let Some(next) = bag["next"].as_str() {
        let _ = write!(words, ", next {next}");
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_chute_is_told_with_what_it_refused() {
        let mut row = json!({
            "chute": "A03", "state": "full", "for_s": 12, "dropped": 7, "holds": 5, "coming": 1,
            "refused": { "full": 2, "locked": 1 }, "failed": 3, "full_s": 61, "locked_s": 8,
            "bag": null,
        });
        let wanted = "A03: full for 12 s\n  7 dropped, 5 in it, 1 coming\n  \
            refused: full 2, locked 1; 3 failed\n  full for 61 s and locked for 8 s so far\n";
        assert_eq!(text(true, &json!({ "chutes": [row] })), wanted);
        row["refused"] = json!({});
        let told = text(true, &json!({ "chutes": [row] }));
        assert!(told.contains("\n  refused none, 3 failed\n"), "{told}");
        assert_eq!(
            text(true, &json!({ "chutes": [] })),
            "every chute is open\n"
        );
    }

    #[test]
    fn a_bag_is_said_with_its_label_and_how_far_its_change_is() {
        let mut row = json!({
            "kind": "bag", "label": "376130321109103420", "pieces": 3, "weight_g": 1200,
            "volume_cm3": 4000, "counted": true, "stage": "open", "next": null,
        });
        let label = "376130321109103420";
        let open = format!("bag {label}: 3 pieces, 1200 g, 4000 cm³");
        assert_eq!(bag(&row), Some(open));
        (row["stage"], row["next"]) = ("bound".into(), "BAG-2".into());
        (row["label"], row["counted"]) = (Value::Null, false.into());
        let bound = "bag without label: at least 3 pieces, 1200 g, 4000 cm³, bound, next BAG-2";
        assert_eq!(bag(&row).as_deref(), Some(bound));
        (row["kind"], row["next"], row["stage"]) = ("cage".into(), Value::Null, "frozen".into());
        let cage = "cage: at least 3 pieces, 1200 g, 4000 cm³, frozen";
        assert_eq!(bag(&row).as_deref(), Some(cage));
        assert_eq!(bag(&Value::Null), None);
    }
}
