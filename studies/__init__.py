"""How choices are made and judged: studies, their records and front, and the one that is selected."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studies.comparison.runs import Reach as Reach
    from studies.comparison.runs import Spread as Spread
    from studies.comparison.runs import held_volumes as held_volumes
    from studies.comparison.runs import reach_of as reach_of
    from studies.comparison.runs import spread_of as spread_of
    from studies.comparison.studies import Comparison as Comparison
    from studies.comparison.studies import Contender as Contender
    from studies.comparison.studies import compare_studies as compare_studies
    from studies.comparison.studies import run_of as run_of
    from studies.config import PROPOSALS as PROPOSALS
    from studies.config import Plateau as Plateau
    from studies.config import Stop as Stop
    from studies.config import StudyConfig as StudyConfig
    from studies.config import check_rungs as check_rungs
    from studies.confirmation.bench import Bench as Bench
    from studies.confirmation.bench import write_confirmation as write_confirmation
    from studies.confirmation.confirmed import CONFIRMED_FILE as CONFIRMED_FILE
    from studies.confirmation.confirmed import Confirmation as Confirmation
    from studies.confirmation.confirmed import ConfirmedRow as ConfirmedRow
    from studies.confirmation.confirmed import SeedResult as SeedResult
    from studies.confirmation.confirmed import read_confirmation as read_confirmation
    from studies.confirmation.plan import Plan as Plan
    from studies.confirmation.plan import full_epochs as full_epochs
    from studies.confirmation.plan import make_plan as make_plan
    from studies.events import Event as Event
    from studies.events import Measured as Measured
    from studies.events import RunStarted as RunStarted
    from studies.events import RunStopped as RunStopped
    from studies.events import Stopped as Stopped
    from studies.events import TrialFinished as TrialFinished
    from studies.events import TrialStarted as TrialStarted
    from studies.fronts.attainment import attained_share as attained_share
    from studies.fronts.attainment import attainment_surface as attainment_surface
    from studies.fronts.bounds import Bounds as Bounds
    from studies.fronts.distance import additive_epsilon as additive_epsilon
    from studies.fronts.distance import igd_plus as igd_plus
    from studies.fronts.history import hypervolume_trace as hypervolume_trace
    from studies.fronts.hypervolume import hypervolume as hypervolume
    from studies.fronts.pareto import non_dominated as non_dominated
    from studies.limits import Limit as Limit
    from studies.limits import check_limits as check_limits
    from studies.listed import Listed as Listed
    from studies.lock import LOCK_FILE as LOCK_FILE
    from studies.lock import Lock as Lock
    from studies.lock import read_lock as read_lock
    from studies.outputs import write_outputs as write_outputs
    from studies.outputs import write_selected as write_selected
    from studies.papers.catalogue import TABLES as TABLES
    from studies.papers.catalogue import choose_rows as choose_rows
    from studies.papers.catalogue import find_tables as find_tables
    from studies.papers.machine import this_machine as this_machine
    from studies.papers.outputs import cell_records as cell_records
    from studies.papers.outputs import heading as heading
    from studies.papers.outputs import write_reproduction as write_reproduction
    from studies.papers.reproduction import Finished as Finished
    from studies.papers.reproduction import Reproduction as Reproduction
    from studies.papers.reproduction import usual_jobs as usual_jobs
    from studies.papers.scales import SCALES as SCALES
    from studies.papers.scales import Scale as Scale
    from studies.papers.scales import find_scale as find_scale
    from studies.papers.setup import Setup as Setup
    from studies.papers.setup import choose_data as choose_data
    from studies.papers.sheet import Sheet as Sheet
    from studies.papers.sheet import make_sheet as make_sheet
    from studies.papers.table import Row as Row
    from studies.papers.table import Table as Table
    from studies.proposals.prospects import Foresees as Foresees
    from studies.records import Record as Record
    from studies.records import State as State
    from studies.records import complete_records as complete_records
    from studies.records import front as front
    from studies.repeats import Repeats as Repeats
    from studies.runner import Hands as Hands
    from studies.samplers.choice import AUTO as AUTO
    from studies.samplers.choice import SAMPLERS as SAMPLERS
    from studies.samplers.choice import Choice as Choice
    from studies.samplers.choice import check_sampler as check_sampler
    from studies.selection.locking import lock_of as lock_of
    from studies.selection.locking import versions_with as versions_with
    from studies.selection.offer import Offer as Offer
    from studies.selection.room import Room as Room
    from studies.selection.room import room_of as room_of
    from studies.selection.rules.reading import check_rule as check_rule
    from studies.selection.rules.reading import default_rule as default_rule
    from studies.selection.select import Selection as Selection
    from studies.selection.select import by_hand as by_hand
    from studies.selection.select import select as select
    from studies.study import Study as Study
    from studies.terms import NEAR as NEAR
    from studies.terms import Terms as Terms
    from studies.trial import Evaluates as Evaluates

# Where each public name lives; its module loads on first use, because optuna takes a second to import.
_HOMES = {
    "comparison.runs": ("Reach", "Spread", "held_volumes", "reach_of", "spread_of"),
    "comparison.studies": ("Comparison", "Contender", "compare_studies", "run_of"),
    "config": ("PROPOSALS", "Plateau", "Stop", "StudyConfig", "check_rungs"),
    "confirmation.bench": ("Bench", "write_confirmation"),
    "confirmation.confirmed": ("CONFIRMED_FILE", "Confirmation", "ConfirmedRow", "SeedResult", "read_confirmation"),
    "confirmation.plan": ("Plan", "full_epochs", "make_plan"),
    "events": ("Event", "Measured", "RunStarted", "RunStopped", "Stopped", "TrialFinished", "TrialStarted"),
    "fronts.attainment": ("attained_share", "attainment_surface"),
    "fronts.bounds": ("Bounds",),
    "fronts.distance": ("additive_epsilon", "igd_plus"),
    "fronts.history": ("hypervolume_trace",),
    "fronts.hypervolume": ("hypervolume",),
    "fronts.pareto": ("non_dominated",),
    "limits": ("Limit", "check_limits"),
    "listed": ("Listed",),
    "lock": ("LOCK_FILE", "Lock", "read_lock"),
    "outputs": ("write_outputs", "write_selected"),
    "papers.catalogue": ("TABLES", "choose_rows", "find_tables"),
    "papers.machine": ("this_machine",),
    "papers.outputs": ("cell_records", "heading", "write_reproduction"),
    "papers.reproduction": ("Finished", "Reproduction", "usual_jobs"),
    "papers.scales": ("SCALES", "Scale", "find_scale"),
    "papers.setup": ("Setup", "choose_data"),
    "papers.sheet": ("Sheet", "make_sheet"),
    "papers.table": ("Row", "Table"),
    "proposals.prospects": ("Foresees",),
    "records": ("Record", "State", "complete_records", "front"),
    "repeats": ("Repeats",),
    "runner": ("Hands",),
    "samplers.choice": ("AUTO", "SAMPLERS", "Choice", "check_sampler"),
    "selection.locking": ("lock_of", "versions_with"),
    "selection.offer": ("Offer",),
    "selection.room": ("Room", "room_of"),
    "selection.rules.reading": ("check_rule", "default_rule"),
    "selection.select": ("Selection", "by_hand", "select"),
    "study": ("Study",),
    "terms": ("NEAR", "Terms"),
    "trial": ("Evaluates",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
__all__ = list(_HOME_OF)


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"studies.{_HOME_OF[name]}"), name)
