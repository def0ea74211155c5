//! `--review`: a sample of the files before and after, side by side, pixels too, for a curator to look at.
//!
//! What is shown of an object is bounded: [`MOST`] elements, 256 bytes of a value, its first frame in [`SIDE`] pixels.

mod png;
mod side;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::failure::FileError;
use super::inputs::printable;
use crate::cli::audit::report::html::{Html, counted};
use crate::cli::audit::report::write;
use crate::cli::shell::{self, Own};
use side::{Compared, MOST, SIDE, Side};

/// The objects of the sample, as the page shows them.
pub(super) struct Review {
    to: PathBuf,
    /// Numbers of the files that are shown, counted from 1.
    chosen: BTreeSet<u64>,
    html: Html,
}

impl Review {
    /// A review of so many of these files, evenly over the order of their names.
    pub(super) fn new(to: &Path, sample: u64, files: usize, rewrite: &str) -> Self {
        let (sample, files) = (u128::from(sample), files as u128);
        let shown = sample.min(files);
        let middle = |part: u128| (2 * part + 1) * files / (2 * shown.max(1)) + 1;
        let chosen = (0..shown).map(|part| u64::try_from(middle(part)).unwrap_or(u64::MAX)).collect();
        let mut html = Html::default();
        let own = Own { style: shell::OF_FORMS, has_pictures: true, ..Own::default() };
        shell::begin(&mut html, "Before and after", own);
        html.raw("<header><p class=\"brand\">dimsegate</p><h1>Before and after</h1><p class=\"period\">");
        html.text(counted(usize::try_from(shown).unwrap_or(0), "file"))
            .raw(" of ")
            .text(files)
            .raw(", after <b>");
        html.text(rewrite).raw("</b></p><p class=\"bad quiet\">This page shows what was there before: whoever has it has the patients' data.</p></header><main>");
        Self { to: to.to_owned(), chosen, html }
    }

    /// Shows a file that was rewritten, if it is one of the sample.
    ///
    /// # Errors
    /// What was written cannot be read, which the page says, too. What came may break the standard, and be put right: the page
    /// says that it is not shown.
    pub(super) fn rewritten(&mut self, number: u64, before: &Path, after: &Path) -> Result<(), FileError> {
        if !self.chosen.contains(&number) {
            return Ok(());
        }
        let (one, other) = (Side::read(before), Side::read(after));
        self.begin(before, after.file_name().map_or_else(String::new, |name| printable(Path::new(name))));
        let result = other.map(|other| self.object(one, other));
        if let Err(error) = &result {
            self.html.element("<p class=\"bad\">", error, "</p>");
        }
        self.html.raw("</section>");
        result
    }

    /// Says of a file of the sample why it did not come out.
    pub(super) fn refused(&mut self, number: u64, before: &Path, error: &FileError) {
        if self.chosen.contains(&number) {
            self.begin(before, "not written".to_owned());
            self.html.element("<p class=\"bad\">", error, "</p>").raw("</section>");
        }
    }

    fn begin(&mut self, before: &Path, after: String) {
        self.html.raw("<section><h2>").text(printable(before)).element(" <small>→ ", after, "</small></h2>");
    }

    fn object(&mut self, before: Result<Side, FileError>, after: Side) {
        let compared = match before {
            Ok(before) => {
                self.pictures(&before, &after);
                self.is_cut(before.is_cut || after.is_cut);
                side::compared(before, after)
            }
            Err(error) => {
                self.html.element("<p class=\"bad\">It is not shown as it came: ", why(&error), ".</p>");
                self.pictures(&Side::unread(&after), &after);
                self.is_cut(after.is_cut);
                after.alone()
            }
        };
        let (changed, same): (Vec<_>, Vec<_>) = compared.into_iter().partition(Compared::is_changed);
        self.html.element("<h3>", counted(changed.len(), "element"), " changed</h3>");
        table(&mut self.html, &changed, "What was changed");
        self.html.raw("<details><summary>").text(counted(same.len(), "element")).raw(" as before</summary>");
        table(&mut self.html, &same, "What stayed");
        self.html.raw("</details>");
    }

    fn is_cut(&mut self, is_cut: bool) {
        if is_cut {
            self.html.element(
                "<p class=\"bad\">Elements beyond the first ",
                MOST,
                " of the file are not shown.</p>",
            );
        }
    }

    fn pictures(&mut self, before: &Side, after: &Side) {
        if before.picture.is_none() && after.picture.is_none() {
            return;
        }
        self.html.raw("<div class=\"sides\">");
        for (side, name) in [(before, "before"), (after, "after")] {
            self.html.element("<figure><figcaption>", name, "");
            if side.frames > 1 {
                self.html.element(", the first of ", side.frames, " frames");
            }
            self.html.raw("</figcaption>");
            match &side.picture {
                Some(Ok(picture)) => {
                    let image = STANDARD.encode(png::encoded(picture, SIDE));
                    self.html
                        .raw("<img alt=\"The first frame ")
                        .text(name)
                        .raw("\" src=\"data:image/png;base64,");
                    self.html.text(image).raw("\">");
                }
                Some(Err(why)) => drop(self.html.element("<p class=\"quiet\">Not shown: ", why, ".</p>")),
                None => drop(self.html.raw("<p class=\"quiet\">No pixel data.</p>")),
            }
            self.html.raw("</figure>");
        }
        self.html.raw("</div>");
    }

    /// Writes the page.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn finish(mut self) -> Result<(), FileError> {
        self.html.raw("</main></body></html>\n");
        let Self { to, html, .. } = self;
        write(&to, html.finish().as_bytes()).map_err(|error| FileError::Write { to, error })
    }
}

/// Why a file was not read, which was written all the same.
fn why(error: &FileError) -> String {
    match error {
        FileError::Rewrite(error) => error.to_string(),
        other => other.to_string(),
    }
}

fn table(html: &mut Html, rows: &[Compared], title: &'static str) {
    if rows.is_empty() {
        return;
    }
    html.raw("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"").raw(title);
    html.raw(
        "\"><table class=\"compared\"><thead><tr><th>attribute<th>path<th>before<th>after</thead><tbody>",
    );
    for row in rows {
        html.element("<tr><td>", row.keyword, "").element("<td class=\"mono\">", &row.path, "");
        cell(html, &row.before, "<td class=\"gone\">");
        cell(html, &row.after, "<td class=\"new\">");
    }
    html.raw("</tbody></table></div>");
}

fn cell(html: &mut Html, value: &Option<String>, open: &'static str) {
    match value {
        None => drop(html.raw("<td class=\"quiet\">absent")),
        Some(text) if text.is_empty() => drop(html.raw("<td class=\"quiet\">empty")),
        Some(text) => drop(html.element(open, text, "")),
    }
}

#[cfg(test)]
mod tests {
    use super::Review;
    use std::path::Path;

    #[test]
    fn a_sample_lies_evenly_over_all() {
        let chosen = |sample, files| {
            Vec::from_iter(Review::new(Path::new("review.html"), sample, files, "site").chosen)
        };
        assert_eq!(chosen(3, 9), [2, 5, 8]);
        assert_eq!(chosen(2, 1000), [251, 751]);
        assert_eq!(chosen(9, 3), [1, 2, 3]);
    }
}
