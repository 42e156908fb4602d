from . import (
    corpus,
    demo,
    evaluation,
    features,
    inference,
    models,
    paper,
    runs,
    training,
)
from ._version import __version__ as __version__
from .corpus import (
    Corpus,
    CorpusError,
    folds,
    inspect_corpus,
    load_corpus,
    simulate_corpus,
)
from .features import (
    FeatureConfig,
    extract_features,
    load_i3d,
    model_digest,
)
from .inference import (
    BundleError,
    Predictor,
    export,
    plot_timeline,
    save_bundle,
    write_timeline_html,
)
from .models import (
    EvokedEmotionModel,
    LazyAdam,
    MaskedBinaryCrossentropy,
    fit_tokenizer,
    make_tokenizer,
)
from .runs import train_bundle
from .training import (
    BaselineConfig,
    FitResult,
    TrainingConfig,
    class_weights,
    fit_split,
    make_dataset,
)
