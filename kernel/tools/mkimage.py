"""Write the flat image of a 64-bit little-endian ELF kernel: its loadable segments by physical address.

    mkimage.py KERNEL.elf IMAGE

What objcopy -O binary does, without needing an LLVM or binutils that has it. Linking a second time with
`--oformat binary` will not do: the build id would be another. Source: ELF-64 Object File Format 1.5, sections 3, 8.
"""

import struct
import sys
from pathlib import Path

PT_LOAD = 1
HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT = struct.Struct("<IIQQQQQQ")


def read_segments(elf: bytes) -> list[tuple[int, bytes]]:
    identity, *_, offset, _, _, _, size, count, _, _, _ = HEADER.unpack_from(elf)
    if identity[:6] != b"\x7fELF\x02\x01":
        sys.exit("mkimage: not a 64-bit little-endian ELF file")
    segments = []
    for number in range(count):
        kind, _, start, _, address, in_file, _, _ = SEGMENT.unpack_from(elf, offset + number * size)
        if kind == PT_LOAD and in_file:
            segments.append((address, elf[start : start + in_file]))
    return sorted(segments)


def main() -> None:
    source, image = map(Path, sys.argv[1:])
    segments = read_segments(source.read_bytes())
    base = segments[0][0]
    flat = bytearray()
    for address, content in segments:
        flat.extend(bytes(address - base - len(flat)))
        flat += content
    image.write_bytes(flat)


if __name__ == "__main__":
    main()
