//! What a curator gets beside the files: an inventory of what is left in them, and a review of a sample.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Args;
use super::failure::FileError;
use super::inputs::printable;
use super::inventory::Inventory;
use super::inventory::accepted::{Accepted, NotAccepted};
use super::review::Review;

/// What was asked for. Nothing, where nothing was.
#[derive(Default)]
pub(super) struct Curation {
    rewrite: String,
    inventory: Option<Inventory>,
    tables: Vec<PathBuf>,
    sample: Option<(PathBuf, u64)>,
    review: Option<Review>,
}

impl Curation {
    /// As the command line asks for it.
    ///
    /// # Errors
    /// The list of what was accepted cannot be read, with its name.
    pub(super) fn of(args: &Args) -> Result<Self, (PathBuf, NotAccepted)> {
        let accepted = match &args.accepted {
            Some(path) => Accepted::read(path).map_err(|error| (path.clone(), error))?,
            None => Accepted::default(),
        };
        Ok(Self {
            rewrite: args.rewrite.clone(),
            inventory: (!args.inventory.is_empty()).then(|| Inventory::new(accepted)),
            tables: args.inventory.clone(),
            sample: args.review.clone().map(|review| (review, args.sample)),
            review: None,
        })
    }

    /// How many files there are.
    pub(super) fn begin(&mut self, files: usize) {
        let review = |(to, sample): &(PathBuf, u64)| Review::new(to, *sample, files, &self.rewrite);
        self.review = self.sample.as_ref().map(review);
    }

    /// A file was written. Says how many of the looks at it failed.
    pub(super) fn rewritten(
        &mut self,
        (number, before): (u64, &Path),
        after: &Path,
        problems: &mut dyn Write,
    ) -> io::Result<usize> {
        let looks = [
            self.inventory.as_mut().map(|inventory| inventory.add(after)),
            self.review.as_mut().map(|review| review.rewritten(number, before, after)),
        ];
        tell(looks, before, problems)
    }

    /// A file was not written.
    pub(super) fn refused(&mut self, number: u64, before: &Path, error: &FileError) {
        if let Some(review) = &mut self.review {
            review.refused(number, before, error);
        }
    }

    /// Writes all of it. Says how much could not be.
    pub(super) fn finish(self, shown: &mut dyn Write, problems: &mut dyn Write) -> io::Result<usize> {
        let Self { rewrite, inventory, tables, review, .. } = self;
        let written =
            [inventory.map(|inventory| inventory.tell(&tables, &rewrite, shown)), review.map(Review::finish)];
        let mut failed = 0;
        for error in written.into_iter().flatten().filter_map(Result::err) {
            failed += 1;
            writeln!(problems, "{error}")?;
        }
        Ok(failed)
    }
}

fn tell(
    looks: [Option<Result<(), FileError>>; 2],
    file: &Path,
    problems: &mut dyn Write,
) -> io::Result<usize> {
    let mut failed = 0;
    for error in looks.into_iter().flatten().filter_map(Result::err) {
        failed = 1;
        writeln!(problems, "{}: was written, and cannot be shown: {error}", printable(file))?;
    }
    Ok(failed)
}
