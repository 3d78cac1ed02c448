//! Names: the nearest one to a misspelt one, and patterns for the names of a bank.

use super::fault::TextFault;

/// The candidate most like `word`, if one is like it at all.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    // Longer words are not compared: the work grows with the square of the length.
    const CHARS_MAX: usize = 60;
    let word: Vec<char> = word.to_lowercase().chars().take(CHARS_MAX).collect();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let other: Vec<char> = candidate.to_lowercase().chars().take(CHARS_MAX).collect();
        // A third of the letters may differ: beyond that a suggestion puzzles more than it helps.
        let most = word.len().max(other.len()) / 3;
        // Control characters stand for names that could not be read.
        if other.len().abs_diff(word.len()) > most || candidate.contains(char::is_control) {
            continue;
        }
        let steps = distance(&word, &other);
        if steps <= most && best.is_none_or(|(least, _)| steps < least) {
            best = Some((steps, candidate));
        }
    }
    best.map(|(_, name)| name.to_owned())
}

/// How many letters must be put in, left out, changed, or swapped with their neighbour to make
/// one word of the other (the restricted Damerau-Levenshtein distance).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = change.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = last;
        last = row;
    }
    last[b.len()]
}

/// A name with `{n}`, `{n:3}` or `{track}` in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Number { digits: usize },
    Track,
}

impl Pattern {
    /// Reads a pattern.
    pub(super) fn parse(text: &str) -> Result<Self, TextFault> {
        let fault = |problem| TextFault::BadPattern {
            pattern: text.to_owned(),
            problem,
        };
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            parts.push(Part::Text(before.to_owned()));
            let (inside, after) = after
                .split_once('}')
                .ok_or_else(|| fault("a `{` has no `}`"))?;
            parts.push(match inside.split_once(':') {
                None if inside == "n" => Part::Number { digits: 0 },
                None if inside == "track" => Part::Track,
                Some(("n", digits)) => match digits.parse() {
                    Ok(digits @ 1..=9) => Part::Number { digits },
                    _ => return Err(fault("a number has 1 to 9 digits")),
                },
                _ => return Err(fault("only {n} and {track} are known")),
            });
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self { parts })
    }

    /// Stands for a name that could not be read: like no name that anybody can write.
    pub(super) fn unreadable(place: usize) -> Self {
        let text = format!("\0{place}-");
        Self {
            parts: vec![Part::Text(text), Part::Track, Part::Number { digits: 0 }],
        }
    }

    /// Whether it tells the members of a bank apart.
    pub(super) fn has_number(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Number { .. }))
    }

    /// Whether it tells tracks apart.
    pub(super) fn has_track(&self) -> bool {
        self.parts.contains(&Part::Track)
    }

    /// The name of one member.
    pub(super) fn expand(&self, number: u32, track: &str) -> String {
        let mut name = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Number { digits } => name.push_str(&format!("{number:0digits$}")),
                Part::Track => name.push_str(track),
            }
        }
        name
    }
}
