//! From the codes that a scanner saw on a parcel to what is known of the parcel.

use super::Directory;
use crate::facts::{Address, Advice, CarrierKey, Facts, Reading};
use crate::identify::{Formats, Identified, Label};
use crate::ids::CodeId;

/// What the codes of one parcel come to.
#[derive(Clone, Copy, Debug)]
pub struct CodeFacts<'c> {
    /// What is known by them; nothing is measured and no verdict is given.
    pub facts: Facts,
    named: Named<'c>,
}

/// Who holds the text that the code of the facts stands for.
#[derive(Clone, Copy, Debug)]
enum Named<'c> {
    Nobody,
    /// It is taken as it came.
    Given(&'c str),
    Identified(Identified),
}

impl CodeFacts<'_> {
    /// The text that [`Facts::code`] is the number of; `None` if there is no code.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.named {
            Named::Nobody => None,
            Named::Given(text) => Some(text),
            Named::Identified(code) => code.identity().or(Some(code.code())),
        }
    }
}

impl Directory {
    /// What is known of a parcel by all the codes that one scanner saw on it.
    ///
    /// With a table of formats they are judged together ([`Formats::label`]), and pre-advice is
    /// asked for the identity. An address that the label carries joins what pre-advice says: it
    /// counts where pre-advice has none of its kind. Codes that only say where to are a no-read,
    /// with that address, for a later reading. Without a table the first code counts as it came.
    /// Allocates nothing.
    #[must_use]
    pub fn read<'c>(
        &self,
        formats: Option<&Formats>,
        codes: impl IntoIterator<Item = &'c str>,
    ) -> CodeFacts<'c> {
        match formats {
            Some(formats) => self.of_label(formats, &formats.label(codes)),
            None => self.as_it_came(codes.into_iter().next()),
        }
    }

    fn as_it_came<'c>(&self, code: Option<&'c str>) -> CodeFacts<'c> {
        let Some(code) = code else {
            return CodeFacts::nothing(Reading::NoRead);
        };
        let facts = Facts {
            read: Reading::Good,
            code: CodeId::of(code),
            advice: self.advice(code),
            ..Facts::default()
        };
        let named = Named::Given(code);
        CodeFacts { facts, named }
    }

    fn of_label<'c>(&self, formats: &Formats, label: &Label) -> CodeFacts<'c> {
        match label {
            Label::NoRead => CodeFacts::nothing(Reading::NoRead),
            Label::Good { item, route } => self.good(formats, item, route.as_ref()),
            Label::RouteOnly { route } => {
                let mut said = CodeFacts::nothing(Reading::NoRead);
                said.facts.advice = addressed(Advice::default(), route.iter());
                said
            }
            Label::Invalid { code } => CodeFacts::bad(Reading::Invalid, code),
            Label::Conflict { one, .. } => CodeFacts::bad(Reading::Conflict, one),
            Label::Several { one, .. } => CodeFacts::bad(Reading::Several, one),
        }
    }

    fn good<'c>(
        &self,
        formats: &Formats,
        item: &Identified,
        route: Option<&Identified>,
    ) -> CodeFacts<'c> {
        let format = item.format().and_then(|id| formats.format(id));
        let advice = item
            .identity()
            .map_or_else(Advice::default, |identity| self.advice(identity));
        let facts = Facts {
            read: Reading::Good,
            code: item.code_id(),
            carrier: format.map_or(CarrierKey::NONE, |format| CarrierKey::of(&format.carrier)),
            advice: addressed(advice, core::iter::once(item).chain(route)),
            ..Facts::default()
        };
        let named = Named::Identified(*item);
        CodeFacts { facts, named }
    }
}

impl CodeFacts<'_> {
    fn nothing(read: Reading) -> Self {
        let facts = Facts {
            read,
            ..Facts::default()
        };
        let named = Named::Nobody;
        Self { facts, named }
    }

    /// A reading that no parcel is recognised by, with one of its codes for people to look for.
    fn bad(read: Reading, code: &Identified) -> Self {
        let mut said = Self::nothing(read);
        let text = code.identity().unwrap_or_else(|| code.code());
        if !text.is_empty() {
            said.facts.code = CodeId::of(text);
            said.named = Named::Identified(*code);
        }
        said
    }
}

/// Advice with what codes say of where, each kind from the first that says it, where the advice
/// does not.
fn addressed<'i>(advice: Advice, codes: impl Iterator<Item = &'i Identified>) -> Advice {
    codes.fold(advice, |advice, code| {
        advice.with_address_of(&Advice {
            segment: code.address().map_or(Address::NONE, Address::of),
            postcode: code.postcode().map_or(Address::NONE, Address::of),
            ..Advice::default()
        })
    })
}
