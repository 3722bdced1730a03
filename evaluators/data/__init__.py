"""Images: from a name, a folder or an npz file to batches on the device."""

from evaluators.data.batches import batches, evaluation_batches
from evaluators.data.dataset import DataSet, Split, load
from evaluators.data.sources import FORMS, SOURCES

__all__ = ["FORMS", "SOURCES", "DataSet", "Split", "batches", "evaluation_batches", "load"]
