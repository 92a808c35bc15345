//! Where a station's configuration is.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use nap_station::config::Config;

use crate::outcome::misuse;

/// Where the configuration is.
#[derive(Debug, clap::Args)]
pub struct ConfigArg {
    /// The station's configuration.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigArg {
    /// Its file.
    pub fn path(&self) -> Result<&Path> {
        let missing = || {
            misuse(anyhow!(
                "--config FILE is missing; `nap station config` prints one, and `nap station SOURCE` does without"
            ))
        };
        self.config.as_deref().ok_or_else(missing)
    }

    /// Reads it.
    pub fn load(&self) -> Result<Config> {
        Ok(Config::load(self.path()?)?)
    }
}
