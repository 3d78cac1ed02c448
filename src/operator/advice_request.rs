//! What can be asked of pre-advice: a part of the grammar of requests.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

use super::request::is_false;

/// What is wanted of pre-advice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Subcommand)]
#[serde(tag = "to", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AdviceTo {
    /// How much there is
    Status {},
    /// Read a CSV file and use it in place of the one before
    Load {
        /// The file
        file: PathBuf,
        /// Leave rows with a fault out, rather than refuse the file
        #[arg(long)]
        #[serde(default, skip_serializing_if = "is_false")]
        lenient: bool,
    },
    /// Say where one waybill is for, whatever the file says
    Set(Box<SetAdvice>),
    /// Take back what is advised for one waybill
    Withdraw {
        /// The waybill
        waybill: String,
    },
}

/// Pre-advice for one waybill: what a row of a file can say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Args)]
#[serde(deny_unknown_fields)]
pub struct SetAdvice {
    /// The waybill
    pub waybill: String,
    /// The destination, by its name in the plan
    #[arg(long = "to", value_name = "DEST")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dest: Option<String>,
    /// The segment code
    #[arg(long, value_name = "CODE")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
    /// The postcode
    #[arg(long, value_name = "CODE")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcode: Option<String>,
    /// The service
    #[arg(long, value_name = "NAME")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// An attribute, by its name in the hub file; can be repeated
    #[arg(long = "tag", value_name = "NAME")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The mass as declared
    #[arg(long, value_name = "GRAMS")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_g: Option<u32>,
    /// The longest side as declared
    #[arg(long, value_name = "MM")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length_mm: Option<u32>,
    /// The middle side as declared
    #[arg(long, value_name = "MM")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width_mm: Option<u32>,
    /// The shortest side as declared
    #[arg(long, value_name = "MM")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height_mm: Option<u32>,
}
