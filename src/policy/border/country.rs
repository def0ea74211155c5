//! Countries, as a configuration names them.

use std::fmt;
use std::str::FromStr;

/// The codes that are assigned (ISO 3166-1 alpha-2, as of 2026).
const ASSIGNED: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW \
    BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA \
    GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH \
    KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY \
    MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH \
    SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI \
    VN VU WF WS YE YT ZA ZM ZW";

/// A country by its two letters. It is configured, and never guessed from an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

/// A text that is no code of a country.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no country of ISO 3166-1")]
pub struct UnknownCountry;

impl Country {
    /// Every code that a configuration may name.
    pub fn assigned() -> impl Iterator<Item = &'static str> {
        ASSIGNED.split_ascii_whitespace()
    }
}

impl FromStr for Country {
    type Err = UnknownCountry;

    fn from_str(text: &str) -> Result<Self, UnknownCountry> {
        let assigned = Self::assigned().find(|code| *code == text);
        assigned.and_then(|code| code.as_bytes().try_into().ok()).map(Self).ok_or(UnknownCountry)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([first, second]) = *self;
        write!(f, "{}{}", char::from(first), char::from(second))
    }
}

#[cfg(test)]
mod tests {
    use super::Country;

    #[test]
    fn two_letters_that_are_assigned_are_a_country() {
        assert_eq!(Country::assigned().count(), 249);
        assert_eq!("CH".parse::<Country>().unwrap().to_string(), "CH");
        for text in ["", "C", "ch", "CHE", "XX", "UK", "C H", " CH"] {
            assert!(text.parse::<Country>().is_err(), "{text:?}");
        }
    }
}
