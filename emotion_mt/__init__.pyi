from . import (
    corpus as corpus,
    demo as demo,
    evaluation as evaluation,
    features as features,
    inference as inference,
    models as models,
    paper as paper,
    runs as runs,
    simulation as simulation,
    training as training,
)
from ._version import (
    __version__ as __version__,
)
from .corpus import (
    Corpus as Corpus,
    CorpusError as CorpusError,
    folds as folds,
    inspect_corpus as inspect_corpus,
    load_corpus as load_corpus,
    load_raters as load_raters,
)
from .features import (
    FeatureConfig as FeatureConfig,
    extract_features as extract_features,
    load_i3d as load_i3d,
    model_digest as model_digest,
)
from .inference import (
    BundleError as BundleError,
    Predictor as Predictor,
    add_viewer as add_viewer,
    export as export,
    fit_viewer as fit_viewer,
    plot_timeline as plot_timeline,
    save_bundle as save_bundle,
    write_timeline_html as write_timeline_html,
)
from .models import (
    EvokedEmotionModel as EvokedEmotionModel,
    LazyAdam as LazyAdam,
    MaskedBinaryCrossentropy as MaskedBinaryCrossentropy,
    fit_tokenizer as fit_tokenizer,
    make_tokenizer as make_tokenizer,
)
from .runs import (
    train_bundle as train_bundle,
)
from .simulation import (
    simulate_corpus as simulate_corpus,
)
from .training import (
    BaselineConfig as BaselineConfig,
    FitResult as FitResult,
    TrainingConfig as TrainingConfig,
    class_weights as class_weights,
    fit_split as fit_split,
    make_dataset as make_dataset,
)
