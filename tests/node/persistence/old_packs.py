"""Ziplists and zipmaps as old versions of Redis wrote them: redis-server 7.0 writes neither."""


def ziplist_entry(text: bytes) -> bytes:
    """Return an entry without the length of the previous one."""
    number = int(text) if text.lstrip(b"-").isdigit() and b"%d" % int(text) == text else None
    if number is not None:
        if 0 <= number <= 12:
            return bytes((0xF1 + number,))
        for head, width in ((0xFE, 1), (0xC0, 2), (0xF0, 3), (0xD0, 4), (0xE0, 8)):
            if -(1 << (8 * width - 1)) <= number < 1 << (8 * width - 1):
                return bytes((head,)) + number.to_bytes(width, "little", signed=True)
    if len(text) < 1 << 6:
        return bytes((len(text),)) + text
    if len(text) < 1 << 14:
        return (0x4000 | len(text)).to_bytes(2, "big") + text
    return b"\x80" + len(text).to_bytes(4, "big") + text


def ziplist(texts: list[bytes]) -> bytes:
    """Return a ziplist of these strings."""
    entries = b""
    previous = last = 0
    for text in texts:
        head = bytes((previous,)) if previous < 254 else b"\xfe" + previous.to_bytes(4, "little")
        entry = head + ziplist_entry(text)
        last = len(entries)
        previous = len(entry)
        entries += entry
    size = 10 + len(entries) + 1
    header = (
        size.to_bytes(4, "little") + (10 + last).to_bytes(4, "little") + min(len(texts), 65535).to_bytes(2, "little")
    )
    return header + entries + b"\xff"


def zipmap(texts: list[bytes], free: int = 0) -> bytes:
    """Return a zipmap of fields and values by turns, with unused bytes behind each value."""
    parts = [bytes((min(len(texts) // 2, 254),))]
    for index, text in enumerate(texts):
        parts.append(bytes((len(text),)) if len(text) < 254 else b"\xfe" + len(text).to_bytes(4, "little"))
        parts.append(text if index % 2 == 0 else bytes((free,)) + text + bytes(free))
    return b"".join(parts) + b"\xff"
