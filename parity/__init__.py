"""The command line, the domain's nouns and the flows that wire runners, gdb and db together."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("parity")
except PackageNotFoundError:  # run from a checkout that is not installed
    __version__ = "0+unknown"
