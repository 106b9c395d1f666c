"""The command line: what the browser does, from the same YAML."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Sequence

from engine.commands.parser import Command, parser
from engine.errors import EngineError
from engine.jobs.record import TERMINATED


def main(arguments: Sequence[str]) -> int:
    """Run one command.

    Returns:
        0 on success, 2 on bad input, 1 on failure, 143 after SIGTERM or Ctrl-C.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    chosen = parser().parse_args(arguments)
    command: Command = chosen.command
    try:
        done = command(chosen)
    except EngineError as err:
        print(f"error: {err}", file=sys.stderr)
        return err.exit_code
    except KeyboardInterrupt:
        return TERMINATED
    except BrokenPipeError:  # who read our output has gone, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    if getattr(chosen, "json", False) and done is not None:
        print(json.dumps(done, default=str))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
