//! From a configuration and a state folder to the one who writes, and orders for a station that does not run.

use std::path::Path;
use std::sync::mpsc::sync_channel;

use nap_phy::DeviceTable;
use serde_json::json;
use tokio::sync::watch;

use crate::config::parse::Config;
use crate::error::Error;
use crate::relay::outbox::Level;
use crate::rules::judge::Rules;
use crate::rules::listing::Listing;
use crate::station::clock::now;
use crate::station::control;
use crate::station::devices::DevicesFile;
use crate::station::event::Event;
use crate::station::keeper::{Command, Committed, Keeper};
use crate::station::order::Order;
use crate::store::folder::expect_ledger;
use crate::store::hardware::fingerprint;
use crate::store::ledger::{Found, Ledger};
use crate::store::lock::FolderLock;
use crate::store::queue::Left;
use crate::store::relay_end::RelayEnd;

/// A ledger with the relays of the configuration.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) ledger: Ledger,
    pub(super) found: Found,
    /// The relays' ends of the queue, in the order of the configuration.
    pub(super) ends: Vec<RelayEnd>,
    /// The relays that the configuration does not have any more.
    pub(super) left: Vec<Left>,
}

impl Opened {
    /// Opens the ledger in a state folder that this process has locked.
    pub(super) fn open(config: &Config) -> Result<Self, Error> {
        let hardware = fingerprint(Path::new("/"));
        let (mut ledger, found) = Ledger::open(&config.station.state, &hardware, now())?;
        let wishes: Vec<_> =
            config.relays.iter().map(|(name, options)| (name.clone(), options.wishes())).collect();
        let (ends, left) = ledger.register(&wishes)?;
        let names = config.relays.iter().map(|(name, _)| name.clone());
        let ends = names.zip(ends).map(|(name, end)| RelayEnd::new(name, end)).collect();
        Ok(Self { ledger, found, ends, left })
    }

    /// The one who writes, with the rules as they were.
    pub(super) fn keeper(
        self,
        config: &Config,
        listed: &DeviceTable,
        newest: watch::Sender<u64>,
    ) -> Result<Keeper, Error> {
        let Self { ledger, found, ends, .. } = self;
        let listing = Listing {
            is_closed: config.rules.white_list,
            devices: listed.clone(),
            standings: ledger.standings()?.into_iter().collect(),
        };
        let rules = Rules::new(config.rules.config(), listing, ledger.remembered()?);
        let mut keeper = Keeper::new(ledger, rules, ends, newest)?;
        if found == Found::OtherHardware {
            let event = Event::new("hardware_changed", Level::Warning, now(), json!({})).said();
            keeper.command(Command::Event(event), now());
        }
        Ok(keeper)
    }
}

/// Has an order carried out: by the station that works on the state folder, or here, if none does.
///
/// # Errors
/// [`Error::Order`] if nothing comes of it; what is wrong with the state or the ledger.
pub fn carry_out(config: &Config, order: Order) -> Result<u64, Error> {
    let state = &config.station.state;
    expect_ledger(state)?;
    let _lock = match FolderLock::take(state) {
        Err(Error::InUse { .. }) => return control::tell(state, &order),
        lock => lock?,
    };
    let listed = DevicesFile::new(config.devices.file.clone()).read()?;
    let mut keeper = Opened::open(config)?.keeper(config, &listed, watch::Sender::new(0))?;
    let (reply, answer) = sync_channel(1);
    keeper.command(Command::Order(order, reply), now());
    if let Committed::Failed(error) = keeper.commit(now()) {
        return Err(error);
    }
    let done = answer.try_recv().unwrap_or_else(|_| Err("it was not carried out".into()));
    done.map_err(|problem| Error::Order { problem })
}
