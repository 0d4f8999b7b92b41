"""The command `parity`, and `python -m parity`. Ctrl-C ends it without a word while it is still being loaded."""

import signal


def main() -> None:
    """Load the command line, which takes a moment, and run it."""
    listens = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if listens:  # a shell's background jobs ignore it
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from parity.cli.app import main as run  # noqa: PLC0415 - only now may it be interrupted

    if listens:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()


if __name__ == "__main__":
    main()
