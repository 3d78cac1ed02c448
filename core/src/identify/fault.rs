//! What can be wrong with a table of code formats.

use alloc::string::String;

use thiserror::Error;

use crate::limits::{
    CODE_CHARS_MAX, FORMAT_SHAPES_MAX, FORMATS_MAX, OMITTED_CHARS_MAX, SHAPES_MAX,
};

/// One fault of a table, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatFault {
    /// Which format, by position.
    pub format: usize,
    /// Which part of it.
    pub part: FormatPart,
    /// What is wrong.
    pub kind: FormatFaultKind,
}

/// The part of a format that a fault is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatPart {
    /// The format as a whole.
    Whole,
    /// Its name.
    Name,
    /// A pattern.
    Pattern {
        /// Which, by position.
        nth: usize,
        /// Where in it, in characters from its beginning; `None`: all of it.
        at: Option<usize>,
    },
    /// The check rule.
    Check,
    /// What the print leaves out.
    Omitted,
    /// The separators.
    Separators,
    /// A word, by position.
    Word(usize),
}

/// What is wrong with a format; the text says the mend after a semicolon.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FormatFaultKind {
    /// More formats than can be numbered.
    #[error("a table has at most {FORMATS_MAX} formats; leave out carriers that do not come here")]
    TooManyFormats,
    /// More shapes than are compiled.
    #[error(
        "the table has more than {SHAPES_MAX} shapes; give repetitions a narrower range, or leave \
         out carriers that do not come here"
    )]
    TooManyShapes,
    /// A format without a name.
    #[error("the format has no name; give it one")]
    NoName,
    /// Two formats with one name.
    #[error("the name `{name}` is given to two formats; give each its own name")]
    SameName {
        /// The name.
        name: String,
        /// The first that has it, by position.
        first: usize,
    },
    /// A format that nothing can fit.
    #[error("the format has no pattern; add one")]
    NoPattern,
    /// A pattern that matches nothing or only an empty code.
    #[error("the pattern also fits a code with nothing in it; ask for one character at least")]
    Empty,
    /// A character that has no meaning in patterns.
    #[error(
        "`{0}` is not known in patterns; they are made of characters, `\\d`, `[A-Z]`, `{{3}}`, \
         `{{2,4}}`, `?` and `(?<name>…)`"
    )]
    NotKnown(char),
    /// A lower-case letter.
    #[error("`{0}` can never be met; write capitals, codes are compared in capitals")]
    LowerCase(char),
    /// A character that no code can have.
    #[error("`{}` can never be met; codes have neither blanks nor parentheses", .0.escape_debug())]
    NeverMet(char),
    /// A set that is not closed, empty, or has its borders reversed.
    #[error("the set of characters is not understood; write it like `[0-9A-Z]`")]
    BadSet,
    /// A count that is not closed, zero, or has its borders reversed.
    #[error(
        "the count is not understood; write it like `{{12}}` or `{{10,12}}`, behind a character or \
         a set"
    )]
    BadCount,
    /// A group with a name that has no meaning.
    #[error(
        "there is no group `{0}`; the groups are identity, over, check, postcode, address and word"
    )]
    NoSuchGroup(String),
    /// A group that stands twice in one pattern.
    #[error("the group `{0}` stands twice; keep one")]
    GroupTwice(&'static str),
    /// A parenthesis without its other half.
    #[error("a parenthesis has no other half; a group is written `(?<name>…)`")]
    Unbalanced,
    /// Codes longer than are read.
    #[error("the pattern fits codes of more than {CODE_CHARS_MAX} characters; make it shorter")]
    TooLong,
    /// Too many combinations of counts.
    #[error(
        "the format has more than {FORMAT_SHAPES_MAX} shapes; give its repetitions a narrower range"
    )]
    TooWide,
    /// A check rule that no pattern has a place for.
    #[error(
        "no pattern says what is checked; put `(?<over>…)` around what the rule is computed over, \
         and `(?<check>…)` around the check character"
    )]
    NoCheckGroup,
    /// A place for a check character without a rule.
    #[error("the pattern has a check character, but the format has no rule for it; add `check`")]
    NoRule,
    /// One of the two groups without the other.
    #[error("`over` and `check` need each other; add the one that is missing")]
    HalfCheck,
    /// A check group that is not one character.
    #[error("the group `check` is not one character; put just the check character into it")]
    WideCheck,
    /// Letters in what is checked by a rule for digits.
    #[error("the rule counts digits only, but `{0}` can hold others; write `\\d` there")]
    NotDigits(&'static str),
    /// S10 is for eight digits.
    #[error(
        "the rule is for {0} characters, but `over` can hold another number; correct the count"
    )]
    WrongCount(usize),
    /// Weights that check nothing.
    #[error(
        "the weights check nothing; give 1 to 32 weights above zero and a modulus of at least 2"
    )]
    BadWeights,
    /// What is left out is not a few capitals or digits.
    #[error("what is left out has to be 1 to {OMITTED_CHARS_MAX} capitals or digits; correct it")]
    BadOmitted,
    /// What is left out would not join on to the identity or to what is checked.
    #[error(
        "what is left out stands before the code, so identity and `over` have to begin with the \
         pattern; move the groups to its beginning"
    )]
    OmittedElsewhere,
    /// A separator that is not one of the few.
    #[error("`{0}` is not a separator; use any of `-`, `.` and `/`")]
    BadSeparator(char),
    /// Words without a place, or a place without words.
    #[error("words and the group `word` need each other; add the one that is missing")]
    HalfWord,
    /// A word that cannot be met.
    #[error("the word can never be met; write capitals and digits, as many as `word` holds")]
    BadWord,
    /// A code that only says where to go does not say it.
    #[error("a code of kind route has to say where to; add the group `postcode` or `address`")]
    NoAddress,
}
