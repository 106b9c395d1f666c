"""The command line: what the browser does, from the same YAML."""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from collections.abc import Sequence

from engine.commands.arguments.negative_values import with_negative_values
from engine.commands.arguments.parser import Command, parser
from engine.jobs.record import TERMINATED
from engine.jobs.unforeseen import in_words


def main(arguments: Sequence[str]) -> int:
    """Run one command.

    Returns:
        0 on success, 2 on bad input, 1 on failure, 143 after SIGTERM or Ctrl-C.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    # Rasters that say no place are common among embeddings; whoever needs the place says so in words.
    warnings.filterwarnings("ignore", "Dataset has no geotransform")
    chosen = parser().parse_args(with_negative_values(arguments))
    command: Command = chosen.command
    try:
        done = command(chosen)
        if getattr(chosen, "json", False) and done is not None:
            print(json.dumps(done, default=str))
    except KeyboardInterrupt:
        return TERMINATED
    except BrokenPipeError:  # who read our output has gone, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as err:
        if sys.flags.dev_mode:  # `python -X dev -m engine ...` shows where it happened
            raise
        told = in_words(err)
        print(f"error: {' '.join(str(told).split())}", file=sys.stderr)
        return told.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
