"""The subcommands of `snapproof`, one module each: `add_parser(subparsers)` and `run(arguments) -> exit code`."""
