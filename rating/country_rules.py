"""How numbers are dialled in the countries of the world: data for `rating.number`."""

from dataclasses import dataclass, replace
from functools import lru_cache

from rating.number import INTERNATIONAL_RULES, NumberRules, NumberRulesError

# Country: country code, international prefixes, trunk prefix (with ! it stays in the number),
# lengths of national numbers that are dialled without one, emergency numbers, and short codes that
# begin neither with 0 nor with 1 (X is any digit); - is none.
_TABLE = """
AE 971 00 0 - 999,998,997,112
AR 54 00 0 - 911,100,101,107
AT 43 00 0 - 112,122,133,144
AU 61 0011 0 - 000,112,106
BD 880 00 0 - 999
BE 32 00 0 - 112,100,101
BG 359 00 0 - 112
CA 1 011 1 10 911 211,311,411,511,611,711,811,988
CH 41 00 0 - 112,117,118,144
CN 86 00 0 10,11 110,119,120,122 95XXX,96XXX
CZ 420 00 - 9 112,150,155,156,158
DE 49 00 0 - 112,110
DK 45 00 - 8 112
EE 372 00 - 7,8 112
EG 20 00 0 - 122,123,180
ES 34 00 - 9 112,061,062,080,085,091,092
FI 358 00,990,994,999 0 - 112
FR 33 00 0 - 112,15,17,18,114,115,119,196 3XXX
GB 44 00 0 - 999,112
GR 30 00 - 10 112,100,166,199
HK 852 001 - 8 999,112
HR 385 00 0 - 112,192,193,194
HU 36 00 06 - 112,104,105,107
ID 62 001,007,008 0 - 110,112,113,118,119
IE 353 00 0 - 112,999
IL 972 00,012,013,014 0 - 100,101,102,112
IN 91 00 0 10 112,100,101,102,108
IS 354 00 - 7 112
IT 39 00 0! 9,10 112,113,115,118
JP 81 010 0 - 110,118,119
KE 254 000 0 - 999,112
KR 82 001,002 0 - 112,119
KZ 7 810 8 10 112,101,102,103
LV 371 00 - 8 112
MA 212 00 0 - 19,15,112
MX 52 00 - 10 911
MY 60 00 0 - 999,112
NG 234 009 0 - 112,199
NL 31 00 0 - 112
NO 47 00 - 8 112,110,113
NZ 64 00 0 - 111
PE 51 00 0 8,9 105,106,116
PH 63 00 0 - 911,117
PK 92 00 0 - 15,115,1122
PL 48 00 - 9 112,997,998,999
PT 351 00 - 9 112
RO 40 00 0 - 112
RS 381 00 0 - 112,192,193,194
RU 7 810 8 10 112,101,102,103
SA 966 00 0 - 911,999,997,998
SE 46 00 0 - 112
SG 65 000,001,008 - 8 999,995,112
SI 386 00 0 - 112,113
SK 421 00 0 - 112,150,155,158
TH 66 001 0 - 191,199,1669
TN 216 00 - 8 190,193,197,198
TR 90 00 0 - 112
UA 380 00 0 - 112,101,102,103
US 1 011 1 10 911 211,311,411,511,611,711,811,988
VN 84 00 0 - 113,114,115
ZA 27 00 0 - 112,10111,10177
"""


def _rules_of(line: str) -> tuple[str, NumberRules]:
    country, code, international, trunk, lengths, emergency, *short_codes = line.split()
    return country, NumberRules(
        country_code=code,
        international_prefixes=tuple(international.split(",")),
        trunk_prefix=trunk.rstrip("!").replace("-", ""),
        trunk_kept=trunk.endswith("!"),
        national_lengths=tuple(int(length) for length in lengths.split(",") if length != "-"),
        emergency_numbers=tuple(emergency.split(",")),
        short_codes=tuple(short_codes[0].split(",")) if short_codes else (),
    )


COUNTRY_RULES = dict(_rules_of(line) for line in _TABLE.split("\n") if line)
"""By ISO 3166 code of the country."""


def rules_of_country(
    country: str, *, area_code: str = "", local_lengths: tuple[int, ...] = ()
) -> NumberRules | None:
    """The rules of a country, for callers within an area code if one is given; None if unknown."""
    rules = COUNTRY_RULES.get(country.upper())
    if rules is None or not area_code:
        return rules
    return replace(rules, area_code=area_code, local_lengths=local_lengths)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialling:
    """What a call plan says of the ways in which its customers dial.

    `country` goes before that of the account (empty: as the account). Numbers of `local_lengths`
    digits are local to `area_code`. `short_codes` are kept beside those of the country; an ``X``
    is any digit. Raises NumberRulesError.
    """

    country: str = ""
    area_code: str = ""
    local_lengths: tuple[int, ...] = ()
    short_codes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.country and self.country not in COUNTRY_RULES:
            raise NumberRulesError(f"country: no dialling rules are known of {self.country}")
        if self.area_code and not self.local_lengths:
            raise NumberRulesError("local_digits: needed with an area code")
        NumberRules(
            country_code="0",
            area_code=self.area_code,
            local_lengths=self.local_lengths,
            short_codes=self.short_codes,
        )


@lru_cache(maxsize=1_000)
def rules_of_caller(dialling: Dialling, account_country: str, default_country: str) -> NumberRules:
    """How a customer dials: by the plan's country, else the account's, else the default one, else
    international; each may be empty."""
    rules = rules_of_country(
        dialling.country or account_country or default_country,
        area_code=dialling.area_code,
        local_lengths=dialling.local_lengths,
    )
    rules = rules or INTERNATIONAL_RULES
    return replace(rules, short_codes=(*dialling.short_codes, *rules.short_codes))
