"""`plot STUDY`: the pictures again, from the records."""

import json
from argparse import Namespace

from search.pictures import draw_pictures
from search.reading import chosen_in
from studies import Study


def execute(args: Namespace) -> int:
    """Draw both pictures and print where they are."""
    study = Study.load(args.study, storage=args.storage)
    paths = {name: str(path) for name, path in draw_pictures(study, chosen_in(study.folder)).items()}
    print(json.dumps(paths, indent=2) if args.json else "\n".join(paths.values()))
    return 0
