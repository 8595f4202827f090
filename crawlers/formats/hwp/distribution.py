"""Decrypt the text of a distribution document (배포용 문서): published for reading, locked against editing.

The key is in the document and any viewer opens it, so no protection is broken. Hancom, "한글 문서 파일 형식 5.0"
revision 1.3 with "배포용 문서" revision 1.2: the first record of a ViewText section has 256 bytes, XORed with the
output of Microsoft's `rand`, seeded with its first four bytes; they contain the key of an AES-128 in ECB mode.
"""

from __future__ import annotations

from struct import unpack_from

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from crawlers.formats.hwp.hwp_records import DISTRIBUTED
from crawlers.formats.unreadable import Unreadable
from malmoi.boundary import input_errors

SIZE = 256  # bytes of the record
_BLOCK = 16  # bytes of an AES block
# In BodyText, for programs without support of distribution documents; it is not the text.
PLACEHOLDER = "상위 버전의 배포용 문서입니다"


def decrypt_section(stream: bytes) -> bytes:
    """Return the section after the record, decrypted (still compressed, if the document is).

    Raises Unreadable: `damaged`.
    """
    head = int.from_bytes(stream[:4], "little")
    if head & 0x3FF != DISTRIBUTED or head >> 20 != SIZE or len(stream) < 4 + SIZE:
        raise Unreadable("damaged")
    locked = stream[4 + SIZE :]
    locked = locked[: len(locked) // _BLOCK * _BLOCK]  # compressed data has its own end mark
    # ECB is the choice of the format; it keeps nothing secret here.
    with input_errors(lambda _: Unreadable("damaged"), Unreadable, MemoryError):
        decryptor = Cipher(algorithms.AES(key(stream[4 : 4 + SIZE])), modes.ECB()).decryptor()
        return decryptor.update(locked) + decryptor.finalize()


def key(record: bytes) -> bytes:
    """Return the 16-byte key in the 256 bytes of the record."""
    offset = 4 + (record[0] & 0xF)
    return mask(record)[offset : offset + _BLOCK]


def mask(record: bytes) -> bytes:
    """XOR the record with the random numbers; twice restores it. The first four bytes, the seed, are unchanged."""
    (state,) = unpack_from("<I", record)
    numbers = bytearray()
    while len(numbers) < SIZE:
        state, number = _rand(state)
        state, times = _rand(state)
        numbers += bytes([number & 0xFF]) * ((times & 0xF) + 1)
    numbers[:4] = bytes(4)
    return bytes(byte ^ number for byte, number in zip(record, numbers, strict=False))


def _rand(state: int) -> tuple[int, int]:
    state = (state * 214013 + 2531011) & 0xFFFFFFFF  # Microsoft's C runtime
    return state, state >> 16 & 0x7FFF
