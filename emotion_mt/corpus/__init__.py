"""Files on disk to a `Corpus`. No TensorFlow in here."""

from emotion_mt.corpus.corpus import (
    LEFT_OUT_COLUMNS,
    SEGMENT_COLUMNS,
    SOURCE_COLUMNS,
    Corpus,
    CorpusError,
    is_rated,
    labels_from_values,
    mean_of_rated,
)
from emotion_mt.corpus.films import FILM_CODES, TRACE_NAMES, VIDEO_FOLDERS
from emotion_mt.corpus.finder import ANNOTATIONS
from emotion_mt.corpus.load import load_corpus
from emotion_mt.corpus.own import read_features
from emotion_mt.corpus.raters import RATERS, Raters, load_raters
from emotion_mt.corpus.splits import (
    BASELINE_VALIDATION,
    baseline_split,
    fixed_split,
    folds,
)
from emotion_mt.corpus.subtitle_lines import Cue
from emotion_mt.corpus.subtitles import Subtitles, read_subtitles
from emotion_mt.corpus.summary import Inspection, inspect_corpus, summarize
from emotion_mt.corpus.tables import Scale
from emotion_mt.corpus.traces import DIMENSIONS, Trace, read_trace

__all__ = [
    "ANNOTATIONS",
    "BASELINE_VALIDATION",
    "DIMENSIONS",
    "FILM_CODES",
    "LEFT_OUT_COLUMNS",
    "RATERS",
    "SEGMENT_COLUMNS",
    "SOURCE_COLUMNS",
    "TRACE_NAMES",
    "VIDEO_FOLDERS",
    "Corpus",
    "CorpusError",
    "Cue",
    "Inspection",
    "Raters",
    "Scale",
    "Subtitles",
    "Trace",
    "baseline_split",
    "fixed_split",
    "folds",
    "inspect_corpus",
    "is_rated",
    "labels_from_values",
    "load_corpus",
    "load_raters",
    "mean_of_rated",
    "read_features",
    "read_subtitles",
    "read_trace",
    "summarize",
]
