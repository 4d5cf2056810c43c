"""Writes the golden messages of tests/wire/golden as inputs of decode_fuzz into a folder."""
import pathlib
import sys

golden = pathlib.Path(__file__).resolve().parent.parent / "wire" / "golden"
out = pathlib.Path(sys.argv[1])
header = (golden / "header.bin").read_bytes()
for path in sorted(golden.glob("*.bin")):
    if path.stem not in ("header", "reply"):
        (out / f"golden_{path.stem}").write_bytes(bytes([len(header)]) + header + path.read_bytes())
