//! Getters of numbers.

use std::ops::RangeInclusive;

use toml::de::DeValue;

use super::Section;
use crate::config::report::{Located, Place};
use crate::config::units;

impl Section<'_> {
    pub(in crate::config) fn count(&self, key: &'static str, range: RangeInclusive<u32>) -> Option<u32> {
        let value = self.value(key)?;
        let DeValue::Integer(number) = value.value else {
            self.wrong_type(&value, "a whole number");
            return None;
        };
        let number = u32::from_str_radix(number.as_str(), number.radix()).ok().filter(|n| range.contains(n));
        if number.is_none() {
            let remedy = format!("write a number from {} to {}", range.start(), range.end());
            self.report.error(&value.place, "is out of range", remedy);
        }
        number
    }

    /// A part of one: above 0, and 1 at most.
    pub(in crate::config) fn part(&self, key: &'static str) -> Option<f64> {
        let value = self.value(key)?;
        let part = match value.value {
            DeValue::Integer(number) => {
                u32::from_str_radix(number.as_str(), number.radix()).ok().map(f64::from)
            }
            DeValue::Float(number) => number.as_str().parse::<f64>().ok(),
            _ => {
                self.wrong_type(&value, "a number above 0 and at most 1, as in 0.25");
                return None;
            }
        };
        let part = part.filter(|part| *part > 0.0 && *part <= 1.0);
        if part.is_none() {
            let remedy = "write a number above 0 and at most 1, as in 0.25";
            self.report.error(&value.place, "is out of range", remedy);
        }
        part
    }

    /// Bytes, as a number or with a unit.
    pub(in crate::config) fn size(&self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let value = self.value(key)?;
        let size = match value.value {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            DeValue::String(text) => match units::size(text) {
                Ok(size) => Some(size),
                Err(wrong) => {
                    self.report.wrong(&value.place, wrong);
                    return None;
                }
            },
            _ => {
                self.wrong_type(&value, "a size in bytes, as in \"100MiB\"");
                return None;
            }
        };
        let size = size.filter(|size| range.contains(size));
        if size.is_none() {
            let remedy = format!("write {} to {} bytes", range.start(), range.end());
            self.report.error(&value.place, "is out of range", remedy);
        }
        size
    }

    /// Two whole numbers, the smaller one first.
    pub(in crate::config) fn bounds(
        &self,
        key: &'static str,
        range: RangeInclusive<i32>,
    ) -> Option<(i32, i32)> {
        let value = self.value(key)?;
        let numbers: Vec<Option<i32>> = match value.value {
            DeValue::Array(array) => array.iter().map(|item| whole(item.get_ref())).collect(),
            _ => Vec::new(),
        };
        match numbers.as_slice() {
            [Some(min), Some(max)] if min <= max && range.contains(min) && range.contains(max) => {
                Some((*min, *max))
            }
            _ => {
                let (least, most) = (range.start(), range.end());
                let remedy =
                    format!("write two numbers from {least} to {most}, the smaller one first: [min, max]");
                self.report.error(&value.place, "is not a pair of bounds", remedy);
                None
            }
        }
    }

    /// Rows of so many whole numbers each.
    pub(in crate::config) fn rows<const N: usize>(
        &self,
        key: &'static str,
        shape: &str,
    ) -> Option<Vec<Located<[i32; N]>>> {
        let value = self.value(key)?;
        let DeValue::Array(array) = value.value else {
            self.wrong_type(&value, &format!("an array of {shape}"));
            return None;
        };
        let rows = array.iter().enumerate().map(|(index, item)| {
            let place = Place { offset: item.span().start, key: format!("{}[{index}]", value.place.key) };
            let numbers: Option<Vec<i32>> = match item.get_ref() {
                DeValue::Array(row) => row.iter().map(|number| whole(number.get_ref())).collect(),
                _ => None,
            };
            let row = numbers.and_then(|numbers| numbers.try_into().ok());
            if row.is_none() {
                self.report.error(&place, "cannot be read", format!("write {shape}"));
            }
            row.map(|value| Located { value, place })
        });
        // Every row is looked at before the first bad one ends it.
        let rows: Vec<_> = rows.collect();
        rows.into_iter().collect()
    }
}

fn whole(item: &DeValue<'_>) -> Option<i32> {
    match item {
        DeValue::Integer(number) => i32::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    }
}
