//! A picture as PNG (ISO/IEC 15948), made small enough for a page.

use std::io::Write;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

use crate::rewrite::Picture;

/// The bytes of a PNG file, of at most `side` pixels the longer way. Made smaller, a pixel is the brightest of those that it
/// stands for: letters of one pixel's width have to be seen.
pub(super) fn encoded(picture: &Picture, side: usize) -> Vec<u8> {
    let samples = if picture.is_coloured { 3 } else { 1 };
    let (width, height) = (usize::from(picture.width), usize::from(picture.height));
    let step = width.max(height).div_ceil(side.max(1)).max(1);
    let (columns, rows) = (width.div_ceil(step), height.div_ceil(step));
    let mut lines = Vec::with_capacity(rows * (columns * samples + 1));
    for row in 0..rows {
        // No filter.
        lines.push(0);
        for sample in 0..columns * samples {
            let (column, channel) = (sample / samples, sample % samples);
            lines.push(brightest(picture, (row, column), channel, (step, samples)));
        }
    }
    let colour = if picture.is_coloured { 2 } else { 0 };
    let size = [(columns as u32).to_be_bytes(), (rows as u32).to_be_bytes()].concat();
    let mut file = b"\x89PNG\r\n\x1A\n".to_vec();
    chunk(&mut file, b"IHDR", &[&size[..], &[8, colour, 0, 0, 0]].concat());
    chunk(&mut file, b"IDAT", &deflated(&lines));
    chunk(&mut file, b"IEND", &[]);
    file
}

fn brightest(
    picture: &Picture,
    (row, column): (usize, usize),
    channel: usize,
    (step, samples): (usize, usize),
) -> u8 {
    let (width, height) = (usize::from(picture.width), usize::from(picture.height));
    let of_row = |y: usize| {
        let columns = column * step..((column + 1) * step).min(width);
        columns.filter_map(move |x| picture.pixels.get((y * width + x) * samples + channel))
    };
    (row * step..((row + 1) * step).min(height)).flat_map(of_row).copied().max().unwrap_or(0)
}

fn deflated(lines: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing into memory cannot fail.
    let _ = encoder.write_all(lines);
    encoder.finish().unwrap_or_default()
}

fn chunk(file: &mut Vec<u8>, name: &[u8; 4], content: &[u8]) {
    let mut sum = Crc::new();
    sum.update(name);
    sum.update(content);
    file.extend((content.len() as u32).to_be_bytes());
    file.extend(name);
    file.extend(content);
    file.extend(sum.sum().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::encoded;
    use crate::rewrite::Picture;

    #[test]
    fn a_picture_that_is_made_smaller_keeps_what_is_bright() {
        let mut pixels = vec![0; 9];
        pixels[4] = 200;
        let picture = Picture { width: 3, height: 3, is_coloured: false, pixels };
        let small = encoded(&picture, 2);
        assert_eq!(small.get(16..24), Some(&[0, 0, 0, 2, 0, 0, 0, 2][..]));
        let data = small.windows(4).position(|bytes| bytes == b"IDAT").unwrap() + 4;
        let mut plain = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::ZlibDecoder::new(&small[data..]), &mut plain).unwrap();
        assert_eq!(plain, [0, 200, 0, 0, 0, 0]);
    }
}
