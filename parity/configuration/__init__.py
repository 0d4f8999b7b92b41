"""parity.toml: what it may say (model, inspection), its text with fields (template), and reading it (loader)."""

from parity.configuration.inspection import HangRules, LockNames, ThreadNames, TraceNames
from parity.configuration.loader import Configuration, find_file, load_configuration
from parity.configuration.model import (
    BootArgumentDelivery,
    Disk,
    ImageDelivery,
    ProcessDelivery,
    ShellDelivery,
    SuiteDelivery,
    Target,
    Typing,
    VerdictRules,
)
from parity.configuration.template import Pattern, fill

__all__ = [
    "BootArgumentDelivery",
    "Configuration",
    "Disk",
    "HangRules",
    "ImageDelivery",
    "LockNames",
    "Pattern",
    "ProcessDelivery",
    "ShellDelivery",
    "SuiteDelivery",
    "Target",
    "ThreadNames",
    "TraceNames",
    "Typing",
    "VerdictRules",
    "fill",
    "find_file",
    "load_configuration",
]
