"""`reproduce TABLE`: a table of a paper, trained and attacked again, published beside measured."""

from __future__ import annotations

import json
import shlex
from argparse import Namespace
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluators.base import check_range
from search.console import console, note, table
from search.formats import clock
from search.progress import Countdown
from space.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from studies import Finished, Setup, Sheet, Table
    from studies.papers.table import Row

DONE, INTERRUPTED = 0, 130
LIST = "list"


def execute(args: Namespace) -> int:
    """List the tables, or measure what is missing of those named and write them."""
    if args.table in (None, LIST):
        return _list(args)
    from studies import find_scale, find_tables

    tables = find_tables(args.table)
    scales = [find_scale(args.scale, one, args.seeds) for one in tables]
    rows = [one.find_rows(args.rows) for one in tables]
    if args.jobs is not None:
        check_range("--jobs", args.jobs, 1, 1_000)
    documents, failures = [], []
    for one, scale, chosen in zip(tables, scales, rows, strict=True):
        setup = _setup(args, one, scale)
        with _resumable(args):
            sheet, failed = _reproduce(setup, chosen, args.jobs)
        failures += failed
        documents.append(_document(sheet))
        if not args.json:
            _print(sheet)
    if args.json:
        print(json.dumps(documents, indent=2, ensure_ascii=False))
    _complain(failures)
    return DONE


def _setup(args: Namespace, one: Table, scale: Any) -> Setup:
    """What the flags ask for; the data are loaded later."""
    from evaluators.opening import find_device
    from studies import Setup, choose_data, this_machine

    device = find_device(args.device)
    dataset, stand_in = choose_data(one, scale, args.dataset, args.out)
    return Setup(
        table=one.name,
        scale=scale,
        dataset=dataset,
        stand_in=stand_in,
        folder=args.out,
        machine=this_machine(_gpu(device.type, device.index)),
        device=str(device),
        cache=args.cache,
        data_root=args.data_root,
        download=args.download,
    )
