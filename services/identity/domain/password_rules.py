"""What a password must be: long enough, not among the first guesses, and not the person's own name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from services.identity.domain.common_passwords import COMMON
from services.kernel.domain import Rejected

SHORTEST, LONGEST = 8, 128

_LOOKALIKES = str.maketrans("0134578@$!", "oieastbasi")
_RUNS = ("01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


def normalised(password: str) -> str:
    """The one form that is hashed, whatever keyboard composed the letters."""
    return unicodedata.normalize("NFKC", password)


def demand_good(password: str, about: Iterable[str]) -> None:
    """Refuse a weak password. `about`: names of the person and the company, and the e-mail's local part.

    There are no rules of composition: they make passwords predictable, not strong.
    """
    password = normalised(password)
    if len(password) < SHORTEST:
        raise Rejected("password-too-short", least=SHORTEST)
    if len(password) > LONGEST:
        raise Rejected("password-too-long", most=LONGEST)
    lowered = password.casefold()
    if _is_common(lowered):
        raise Rejected("password-too-common")
    if any(word in lowered for word in _words(about)):
        raise Rejected("password-contains-name")


def _is_common(password: str) -> bool:
    if len(set(password)) <= 3 or any(password in run for run in _RUNS):
        return True
    # "P4ssw0rd2024!" is "password" to whoever guesses: look-alikes undone, a tail of digits and signs cut.
    for form in (password, password.translate(_LOOKALIKES)):
        core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", form)
        if core in COMMON or (core and core * (len(form) // len(core)) == form and len(core) <= 5):
            return True
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", password).translate(_LOOKALIKES)
    return core in COMMON or len(set(core)) <= 1


def _words(about: Iterable[str]) -> set[str]:
    return {word for text in about for word in re.split(r"[\W_]+", text.casefold()) if len(word) >= 4}
