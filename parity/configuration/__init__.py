"""parity.toml: what it may say (model), its text with fields (template), and reading it (loader)."""

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
    "ImageDelivery",
    "Pattern",
    "ProcessDelivery",
    "ShellDelivery",
    "SuiteDelivery",
    "Target",
    "Typing",
    "VerdictRules",
    "fill",
    "find_file",
    "load_configuration",
]
