"""A sealed file opens whole or in part, and not at all once anything about it was changed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from services.kernel import sealing
from services.kernel.sealing import FRAME, TAG, Opener, key_bytes, key_text, new_key, opened, seal, sealed_length, span

KEY = bytes(range(32))
NAME = "t/account/object"
CELL = 4096


def plain_of(length: int) -> bytes:
    return bytes(i % 251 for i in range(length % FRAME)) + bytes(length - length % FRAME)


def sealed_of(plain: bytes, key: bytes = KEY, name: str = NAME) -> bytes:
    return b"".join(seal([plain], key, name, len(plain)))


def open_all(sealed: bytes, total: int, name: str = NAME) -> bytes:
    return b"".join(opened([sealed], KEY, name, total, span(0, total, total)))


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    at = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in pairwise(at)]


lengths = st.one_of(
    st.integers(0, 3 * CELL),
    st.sampled_from([FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 3 * FRAME - 1, 3 * FRAME + 17]),
)


@given(lengths, st.lists(st.integers(0, 10**9), max_size=5), st.lists(st.integers(0, 10**9), max_size=5))
def test_what_was_sealed_opens_however_it_was_cut(length: int, cuts: list[int], others: list[int]) -> None:
    plain = plain_of(length)
    sealed = b"".join(seal(pieces(plain, cuts), KEY, NAME, length))
    assert len(sealed) == sealed_length(length)
    assert b"".join(opened(pieces(sealed, others), KEY, NAME, length, span(0, length, length))) == plain


@given(lengths, st.integers(0, 10**9), st.integers(0, 10**9))
def test_any_part_opens_from_its_own_frames(length: int, start: int, take: int) -> None:
    plain = plain_of(length)
    start %= length + 1
    take %= length - start + 1
    part = span(start, take, length)
    there = sealed_of(plain)[part.offset : part.offset + part.length]
    assert len(there) == part.length <= take + 2 * (FRAME + TAG)
    assert b"".join(opened([there], KEY, NAME, length, part)) == plain[start : start + take]


@pytest.mark.parametrize(
    "changed",
    [
        lambda s: s[:-1],
        lambda s: s[: FRAME + TAG],
        lambda s: s[FRAME + TAG :],
        lambda s: s[FRAME + TAG : 2 * (FRAME + TAG)] + s[: FRAME + TAG] + s[2 * (FRAME + TAG) :],
        lambda s: s[: FRAME + TAG] + s,
        lambda s: s[:100] + bytes([s[100] ^ 1]) + s[101:],
        lambda s: s[:-1] + bytes([s[-1] ^ 128]),
        lambda s: b"",
    ],
    ids=["cut short", "frames lost", "first lost", "swapped", "repeated", "altered", "tag altered", "gone"],
)
def test_what_was_changed_does_not_open(changed) -> None:  # type: ignore[no-untyped-def]
    plain = plain_of(2 * FRAME + 500)
    with pytest.raises(InvalidTag):
        open_all(changed(sealed_of(plain)), len(plain))


def test_a_file_opens_under_its_own_name_length_and_key_only() -> None:
    plain = plain_of(FRAME + 5)
    sealed = sealed_of(plain)
    for name, total in (("t/account/other", len(plain)), (NAME, len(plain) + 1), (NAME, FRAME)):
        with pytest.raises(InvalidTag):
            open_all(sealed, total, name)
    with pytest.raises(InvalidTag):
        b"".join(opened([sealed], new_key(), NAME, len(plain), span(0, len(plain), len(plain))))


def test_a_frame_of_another_file_does_not_open_in_its_place() -> None:
    one, other = plain_of(2 * FRAME), bytes(2 * FRAME)
    mixed = sealed_of(one)[: FRAME + TAG] + sealed_of(other, key=new_key())[FRAME + TAG :]
    with pytest.raises(InvalidTag):
        open_all(mixed, 2 * FRAME)


def test_frames_open_one_by_one() -> None:
    plain = plain_of(FRAME + 5)
    frames = list(seal([plain], KEY, NAME, len(plain)))
    opener = Opener(KEY, NAME, len(plain), first=1)
    assert opener.open(frames[1]) == plain[FRAME:]


@pytest.mark.parametrize("announced", [4, 6])
def test_more_or_less_than_announced_is_not_sealed(announced: int) -> None:
    with pytest.raises(ValueError, match="announced"):
        b"".join(seal([b"12345"], KEY, NAME, announced))


@pytest.mark.parametrize(("start", "length"), [(-1, 1), (0, 11), (10, 1), (5, -1)])
def test_a_part_that_is_not_there_has_no_place(start: int, length: int) -> None:
    with pytest.raises(ValueError, match="no such part"):
        span(start, length, 10)


def test_keys_are_written_and_read_back() -> None:
    key = new_key()
    assert key_bytes(key_text(key)) == key
    with pytest.raises(ValueError, match="32 bytes"):
        key_bytes(key_text(key)[:-4])


def test_no_two_keys_are_alike() -> None:
    assert len({sealing.new_key() for _ in range(20)}) == 20
