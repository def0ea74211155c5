//! What the marker segments of a codestream say (T.800 Annex A), read before anything is decoded: how much memory and time that
//! takes is then known. A frame of a few bytes can have millions of code-blocks, precincts, tiles and layers.

use super::super::shape::Shape;

const SOC_AND_SIZ: [u8; 4] = [0xFF, 0x4F, 0xFF, 0x51];
const COD: u8 = 0x52;
const COC: u8 = 0x53;
const QCD: u8 = 0x5C;
const QCC: u8 = 0x5D;
const TLM: u8 = 0x55;
const PLT: u8 = 0x58;
const CRG: u8 = 0x63;
const COM: u8 = 0x64;
const SOT: u8 = 0x90;
const SOD: u8 = 0x93;
const EOC: u8 = 0xD9;
/// Rsiz of what needs Part 15 (T.814): HTJ2K.
const PART_15: u16 = 0x4000;
/// Samples of a code-block, at least: encoders write 4096, or 1024.
const LEAST_BLOCK: u32 = 10;
/// Exponent of a precinct's width and height, at least, on all resolutions: encoders write 15, or 7 and 8.
const LEAST_PRECINCT: u8 = 5;
/// As many as the decoder takes.
const MOST_LAYERS: u16 = 32;
const MOST_LEVELS: u8 = 32;
/// Sub-bands of so many levels.
const MOST_BANDS: usize = 3 * MOST_LEVELS as usize + 1;
/// Pixels of a tile on average, at least, where there are more than a few tiles.
const LEAST_TILE: usize = 4096;
const FEW_TILES: usize = 16;
/// Parts of a tile, at most on average: encoders write one, or one for each resolution, layer or component.
const MOST_PARTS: usize = 32;

/// Whether the components are signed, where this is a whole codestream of the shape, and one of usual parts.
pub(super) fn are_of(frame: &[u8], shape: &Shape) -> Option<bool> {
    let (size, behind) = size(frame.strip_prefix(&SOC_AND_SIZ)?)?;
    let (is_signed, tiles) = size.fits(shape)?;
    let parts = tiles.saturating_mul(MOST_PARTS);
    Headers { rest: behind, components: size.components, parts, is_coded: false, is_quantized: false }
        .read()?;
    Some(is_signed)
}

/// Bytes as they are read; `None` behind the last one.
#[derive(Clone, Copy)]
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn u8(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.u8()?, self.u8()?]))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes([self.u8()?, self.u8()?, self.u8()?, self.u8()?]))
    }

    /// A segment's contents, whose length comes first; and what is behind it.
    fn segment(mut self) -> Option<(Self, &'a [u8])> {
        let length = usize::from(self.u16()?.checked_sub(2)?);
        let (contents, behind) = self.0.split_at_checked(length)?;
        Some((Self(contents), behind))
    }
}

/// SIZ (A.5.1).
struct Size<'a> {
    capabilities: u16,
    /// Reference grid, its offset, tiles, their offset: each across and down.
    grid: [(usize, usize); 4],
    components: u16,
    /// Three bytes each.
    each: &'a [u8],
}

fn size(bytes: &[u8]) -> Option<(Size<'_>, &[u8])> {
    let (mut fields, behind) = Fields(bytes).segment()?;
    let capabilities = fields.u16()?;
    let mut grid = [(0, 0); 4];
    for pair in &mut grid {
        *pair = (usize::try_from(fields.u32()?).ok()?, usize::try_from(fields.u32()?).ok()?);
    }
    Some((Size { capabilities, grid, components: fields.u16()?, each: fields.0 }, behind))
}

impl Size<'_> {
    /// Whether the components are signed, and how many tiles there are.
    fn fits(&self, shape: &Shape) -> Option<(bool, usize)> {
        let [grid, offset, tile, tile_offset] = self.grid;
        let size = (grid.0.checked_sub(offset.0)?, grid.1.checked_sub(offset.1)?);
        let count = |grid: usize, offset: usize, tile: usize| {
            Some(grid.checked_sub(offset)?.div_ceil(Some(tile).filter(|&tile| tile > 0)?))
        };
        let tiles =
            count(grid.0, tile_offset.0, tile.0)?.checked_mul(count(grid.1, tile_offset.1, tile.1)?)?;
        let (components, rest) = self.each.as_chunks::<3>();
        let &[first, ..] = components.first()?;
        let bits = usize::from(first & 0x7F) + 1;
        let is_described = self.capabilities & PART_15 == 0
            && size == (shape.columns, shape.rows)
            && tiles <= FEW_TILES.max(shape.pixels / LEAST_TILE)
            && components.len() == shape.samples
            && usize::from(self.components) == shape.samples
            && rest.is_empty()
            // Of the same depth, and a sample for each pixel.
            && components.iter().all(|component| *component == [first, 1, 1])
            && bits <= shape.bytes * 8
            && (first & 0x80 != 0) == shape.is_signed;
        is_described.then_some((first & 0x80 != 0, tiles))
    }
}

/// The main header and those of the tile-parts. The decoder is lenient, and does not believe every length; so nothing passes here
/// that it could read in another way: only segments that it knows, each exactly as long as what it has to say.
struct Headers<'a> {
    rest: &'a [u8],
    components: u16,
    /// Tile-parts that there may still be.
    parts: usize,
    /// Whether COD and QCD were there, each once.
    is_coded: bool,
    is_quantized: bool,
}

impl Headers<'_> {
    /// Reads all of them, up to EOC.
    fn read(mut self) -> Option<()> {
        loop {
            match self.marker()? {
                SOT => break,
                marker => self.main(marker)?,
            }
        }
        (self.is_coded && self.is_quantized).then_some(())?;
        self.tile_part()?;
        loop {
            match self.marker()? {
                SOT => self.tile_part()?,
                EOC => return self.rest.iter().all(|padding| matches!(padding, 0 | 0xFF)).then_some(()),
                _ => return None,
            }
        }
    }

    fn marker(&mut self) -> Option<u8> {
        let mut fields = Fields(self.rest);
        let (0xFF, marker) = (fields.u8()?, fields.u8()?) else { return None };
        self.rest = fields.0;
        Some(marker)
    }

    fn contents(&mut self) -> Option<Fields<'_>> {
        let (contents, behind) = Fields(self.rest).segment()?;
        self.rest = behind;
        Some(contents)
    }

    /// A tile-part behind its SOT, with its packets.
    fn tile_part(&mut self) -> Option<()> {
        self.parts = self.parts.checked_sub(1)?;
        let from_marker = self.rest.len().checked_add(2)?;
        let mut contents = self.contents()?;
        let (_tile, length, _part, _parts) =
            (contents.u16()?, contents.u32()?, contents.u8()?, contents.u8()?);
        contents.0.is_empty().then_some(())?;
        // The last one need not say how long it is.
        let left = match usize::try_from(length).ok()? {
            0 => self.end()?,
            length => from_marker.checked_sub(length)?,
        };
        loop {
            match self.marker()? {
                SOD => break,
                PLT | COM => drop(self.contents()?),
                _ => return None,
            }
        }
        let packets = self.rest.len().checked_sub(left)?;
        self.rest = self.rest.get(packets..)?;
        Some(())
    }

    /// Bytes from the last EOC on.
    fn end(&self) -> Option<usize> {
        let at = memchr::memmem::rfind(self.rest, &[0xFF, EOC])?;
        Some(self.rest.len() - at)
    }

    /// A segment of the main header.
    fn main(&mut self, marker: u8) -> Option<()> {
        let components = self.components;
        match marker {
            COD => {
                let was_coded = std::mem::replace(&mut self.is_coded, true);
                default_coding(self.contents()?).filter(|()| !was_coded)
            }
            COC => coding_of_component(self.contents()?, components),
            QCD => {
                let was_quantized = std::mem::replace(&mut self.is_quantized, true);
                quantization(self.contents()?).filter(|()| !was_quantized)
            }
            QCC => {
                let mut contents = self.contents()?;
                component(&mut contents, components)?;
                quantization(contents)
            }
            COM | TLM | CRG => self.contents().map(drop),
            _ => None,
        }
    }
}

/// COD (A.6.1).
fn default_coding(mut contents: Fields<'_>) -> Option<()> {
    let (style, _order, layers, _transform) =
        (contents.u8()?, contents.u8()?, contents.u16()?, contents.u8()?);
    (1..=MOST_LAYERS).contains(&layers).then_some(())?;
    coding(contents, style)
}

/// COC (A.6.2).
fn coding_of_component(mut contents: Fields<'_>, components: u16) -> Option<()> {
    component(&mut contents, components)?;
    let style = contents.u8()?;
    coding(contents, style)
}

/// The component that a segment is about.
fn component(contents: &mut Fields<'_>, components: u16) -> Option<u16> {
    if components < 257 { contents.u8().map(u16::from) } else { contents.u16() }
}

/// SPcod or SPcoc (A.6.1, Table A.20): levels, code-blocks, their style, the wavelet, precincts where they are not the largest.
fn coding(mut contents: Fields<'_>, style: u8) -> Option<()> {
    let (levels, width, height) = (contents.u8()?, contents.u8()?, contents.u8()?);
    let (block, _wavelet) = (contents.u8()?, contents.u8()?);
    let exponent = u32::from(width & 0xF) + u32::from(height & 0xF) + 4;
    // Bit 6 of a code-block's style says that it is of Part 15.
    let are_usual = levels <= MOST_LEVELS && exponent >= LEAST_BLOCK && block & 0x40 == 0;
    let precincts = if style & 1 == 1 { usize::from(levels) + 1 } else { 0 };
    // A code-block is no larger than a precinct's part of a sub-band (B.7): half of it in each direction, but for the lowest resolution.
    let are_large = contents.0.iter().enumerate().all(|(resolution, both)| {
        let (across, down, half) = (both & 0xF, both >> 4, u8::from(resolution > 0));
        let of_block = |written: u8, precinct: u8| u32::from(((written & 0xF) + 2).min(precinct - half));
        across >= LEAST_PRECINCT
            && down >= LEAST_PRECINCT
            && of_block(width, across) + of_block(height, down) >= LEAST_BLOCK
    });
    (are_usual && contents.0.len() == precincts && are_large).then_some(())
}

/// Sqcd and SPqcd, or Sqcc and SPqcc (A.6.4, A.6.5): of each sub-band a byte, or two; or two for all.
fn quantization(mut contents: Fields<'_>) -> Option<()> {
    let (style, length) = (contents.u8()? & 0x1F, contents.0.len());
    let is_whole = match style {
        0 => (1..=MOST_BANDS).contains(&length),
        1 => length == 2,
        2 => length.is_multiple_of(2) && (1..=MOST_BANDS).contains(&(length / 2)),
        _ => false,
    };
    is_whole.then_some(())
}
