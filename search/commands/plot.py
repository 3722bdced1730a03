"""`plot STUDY`: the pictures again, from the records."""

from argparse import Namespace

from search.console import say, say_json
from search.pictures import draw_pictures
from studies import Study


def execute(args: Namespace) -> int:
    """Draw both pictures and print where they are."""
    study = Study.load(args.study, storage=args.storage)
    paths = {name: str(path) for name, path in draw_pictures(study).items()}
    if args.json:
        say_json(paths)
    else:
        say("\n".join(paths.values()))
    return 0
