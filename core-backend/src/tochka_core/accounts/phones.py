"""Phone numbers: what a person types becomes E.164, or is refused with a reason."""

import re
import unicodedata

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from tochka_core.accounts.errors import PhoneInvalid, PhoneNotMobile

HOME = "RU"
NOWHERE = "ZZ"  # the code that ISO 3166 leaves for it
MAX_TYPED = 64
# phonenumbers reads letters as keys of a dial, a trailing ";ext=" as an extension: people type neither
TYPED = re.compile(r"\+?[0-9\s().\-‐-―−]+")
# some countries (USA) do not tell mobile and fixed-line ranges apart
MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})


def normalise(typed: str) -> str:
    """The E.164 form of a mobile number; without a leading + it is read as a Russian one.

    Raises:
        PhoneInvalid: not a number of any country.
        PhoneNotMobile: a landline, a toll-free number, and the like.
    """
    text = unicodedata.normalize("NFKC", typed).strip()
    if len(text) > MAX_TYPED or not TYPED.fullmatch(text):
        raise PhoneInvalid
    try:
        number = phonenumbers.parse(text, HOME)
    except NumberParseException:
        raise PhoneInvalid from None
    if not phonenumbers.is_valid_number(number):
        raise PhoneInvalid
    if phonenumbers.number_type(number) not in MOBILE:
        raise PhoneNotMobile
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def country(phone: str) -> str:
    """The country of a number in its E.164 form, as ISO 3166 has it: `RU`."""
    return phonenumbers.region_code_for_number(phonenumbers.parse(phone)) or NOWHERE
