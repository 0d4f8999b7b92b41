"""Pack directories into a cpio archive (newc), the same input always giving the same bytes.

Usage: mkinitrd.py OUTPUT SOURCE:DESTINATION...

Each SOURCE directory's files and folders appear under DESTINATION in the archive; a SOURCE that does not exist
is skipped. OUTPUT is written only when its content changes.
"""

from __future__ import annotations

import stat
import sys
from pathlib import Path, PurePosixPath


def encode_entry(number: int, name: str, mode: int, content: bytes) -> bytes:
    """Return one newc record: a header of 13 hexadecimal fields, the name, the content, each padded to four bytes."""
    encoded_name = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (number, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(encoded_name), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded_name
    return pad(header) + pad(content)


def pad(content: bytes) -> bytes:
    return content + b"\0" * (-len(content) % 4)


def collect(source: Path, destination: str) -> dict[str, tuple[int, bytes]]:
    """Map archive names to modes and contents for everything below `source`."""
    entries: dict[str, tuple[int, bytes]] = {}
    root = PurePosixPath(destination)
    if str(root) != ".":
        entries[str(root)] = (stat.S_IFDIR | 0o755, b"")
    for path in sorted(source.rglob("*")):
        if path.suffix in {".o", ".d"}:  # objects next to programs
            continue
        name = str(root / path.relative_to(source).as_posix())
        if path.is_symlink():
            entries[name] = (stat.S_IFLNK | 0o777, str(path.readlink()).encode())
        elif path.is_dir():
            entries[name] = (stat.S_IFDIR | 0o755, b"")
        else:
            executable = path.stat().st_mode & 0o111
            entries[name] = (stat.S_IFREG | (0o755 if executable else 0o644), path.read_bytes())
    return entries


def main(arguments: list[str]) -> int:
    output = Path(arguments[0])
    entries: dict[str, tuple[int, bytes]] = {}
    for pair in arguments[1:]:
        source, _, destination = pair.partition(":")
        if Path(source).is_dir():
            entries.update(collect(Path(source), destination))
    records = [
        encode_entry(number, name, *entries[name]) for number, name in enumerate(sorted(entries), start=1)
    ]
    archive = b"".join(records) + encode_entry(0, "TRAILER!!!", 0, b"")
    if not output.exists() or output.read_bytes() != archive:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes(archive)
        print(f"  INITRD  {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
