//! Messages as lines of a file.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::error::Error;
use crate::relay::ask::on_disk;
use crate::relay::carrier::{Carried, Carrier, Fate, Fault};
use crate::relay::context::Context;
use crate::relay::options::FileOptions;
use crate::relay::outbox::Delivery;
use crate::rotated_file::{RotatedFile, Rotation, cut_torn_line};

/// So many lines share a write, and the wait for the disk.
const LINES: usize = 256;

/// Messages as lines of a file.
pub struct LinesFile {
    path: PathBuf,
    rotation: Rotation,
    file: Option<RotatedFile>,
}

impl LinesFile {
    /// Lines into the file that an operator has named.
    #[must_use]
    pub fn new(options: &FileOptions, context: &Context) -> Self {
        let bytes = match options.rotate_megabytes {
            0 => u64::MAX,
            megabytes => megabytes.saturating_mul(1_000_000),
        };
        let path = context.folder.join(&options.path);
        // An archive is not thrown away behind its owner's back.
        Self { path, rotation: Rotation { bytes, kept: u32::MAX }, file: None }
    }

    /// Opens the file on a thread that may wait for the disk.
    async fn opened(&mut self) -> Result<RotatedFile, Fault> {
        if let Some(file) = self.file.take().filter(RotatedFile::is_in_place) {
            return Ok(file);
        }
        let (path, rotation) = (self.path.clone(), self.rotation);
        on_disk(move || {
            cut_torn_line(&path)?;
            RotatedFile::open(&path, rotation, None)
        })
        .await
    }

    async fn append(&mut self, text: String) -> Result<(), Fault> {
        let mut file = self.opened().await?;
        let file = on_disk(move || {
            file.lines(&text)?;
            file.sync()?;
            Ok(file)
        });
        self.file = Some(file.await?);
        Ok(())
    }
}

/// Checks what an operator has said.
///
/// # Errors
/// If it names no file.
pub fn check_file(options: &FileOptions) -> Result<(), Error> {
    if options.path.file_name().is_some() {
        return Ok(());
    }
    Err(Error::Relay { key: "path", problem: "names no file".into() })
}

/// Looks whether lines can be written, without a line.
///
/// # Errors
/// [`Error::Io`] if not.
pub fn try_file(options: &FileOptions, context: &Context) -> Result<String, Error> {
    let path = context.folder.join(&options.path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).to_owned();
    let is_there = path.exists();
    if is_there && !path.is_file() {
        return Err(Error::BadFile { path, problem: "is no file".into() });
    }
    for one in [Some(folder), is_there.then_some(path)].into_iter().flatten() {
        access(&one, Access::WRITE_OK)
            .map_err(|error| Error::io(&one, "write to")(error.into()))?;
    }
    Ok(if is_there { "lines can be added" } else { "it can be made" }.into())
}

impl Carrier for LinesFile {
    fn unit(&self) -> usize {
        LINES
    }

    async fn open(&mut self) -> Result<(), Fault> {
        self.file = Some(self.opened().await?);
        Ok(())
    }

    async fn carry(&mut self, deliveries: &[Delivery]) -> Carried {
        let mut text = String::new();
        for delivery in deliveries {
            // Writing into a text does not fail.
            let _ = writeln!(text, "{}", delivery.record);
        }
        match self.append(text).await {
            Ok(()) => Carried { fates: vec![Fate::Delivered; deliveries.len()], fault: None },
            Err(fault) => Carried::none(fault),
        }
    }
}
